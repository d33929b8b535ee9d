#include <algorithm>
#include <chrono>

#include "engine/engine.h"

namespace heft::engine {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

struct Session::Impl {
    const Engine* engine;  // outlives the session
    SessionOptions options;
    kv::Cache cache;
    std::vector<TokenId> cached;  // the tokens whose keys and values the cache holds
    std::vector<float> logits;    // after the last token fed

    bool cancelled(const Request& request) const {
        return request.cancel != nullptr && request.cancel->load(std::memory_order_relaxed);
    }

    std::int64_t n_ctx() const { return cache.shape().n_ctx; }

    Result<std::vector<TokenId>> fit(const Request& request, Reply& reply) const;
    Status feed(std::span<const TokenId> tokens, const Request& request);
    Status settle_rope(std::int64_t length, const Request& request);
    Result<gen::Sampler> make_sampler(const Request& request) const;
    Status answer(const Request& request, gen::Sampler& sampler, Reply& reply);
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
    HEFT_TRY(kv::Cache cache, engine.model().make_cache(n_ctx, engine.context().precision, 1));
    return Session(std::make_unique<Impl>(Impl{&engine, options, std::move(cache), {}, {}}));
}

std::int64_t Session::n_ctx() const {
    return impl_->n_ctx();
}

void Session::reset() {
    impl_->cached.clear();
    impl_->cache.set_length(0);
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

// Computes tokens behind those in the cache; logits are those after the last one.
Status Session::Impl::feed(std::span<const TokenId> tokens, const Request& request) {
    std::vector<model::Input> inputs;
    const auto batch = static_cast<std::size_t>(options.n_batch);
    for (std::size_t from = 0; from < tokens.size(); from += batch) {
        if (cancelled(request)) return Error{Code::cancelled, "stopped while reading the prompt"};
        const std::size_t to = std::min(tokens.size(), from + batch);
        inputs.clear();
        for (std::size_t i = from; i < to; ++i)
            inputs.push_back({tokens[i], static_cast<std::int32_t>(cached.size() + (i - from)),
                              &cache, i + 1 == tokens.size()});
        logits.clear();
        HEFT_OK(engine->model().forward(engine->context(), inputs, logits));
        cached.insert(cached.end(), tokens.begin() + static_cast<std::ptrdiff_t>(from),
                      tokens.begin() + static_cast<std::ptrdiff_t>(to));
    }
    return {};
}

// Longrope has two sets of factors, chosen by the length of the whole sequence: when it grows past
// the trained length, everything is computed again, as Hugging Face does.
Status Session::Impl::settle_rope(std::int64_t length, const Request& request) {
    const arch::Rope& rope = engine->model().config().rope;
    if (rope.scaling != arch::Scaling::longrope || cache.long_context
        || length <= rope.original_ctx)
        return {};
    cache.long_context = true;
    const std::vector<TokenId> again = std::move(cached);
    cached.clear();
    cache.set_length(0);
    return feed(again, request);
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

Status Session::Impl::answer(const Request& request, gen::Sampler& sampler, Reply& reply) {
    gen::StopOptions stop;
    stop.strings = request.stop;
    stop.max_tokens = request.n_predict;
    const text::Tokenizer* words = nullptr;
    if (request.decode_text) {
        HEFT_TRY(words, engine->tokenizer());
        if (!request.ignore_eos) stop.tokens = words->special().end_of_generation;
    }
    std::optional<text::StreamDecoder> decoder;
    if (words != nullptr) decoder.emplace(*words);
    gen::StopFilter filter(stop.strings);
    const auto show = [&](const std::string& text, TokenId id) {
        reply.text += text;
        if (request.on_token) request.on_token(text, id);
    };

    reply.finish = gen::FinishReason::length;
    while (request.n_predict != 0) {
        if (cancelled(request)) {
            reply.finish = gen::FinishReason::cancelled;
            break;
        }
        HEFT_TRY(gen::Choice choice, sampler.sample(logits));
        const TokenId id = choice.id;
        sampler.accept(id);
        reply.ids.push_back(id);
        if (request.sampling.logprobs) reply.choices.push_back(std::move(choice));
        const auto finish = gen::finished(stop, id, static_cast<int>(reply.ids.size()));
        const bool ends = finish == gen::FinishReason::stop_token;
        if (decoder && !ends) show(filter.push(decoder->push(id)), id);
        if (!decoder && request.on_token) request.on_token({}, id);
        if (filter.stopped() || finish) {
            reply.finish = filter.stopped() ? gen::FinishReason::stop_string : *finish;
            break;
        }
        if (static_cast<std::int64_t>(cached.size()) >= n_ctx()) {
            reply.finish = gen::FinishReason::context_full;
            break;
        }
        const TokenId next[] = {id};
        Status fed = settle_rope(static_cast<std::int64_t>(cached.size()) + 1, request);
        if (fed) fed = feed(next, request);
        if (!fed) {
            if (fed.error().code != Code::cancelled) return std::move(fed.error());
            reply.finish = gen::FinishReason::cancelled;
            break;
        }
    }
    if (decoder) show(filter.push(decoder->finish()) + filter.finish(), -1);
    return {};
}

Result<Reply> Session::generate(const Request& request) {
    Impl& s = *impl_;
    Reply reply;
    gen::StopOptions stop;
    stop.strings = request.stop;
    stop.max_tokens = request.n_predict;
    HEFT_OK(gen::validate(stop));
    HEFT_TRY(const std::vector<TokenId> prompt, s.fit(request, reply));
    HEFT_TRY(gen::Sampler sampler, s.make_sampler(request));
    reply.seed = sampler.seed();
    reply.n_prompt = static_cast<int>(prompt.size());

    const auto start = Clock::now();
    const auto length = static_cast<std::int64_t>(prompt.size());
    const arch::Rope& rope = s.engine->model().config().rope;
    const std::int64_t expected = length + std::max(request.n_predict, 0);
    if (rope.scaling == arch::Scaling::longrope
        && (expected > rope.original_ctx) != s.cache.long_context) {
        reset();
        s.cache.long_context = expected > rope.original_ctx;
    }
    // The last token is computed again even if it is cached: its logits are needed.
    const auto same =
        std::mismatch(s.cached.begin(), s.cached.end(), prompt.begin(), prompt.end() - 1);
    const auto kept = static_cast<std::size_t>(same.first - s.cached.begin());
    s.cached.resize(kept);
    s.cache.set_length(static_cast<std::int64_t>(kept));
    reply.n_cached = static_cast<int>(kept);
    if (auto fed = s.feed(std::span(prompt).subspan(kept), request); !fed) {
        if (fed.error().code != Code::cancelled) return fed.error();
        reply.finish = gen::FinishReason::cancelled;
        return reply;
    }
    for (const TokenId id : prompt) sampler.accept(id);
    reply.prefill_s = seconds_since(start);

    const auto decode_start = Clock::now();
    HEFT_OK(s.answer(request, sampler, reply));
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
    HEFT_TRY(kv::Cache cache,
             engine.model().make_cache(length, engine.context().precision, length));
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
    HEFT_TRY(kv::Cache cache,
             engine.model().make_cache(length, engine.context().precision, length));
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
