#include "text/tokenizer.h"

#include <utility>

#include "text/tokenizer_impl.h"
#include "text/utf8.h"

namespace heft::text {

namespace {

// Bytes of one token as they stand at this place of a text.
std::string_view spoken_at(const Tokenizer& tokenizer, TokenId id, bool with_special, bool first) {
    std::string_view bytes = tokenizer.bytes_of(id, with_special);
    const bool literal =
        tokenizer.kind(id) == TokenKind::control || tokenizer.kind(id) == TokenKind::user_defined;
    if (first && !literal && tokenizer.drops_first_space() && bytes.starts_with(' '))
        bytes.remove_prefix(1);
    return bytes;
}

}  // namespace

Tokenizer::Tokenizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Result<std::string> Tokenizer::decode(std::span<const TokenId> ids, bool with_special) const {
    std::string out;
    bool first = true;
    for (const TokenId id : ids) {
        if (id < 0 || id >= size())
            return Error{Code::invalid, "token id " + std::to_string(id) + " is not in 0…"
                                            + std::to_string(size() - 1)};
        const bool silent = bytes_of(id, with_special).empty();
        out += spoken_at(*this, id, with_special, first);
        first = first && silent;
    }
    return out;
}

int Tokenizer::size() const {
    return impl_->table.size();
}

std::string_view Tokenizer::piece(TokenId id) const {
    return impl_->table.text(id);
}

TokenKind Tokenizer::kind(TokenId id) const {
    return id >= 0 && id < size() ? impl_->kinds[static_cast<std::size_t>(id)] : TokenKind::unused;
}

std::optional<TokenId> Tokenizer::find(std::string_view piece) const {
    const TokenId id = impl_->table.find(piece);
    return id == kNoToken ? std::nullopt : std::optional(id);
}

const SpecialTokens& Tokenizer::special() const {
    return impl_->special;
}

std::string_view Tokenizer::description() const {
    return impl_->description;
}

std::string_view Tokenizer::bytes_of(TokenId id, bool with_special) const {
    if (id < 0 || id >= size()) return {};
    const bool hidden = kind(id) == TokenKind::control || kind(id) == TokenKind::unknown;
    if (hidden && !with_special) return {};
    const auto index = static_cast<std::size_t>(id);
    const std::size_t begin = index == 0 ? 0 : impl_->spoken_end[index - 1];
    return std::string_view(impl_->spoken).substr(begin, impl_->spoken_end[index] - begin);
}

bool Tokenizer::drops_first_space() const {
    return impl_->drops_first_space;
}

StreamDecoder::StreamDecoder(const Tokenizer& tokenizer, bool with_special)
    : tokenizer_(&tokenizer), with_special_(with_special) {}

std::string StreamDecoder::push(TokenId id) {
    const bool silent = tokenizer_->bytes_of(id, with_special_).empty();
    std::string out = bytes_.push(spoken_at(*tokenizer_, id, with_special_, first_));
    first_ = first_ && silent;
    return out;
}

std::string StreamDecoder::finish() {
    return bytes_.finish();
}

}  // namespace heft::text
