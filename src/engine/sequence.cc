#include "engine/sequence.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace heft::engine {

Result<Sequence> Sequence::make(const Engine& engine, std::int64_t n_ctx, std::int64_t expected) {
    HEFT_TRY(kv::Cache cache, engine.make_cache(n_ctx, expected));
    return Sequence(engine, std::move(cache));
}

void Sequence::cut(std::int64_t length) {
    if (length >= this->length()) return;
    tokens_.resize(static_cast<std::size_t>(length));
    cache_.set_length(length);
}

std::int64_t Sequence::keep_common(std::span<const TokenId> text) {
    const auto same = std::mismatch(tokens_.begin(), tokens_.end(), text.begin(), text.end());
    cut(same.first - tokens_.begin());
    return length();
}

void Sequence::expect(std::int64_t length) {
    const arch::Rope& rope = engine_->model().config().rope;
    const bool is_long = length > rope.original_ctx;
    if (rope.scaling != arch::Scaling::longrope || is_long == cache_.long_context) return;
    cut(0);
    cache_.long_context = is_long;
}

Status Sequence::extend(std::span<const TokenId> tokens, Rows rows, const Reading& reading) {
    std::vector<model::Input> inputs;
    const auto batch =
        rows == Rows::all ? tokens.size() : static_cast<std::size_t>(reading.n_batch);
    for (std::size_t from = 0; from < tokens.size(); from += batch) {
        if (reading.is_cancelled())
            return Error{Code::cancelled, "stopped while reading the prompt"};
        const std::size_t to = std::min(tokens.size(), from + batch);
        inputs.clear();
        for (std::size_t i = from; i < to; ++i)
            inputs.push_back({tokens[i], static_cast<std::int32_t>(tokens_.size() + (i - from)),
                              &cache_, rows == Rows::all || i + 1 == tokens.size()});
        logits_.clear();
        HEFT_OK(engine_->model().forward(engine_->context(), inputs, logits_));
        tokens_.insert(tokens_.end(), tokens.begin() + static_cast<std::ptrdiff_t>(from),
                       tokens.begin() + static_cast<std::ptrdiff_t>(to));
    }
    return {};
}

std::span<const float> Sequence::logits(int row) const {
    const auto n_vocab = static_cast<std::size_t>(engine_->model().config().n_vocab);
    const std::size_t from = static_cast<std::size_t>(row) * n_vocab;
    HEFT_CHECK(from + n_vocab <= logits_.size());
    return {logits_.data() + from, n_vocab};
}

std::int64_t Sequence::until_rope_changes() const {
    const arch::Rope& rope = engine_->model().config().rope;
    if (rope.scaling != arch::Scaling::longrope || cache_.long_context) return kForever;
    return std::max<std::int64_t>(0, rope.original_ctx - length());
}

// Longrope has two sets of factors, chosen by the length of the whole sequence: when it grows past
// the trained length, everything is computed again, as Hugging Face does.
Status Sequence::settle_rope(std::int64_t length, const Reading& reading) {
    if (length - this->length() <= until_rope_changes()) return {};
    cache_.long_context = true;
    const std::vector<TokenId> again = std::exchange(tokens_, {});
    cache_.set_length(0);
    return extend(again, Rows::last, reading);
}

}  // namespace heft::engine
