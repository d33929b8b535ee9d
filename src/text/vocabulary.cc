// The vocabulary as a GGUF file would store it. Made when first asked for: only writers do.
#include <algorithm>
#include <limits>

#include "text/tokenizer_impl.h"

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

Vocabulary make_vocabulary(const Tokenizer::Impl& impl) {
    Vocabulary out;
    const bool spm = impl.alphabet == Alphabet::characters;
    out.model = spm ? "llama" : "gpt2";
    out.pre = spm ? "default" : impl.pre;
    out.kinds = impl.kinds;
    out.add_space_prefix = impl.prefix.when != Prefix::When::never;
    const auto size = static_cast<std::size_t>(impl.table.size());
    out.tokens.reserve(size);
    for (TokenId id = 0; id < impl.table.size(); ++id) out.tokens.emplace_back(impl.table.text(id));
    if (spm) {
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
