// Text to ids: added tokens, then normalisation, words, merges.
#include <string>
#include <utility>

#include "text/byte_level.h"
#include "text/tokenizer_impl.h"
#include "text/utf8.h"
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
        const std::string_view prefix = prefix_for(text, before);
        if (prefix.empty() && parts_.normaliser.empty() && parts_.added_normalised.empty())
            return words(text);
        std::string normal = parts_.normaliser.apply(std::string(text), scratch_);
        if (!normal.empty()) normal.insert(0, prefix);
        std::vector<Segment> segments;
        parts_.added_normalised.split(normal, parse_special_, segments);
        for (const Segment& segment : segments) {
            if (segment.id != kNoToken)
                out_.push_back(segment.id);
            else
                words(segment.text);
        }
    }

    std::string_view prefix_for(std::string_view text, const Segment* before) const {
        const Prefix& prefix = parts_.prefix;
        if (prefix.when == Prefix::When::never) return {};
        if (before && prefix.when == Prefix::When::first) return {};
        if (before && !before->control && !prefix.after_user_defined) return {};
        const bool marks = parts_.alphabet == Alphabet::characters;
        const bool there = text.starts_with(' ') || (marks && text.starts_with(kSpaceMark));
        return prefix.unless_there && there ? std::string_view{} : std::string_view(prefix.text);
    }

    void words(std::string_view text) {
        after_unknown_ = false;
        words_.clear();
        parts_.pretokeniser.split(text, scratch_, words_);
        for (const std::string_view word : words_) {
            if (parts_.use_seams)
                parts_of(word);
            else
                cached(word);
        }
    }

    // Merging is the same in each part, but a whole word may be a token by itself.
    void parts_of(std::string_view word) {
        if (parts_.ignore_merges) {
            if (const TokenId whole = parts_.table.find(word); whole != kNoToken)
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
        merge(word);
        cache_.add(word, fresh_);
        for (const TokenId id : fresh_) emit(id);
    }

    // Runs of unknown characters are one token where the model was trained so.
    void emit(TokenId id) {
        const bool unknown = parts_.fuse_unknown && id == parts_.special.unk;
        if (!(unknown && after_unknown_)) out_.push_back(id);
        after_unknown_ = unknown;
    }

    void merge(std::string_view word) {
        merger_.clear();
        if (parts_.alphabet == Alphabet::bytes) {
            if (parts_.ignore_merges) {
                const TokenId whole = whole_word(word);
                if (whole != kNoToken) return fresh_.push_back(whole);
            }
            for (std::size_t i = 0; i < word.size(); ++i)
                merger_.add(parts_.byte_ids[static_cast<std::uint8_t>(word[i])], i, 1);
        } else {
            for (std::size_t at = 0; at < word.size();) {
                const Utf8Char c = utf8_at(word, at);
                merger_.add(character(word.substr(at, c.bytes)), at, c.bytes);
                at += c.bytes;
            }
        }
        merger_.run(word, *parts_.rules);
        merger_.each([&](const Symbol& symbol) { spell(word, symbol); });
    }

    TokenId whole_word(std::string_view word) const {
        if (word.size() > parts_.table.longest()) return kNoToken;
        return parts_.table.find(byte_level_spell(word));
    }

    TokenId character(std::string_view text) const {
        const TokenId id = parts_.table.find(text);
        if (id == kNoToken) return kNoToken;
        const TokenKind kind = parts_.kinds[static_cast<std::size_t>(id)];
        return kind == TokenKind::control || kind == TokenKind::unknown ? kNoToken : id;
    }

    void spell(std::string_view word, const Symbol& symbol) {
        if (symbol.id != kNoToken) return fresh_.push_back(symbol.id);
        if (parts_.alphabet == Alphabet::bytes)
            return;  // a byte that the vocabulary has no way to say
        const std::size_t start = fresh_.size();
        for (const char c : word.substr(symbol.begin, symbol.bytes)) {
            const TokenId id = parts_.byte_ids[static_cast<std::uint8_t>(c)];
            if (id == kNoToken) {
                fresh_.resize(start);
                if (parts_.special.unk) fresh_.push_back(*parts_.special.unk);
                return;
            }
            fresh_.push_back(id);
        }
    }

    const Tokenizer::Impl& parts_;
    bool parse_special_;
    bool after_unknown_ = false;
    std::vector<TokenId> out_, fresh_;
    std::vector<std::string_view> words_, pieces_;
    RegexScratch scratch_;
    WordCache cache_;
    Merger merger_;
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
