// heft bench: how fast, and how near to what the machine allows.
#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/build_info.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/help.h"
#include "app/machine.h"
#include "app/model_flags.h"
#include "app/roofs.h"
#include "base/rng.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr int kChunk = 512;  // prompt tokens computed at once

struct BenchOptions {
    ModelFlags model;
    int n_prompt = 512, n_predict = 128, depth = 0, batch = 1, repeats = 5;
    bool json = false;
};

// What one test did, per repetition.
struct Work {
    double tokens = 0;
    double bytes = 0;  // weights and cache that had to be read
    double flop = 0;
};

struct Timed {
    std::string name;
    Work work;
    std::vector<double> seconds;  // ascending
};

// Several sequences of one model, fed with random tokens.
class Bench {
  public:
    Bench(const engine::Engine& engine, const BenchOptions& options)
        : engine_(engine), options_(options) {}

    Status prepare() {
        const std::int64_t n_ctx = options_.depth + std::max(options_.n_prompt, options_.n_predict);
        for (int i = 0; i < options_.batch; ++i) {
            HEFT_TRY(kv::Cache cache,
                     engine_.model().make_cache(n_ctx, engine_.context().precision, n_ctx));
            caches_.push_back(std::move(cache));
        }
        if (options_.depth > 0) HEFT_OK(prefill(0, options_.depth));
        return {};
    }

    Result<Timed> time_prefill() {
        HEFT_TRY(Timed timed,
                 repeat([this] { return prefill(options_.depth, options_.n_prompt); }));
        timed.name = fmt::format("pp{}", options_.n_prompt);
        const int chunk = kChunk;
        const int passes = (options_.n_prompt * options_.batch + chunk - 1) / chunk;
        timed.work = work(options_.n_prompt, passes, 1);
        return timed;
    }

    Result<Timed> time_decode() {
        HEFT_TRY(Timed timed, repeat([this] { return decode(); }));
        timed.name = fmt::format("tg{}", options_.n_predict);
        timed.work = work(options_.n_predict, options_.n_predict, options_.n_predict);
        return timed;
    }

  private:
    std::int32_t token() {
        const auto n_vocab = static_cast<std::uint64_t>(engine_.model().config().n_vocab);
        return static_cast<std::int32_t>(rng_.next() % n_vocab);
    }

    Status forward() {
        logits_.clear();
        Status status = engine_.model().forward(engine_.context(), inputs_, logits_);
        inputs_.clear();
        return status;
    }

    // All sequences from position `from` on, kChunk tokens at once.
    Status prefill(int from, int count) {
        for (kv::Cache& cache : caches_) cache.set_length(from);
        for (kv::Cache& cache : caches_) {
            for (int i = 0; i < count; ++i) {
                inputs_.push_back({token(), from + i, &cache, i + 1 == count});
                if (inputs_.size() == kChunk) HEFT_OK(forward());
            }
        }
        return inputs_.empty() ? Status{} : forward();
    }

    Status decode() {
        for (kv::Cache& cache : caches_) cache.set_length(options_.depth);
        for (int i = 0; i < options_.n_predict; ++i) {
            for (kv::Cache& cache : caches_)
                inputs_.push_back({token(), options_.depth + i, &cache, true});
            HEFT_OK(forward());
        }
        return {};
    }

    Result<Timed> repeat(const std::function<Status()>& once) {
        HEFT_OK(once());  // warms caches and scratch
        Timed timed;
        for (int r = 0; r < options_.repeats; ++r) {
            const auto begin = Clock::now();
            HEFT_OK(once());
            timed.seconds.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
        }
        std::sort(timed.seconds.begin(), timed.seconds.end());
        return timed;
    }

