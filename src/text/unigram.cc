#include <algorithm>
#include <cmath>
#include <limits>

#include "text/piece_trie.h"
#include "text/tokenizer_impl.h"
#include "text/utf8.h"
#include "text/word_model.h"

namespace heft::text {

namespace {

constexpr double kUnknownPenalty = 10;

class Unigram final : public WordModel {
  public:
    Unigram(const Tokenizer::Impl& impl, PieceTrie trie, double unknown)
        : impl_(impl), trie_(std::move(trie)), unknown_(unknown) {}

    void encode(std::string_view word, WordScratch& scratch,
                std::vector<TokenId>& ids) const override {
        find_paths(word, scratch.paths);
        const std::size_t start = ids.size();
        // Backwards, from the end: an unknown character's bytes are turned around with the rest.
        for (std::size_t end = word.size(); end > 0;) {
            const WordScratch::Path& path = scratch.paths[end];
            const std::size_t mark = ids.size();
            if (path.id != kNoToken)
                ids.push_back(path.id);
            else
                spell_unknown(impl_, word.substr(path.begin, end - path.begin), ids);
            std::reverse(ids.begin() + static_cast<std::ptrdiff_t>(mark), ids.end());
            end = path.begin;
        }
        std::reverse(ids.begin() + static_cast<std::ptrdiff_t>(start), ids.end());
    }

  private:
    // paths[i]: the best way to split the first i bytes. Of equally good ones the first found
    // stays, the one whose last piece is longest.
    void find_paths(std::string_view word, std::vector<WordScratch::Path>& paths) const {
        paths.assign(word.size() + 1, {});
        paths[0].reached = true;
        for (std::size_t at = 0; at < word.size();) {
            const std::size_t bytes = utf8_at(word, at).bytes;
            const double before = paths[at].score;
            const auto offer = [&paths, at](std::size_t end, double score, TokenId id) {
                WordScratch::Path& path = paths[end];
                if (path.reached && score <= path.score) return;
                path = {score, static_cast<std::uint32_t>(at), id, true};
            };
            bool known = false;
            trie_.each_prefix(word.substr(at), [&](std::size_t n, TokenId id) {
                offer(at + n, before + double{impl_.scores[static_cast<std::size_t>(id)]}, id);
                known = known || n == bytes;
            });
            if (!known) offer(at + bytes, before + unknown_, kNoToken);
            at += bytes;
        }
    }

    const Tokenizer::Impl& impl_;
    PieceTrie trie_;
    double unknown_;
};

}  // namespace

Result<std::unique_ptr<WordModel>> make_unigram(const Tokenizer::Impl& impl) {
    std::vector<PieceTrie::Piece> pieces;
    double worst = std::numeric_limits<double>::max();
    for (TokenId id = 0; id < impl.table.size(); ++id) {
        const auto index = static_cast<std::size_t>(id);
        if (impl.kinds[index] != TokenKind::normal) continue;
        if (!std::isfinite(impl.scores[index]))
            return Error{Code::corrupt,
                         "the score of token " + std::to_string(id) + " is not a finite number"};
        worst = std::min(worst, double{impl.scores[index]});
        pieces.push_back({impl.table.text(id), id});
    }
    HEFT_TRY(PieceTrie trie, PieceTrie::build(std::move(pieces)));
    return std::unique_ptr<WordModel>(
        std::make_unique<Unigram>(impl, std::move(trie), worst - kUnknownPenalty));
}

}  // namespace heft::text
