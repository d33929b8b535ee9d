// The spectral norm of the difference of two matrices: how far their products with any one input
// can be apart, at most, for an input of length 1. By power iteration on D^T D from a fixed start
// (Golub and Van Loan, Matrix Computations, 8.2): a lower bound, which grows less than a part in
// 10000 at the last step.
#pragma once

#include "base/threads.h"
#include "convert/weight.h"

namespace heft::shape {

// Of stacked matrices the greatest. Both have the same shape and are matrices. The difference is
// held in memory where it is at most 256 MiB, else read again at each step. Does not depend on the
// number of threads. `go_on` is asked at each step, false stops with cancelled; it may be empty.
Result<double> spectral_norm_of_difference(const convert::Weight& first,
                                           const convert::Weight& second, ThreadPool& pool,
                                           const std::function<bool()>& go_on = {});

}  // namespace heft::shape
