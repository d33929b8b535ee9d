// Text to ids: added tokens, then normalisation, words, and what the model makes of each.
#include <string>
#include <utility>

#include "text/tokenizer_impl.h"
#include "text/word_cache.h"

namespace heft::text {

namespace {

// One call of encode(): what it reuses from word to word.
class Encoding {
  public:
    Encoding(const Tokenizer::Impl& parts, bool parse_special)
        : parts_(parts), parse_special_(parse_special) {}

    void text(std::string_view text) {
        std::vector<Segment> segments;
        parts_.added.split(text, parse_special_, segments);
        for (std::size_t i = 0; i < segments.size(); ++i) {
            if (segments[i].id != kNoToken)
                out_.push_back(segments[i].id);
            else
                between_tokens(segments[i].text, i == 0 ? nullptr : &segments[i - 1]);
        }
    }

    std::vector<TokenId>& out() { return out_; }

  private:
    void between_tokens(std::string_view text, const Segment* before) {
        const bool begins = before == nullptr;
        const bool prefixed = wants_prefix(before);
        if (!prefixed && parts_.normaliser.empty() && parts_.added_normalised.empty())
            return words(text, begins);
        std::string normal = parts_.normaliser.apply(std::string(text), scratch_);
        const std::string& prefix = parts_.prefix.text;
        const bool there = parts_.prefix.unless_there && normal.starts_with(prefix);
        if (prefixed && !there && !normal.empty()) normal.insert(0, prefix);
        std::vector<Segment> segments;
        parts_.added_normalised.split(normal, parse_special_, segments);
        for (std::size_t i = 0; i < segments.size(); ++i) {
            if (segments[i].id != kNoToken)
                out_.push_back(segments[i].id);
            else
                words(segments[i].text, begins && i == 0);
        }
    }

    bool wants_prefix(const Segment* before) const {
        const Prefix& prefix = parts_.prefix;
        if (prefix.when == Prefix::When::never) return false;
        if (before && prefix.when == Prefix::When::first) return false;
        return !before || before->control || prefix.after_user_defined;
    }

    void words(std::string_view text, bool begins) {
        parts_.pretokeniser.split(text, begins, scratch_, words_);
        for (const std::string_view word : words_.list) {
            after_unknown_ = false;
            if (parts_.use_seams)
                parts_of(word);
            else
                cached(word);
        }
    }

    // Merging is the same in each part, but a whole word may be a token by itself.
    void parts_of(std::string_view word) {
        if (parts_.ignore_merges) {
            const TokenId whole = parts_.table.find(word);
            if (whole != kNoToken
                && parts_.kinds[static_cast<std::size_t>(whole)] == TokenKind::normal)
                return emit(whole);
        }
        pieces_.clear();
        parts_.seams.split(word, pieces_);
        for (const std::string_view piece : pieces_) cached(piece);
    }

    void cached(std::string_view word) {
        const auto hit = cache_.find(word);
        if (hit.found) {
            for (const TokenId id : hit.ids) emit(id);
            return;
        }
        fresh_.clear();
        parts_.words->encode(word, word_scratch_, fresh_);
        cache_.add(word, fresh_);
        for (const TokenId id : fresh_) emit(id);
    }

    // Runs of unknown characters are one token where the model was trained so.
    void emit(TokenId id) {
        const bool unknown = parts_.fuse_unknown && id == parts_.special.unk;
        if (!(unknown && after_unknown_)) out_.push_back(id);
        after_unknown_ = unknown;
    }

    const Tokenizer::Impl& parts_;
    bool parse_special_;
    bool after_unknown_ = false;
    std::vector<TokenId> out_, fresh_;
    Words words_;
    std::vector<std::string_view> pieces_;
    RegexScratch scratch_;
    WordCache cache_;
    WordScratch word_scratch_;
};

}  // namespace

std::vector<TokenId> Tokenizer::encode(std::string_view text, EncodeOptions options) const {
    Encoding encoding(*impl_, options.parse_special);
    auto& out = encoding.out();
    if (options.add_special) out = impl_->before;
    // Positions within a word are 32 bits wide; no text that fits a context comes near.
    constexpr std::size_t kMostAtOnce = std::size_t{1} << 30;
    for (std::size_t at = 0; at < text.size(); at += kMostAtOnce)
        encoding.text(text.substr(at, kMostAtOnce));
    if (options.add_special) out.insert(out.end(), impl_->after.begin(), impl_->after.end());
    return std::move(out);
}

}  // namespace heft::text
