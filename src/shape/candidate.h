// A model with some of its matrices in other types, in memory, to be measured before it is written:
// a checkpoint whose tensors are the encoded bytes, and where nothing changes, views of the files.
#pragma once

#include <map>
#include <vector>

#include "format/checkpoint.h"
#include "shape/quantise.h"

namespace heft::shape {

class Candidates {
  public:
    // `model`, its checkpoint and `pool` outlive it; `imatrix` may be nullptr. Memory: matrices
    // that are not whole pieces of the files, and what checkpoint() encodes.
    Candidates(const GgufModel& model, const Imatrix* imatrix, ThreadPool& pool, Progress progress);

    // `types`: one for each of the model's weights. The checkpoint is good until the next call.
    // What was encoded is kept for the next calls up to kMostKept bytes.
    Result<format::Checkpoint> checkpoint(std::span<const DType> types);

    // What a weight is where it stays as it is.
    static DType own_type(const convert::Weight& weight);

  private:
    struct Encoded {
        std::vector<float> importance;
        std::vector<std::byte> bytes;
    };
    using Key = std::pair<std::size_t, DType>;

    Result<Bytes> bytes_of(std::size_t weight, DType type);
    void make_room(std::span<const DType> types);

    const GgufModel& model_;
    const Imatrix* imatrix_;
    Encoder encoder_;
    std::vector<std::byte> metadata_;
    std::map<Key, Encoded> encoded_;
};

}  // namespace heft::shape
