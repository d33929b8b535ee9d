#include <algorithm>

#include "base/clock.h"
#include "engine/draft.h"
#include "engine/engine.h"
#include "engine/guesses.h"
#include "engine/sequence.h"
#include "engine/writer.h"

namespace heft::engine {

namespace {

// Guesses are checked with the bits that the tokens get one by one.
class AsAlone {
  public:
    explicit AsAlone(op::Context& context) : context_(context) { context.as_alone = true; }
    ~AsAlone() { context_.as_alone = false; }
    AsAlone(const AsAlone&) = delete;
    AsAlone& operator=(const AsAlone&) = delete;

  private:
    op::Context& context_;
};

}  // namespace

struct Session::Impl {
    const Engine* engine;  // outlives the session
    SessionOptions options;
    Sequence sequence;
    std::unique_ptr<DraftProposer> draft;  // none where the session has no draft model

    std::int64_t n_ctx() const { return sequence.n_ctx(); }
    Sequence::Reading reading(const Request& request) const {
        return {options.n_batch, request.cancel};
    }

    Result<std::vector<TokenId>> fit(const Request& request, Reply& reply) const;
    Result<gen::Sampler> make_sampler(const Request& request) const;
    Result<gen::Proposer*> choose_proposer(const Request& request, gen::NgramProposer& ngram) const;
    Status prefill(const Request& request, std::span<const TokenId> prompt, Reply& reply);
    Status pass(const Request& request, std::span<const TokenId> text, std::int64_t wanted,
                Guesses& guesses);
    Status answer(const Request& request, std::vector<TokenId> text, gen::Sampler& sampler,
                  gen::Proposer* proposer, Reply& reply);
};

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

Result<Session> Session::start(const Engine& engine, const SessionOptions& options) {
    HEFT_TRY(const arch::Config* config, engine.config());
    if (options.n_ctx < 0) return Error{Code::invalid, "a context cannot be negative"};
    if (options.n_batch < 1) return Error{Code::invalid, "a batch needs at least one token"};
    const std::int64_t n_ctx = options.n_ctx > 0 ? options.n_ctx : config->n_ctx;
    HEFT_TRY(Sequence sequence, Sequence::make(engine, n_ctx, 1));
    std::unique_ptr<DraftProposer> draft;
    if (options.draft != nullptr) {
        HEFT_TRY(draft, DraftProposer::make(engine, *options.draft, n_ctx));
    }
    return Session(
        std::make_unique<Impl>(Impl{&engine, options, std::move(sequence), std::move(draft)}));
}

std::int64_t Session::n_ctx() const {
    return impl_->n_ctx();
}

void Session::reset() {
    impl_->sequence.cut(0);
}

// The prompt as it will be computed: whole, or cut if that was asked for.
Result<std::vector<TokenId>> Session::Impl::fit(const Request& request, Reply& reply) const {
    const std::vector<TokenId>& prompt = request.prompt;
    const auto length = static_cast<std::int64_t>(prompt.size());
    if (prompt.empty())
        return Error{Code::invalid, "the prompt is empty: there is nothing to continue"};
    const std::int64_t room = n_ctx() - 1;  // at least one token of answer
    if (length <= room) return prompt;
    if (!request.truncate)
        return Error{Code::invalid, "the prompt has " + std::to_string(length) +
                                        " tokens, " + std::to_string(length - room) +
                                        " more than a context of " + std::to_string(n_ctx()) +
                                        " leaves room for; ask for a larger context (-c) or for "
                                        "cutting the prompt (--truncate)"};
    const std::int64_t wanted = request.n_predict >= 0 ? request.n_predict : n_ctx() / 4;
    const std::int64_t keep =
        std::max<std::int64_t>(1, n_ctx() - std::max<std::int64_t>(wanted, 1));
    std::vector<TokenId> cut(prompt.end() - keep, prompt.end());
    cut.front() = prompt.front();  // BOS, where there is one, anchors attention
    reply.degraded.push_back("prompt truncated: " + std::to_string(length - keep) + " of "
                             + std::to_string(length) + " tokens left out");
    return cut;
}

Result<gen::Sampler> Session::Impl::make_sampler(const Request& request) const {
    gen::DryBreakers breakers;
    if (request.sampling.dry.active()) {
        HEFT_TRY(const text::Tokenizer* words, engine->tokenizer());
        gen::BreakerVocabulary vocabulary;
        vocabulary.size = words->size();
        vocabulary.bytes_of = [words](TokenId id) { return std::string(words->bytes_of(id)); };
        vocabulary.encode = [words](std::string_view text) {
            return words->encode(text, {.add_special = false, .parse_special = false});
        };
        breakers = gen::prepare_breakers(request.sampling.dry.breakers, vocabulary);
    }
    return gen::Sampler::make(request.sampling, engine->model().config().n_vocab,
                              std::move(breakers));
}

Result<gen::Proposer*> Session::Impl::choose_proposer(const Request& request,
                                                      gen::NgramProposer& ngram) const {
    HEFT_OK(gen::validate(request.speculation));
    gen::Proposer* proposer = nullptr;
    switch (request.speculation.guesser) {
        case gen::Guesser::off: break;
        case gen::Guesser::ngram: proposer = &ngram; break;
        case gen::Guesser::draft:
            if (draft == nullptr)
                return Error{Code::invalid, "the session has no draft model to guess with"};
            draft->prepare(request.speculation.p_min, reading(request));
            proposer = draft.get();
            break;
    }
    return proposer;
}

Status Session::Impl::prefill(const Request& request, std::span<const TokenId> prompt,
                              Reply& reply) {
    const auto length = static_cast<std::int64_t>(prompt.size());
    sequence.expect(length + std::max(request.n_predict, 0));
    // The last token is computed again even if it is cached: its logits are needed.
    const std::int64_t kept = sequence.keep_common(prompt.first(prompt.size() - 1));
    reply.n_cached = static_cast<int>(kept);
    return sequence.extend(prompt.subspan(static_cast<std::size_t>(kept)), Sequence::Rows::last,
                           reading(request));
}

// Computes the last token of the text, and with it what is guessed to follow. `wanted`: how many
// tokens are still to come; negative: no limit.
Status Session::Impl::pass(const Request& request, std::span<const TokenId> text,
                           std::int64_t wanted, Guesses& guesses) {
    const Sequence::Reading how = reading(request);
    HEFT_OK(sequence.settle_rope(sequence.length() + 1, how));
    const AsAlone alone(engine->context());
    std::int64_t room = op::tokens_with_equal_bits(engine->context());
    room = std::min(room, n_ctx() - sequence.length());
    room = std::min(room, sequence.until_rope_changes());
    if (wanted >= 0) room = std::min(room, wanted);
    HEFT_TRY(const std::span<const TokenId> guessed, guesses.next(text, room - 1));
    std::vector<TokenId> tokens = {text.back()};
    tokens.insert(tokens.end(), guessed.begin(), guessed.end());
    const auto start = Clock::now();
    HEFT_OK(sequence.extend(tokens, Sequence::Rows::all, how));
    guesses.computed(seconds_since(start));
    return {};
}

// `text`: the prompt, whose last logits are there. Each pass leaves a row of logits for each of its
// tokens, of which the first belongs to the text and the others do as long as the sampler agrees.
Status Session::Impl::answer(const Request& request, std::vector<TokenId> text,
                             gen::Sampler& sampler, gen::Proposer* proposer, Reply& reply) {
    HEFT_TRY(Writer writer, Writer::make(*engine, request, reply));
    Guesses guesses(proposer, request.speculation, reply.guessed);
    reply.finish = gen::FinishReason::length;
    for (int row = 0; request.n_predict != 0;) {
        if (reading(request).is_cancelled()) {
            reply.finish = gen::FinishReason::cancelled;
            break;
        }
        const auto begin = Clock::now();
        HEFT_TRY(gen::Choice choice, sampler.sample(sequence.logits(row)));
        const TokenId id = choice.id;
        sampler.accept(id);
        const auto sampled = Clock::now();
        const auto before = static_cast<std::int64_t>(text.size());
        text.push_back(id);
        const auto finish = writer.add(std::move(choice));
        reply.sample_s += std::chrono::duration<double>(sampled - begin).count();
        reply.text_s += seconds_since(sampled);
        if (finish || before >= n_ctx()) {
            reply.finish = finish.value_or(gen::FinishReason::context_full);
            break;
        }
        if (guesses.foresaw(id)) {
            ++row;
            continue;
        }
        row = 0;
        sequence.cut(before);
        const std::int64_t made = static_cast<std::int64_t>(reply.ids.size());
        const std::int64_t wanted = request.n_predict < 0 ? -1 : request.n_predict - made;
        const Status done = pass(request, text, wanted, guesses);
        if (done) continue;
        if (done.error().code != Code::cancelled) return done.error();
        reply.finish = gen::FinishReason::cancelled;
        break;
    }
    writer.finish();
    // As if nothing had been guessed: the last token was not computed.
    if (!reply.ids.empty()) sequence.cut(static_cast<std::int64_t>(text.size()) - 1);
    return {};
}

Result<Reply> Session::generate(const Request& request) {
    Impl& s = *impl_;
    Reply reply;
    gen::StopOptions stop;
    stop.strings = request.stop;
    stop.max_tokens = request.n_predict;
    HEFT_OK(gen::validate(stop));
    if (std::string cost = kv::degradation(s.engine->cache_types()); !cost.empty())
        reply.degraded.push_back(std::move(cost));
    gen::NgramProposer ngram;
    HEFT_TRY(gen::Proposer* const proposer, s.choose_proposer(request, ngram));
    HEFT_TRY(std::vector<TokenId> prompt, s.fit(request, reply));
    HEFT_TRY(gen::Sampler sampler, s.make_sampler(request));
    reply.seed = sampler.seed();
    reply.n_prompt = static_cast<int>(prompt.size());

    const auto start = Clock::now();
    Status read = s.prefill(request, prompt, reply);
    if (read && proposer != nullptr) read = proposer->begin(prompt);
    if (!read) {
        if (read.error().code != Code::cancelled) return read.error();
        reply.finish = gen::FinishReason::cancelled;
        return reply;
    }
    for (const TokenId id : prompt) sampler.accept(id);
    reply.prefill_s = seconds_since(start);

    const auto decode_start = Clock::now();
    HEFT_OK(s.answer(request, std::move(prompt), sampler, proposer, reply));
    reply.decode_s = seconds_since(decode_start);
    return reply;
}

Result<std::vector<float>> logits(const Engine& engine, std::span<const TokenId> ids,
                                  std::span<const int> positions, std::span<const int> chunks) {
    const auto length = static_cast<std::int64_t>(ids.size());
    if (ids.empty()) return Error{Code::invalid, "there are no token ids to compute"};
    for (std::size_t i = 0; i < positions.size(); ++i)
        if (positions[i] < 0 || positions[i] >= length
            || (i > 0 && positions[i] <= positions[i - 1]))
            return Error{Code::invalid, "position " + std::to_string(positions[i])
                                            + " is not within 0 to " + std::to_string(length - 1)
                                            + " in ascending order"};
    HEFT_TRY(kv::Cache cache, engine.make_cache(length, length));
    std::vector<float> out;
    std::vector<model::Input> inputs;
    std::size_t wanted = 0;
    std::size_t chunk = 0;
    for (std::int64_t from = 0; from < length;) {
        std::int64_t size = length;
        if (!chunks.empty()) size = std::max(1, chunks[chunk++ % chunks.size()]);
        size = std::min(size, length - from);
        inputs.clear();
        for (std::int64_t i = from; i < from + size; ++i) {
            const bool want = wanted < positions.size() && positions[wanted] == i;
            if (want) ++wanted;
            inputs.push_back(
                {ids[static_cast<std::size_t>(i)], static_cast<std::int32_t>(i), &cache, want});
        }
        HEFT_OK(engine.model().forward(engine.context(), inputs, out));
        from += size;
    }
    return out;
}

Result<std::vector<float>> hidden_states(const Engine& engine, std::span<const TokenId> ids) {
    constexpr std::size_t kAtOnce = 512;
    const auto length = static_cast<std::int64_t>(ids.size());
    if (ids.empty()) return Error{Code::invalid, "there is nothing to embed"};
    HEFT_TRY(kv::Cache cache, engine.make_cache(length, length));
    std::vector<float> out;
    for (std::size_t from = 0; from < ids.size(); from += kAtOnce) {
        std::vector<model::Input> inputs;
        for (std::size_t i = from; i < std::min(ids.size(), from + kAtOnce); ++i)
            inputs.push_back({ids[i], static_cast<std::int32_t>(i), &cache, true});
        HEFT_OK(engine.model().forward_hidden(engine.context(), inputs, out));
    }
    return out;
}

}  // namespace heft::engine
