// The vocabulary as a GGUF file would store it. Made when first asked for: only writers do.
#include <algorithm>
#include <array>
#include <limits>

#include "text/tokenizer_impl.h"
#include "text/unicode.h"

namespace heft::text {

namespace {

// Scores that merge in the same order as a merges list: a token is as good as its best merge.
std::vector<float> scores_of(const PairRules& rules, std::size_t tokens) {
    constexpr float kNeverMade = -1e9F;
    std::vector<float> scores(tokens, kNeverMade);
    const auto& pairs = rules.pairs();
    for (std::size_t rank = pairs.size(); rank-- > 0;)
        scores[static_cast<std::size_t>(pairs[rank].into)] = -static_cast<float>(rank);
    return scores;
}

// A merges list that makes what ranks make: for every token, all two tokens that it consists of.
std::vector<std::string> merges_of(const Tokenizer::Impl& impl) {
    struct Halves {
        TokenId left, right;
    };
    std::vector<std::string> merges;
    std::vector<Halves> found;
    for (TokenId id = 0; id < impl.ranked.size(); ++id) {
        const std::string_view bytes = impl.ranked.text(id);
        found.clear();
        for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
            const Halves halves{impl.ranked.find(bytes.substr(0, cut)),
                                impl.ranked.find(bytes.substr(cut))};
            if (halves.left != kNoToken && halves.right != kNoToken) found.push_back(halves);
        }
        std::sort(found.begin(), found.end(), [](const Halves& a, const Halves& b) {
            return a.left != b.left ? a.left < b.left : a.right < b.right;
        });
        for (const Halves& halves : found)
            merges.push_back(std::string(impl.table.text(halves.left)) + " "
                             + std::string(impl.table.text(halves.right)));
    }
    return merges;
}

struct ModelName {
    ModelKind kind;
    Alphabet alphabet;
    std::string_view name;
};
constexpr std::array<ModelName, 5> kModelNames{
    {{ModelKind::bpe, Alphabet::bytes, "gpt2"},
     {ModelKind::bpe, Alphabet::characters, "llama"},
     {ModelKind::unigram, Alphabet::characters, "t5"},
     {ModelKind::wordpiece, Alphabet::characters, "bert"},
     {ModelKind::longest_match, Alphabet::characters, "rwkv"}}};

std::string_view model_name(const Tokenizer::Impl& impl) {
    const auto row =
        std::find_if(kModelNames.begin(), kModelNames.end(), [&impl](const ModelName& m) {
            return m.kind == impl.model && m.alphabet == impl.alphabet;
        });
    return row == kModelNames.end() ? std::string_view{} : row->name;
}

// How GGUF spells a WordPiece token: a word's beginning is marked, not its continuation.
std::string marked_piece(const Tokenizer::Impl& impl, TokenId id) {
    const std::string_view text = impl.table.text(id);
    const WordPieceRules& rules = impl.wordpiece;
    const bool plain = impl.kinds[static_cast<std::size_t>(id)] == TokenKind::normal;
    if (!plain || !rules.first.empty()) return std::string(text);
    if (text.starts_with(rules.rest)) return std::string(text.substr(rules.rest.size()));
    return std::string(kSpaceMark).append(text);
}

bool has_map(const Tokenizer::Impl& impl, CharMap map) {
    const auto& steps = impl.normaliser.steps();
    return std::any_of(steps.begin(), steps.end(), [map](const NormaliserStep& step) {
        const CharMap* found = std::get_if<CharMap>(&step);
        return found != nullptr && *found == map;
    });
}

template <class Step>
const Step* find_step(const Tokenizer::Impl& impl) {
    for (const NormaliserStep& step : impl.normaliser.steps())
        if (const Step* found = std::get_if<Step>(&step)) return found;
    return nullptr;
}

Vocabulary make_vocabulary(const Tokenizer::Impl& impl) {
    Vocabulary out;
    out.model = model_name(impl);
    const bool byte_level = out.model == "gpt2";
    out.pre = byte_level ? impl.pre : "default";
    out.kinds = impl.kinds;
    out.add_space_prefix = impl.prefix.when != Prefix::When::never || impl.marks_words;
    out.remove_extra_whitespaces = impl.collapses_spaces;
    if (const auto* map = find_step<SharedCharsmap>(impl))
        out.precompiled_charsmap = (*map)->blob();
    out.lowercase = has_map(impl, to_lower);
    out.strip_accents = has_map(impl, drop_nonspacing);
    const auto size = static_cast<std::size_t>(impl.table.size());
    out.tokens.reserve(size);
    const bool wordpiece = impl.model == ModelKind::wordpiece;
    for (TokenId id = 0; id < impl.table.size(); ++id)
        out.tokens.push_back(wordpiece ? marked_piece(impl, id) : std::string(impl.table.text(id)));
    if (impl.ranked.size() > 0) {
        out.merges = merges_of(impl);
    } else if (!byte_level) {
        out.scores = impl.pairs ? scores_of(*impl.pairs, size) : impl.scores;
    } else if (impl.pairs) {
        for (const auto& pair : impl.pairs->pairs())
            out.merges.push_back(std::string(impl.table.text(pair.left)) + " "
                                 + std::string(impl.table.text(pair.right)));
    }
    return out;
}

}  // namespace

const Vocabulary& Tokenizer::vocabulary() const {
    std::call_once(impl_->vocabulary_once, [this] { impl_->vocabulary = make_vocabulary(*impl_); });
    return impl_->vocabulary;
}

}  // namespace heft::text
