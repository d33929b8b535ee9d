#include "eval/windows.h"

#include <algorithm>
#include <string>

namespace heft::eval {

Result<std::vector<Window>> cut(std::span<const std::int32_t> ids, int n_ctx,
                                std::optional<std::int32_t> bos, int limit) {
    constexpr int kLeast = 8;
    if (n_ctx < kLeast)
        return Error{Code::invalid, "windows of " + std::to_string(n_ctx)
                                        + " tokens are too short to measure anything"};
    const auto size = static_cast<std::size_t>(n_ctx);
    if (ids.size() < 2 * size)
        return Error{Code::invalid, "the text has " + std::to_string(ids.size())
                                        + " tokens, and two windows of " + std::to_string(n_ctx)
                                        + " are needed at least; give a longer text or --ctx-size"};
    std::size_t n = ids.size() / size;
    if (limit > 0) n = std::min(n, static_cast<std::size_t>(limit));
    std::vector<Window> out(n);
    for (std::size_t w = 0; w < n; ++w) {
        const auto part = ids.subspan(w * size, size);
        out[w].ids.assign(part.begin(), part.end());
        if (bos) out[w].ids.front() = *bos;
        for (int p = n_ctx / 2; p < n_ctx - 1; ++p) out[w].positions.push_back(p);
    }
    return out;
}

}  // namespace heft::eval
