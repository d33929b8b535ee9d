#include "tensor/quant/encoding.h"

namespace heft::quant {

void sum_levels(const LevelQuery& query, LevelSums& sums) noexcept {
    constexpr float kShifter = 12582912.0F;  // adding it rounds to an integer
    sums = {};
    for (int i = 0; i < query.n; ++i) {
        const float x = query.x[i] - query.offset;
        const float w = query.w[i];
        const float wx = w * query.x[i];
        for (int t = 0; t < kTries; ++t) {
            float q = x * query.inverse[t] + kShifter - kShifter;
            q = q > query.low ? q : query.low;  // NaN becomes the lowest
            q = q < query.high ? q : query.high;
            const float wq = w * q;
            sums.l[t] += wq;
            sums.ll[t] += wq * q;
            sums.xl[t] += wx * q;
        }
    }
}

}  // namespace heft::quant
