#include "text/tokenizer_impl.h"

#include <algorithm>
#include <cmath>

#include "text/byte_level.h"
#include "text/utf8.h"

namespace heft::text {

namespace {

// Texts that end an answer or a turn, from the published tokenizers.
constexpr std::array<std::string_view, 32> kEndings{
    "<|eot_id|>",
    "<|eom_id|>",
    "<|im_end|>",
    "<|end|>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<end_of_turn>",
    "<turn|>",
    "<|eot|>",
    "<|eom|>",
    "<|return|>",
    "<|call|>",
    "<|calls|>",
    "<|flush|>",
    "<|tool_response>",
    "<|endofturn|>",
    "<|end_of_turn|>",
    "<|END_OF_TURN_TOKEN|>",
    "<|end_of_role|>",
    "<|EOT|>",
    "<EOT>",
    "\xE2\x96\x81<EOT>",
    "< EOT >",
    "_<EOT>",
    "<|end_of_sentence|>",
    "<\xEF\xBD\x9C"
    "end\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>",
    "<end_of_utterance>",
    "</s>",
    "<eos>",
    "[EOS]",
    "[EOT]",
    "[e~["};

// As literal text it is the end of a struck-out passage of HTML.
constexpr std::string_view kAlsoMarkup = "</s>";

bool is_literal(TokenKind kind) {
    return kind == TokenKind::control || kind == TokenKind::unknown
           || kind == TokenKind::user_defined;
}

std::string spoken_bytes(const Tokenizer::Impl& impl, TokenId id, RegexScratch& scratch,
                         std::size_t limit) {
    const std::string_view text = impl.table.text(id);
    const TokenKind kind = impl.kinds[static_cast<std::size_t>(id)];
    if (kind == TokenKind::byte)
        if (const auto byte = byte_of_token(text)) return std::string(1, static_cast<char>(*byte));
    const bool as_is =
        kind == TokenKind::control || (impl.speech.unspells_bytes() && is_literal(kind));
    if (as_is && !impl.speech.joins_words) return std::string(text);
    return impl.speech.say(text, scratch, limit);
}

// Fills in what every token says. Refuses decoders that make more of a vocabulary than it is.
Status find_words_spoken(Tokenizer::Impl& impl) {
    constexpr std::size_t kGrowth = 4;
    constexpr std::size_t kGrowthFree = 64;
    RegexScratch scratch;
    impl.spoken_end.reserve(static_cast<std::size_t>(impl.table.size()));
    for (TokenId id = 0; id < impl.table.size(); ++id) {
        const std::size_t limit = impl.table.text(id).size() * kGrowth + kGrowthFree;
        const std::string bytes = spoken_bytes(impl, id, scratch, limit);
        if (bytes.size() > limit || impl.spoken.size() + bytes.size() > 0xFFFFFFFFU)
            return Error{Code::unsupported, "the decoder makes " + std::to_string(bytes.size())
                                                + " bytes of token " + std::to_string(id) + ", "
                                                + shown(impl.table.text(id))};
        impl.spoken += bytes;
        impl.spoken_end.push_back(static_cast<std::uint32_t>(impl.spoken.size()));
    }
    return {};
}

void find_byte_ids(Tokenizer::Impl& impl) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    for (std::size_t byte = 0; byte < impl.byte_ids.size(); ++byte) {
        std::string text;
        if (impl.alphabet == Alphabet::bytes)
            append_utf8(text, byte_level_char(static_cast<std::uint8_t>(byte)));
        else
            text = {'<', '0', 'x', kHex[byte / 16], kHex[byte % 16], '>'};
        TokenId id = impl.table.find(text);
        if (id != kNoToken) {
            // DeepSeek's literal "ü" is no way to say the byte that is spelled so; and where bytes
            // are tokens of their own, "<0x41>" without that kind is six characters.
            const TokenKind kind = impl.kinds[static_cast<std::size_t>(id)];
            const bool says =
                impl.alphabet == Alphabet::bytes ? !is_literal(kind) : kind == TokenKind::byte;
            if (!says) id = kNoToken;
        }
        impl.byte_ids[byte] = id;
    }
}

void find_endings(Tokenizer::Impl& impl) {
    // Where an answer has parts, <|end|> ends a part.
    const bool parts =
        impl.table.find("<|return|>") != kNoToken || impl.table.find("<|flush|>") != kNoToken;
    for (const std::string_view text : kEndings) {
        const TokenId id = impl.table.find(text);
        if (id == kNoToken || (parts && text == "<|end|>")) continue;
        if (impl.kinds[static_cast<std::size_t>(id)] == TokenKind::control)
            add_end_of_generation(impl, id);
    }
}

Result<std::unique_ptr<WordModel>> make_word_model(const Tokenizer::Impl& impl) {
    switch (impl.model) {
        case ModelKind::bpe: break;
        case ModelKind::unigram: return make_unigram(impl);
        case ModelKind::wordpiece: return make_wordpiece(impl, impl.wordpiece);
        case ModelKind::longest_match: return make_longest_match(impl);
    }
    return make_bpe(impl);
}

}  // namespace