    // `n_tokens` and `n_logits` per sequence; `passes` over all weights.
    Work work(int n_tokens, int passes, int n_logits) const {
        const arch::Config& config = engine_.model().config();
        const double sequences = options_.batch;
        const double table = static_cast<double>(config.n_vocab) * config.d_model;
        const double body = static_cast<double>(arch::parameter_count(engine_.checkpoint()))
                            - table * (config.tied ? 1 : 2);
        const double keys = options_.depth + (n_tokens + 1) / 2.0;  // seen by a token, on average
        const double cache_rows = 2.0 * config.n_layer * config.n_kv * config.d_head;
        const double cache_bytes =
            cache_rows * (engine_.context().precision == op::Precision::f32 ? 4 : 2);
        Work out;
        out.tokens = n_tokens * sequences;
        // A token's keys and values are read once for each pass that it or a later token is in.
        out.bytes = passes * static_cast<double>(engine_.model().bytes_per_token())
                    + passes * sequences * keys * cache_bytes;
        out.flop =
            out.tokens * (2 * body + 4.0 * config.n_layer * config.n_head * config.d_head * keys)
            + 2 * table * n_logits * sequences;
        return out;
    }

    const engine::Engine& engine_;
    const BenchOptions& options_;
    std::vector<kv::Cache> caches_;
    std::vector<model::Input> inputs_;
    std::vector<float> logits_;
    Rng rng_{1};
};

