// Loops over independent items, on all threads when there is enough to do.
#pragma once

#include <algorithm>
#include <atomic>

#include "op/context.h"

namespace heft::op {

// body(item, thread) for 0 <= item < n, handed out one by one. A loop of a single item runs here:
// waking threads costs more than a small row.
template <class Body>
void for_each(Context& context, int n, const Body& body) {
    if (n <= 1 || context.pool.size() == 1) {
        for (int i = 0; i < n; ++i) body(i, 0);
        return;
    }
    std::atomic<int> next{0};
    context.pool.run([&](int thread, int) {
        for (int i = next.fetch_add(1, std::memory_order_relaxed); i < n;
             i = next.fetch_add(1, std::memory_order_relaxed))
            body(i, thread);
    });
}

}  // namespace heft::op
