// How a long text is cut for measuring, as llama.cpp's perplexity tool cuts it, so that numbers can
// be compared: consecutive windows of n_ctx tokens, what does not fill one is left out. The first
// token of each is replaced by the beginning-of-text token where the model wants one. The first
// half of a window is context only; the tokens after it are scored, each by the logits before it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"

namespace heft::eval {

struct Window {
    std::vector<std::int32_t> ids;
    std::vector<int> positions;  // whose logits count: of the token that follows each
};

// `bos`: absent where none is put in front. At most `limit` windows (0: all). Errors: invalid,
// where the text is shorter than two windows, which is too short to tell anything.
Result<std::vector<Window>> cut(std::span<const std::int32_t> ids, int n_ctx,
                                std::optional<std::int32_t> bos, int limit);

}  // namespace heft::eval
