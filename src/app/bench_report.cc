#include "app/bench_report.h"

#include <algorithm>

#include <fmt/format.h>

#include "app/build_info.h"
#include "app/console.h"
#include "app/machine.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;

// The probe that the kernels of an instruction set are judged by: for weights that they multiply in
// integers, for others, and where all is float32.
struct Yardstick {
    const char* isa;
    const char* integers;
    const char* floats;
    const char* f32;
};
constexpr Yardstick kYardsticks[] = {
    {"scalar", "f32-128", "f32-128", "f32-128"},
    {"avx2", "int8-256", "f32-256", "f32-256"},
    {"avx512", "vnni-512", "f32-512", "f32-512"},
    {"avx512_bf16", "vnni-512", "bf16-512", "f32-512"},
    {"amx", "amx-bf16", "amx-bf16", "f32-512"},
};

// Whether most of the weights are of types that are multiplied in integers.
bool mostly_integers(const engine::Engine& engine) {
    double integers = 0;
    double all = 0;
    for (const TensorView& tensor : engine.checkpoint().tensors()) {
        double count = 1;
        for (const std::int64_t extent : tensor.shape) count *= static_cast<double>(extent);
        all += count;
        if (engine.context().kernels.has_dot_int(tensor.type)) integers += count;
    }
    return 2 * integers > all;
}

std::string yardstick_of(const engine::Engine& engine) {
    for (const Yardstick& row : kYardsticks) {
        if (std::string_view(row.isa) != engine.context().kernels.name) continue;
        if (engine.context().precision == op::Precision::f32) return row.f32;
        return mostly_integers(engine) ? row.integers : row.floats;
    }
    return kYardsticks[0].f32;
}

Json result_json(const BenchResult& result, const Roofs& roofs, const ArithmeticRoof& arithmetic) {
    const double seconds = result.median();
    const double gb_s = result.work.bytes / seconds / 1e9;
    const double tflop_s = result.work.flop / seconds / 1e12;
    const double of_memory = gb_s / roofs.best_memory().gb_s;
    const double of_arithmetic = tflop_s / arithmetic.tflop_s;
    const bool memory_binds = of_memory >= of_arithmetic;
    return {{"test", name_of(result.test)},
            {"depth", result.test.depth},
            {"batch", result.test.batch},
            {"tok_s", result.work.tokens / seconds},
            {"tok_s_spread", result.work.tokens / result.seconds.front()
                                 - result.work.tokens / result.seconds.back()},
            {"gb_s", gb_s},
            {"tflop_s", tflop_s},
            {"roof", memory_binds ? "memory" : arithmetic.name},
            {"roof_share", std::max(of_memory, of_arithmetic)},
            {"memory_share", of_memory},
            {"arithmetic_share", of_arithmetic}};
}

Json machine_json(const engine::Engine& engine) {
    return {{"cpu", cpu_name()},
            {"cpus", usable_cpus()},
            {"threads", engine.threads().size()},
            {"isa", engine.context().kernels.name},
            {"memory_bytes", memory_bytes()},
            {"last_level_cache_bytes", last_level_cache_bytes()},
            {"compiler", build_info().compiler},
            {"commit", build_info().commit}};
}

Json roofs_json(const Roofs& roofs, const std::string& yardstick) {
    Json memory = Json::array();
    for (const MemoryRoof& roof : roofs.memory)
        memory.push_back({{"streams", roof.streams}, {"gb_s", roof.gb_s}});
    Json arithmetic = Json::array();
    for (const ArithmeticRoof& roof : roofs.arithmetic)
        arithmetic.push_back({{"name", roof.name}, {"tflop_s", roof.tflop_s}});
    return {{"memory_gb_s", roofs.best_memory().gb_s},
            {"memory_streams", roofs.best_memory().streams},
            {"memory", std::move(memory)},
            {"arithmetic_used", yardstick},
            {"arithmetic", std::move(arithmetic)}};
}

Json model_json(const engine::Engine& engine) {
    return {{"name", engine.checkpoint().name()},
            {"architecture", engine.model().config().family->name},
            {"bytes", engine.checkpoint().file_bytes()},
            {"parameters", arch::parameter_count(engine.checkpoint())},
            {"bytes_per_token", engine.model().bytes_per_token()}};
}

// -- tables

struct Column {
    const char* title;
    int width;
    std::string (*cell)(const Json& result);
};

constexpr Column kColumns[] = {
    {"test", 9, [](const Json& r) { return r["test"].get<std::string>(); }},
    {"depth", 7, [](const Json& r) { return fmt::format("{}", r["depth"].get<int>()); }},
    {"batch", 7, [](const Json& r) { return fmt::format("{}", r["batch"].get<int>()); }},
    {"tok/s", 11, [](const Json& r) { return fmt::format("{:.2f}", r["tok_s"].get<double>()); }},
    {"spread", 10,
     [](const Json& r) { return fmt::format("{:.2f}", r["tok_s_spread"].get<double>()); }},
    {"GB/s", 8, [](const Json& r) { return fmt::format("{:.2f}", r["gb_s"].get<double>()); }},
    {"TFLOP/s", 9, [](const Json& r) { return fmt::format("{:.3f}", r["tflop_s"].get<double>()); }},
    {"of roof", 9,
     [](const Json& r) { return fmt::format("{:.0f} %", r["roof_share"].get<double>() * 100); }},
    {"roof", 10, [](const Json& r) { return r["roof"].get<std::string>(); }},
};

