#include "text/word_model.h"

#include "text/byte_level.h"
#include "text/piece_trie.h"
#include "text/tokenizer_impl.h"
#include "text/utf8.h"

namespace heft::text {

namespace {

class Bpe final : public WordModel {
  public:
    explicit Bpe(const Tokenizer::Impl& impl) : impl_(impl) {}

    void encode(std::string_view word, WordScratch& scratch,
                std::vector<TokenId>& ids) const override {
        Merger& merger = scratch.merger;
        merger.clear();
        if (impl_.ignore_merges && impl_.alphabet == Alphabet::bytes) {
            const TokenId whole = whole_word(word);
            if (whole != kNoToken) return ids.push_back(whole);
        }
        for (std::size_t at = 0; at < word.size();) {
            const std::size_t bytes =
                impl_.alphabet == Alphabet::bytes ? 1 : utf8_at(word, at).bytes;
            merger.add(symbol(word, at, bytes, scratch.spelled), at, bytes);
            at += bytes;
        }
        merger.run(word, *impl_.rules);
        merger.each([&](const Symbol& s) {
            if (s.id != kNoToken)
                ids.push_back(s.id);
            else if (impl_.alphabet == Alphabet::characters)
                spell_unknown(impl_, word.substr(s.begin, s.bytes), ids);
        });
    }

  private:
    TokenId whole_word(std::string_view word) const {
        if (word.size() > impl_.table.longest()) return kNoToken;
        return made(impl_.table.find(byte_level_spell(word)));
    }

    // Control tokens are never made of characters.
    TokenId made(TokenId id) const {
        if (id == kNoToken) return kNoToken;
        const TokenKind kind = impl_.kinds[static_cast<std::size_t>(id)];
        return kind == TokenKind::control || kind == TokenKind::unknown ? kNoToken : id;
    }

    TokenId symbol(std::string_view word, std::size_t at, std::size_t bytes,
                   std::string& spelled) const {
        const std::string_view text = word.substr(at, bytes);
        const bool in_bytes = impl_.alphabet == Alphabet::bytes;
        if (impl_.affixes.empty())
            return in_bytes ? impl_.byte_ids[static_cast<std::uint8_t>(text[0])]
                            : made(impl_.table.find(text));
        spelled.clear();
        if (at > 0) spelled += impl_.affixes.before_rest;
        spelled += in_bytes ? byte_level_spell(text) : std::string(text);
        if (at + bytes == word.size()) spelled += impl_.affixes.after_word;
        return made(impl_.table.find(spelled));
    }

    const Tokenizer::Impl& impl_;
};

class LongestMatch final : public WordModel {
  public:
    LongestMatch(const Tokenizer::Impl& impl, PieceTrie trie)
        : impl_(impl), trie_(std::move(trie)) {}

    void encode(std::string_view word, WordScratch& /*scratch*/,
                std::vector<TokenId>& ids) const override {
        while (!word.empty()) {
            std::size_t bytes = 0;
            TokenId id = kNoToken;
            trie_.each_prefix(word, [&](std::size_t n, TokenId found) {
                bytes = n;
                id = found;
            });
            if (bytes == 0) {
                bytes = 1;
                id = impl_.special.unk.value_or(kNoToken);
            }
            if (id != kNoToken) ids.push_back(id);
            word.remove_prefix(bytes);
        }
    }

  private:
    const Tokenizer::Impl& impl_;
    PieceTrie trie_;
};

}  // namespace

std::unique_ptr<WordModel> make_bpe(const Tokenizer::Impl& impl) {
    return std::make_unique<Bpe>(impl);
}

Result<std::unique_ptr<WordModel>> make_longest_match(const Tokenizer::Impl& impl) {
    std::vector<PieceTrie::Piece> pieces;
    for (TokenId id = 0; id < impl.table.size(); ++id)
        if (impl.kinds[static_cast<std::size_t>(id)] == TokenKind::normal)
            pieces.push_back({impl.spoken_text(id), id});
    HEFT_TRY(PieceTrie trie, PieceTrie::build(std::move(pieces)));
    return std::unique_ptr<WordModel>(std::make_unique<LongestMatch>(impl, std::move(trie)));
}

void spell_unknown(const Tokenizer::Impl& impl, std::string_view text, std::vector<TokenId>& ids) {
    const std::size_t start = ids.size();
    for (const char c : text) {
        const TokenId id = impl.byte_ids[static_cast<std::uint8_t>(c)];
        if (id == kNoToken) {
            ids.resize(start);
            if (impl.special.unk) ids.push_back(*impl.special.unk);
            return;
        }
        ids.push_back(id);
    }
}

}  // namespace heft::text