Json result_json(const Timed& timed, const BenchOptions& o, const Roofs& roofs) {
    const double seconds = timed.seconds[timed.seconds.size() / 2];
    const double gb_s = timed.work.bytes / seconds / 1e9;
    const double tflop_s = timed.work.flop / seconds / 1e12;
    const double of_memory = gb_s / roofs.read_gb_s;
    const double of_arithmetic = tflop_s / roofs.f32_tflop_s;
    const bool memory_bound = of_memory >= of_arithmetic;
    return {{"test", timed.name},
            {"depth", o.depth},
            {"batch", o.batch},
            {"tok_s", timed.work.tokens / seconds},
            {"tok_s_spread",
             timed.work.tokens / timed.seconds.front() - timed.work.tokens / timed.seconds.back()},
            {"gb_s", gb_s},
            {"tflop_s", tflop_s},
            {"roof", memory_bound ? "dram" : "f32"},
            {"roof_share", memory_bound ? of_memory : of_arithmetic}};
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

void put_table(const Json& d) {
    const Json& machine = d["machine"];
    const Json& roofs = d["roofs"];
    const Json& model = d["model"];
    put(fmt::format(
        "{}: {}, {:.1f} M parameters, {:.1f} MB, opened in {:.1f} ms, peak memory {:.0f} MB\n",
        model["name"].get<std::string>(), model["architecture"].get<std::string>(),
        model["parameters"].get<double>() / 1e6, model["bytes"].get<double>() / 1e6,
        d["load_s"].get<double>() * 1e3, d["peak_memory_bytes"].get<double>() / 1e6));
    put(fmt::format(
        "{}, {} threads, {}; memory {:.1f} GB/s ({:.1f} with one stream per thread), "
        "float32 {:.3f} TFLOP/s\n",
        machine["cpu"].get<std::string>(), machine["threads"].get<int>(),
        machine["isa"].get<std::string>(), roofs["read_gb_s"].get<double>(),
        roofs["read_gb_s_one_stream"].get<double>(), roofs["f32_tflop_s"].get<double>()));
    put(fmt::format("{:<8}{:>7}{:>7}{:>12}{:>10}{:>9}{:>10}  {}\n", "test", "depth", "batch",
                    "tok/s", "spread", "GB/s", "TFLOP/s", "of the roof"));
    for (const Json& r : d["results"])
        put(fmt::format("{:<8}{:>7}{:>7}{:>12.2f}{:>10.2f}{:>9.2f}{:>10.3f}  {:.0f} % of {}\n",
                        r["test"].get<std::string>(), r["depth"].get<int>(), r["batch"].get<int>(),
                        r["tok_s"].get<double>(), r["tok_s_spread"].get<double>(),
                        r["gb_s"].get<double>(), r["tflop_s"].get<double>(),
                        r["roof_share"].get<double>() * 100, r["roof"].get<std::string>()));
    if (model["bytes_per_token"].get<std::int64_t>()
        < machine["last_level_cache_bytes"].get<std::int64_t>())
        put("The weights fit in the processor's cache, so the share of memory bandwidth may exceed "
            "100 %.\n");
}

Status check(const BenchOptions& o) {
    constexpr int most = 1 << 24;
    if (o.n_prompt < 0 || o.n_predict < 0 || o.depth < 0 || o.n_prompt > most || o.n_predict > most
        || o.depth > most)
        return Error{Code::invalid, "-p, -n, -d: numbers of tokens from 0 to 16777216 are needed"};
    if (o.n_prompt == 0 && o.n_predict == 0)
        return Error{Code::invalid, "with -p 0 and -n 0 there is nothing to measure"};
    if (o.batch < 1 || o.batch > 1024)
        return Error{Code::invalid, "-b: a number from 1 to 1024 is needed"};
    if (o.repeats < 1 || o.repeats > 10000)
        return Error{Code::invalid, "-r: a number from 1 to 10000 is needed"};
    return {};
}

Status bench(const BenchOptions& o) {
    HEFT_OK(check(o));
    const auto began = Clock::now();
    HEFT_TRY(const engine::Engine engine, open_model(o.model, op::Precision::fast));
    const double load_s = std::chrono::duration<double>(Clock::now() - began).count();
    HEFT_TRY(const arch::Config* config, engine.config());
    if (const auto n_ctx = config->n_ctx;
        n_ctx > 0 && o.depth + std::max(o.n_prompt, o.n_predict) > n_ctx)
        say(fmt::format("heft: the model was made for {} tokens; this goes beyond", n_ctx));

    Bench run(engine, o);
    HEFT_OK(run.prepare());
    std::vector<Timed> timed;
    if (o.n_prompt > 0) {
        HEFT_TRY(Timed prefill, run.time_prefill());
        timed.push_back(std::move(prefill));
    }
    if (o.n_predict > 0) {
        HEFT_TRY(Timed decode, run.time_decode());
        timed.push_back(std::move(decode));
    }
    const std::int64_t peak = peak_memory_bytes();  // before the probes below take theirs
    const Roofs roofs = measure_roofs(engine.threads(), engine.context().kernels);
    Json document = {{"schema", "heft.bench/1"},
                     {"machine", machine_json(engine)},
                     {"roofs",
                      {{"read_gb_s", roofs.read_gb_s},
                       {"read_gb_s_one_stream", roofs.read_gb_s_one_stream},
                       {"f32_tflop_s", roofs.f32_tflop_s}}},
                     {"model",
                      {{"name", engine.checkpoint().name()},
                       {"architecture", config->family->name},
                       {"bytes", engine.checkpoint().file_bytes()},
                       {"parameters", arch::parameter_count(engine.checkpoint())},
                       {"bytes_per_token", engine.model().bytes_per_token()}}},
                     {"load_s", load_s},
                     {"peak_memory_bytes", peak},
                     {"results", Json::array()}};
    for (const Timed& one : timed) document["results"].push_back(result_json(one, o, roofs));
    if (o.json)
        put_json(document);
    else
        put_table(document);
    return {};
}

}  // namespace

void add_bench(CLI::App& app, Action& action) {
    const auto o = std::make_shared<BenchOptions>();
    CLI::App* verb = add_verb(app, "bench",
                              "Prefill and decode speed, and the share of what the machine allows.",
                              "heft bench model.gguf -p 512 -n 128 -r 5");
    add_model(*verb, o->model);
    verb->add_option("-p,--n-prompt", o->n_prompt, "tokens of prefill (512; 0: none)")
        ->type_name("N");
    verb->add_option("-n,--n-gen", o->n_predict, "tokens of decoding (128; 0: none)")
        ->type_name("N");
    verb->add_option("-d,--n-depth", o->depth, "tokens in the cache before (0)")->type_name("N");
    verb->add_option("-b,--batch", o->batch, "sequences side by side (1)")->type_name("N");
    verb->add_option("-r,--repetitions", o->repeats, "repetitions (5)")->type_name("N");
    add_threads(*verb, o->model);
    add_precision(*verb, o->model, "fast");
    verb->add_flag("--json", o->json, "one heft.bench/1 document");
    verb->callback([o, &action] { action = [o] { return bench(*o); }; });
}

}  // namespace heft::app
