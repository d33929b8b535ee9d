#include "engine/draft.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "gen/sampling.h"

namespace heft::engine {

namespace {

// Vocabularies of one family are often filled up to different round numbers.
constexpr int kMostPadding = 512;

Error different(const Engine& target, const Engine& draft, const std::string& how) {
    return Error{Code::invalid, draft.checkpoint().name() + " cannot guess for "
                                    + target.checkpoint().name() + ": " + how
                                    + "; a draft model needs the same tokenizer"};
}

std::string quoted(std::string_view piece) {
    constexpr std::size_t most = 40;
    return "\"" + std::string(piece.substr(0, most)) + "\"";
}

Status same_pieces(const Engine& target, const Engine& draft, const text::Tokenizer& ours,
                   const text::Tokenizer& theirs) {
    const int shared = std::min(ours.size(), theirs.size());
    for (TokenId id = 0; id < shared; ++id) {
        const bool pads =
            ours.kind(id) == text::TokenKind::unused || theirs.kind(id) == text::TokenKind::unused;
        if (ours.piece(id) == theirs.piece(id) || pads) continue;
        return different(target, draft,
                         "token " + std::to_string(id) + " is " + quoted(ours.piece(id)) + " to "
                             + target.checkpoint().name() + " and " + quoted(theirs.piece(id))
                             + " to " + draft.checkpoint().name());
    }
    const text::SpecialTokens& a = ours.special();
    const text::SpecialTokens& b = theirs.special();
    if (a.add_bos != b.add_bos || (a.add_bos && a.bos != b.bos))
        return different(target, draft, "they begin a text differently");
    return {};
}

}  // namespace

Status same_vocabulary(const Engine& target, const Engine& draft) {
    const int ours = target.model().config().n_vocab;
    const int theirs = draft.model().config().n_vocab;
    const auto words = target.tokenizer();
    const auto other = draft.tokenizer();
    const bool sizes_agree =
        words && other ? std::abs(ours - theirs) <= kMostPadding : ours == theirs;
    if (!sizes_agree)
        return different(target, draft,
                         "their vocabularies have " + std::to_string(ours) + " and "
                             + std::to_string(theirs) + " tokens");
    if (words && other) return same_pieces(target, draft, **words, **other);
    if (words || other)
        return different(
            target, draft,
            (words ? draft : target).checkpoint().name() + " has no tokenizer to compare");
    return {};
}

Result<std::unique_ptr<DraftProposer>> DraftProposer::make(const Engine& target,
                                                           const Engine& draft,
                                                           std::int64_t n_ctx) {
    HEFT_TRY(const arch::Config* config, draft.config());
    HEFT_TRY(Sequence sequence,
             Sequence::make(draft, std::min<std::int64_t>(n_ctx, config->n_ctx), 0));
    return std::unique_ptr<DraftProposer>(
        new DraftProposer(draft, std::move(sequence), target.model().config().n_vocab));
}

void DraftProposer::prepare(float p_min, const Sequence::Reading& reading) {
    p_min_ = p_min;
    reading_ = reading;
}

void DraftProposer::limit(std::int64_t n_tokens) {
    longest_ = n_tokens;
    if (sequence_.length() <= n_tokens) return;
    // Memory of a cache goes with the cache alone.
    auto fresh = Sequence::make(*draft_, sequence_.n_ctx(), 0);
    if (fresh) sequence_ = std::move(*fresh);
}

// What the text has that was not read. The last token is read again even if it was: its logits are
// needed.
Status DraftProposer::read(std::span<const TokenId> text) {
    const auto kept = static_cast<std::size_t>(sequence_.keep_common(text.first(text.size() - 1)));
    return sequence_.extend(text.subspan(kept), Sequence::Rows::last, reading_);
}

bool DraftProposer::can_read(std::span<const TokenId> text) const {
    const TokenId end = draft_->model().config().n_vocab;
    return static_cast<std::int64_t>(text.size()) <= std::min(longest_, sequence_.n_ctx())
           && std::all_of(text.begin(), text.end(), [end](TokenId id) { return id < end; });
}

Status DraftProposer::begin(std::span<const TokenId> text) {
    return can_read(text) ? read(text) : Status();
}

DraftProposer::Best DraftProposer::best() {
    const std::span<const float> logits = sequence_.logits();
    const auto id = gen::greedy(logits);
    if (!id) return {-1, 0};
    constexpr float kNegligible = -20;  // a whole vocabulary of such weighs less than 1 in 1000
    const float top = logits[static_cast<std::size_t>(*id)];
    float sum = 0;
    for (const float logit : logits)
        if (logit - top > kNegligible) sum += std::exp(logit - top);
    return {*id, 1 / sum};
}

Result<gen::Proposal> DraftProposer::propose(std::span<const TokenId> text, int most) {
    gen::Proposal proposal;
    if (!can_read(text)) return proposal;
    HEFT_OK(read(text));
    while (true) {
        const Best next = best();
        const bool is_known = next.id >= 0 && next.id < n_vocab_;
        // Not `p < p_min`: a model whose logits are no numbers guesses nothing.
        if (!is_known || !(next.p >= p_min_)) return proposal;
        proposal.tokens.push_back(next.id);
        if (static_cast<int>(proposal.tokens.size()) == most
            || sequence_.length() >= std::min(longest_, sequence_.n_ctx()))
            return proposal;
        HEFT_OK(sequence_.extend({&next.id, 1}, Sequence::Rows::last, reading_));
    }
}

}  // namespace heft::engine
