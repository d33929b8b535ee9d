// The inner loop of the encoders that search (tensor/quant/encoding.h). Lanes are the scales that
// are tried, so no sum crosses lanes and every width gives the same bits.
#pragma once

#include "kernel/generic/lanes.inl.h"
#include "tensor/quant/encoding.h"

namespace heft::kernel {
namespace {

template <class L>
void sum_levels(const quant::LevelQuery& query, quant::LevelSums& sums) noexcept {
    using F = typename L::F;
    constexpr int kVectors = quant::kTries / L::kWidth;
    const F shifter = L::set(12582912.0F);  // adding it rounds to an integer
    const F low = L::set(query.low);
    const F less_high = L::set(-query.high);
    F inverse[kVectors];
    F l[kVectors];
    F ll[kVectors];
    F xl[kVectors];
    unroll<kVectors>([&](auto v) __attribute__((always_inline)) {
        inverse[v.value] = L::load(query.inverse + v.value * L::kWidth);
        l[v.value] = ll[v.value] = xl[v.value] = F{};
    });
    for (int i = 0; i < query.n; ++i) {
        const F x = L::set(query.x[i] - query.offset);
        const F w = L::set(query.w[i]);
        const F wx = L::set(query.w[i] * query.x[i]);
        unroll<kVectors>([&](auto v) __attribute__((always_inline)) {
            F q = x * inverse[v.value] + shifter - shifter;
            q = L::greater(q, low);                    // NaN becomes the lowest
            q = F{} - L::greater(F{} - q, less_high);  // the lesser of q and high
            const F wq = w * q;
            l[v.value] += wq;
            ll[v.value] += wq * q;
            xl[v.value] += wx * q;
        });
    }
    unroll<kVectors>([&](auto v) __attribute__((always_inline)) {
        L::store(sums.l + v.value * L::kWidth, l[v.value]);
        L::store(sums.ll + v.value * L::kWidth, ll[v.value]);
        L::store(sums.xl + v.value * L::kWidth, xl[v.value]);
    });
}

}  // namespace
}  // namespace heft::kernel