void put_row(const std::string& format, const std::function<std::string(const Column&)>& cell) {
    std::string line;
    for (const Column& column : kColumns) {
        const std::string text = cell(column);
        if (format == "csv")
            line += (line.empty() ? "" : ",") + text;
        else if (format == "md")
            line += (line.empty() ? "| " : " ") + text + " |";
        else
            line += fmt::format("{:>{}}", text, column.width);
    }
    put(line + "\n");
}

void put_rows(const Json& d, const std::string& format) {
    put_row(format, [](const Column& column) { return std::string(column.title); });
    if (format == "md") put_row(format, [](const Column&) { return std::string("--:"); });
    for (const Json& result : d["results"])
        put_row(format, [&result](const Column& column) { return column.cell(result); });
}

double in_mb(const Json& bytes) {
    return bytes.get<double>() / 1e6;
}

void put_head(const Json& d) {
    const Json& machine = d["machine"];
    const Json& roofs = d["roofs"];
    const Json& model = d["model"];
    const Json& memory = d["memory"];
    put(fmt::format("{}: {}, {:.1f} M parameters, {:.1f} MB\n", model["name"].get<std::string>(),
                    model["architecture"].get<std::string>(),
                    model["parameters"].get<double>() / 1e6, in_mb(model["bytes"])));
    put(fmt::format(
        "open after {:.1f} ms, first token after {:.1f} ms; peak memory {:.0f} MB, of which "
        "{:.0f} MB beside the file and {:.0f} MB of keys and values\n",
        d["load_s"].get<double>() * 1e3, d["first_token_s"].get<double>() * 1e3,
        in_mb(memory["peak_bytes"]), in_mb(memory["other_bytes"]), in_mb(memory["cache_bytes"])));
    put(fmt::format("{}, {} threads, {}, commit {}\n", machine["cpu"].get<std::string>(),
                    machine["threads"].get<int>(), machine["isa"].get<std::string>(),
                    machine["commit"].get<std::string>()));
    std::string peaks;
    for (const Json& roof : roofs["arithmetic"])
        peaks += fmt::format("{}{} {:.3f}", peaks.empty() ? "" : ", ",
                             roof["name"].get<std::string>(), roof["tflop_s"].get<double>());
    put(fmt::format(
        "memory {:.1f} GB/s with {} streams per thread, {:.1f} with one; {} TFLOP/s\n\n",
        roofs["memory_gb_s"].get<double>(), roofs["memory_streams"].get<int>(),
        roofs["memory"][0]["gb_s"].get<double>(), peaks));
}

Json cache_json(const engine::Engine& engine) {
    const kv::Types types = engine.cache_types();
    return {{"keys", kv::name_of(types.keys)},
            {"values", kv::name_of(types.values)},
            {"quantised", types.quantised()},
            {"bytes_per_token", engine.model().cache_bytes_per_token(types)}};
}

}  // namespace

Json bench_document(const engine::Engine& engine, const BenchReport& report) {
    const std::string yardstick = yardstick_of(engine);
    const ArithmeticRoof* arithmetic = report.roofs.find(yardstick);
    if (arithmetic == nullptr) arithmetic = &report.roofs.arithmetic.front();
    const double other = static_cast<double>(report.peak_memory_bytes) - report.cache_bytes
                         - static_cast<double>(engine.checkpoint().file_bytes());
    Json document = {{"schema", "heft.bench/2"},
                     {"machine", machine_json(engine)},
                     {"roofs", roofs_json(report.roofs, arithmetic->name)},
                     {"model", model_json(engine)},
                     {"cache", cache_json(engine)},
                     {"load_s", report.load_s},
                     {"first_token_s", report.first_token_s},
                     {"memory",
                      {{"peak_bytes", report.peak_memory_bytes},
                       {"cache_bytes", static_cast<std::int64_t>(report.cache_bytes)},
                       {"other_bytes", static_cast<std::int64_t>(other)}}},
                     {"results", Json::array()}};
    for (const BenchResult& result : report.results)
        document["results"].push_back(result_json(result, report.roofs, *arithmetic));
    return document;
}

bool is_bench_format(const std::string& format) {
    return format == "text" || format == "md" || format == "csv" || format == "json";
}

void put_bench_table(const Json& d, const std::string& format) {
    if (format == "text") put_head(d);
    put_rows(d, format);
    const bool cached = d["model"]["bytes_per_token"].get<std::int64_t>()
                        < d["machine"]["last_level_cache_bytes"].get<std::int64_t>();
    if (format == "text" && cached)
        put("The weights fit in the processor's cache, so the share of memory bandwidth may exceed "
            "100 %.\n");
}

}  // namespace heft::app
