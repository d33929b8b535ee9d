#include "merge/weights.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "format/gguf.h"
#include "format/output_file.h"
#include "format/safetensors_writer.h"
#include "tensor/quant/quant.h"
#include "tensor/rows.h"

namespace heft::merge {

namespace {

constexpr int kWave = 64;
constexpr int kLeastWave = 1;

std::uint64_t inputs_count(const PlannedTensor& tensor) {
    return tensor.models.size() + (tensor.base ? 1 : 0);
}

std::uint64_t memory_of(const PlannedTensor& tensor, std::uint64_t threads, std::uint64_t wave) {
    Inputs shape;
    shape.n_rows = rows_of(tensor.shape);
    shape.n_columns = columns_of(tensor.shape);
    const auto block = static_cast<std::uint64_t>(shape.block_rows() * shape.n_columns);
    const std::uint64_t inputs = inputs_count(tensor);
    // Numbers of all inputs, what is computed from them, and the histograms of two ranks.
    const std::uint64_t per_thread = block * 4 * (2 * inputs + 6) + inputs * (3U << 18);
    // Two waves of results, and the mapped pages of one stretch of blocks.
    const std::uint64_t results = 2 * wave * block * 4;
    const std::uint64_t pages = 4 * wave * block * 4 * inputs;
    return threads * per_thread + results + pages;
}

// As it is stored, whatever it is.
format::TensorSource copy_of(const PlannedTensor& tensor) {
    const TensorView& view = *tensor.models.front().tensor->view;
    format::TensorSource source = format::source_of(view);
    source.name = tensor.name;
    return source;
}

Status produce(const Plan& plan, const PlannedTensor& tensor, DType type, Scanner& scanner,
               const format::ByteSink& sink) {
    const Inputs inputs = inputs_of(plan, tensor);
    auto rule = plan.recipe.method->prepare(inputs, tensor.settings, scanner);
    if (!rule) {
        if (rule.error().code == Code::cancelled) return std::move(rule.error());
        return within("tensor " + tensor.name, std::move(rule.error()));
    }
    HEFT_TRY(const std::uint64_t bytes,
             row_bytes(type, static_cast<std::uint64_t>(inputs.n_columns)));
    return scanner.write(
        inputs, *rule,
        [to_type = codec(type)](const float* from, std::int64_t n, std::byte* to) {
            to_type->quantise(from, n, to);
        },
        bytes, sink);
}

const PlannedTensor* largest(const Plan& plan) {
    const PlannedTensor* most = nullptr;
    for (const PlannedTensor& tensor : plan.tensors)
        if (!tensor.is_buffer && (most == nullptr || tensor.size() > most->size())) most = &tensor;
    return most;
}

// Tensors of one file.
struct Shard {
    std::vector<const PlannedTensor*> tensors;
    std::uint64_t bytes = 0;
};

Result<std::vector<Shard>> cut(const Plan& plan, std::uint64_t shard_bytes) {
    std::vector<Shard> shards(1);
    for (const PlannedTensor& tensor : plan.tensors) {
        HEFT_TRY(const std::uint64_t bytes, tensor_bytes(tensor.type, tensor.shape));
        if (!shards.back().tensors.empty() && shards.back().bytes + bytes > shard_bytes)
            shards.emplace_back();
        shards.back().tensors.push_back(&tensor);
        shards.back().bytes += bytes;
    }
    return shards;
}

std::string shard_name(std::size_t i, std::size_t count) {
    if (count == 1) return "model.safetensors";
    // The same numbering as of GGUF parts: "model-00001-of-00003".
    const std::string part =
        format::gguf_part_name("model", static_cast<int>(i) + 1, static_cast<int>(count));
    return part.substr(0, part.size() - 5) + ".safetensors";
}

std::uint64_t work_of(const Plan& plan, const Shard& shard) {
    std::uint64_t sum = 0;
    for (const PlannedTensor* tensor : shard.tensors)
        sum += static_cast<std::uint64_t>(tensor->size()) * 4 * inputs_count(*tensor)
               * static_cast<std::uint64_t>(plan.passes(*tensor));
    return sum;
}

}  // namespace

std::uint64_t memory_for(const Plan& plan, int n_threads, int wave) {
    std::uint64_t most = 0;
    for (const PlannedTensor& tensor : plan.tensors)
        most = std::max(most, memory_of(tensor, static_cast<std::uint64_t>(n_threads),
                                        static_cast<std::uint64_t>(wave)));
    return most;
}

Result<int> wave_for(const Plan& plan, int n_threads, std::uint64_t max_ram) {
    int wave = kWave;
    while (max_ram > 0 && wave > kLeastWave && memory_for(plan, n_threads, wave) > max_ram)
        wave /= 2;
    const std::uint64_t least = memory_for(plan, n_threads, wave);
    if (max_ram > 0 && least > max_ram)
        return Error{Code::exhausted, "merging takes at least " + std::to_string((least >> 20) + 1)
                                          + " MiB on " + std::to_string(n_threads)
                                          + " threads, more than --max-ram; give it more, or use "
                                            "fewer threads (-t)"};
    return wave;
}

format::TensorSource source_for(const Plan& plan, const PlannedTensor& tensor, DType type,
                                Scanner& scanner) {
    if (tensor.is_buffer) return copy_of(tensor);
    format::TensorSource source;
    source.name = tensor.name;
    source.type = type;
    source.shape = tensor.shape;
    source.produce = [&plan, &tensor, type, &scanner](const format::ByteSink& sink) {
        return produce(plan, tensor, type, scanner, sink);
    };
    return source;
}

Result<double> estimate_seconds(const Plan& plan, ThreadPool& pool) {
    constexpr std::int64_t blocks = 64;
    constexpr double written_per_second = 1e9;
    const PlannedTensor* tensor = largest(plan);
    if (tensor == nullptr) return 0.0;
    Scanner scanner(pool, {}, kWave);
    Inputs inputs = inputs_of(plan, *tensor);
    const std::int64_t all_rows = inputs.n_rows;
    inputs.n_rows = std::min(all_rows, blocks * inputs.block_rows());
    // A part of the rows, and so of the bytes.
    const auto cut_to = [&](Input& input) {
        const auto share = static_cast<std::size_t>(inputs.n_rows);
        input.mapped =
            input.mapped.first(input.mapped.size() / static_cast<std::size_t>(all_rows) * share);
    };
    for (Input& input : inputs.models) cut_to(input);
    if (inputs.base) cut_to(*inputs.base);
    const Clock::time_point began = Clock::now();
    HEFT_TRY(const Rule rule, plan.recipe.method->prepare(inputs, tensor->settings, scanner));
    HEFT_OK(scanner.write(
        inputs, rule, [](const float*, std::int64_t, std::byte*) {}, 1,
        [](Bytes) -> Status { return {}; }));
    const double share = static_cast<double>(inputs.size()) * 4
                         * static_cast<double>(inputs_count(*tensor)) * plan.passes(*tensor);
    if (share <= 0) return 0.0;
    return seconds_since(began) / share * static_cast<double>(plan.bytes_read())
           + static_cast<double>(plan.bytes_out()) / written_per_second;
}

Result<Shards> write_shards(const Plan& plan, const std::filesystem::path& folder,
                            std::uint64_t shard_bytes, Scanner& scanner,
                            const std::function<void(std::uint64_t)>& kept) {
    HEFT_TRY(const std::vector<Shard> shards, cut(plan, shard_bytes));
    Shards out;
    nlohmann::ordered_json map = nlohmann::ordered_json::object();
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < shards.size(); ++i) {
        const std::string name = shard_name(i, shards.size());
        out.names.push_back(name);
        for (const PlannedTensor* tensor : shards[i].tensors) map[tensor->name] = name;
        total += shards[i].bytes;
        std::error_code error;
        if (std::filesystem::exists(folder / name, error)) {
            out.bytes_kept += work_of(plan, shards[i]);
            kept(work_of(plan, shards[i]));
            continue;
        }
        format::SafetensorsWriter writer;
        writer.set("format", "pt");  // as loaders of Hugging Face files ask for
        for (const PlannedTensor* tensor : shards[i].tensors)
            writer.add(source_for(plan, *tensor, tensor->type, scanner));
        HEFT_OK(writer.write(folder / name));
    }
    if (shards.size() == 1) return out;
    const nlohmann::ordered_json index = {{"metadata", {{"total_size", total}}},
                                          {"weight_map", std::move(map)}};
    HEFT_OK(format::write_file(folder / "model.safetensors.index.json", index.dump(2) + "\n"));
    return out;
}

}  // namespace heft::merge
