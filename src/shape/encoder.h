// Weights into stored bytes, on all cores and in order: a tensor is cut into chunks of rows, each
// thread makes one at a time and hands it on when its turn has come. Memory is a chunk per thread,
// whatever the size of tensors and models.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "base/threads.h"
#include "convert/weight.h"
#include "format/tensor_source.h"

namespace heft::kernel {
struct Table;
}

namespace heft::shape {

// Numbers of sources read so far. false: stop.
using Progress = std::function<bool(std::uint64_t done)>;

struct EncodeJob {
    DType type = DType::f32;
    // How much errors count, for each column; several sets one after the other where each of as
    // many stacked matrices has its own. Empty: by the weights alone. Must outlive the job.
    std::span<const float> importance = {};
    bool check_finite = true;  // refuse NaN and infinities, which no quantised type can hold
};

class Encoder {
  public:
    // `pool` must outlive the encoder. `progress` may be empty; it is called from one thread at a
    // time.
    Encoder(ThreadPool& pool, Progress progress);

    // Errors: corrupt (a number that is not finite; the sentence names the tensor), cancelled,
    // those of the sink. Not for several threads at once.
    Status encode(const convert::Weight& weight, const EncodeJob& job,
                  const format::ByteSink& sink);

    // A tensor for a writer, encoded when its turn comes. This and the importances must live until
    // then.
    format::TensorSource source(convert::Weight weight, const EncodeJob& job);

    // Counts a weight whose bytes need not be made.
    void pass_over(const convert::Weight& weight) { done_ += weight.work(); }

    // Bytes, at most, that encoding rows of so many columns takes on so many threads.
    static std::uint64_t memory_for(std::int64_t n_cols, int n_threads);

  private:
    ThreadPool& pool_;
    Progress progress_;
    const kernel::Table& kernels_;
    std::uint64_t done_ = 0;
};

}  // namespace heft::shape
