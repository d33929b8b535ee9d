#include "merge/cost.h"

#include <algorithm>

#include "base/clock.h"
#include "merge/merged_rows.h"

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
    // The mapped pages of one stretch of blocks.
    const std::uint64_t pages = 4 * wave * block * 4 * inputs;
    return threads * per_thread + pages;
}

// For so many numbers of a tensor.
double numbers_read(const Plan& plan, const PlannedTensor& tensor, std::int64_t size) {
    return static_cast<double>(size) * static_cast<double>(inputs_count(tensor))
           * plan.passes(tensor);
}

const PlannedTensor* largest(const Plan& plan) {
    const PlannedTensor* most = nullptr;
    for (const PlannedTensor& tensor : plan.tensors)
        if (!tensor.is_buffer && (most == nullptr || tensor.size() > most->size())) most = &tensor;
    return most;
}

}  // namespace

std::uint64_t memory_for(const Plan& plan, int n_threads, int wave) {
    std::uint64_t most = 0;
    for (const PlannedTensor& tensor : plan.tensors)
        most = std::max(most, memory_of(tensor, static_cast<std::uint64_t>(n_threads),
                                        static_cast<std::uint64_t>(wave)));
    return most;
}

Result<int> wave_for(const Plan& plan, int n_threads, std::optional<std::uint64_t> max_ram) {
    int wave = kWave;
    if (!max_ram) return wave;
    while (wave > kLeastWave && memory_for(plan, n_threads, wave) > *max_ram) wave /= 2;
    const std::uint64_t least = memory_for(plan, n_threads, wave);
    if (least <= *max_ram) return wave;
    return Error{Code::exhausted, "merging takes " + std::to_string(((least - *max_ram) >> 20) + 1)
                                      + " MiB more on " + std::to_string(n_threads)
                                      + " threads than --max-ram allows; give it more, or use "
                                        "fewer threads (-t)"};
}

Result<double> estimate_seconds(const Plan& plan, ThreadPool& pool) {
    constexpr std::int64_t blocks = 64;
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
    HEFT_OK(scanner.each(inputs, [&rule](int, const Block& block) {
        std::vector<float> numbers(block.size());
        rule(block, numbers.data());
    }));
    const double sample = numbers_read(plan, *tensor, inputs.size());
    if (sample <= 0) return 0.0;
    double all = 0;
    for (const PlannedTensor& one : plan.tensors) all += numbers_read(plan, one, one.size());
    return seconds_since(began) / sample * all;
}

}  // namespace heft::merge
