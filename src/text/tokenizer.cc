#include "text/tokenizer.h"

#include <utility>

#include "text/tokenizer_impl.h"
#include "text/utf8.h"

namespace heft::text {

namespace {

// Bytes of one token as they stand at this place of a text.
std::string_view spoken_at(const Tokenizer& tokenizer, TokenId id, bool with_special, bool first) {
    std::string_view bytes = tokenizer.bytes_of(id, with_special);
    const TokenKind kind = tokenizer.kind(id);
    const bool own_space =
        (kind == TokenKind::control || kind == TokenKind::user_defined) && !tokenizer.joins_words();
    if (first && !own_space && tokenizer.drops_first_space() && bytes.starts_with(' '))
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
    if (drops_last_space() && out.ends_with(' ')) out.pop_back();
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
    return impl_->spoken_text(id);
}

bool Tokenizer::drops_first_space() const {
    return impl_->speech.drops_first_space;
}

bool Tokenizer::drops_last_space() const {
    return impl_->speech.drops_last_space;
}

bool Tokenizer::joins_words() const {
    return impl_->speech.joins_words;
}

std::string Tokenizer::lacking_bytes() const {
    std::string lacking;
    if (impl_->model != ModelKind::bpe) return lacking;
    if (impl_->special.unk && impl_->alphabet == Alphabet::characters) return lacking;
    for (std::size_t byte = 0; byte < impl_->byte_ids.size(); ++byte)
        if (impl_->byte_ids[byte] == kNoToken) lacking += static_cast<char>(byte);
    return lacking;
}

StreamDecoder::StreamDecoder(const Tokenizer& tokenizer, bool with_special)
    : tokenizer_(&tokenizer), with_special_(with_special) {}

std::string StreamDecoder::push(TokenId id) {
    const bool silent = tokenizer_->bytes_of(id, with_special_).empty();
    std::string bytes(spoken_at(*tokenizer_, id, with_special_, first_));
    first_ = first_ && silent;
    if (tokenizer_->drops_last_space() && !bytes.empty()) {
        if (held_space_) bytes.insert(0, " ");
        held_space_ = bytes.ends_with(' ');
        if (held_space_) bytes.pop_back();
    }
    return bytes_.push(bytes);
}

std::string StreamDecoder::finish() {
    return bytes_.finish();
}

}  // namespace heft::text
