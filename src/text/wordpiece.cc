#include "text/piece_trie.h"
#include "text/tokenizer_impl.h"
#include "text/utf8.h"
#include "text/word_model.h"

namespace heft::text {

namespace {

class WordPiece final : public WordModel {
  public:
    WordPiece(const Tokenizer::Impl& impl, PieceTrie first, PieceTrie rest, std::size_t longest)
        : impl_(impl), first_(std::move(first)), rest_(std::move(rest)), longest_(longest) {}

    void encode(std::string_view word, WordScratch& /*scratch*/,
                std::vector<TokenId>& ids) const override {
        const std::size_t start = ids.size();
        if (!has_more_than(word, longest_) && pieces(word, ids)) return;
        ids.resize(start);
        if (impl_.special.unk) ids.push_back(*impl_.special.unk);
    }

  private:
    static bool has_more_than(std::string_view word, std::size_t chars) {
        for (std::size_t at = 0; at < word.size(); at += utf8_at(word, at).bytes)
            if (chars-- == 0) return true;
        return false;
    }

    bool pieces(std::string_view word, std::vector<TokenId>& ids) const {
        for (std::size_t at = 0; at < word.size();) {
            std::size_t bytes = 0;
            TokenId id = kNoToken;
            const PieceTrie& trie = at == 0 ? first_ : rest_;
            trie.each_prefix(word.substr(at), [&](std::size_t n, TokenId found) {
                bytes = n;
                id = found;
            });
            if (bytes == 0) return false;
            ids.push_back(id);
            at += bytes;
        }
        return true;
    }

    const Tokenizer::Impl& impl_;
    PieceTrie first_, rest_;
    std::size_t longest_;
};

}  // namespace

Result<std::unique_ptr<WordModel>> make_wordpiece(const Tokenizer::Impl& impl,
                                                  const WordPieceRules& rules) {
    std::vector<PieceTrie::Piece> first, rest;
    for (TokenId id = 0; id < impl.table.size(); ++id) {
        if (impl.kinds[static_cast<std::size_t>(id)] != TokenKind::normal) continue;
        const std::string_view text = impl.table.text(id);
        const bool starts = text.starts_with(rules.first);
        if (starts) first.push_back({text.substr(rules.first.size()), id});
        // Where only words' beginnings are marked, what bears the mark continues none.
        const bool continues = rules.rest.empty() ? !starts : text.starts_with(rules.rest);
        if (continues) rest.push_back({text.substr(rules.rest.size()), id});
    }
    HEFT_TRY(PieceTrie firsts, PieceTrie::build(std::move(first)));
    HEFT_TRY(PieceTrie rests, PieceTrie::build(std::move(rest)));
    return std::unique_ptr<WordModel>(
        std::make_unique<WordPiece>(impl, std::move(firsts), std::move(rests), rules.longest_word));
}

}  // namespace heft::text
