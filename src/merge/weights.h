// The plan, carried out: the tensors of the result as producers for a writer, each made when its
// turn comes, a few blocks at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/threads.h"
#include "format/tensor_source.h"
#include "merge/plan.h"
#include "merge/scan.h"

namespace heft::merge {

// How much memory merging takes beside the program itself, for a plan on so many threads with so
// many blocks in flight. An upper bound.
std::uint64_t memory_for(const Plan& plan, int n_threads, int wave);

// The most blocks in flight within `max_ram` bytes (0: the usual number), at least 1. Errors:
// exhausted, saying what it would take.
Result<int> wave_for(const Plan& plan, int n_threads, std::uint64_t max_ram);

// The plan, the pool and the tensor must outlive the source.
format::TensorSource source_for(const Plan& plan, const PlannedTensor& tensor, DType type,
                                Scanner& scanner);

// Seconds that the merge will take, from a few blocks of its largest tensor, made and thrown away.
Result<double> estimate_seconds(const Plan& plan, ThreadPool& pool);

// Writes model.safetensors, or model-0000n-of-0000N.safetensors with their index, each with at most
// `shard_bytes` of tensors (or one tensor). What is there already is kept: whoever calls has made
// sure that it is of the same merge.
struct Shards {
    std::vector<std::string> names;
    std::uint64_t bytes_kept =
        0;  // of numbers, as Plan::bytes_read counts, that were there already
};
Result<Shards> write_shards(const Plan& plan, const std::filesystem::path& folder,
                            std::uint64_t shard_bytes, Scanner& scanner,
                            const std::function<void(std::uint64_t)>& kept);

}  // namespace heft::merge