std::string_view Tokenizer::Impl::spoken_text(TokenId id) const {
    const auto index = static_cast<std::size_t>(id);
    const std::size_t begin = index == 0 ? 0 : spoken_end[index - 1];
    return std::string_view(spoken).substr(begin, spoken_end[index] - begin);
}

Status Tokenizer::Impl::finish() {
    if (speech.steps.empty())
        speech.steps =
            alphabet == Alphabet::bytes ? speech_of_bytes().steps : speech_of_marks().steps;
    HEFT_OK(find_words_spoken(*this));
    find_endings(*this);
    find_byte_ids(*this);
    use_seams = alphabet == Alphabet::characters && affixes.empty()
                && (model == ModelKind::bpe || model == ModelKind::unigram);
    if (use_seams) {
        for (TokenId id = 0; id < table.size(); ++id) {
            const TokenKind kind = kinds[static_cast<std::size_t>(id)];
            if (kind == TokenKind::normal || kind == TokenKind::unused
                || kind == TokenKind::user_defined)
                seams.add(table.text(id));
        }
    }
    const auto in_range = [this](std::optional<TokenId> id) {
        return !id || (*id >= 0 && *id < table.size());
    };
    for (const auto& id : {special.bos, special.eos, special.unk, special.pad})
        if (!in_range(id))
            return Error{Code::corrupt, "special token id " + std::to_string(*id)
                                            + " is outside the vocabulary of "
                                            + std::to_string(table.size()) + " tokens"};
    if (special.eos) add_end_of_generation(*this, *special.eos);
    std::sort(special.end_of_generation.begin(), special.end_of_generation.end());
    if (before.empty() && special.add_bos && special.bos) before = {*special.bos};
    if (after.empty() && special.add_eos && special.eos) after = {*special.eos};
    HEFT_TRY(words, make_word_model(*this));
    return {};
}

void add_end_of_generation(Tokenizer::Impl& impl, TokenId id) {
    auto& ids = impl.special.end_of_generation;
    if (id < 0 || id >= impl.table.size()) return;
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
}

Status use_scores(Tokenizer::Impl& impl) {
    std::vector<std::uint32_t> ranks(impl.scores.size(), kNoRank);
    for (std::size_t id = 0; id < ranks.size(); ++id) {
        if (std::isnan(impl.scores[id]))
            return Error{Code::corrupt,
                         "the score of token " + std::to_string(id) + " is not a number"};
        const TokenKind kind = impl.kinds[id];
        const bool made = kind == TokenKind::normal || kind == TokenKind::user_defined
                          || kind == TokenKind::unused;
        if (made) ranks[id] = ScoreRules::rank_of(impl.scores[id]);
    }
    impl.rules = std::make_unique<ScoreRules>(impl.table, std::move(ranks));
    return {};
}

void use_space_marks(Tokenizer::Impl& impl) {
    std::vector<NormaliserStep> steps;
    steps.emplace_back(ReplaceText{" ", std::string(kSpaceMark)});
    impl.normaliser = Normaliser(std::move(steps));
}

Status collapse_spaces(std::vector<NormaliserStep>& steps) {
    HEFT_TRY(Regex ends, Regex::compile(kSpacesAtEnds));
    HEFT_TRY(Regex runs, Regex::compile(kRunsOfSpaces));
    steps.emplace_back(Replace{std::move(ends), ""});
    steps.emplace_back(Replace{std::move(runs), " "});
    return {};
}

