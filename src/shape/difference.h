// How far the numbers of a tensor are from those of another one of the same shape.
#pragma once

#include "base/threads.h"
#include "convert/weight.h"

namespace heft::shape {

struct Difference {
    double relative = 0;    // norm of the difference over the norm of the first; 0 where both are 0
    double cosine = 1;      // of the angle between them
    double most = 0;        // greatest difference of two numbers
    bool identical = true;  // every number, to the bit but for the sign of zero
};

// Errors: invalid, where the shapes differ.
Result<Difference> difference(const convert::Weight& first, const convert::Weight& second,
                              ThreadPool& pool);

}  // namespace heft::shape
