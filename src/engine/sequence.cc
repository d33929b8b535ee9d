#include "engine/sequence.h"

#include <algorithm>

namespace heft::engine {

bool takes_long_rope(const arch::Rope& rope, std::int64_t length) {
    return rope.scaling == arch::Scaling::longrope && length > rope.original_ctx;
}

Result<Sequence> Sequence::make(const Engine& engine, std::int64_t n_ctx, std::int64_t expected) {
    HEFT_TRY(kv::Cache cache, engine.make_cache(n_ctx, expected));
    return Sequence(engine, std::move(cache));
}

void Sequence::use_adapter(int number) {
    if (number == cache_.basis.adapter) return;
    cut(0);
    cache_.basis.adapter = number;
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

void Sequence::find(std::span<const TokenId> text) {
    const std::int64_t found = cache_.find(text);
    if (found > length()) tokens_.assign(text.begin(), text.begin() + found);
}

void Sequence::expect(std::int64_t length) {
    const arch::Rope& rope = engine_->model().config().rope;
    const bool is_long = takes_long_rope(rope, length);
    if (rope.scaling != arch::Scaling::longrope || is_long == cache_.basis.long_context) return;
    cut(0);
    cache_.basis.long_context = is_long;
}

void Sequence::list(std::span<const TokenId> tokens, Rows rows, std::vector<model::Input>& inputs) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        const bool wanted = rows == Rows::all || (rows == Rows::last && i + 1 == tokens.size());
        inputs.push_back(
            {tokens[i], static_cast<std::int32_t>(tokens_.size() + i), &cache_, wanted});
    }
}

void Sequence::computed(std::span<const TokenId> tokens) {
    tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
}

Status Sequence::extend(std::span<const TokenId> tokens, Rows rows, const Reading& reading) {
    std::vector<model::Input> inputs;
    const auto batch =
        rows == Rows::all ? tokens.size() : static_cast<std::size_t>(reading.n_batch);
    while (!tokens.empty()) {
        if (reading.is_cancelled())
            return Error{Code::cancelled, "stopped while reading the prompt"};
        const auto now = tokens.first(std::min(tokens.size(), batch));
        tokens = tokens.subspan(now.size());
        inputs.clear();
        list(now, rows == Rows::last && !tokens.empty() ? Rows::none : rows, inputs);
        logits_.clear();
        HEFT_OK(engine_->model().forward(engine_->context(), inputs, logits_));
        computed(now);
    }
    return {};
}

std::int64_t Sequence::until_rope_changes() const {
    const arch::Rope& rope = engine_->model().config().rope;
    if (rope.scaling != arch::Scaling::longrope || cache_.basis.long_context) return kForever;
    return std::max<std::int64_t>(0, rope.original_ctx - length());
}

// Longrope has two sets of factors, chosen by the length of the whole sequence: when it grows past
// the trained length, everything is computed again, as Hugging Face does.
bool Sequence::change_rope(std::int64_t length) {
    if (length - this->length() <= until_rope_changes()) return false;
    cache_.basis.long_context = true;
    cut(0);
    return true;
}

Status Sequence::settle_rope(std::int64_t length, const Reading& reading) {
    if (length - this->length() <= until_rope_changes()) return {};
    const std::vector<TokenId> again = tokens_;
    change_rope(length);
    return extend(again, Rows::last, reading);
}

}  // namespace heft::engine