std::string with_spaces(std::string_view text) {
    return replace_text(text, {std::string(kSpaceMark), " "});
}

NumberedTexts::NumberedTexts(std::size_t entries)
    : limit_(std::min(kMostTokens, std::max<std::size_t>(1U << 20, entries * 4))) {}

Status NumberedTexts::set(std::int64_t id, std::string_view text, TokenKind kind) {
    if (id < 0 || static_cast<std::uint64_t>(id) >= limit_)
        return Error{Code::corrupt, "the token " + shown(text) + " has the id " + std::to_string(id)
                                        + ", outside 0…" + std::to_string(limit_ - 1)};
    const auto index = static_cast<std::size_t>(id);
    if (index >= texts_.size()) {
        texts_.resize(index + 1);
        kinds_.resize(index + 1, TokenKind::unused);
    }
    texts_[index] = text;
    kinds_[index] = kind;
    return {};
}

std::string_view NumberedTexts::text(std::size_t id) const {
    return id < texts_.size() ? texts_[id] : std::string_view{};
}

Status NumberedTexts::build(Tokenizer::Impl& impl) const {
    HEFT_TRY(impl.table, TokenTable::build(texts_));
    impl.kinds = kinds_;
    return {};
}

void mark_by_name(Tokenizer::Impl& impl) {
    for (TokenId id = 0; id < impl.table.size(); ++id)
        if (byte_of_token(impl.table.text(id)))
            impl.kinds[static_cast<std::size_t>(id)] = TokenKind::byte;
    for (const auto& id : {impl.special.bos, impl.special.eos})
        if (id) impl.kinds[static_cast<std::size_t>(*id)] = TokenKind::control;
    if (impl.special.unk)
        impl.kinds[static_cast<std::size_t>(*impl.special.unk)] = TokenKind::unknown;
}

void mark_endings(Tokenizer::Impl& impl) {
    for (const std::string_view text : kEndings) {
        const TokenId id = impl.table.find(text);
        if (id == kNoToken || text == kAlsoMarkup) continue;
        TokenKind& kind = impl.kinds[static_cast<std::size_t>(id)];
        if (kind == TokenKind::user_defined) kind = TokenKind::control;
    }
}

std::string shown(std::string_view text) {
    constexpr std::size_t kShown = 40;
    const bool long_text = text.size() > kShown;
    return "'" + to_valid_utf8(text.substr(0, kShown)) + (long_text ? "…'" : "'");
}

Result<MergeNames> split_merge(std::string_view text, std::size_t index) {
    const std::size_t space = text.find(' ', 1);
    if (space == std::string_view::npos || space + 1 == text.size())
        return Error{Code::corrupt, "merge " + std::to_string(index) + ", " + shown(text)
                                        + ", is not two tokens with a space between them"};
    return MergeNames{text.substr(0, space), text.substr(space + 1)};
}

Result<std::unique_ptr<PairRules>> resolve_merges(const TokenTable& table, const Affixes& affixes,
                                                  const std::vector<MergeNames>& merges) {
    std::vector<PairRules::Pair> pairs;
    pairs.reserve(merges.size());
    std::string joined;
    for (std::size_t i = 0; i < merges.size(); ++i) {
        const auto& [left, right] = merges[i];
        std::string_view tail = right;
        if (tail.starts_with(affixes.before_rest)) tail.remove_prefix(affixes.before_rest.size());
        joined.assign(left).append(tail);
        const PairRules::Pair pair{table.find(left), table.find(right), table.find(joined)};
        if (pair.left == kNoToken || pair.right == kNoToken || pair.into == kNoToken) {
            const std::string_view missing = pair.left == kNoToken    ? left
                                             : pair.right == kNoToken ? right
                                                                      : std::string_view(joined);
            return Error{Code::corrupt, "merge " + std::to_string(i) + " needs the token "
                                            + shown(missing) + ", which the vocabulary lacks"};
        }
        pairs.push_back(pair);
    }
    return std::make_unique<PairRules>(std::move(pairs));
}

}  // namespace heft::text
