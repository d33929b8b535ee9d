#include <algorithm>

#include "base/clock.h"
#include "engine/answer.h"
#include "engine/draft.h"
#include "engine/engine.h"
#include "engine/sequence.h"

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

    Status read(const Request& request, Answer& answer);
    Status pass(const Request& request, Answer& answer);
    Status finish(const Request& request, Answer& answer);
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
        HEFT_OK(same_vocabulary(engine, *options.draft));
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

Status Session::Impl::read(const Request& request, Answer& answer) {
    const std::span<const TokenId> prompt = answer.text();
    sequence.use_adapter(request.adapter);
    sequence.expect(answer.expected_length());
    // The last token is computed again even if it is cached: its logits are needed.
    const std::int64_t kept = sequence.keep_common(prompt.first(prompt.size() - 1));
    answer.found_cached(kept);
    HEFT_OK(sequence.extend(prompt.subspan(static_cast<std::size_t>(kept)), Sequence::Rows::last,
                            reading(request)));
    return answer.begin();
}

// Computes the last token of the text, and with it what is guessed to follow.
Status Session::Impl::pass(const Request& request, Answer& answer) {
    const Sequence::Reading how = reading(request);
    sequence.cut(answer.length() - 1);
    HEFT_OK(sequence.settle_rope(answer.length(), how));
    const AsAlone alone(engine->context());
    const std::int64_t room = std::min<std::int64_t>(op::tokens_with_equal_bits(engine->context()),
                                                     sequence.until_rope_changes());
    HEFT_TRY(const std::span<const TokenId> tokens, answer.next(room));
    const auto start = Clock::now();
    HEFT_OK(sequence.extend(tokens, Sequence::Rows::all, how));
    answer.computed(seconds_since(start));
    return {};
}

Status Session::Impl::finish(const Request& request, Answer& answer) {
    HEFT_OK(read(request, answer));
    while (!answer.is_over()) {
        answer.sample(sequence.logits());
        HEFT_OK(answer.add());
        if (answer.is_cancelled()) answer.cancel();
        if (!answer.is_over()) HEFT_OK(pass(request, answer));
    }
    return {};
}

Result<Reply> Session::generate(const Request& request) {
    Impl& s = *impl_;
    if (s.draft != nullptr) s.draft->prepare(request.speculation.p_min, s.reading(request));
    HEFT_TRY(const std::unique_ptr<Answer> answer,
             Answer::make(*s.engine, request, s.n_ctx(), s.draft.get()));
    answer->start();
    const Status done = s.finish(request, *answer);
    if (!done && done.error().code != Code::cancelled) return done.error();
    answer->cancel();  // nothing if it is over
    // As if nothing had been guessed: the last token was not computed.
    if (!answer->reply().ids.empty()) s.sequence.cut(answer->length() - 1);
    return answer->take_reply();
}

namespace {

Status check_positions(std::span<const int> positions, std::int64_t length) {
    for (std::size_t i = 0; i < positions.size(); ++i)
        if (positions[i] < 0 || positions[i] >= length
            || (i > 0 && positions[i] <= positions[i - 1]))
            return Error{Code::invalid, "position " + std::to_string(positions[i])
                                            + " is not within 0 to " + std::to_string(length - 1)
                                            + " in ascending order"};
    return {};
}

}  // namespace

Status TextReader::make_caches(std::span<const Passage> texts) {
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const auto length = static_cast<std::int64_t>(texts[i].ids.size());
        if (length == 0) return Error{Code::invalid, "there are no token ids to compute"};
        HEFT_OK(check_positions(texts[i].positions, length));
        if (i < caches_.size() && caches_[i].shape().n_ctx == length) {
            caches_[i].set_length(0);
            continue;
        }
        caches_.erase(caches_.begin() + static_cast<std::ptrdiff_t>(i), caches_.end());
        HEFT_TRY(kv::Cache cache, engine_->make_cache(length, length));
        caches_.push_back(std::move(cache));
    }
    return {};
}

void TextReader::add_inputs(Passage text, std::int64_t from, std::int64_t to, kv::Cache& cache) {
    for (std::int64_t i = from; i < to; ++i) {
        const auto position = static_cast<std::int32_t>(i);
        const bool wanted =
            std::binary_search(text.positions.begin(), text.positions.end(), position);
        inputs_.push_back({text.ids[static_cast<std::size_t>(i)], position, &cache, wanted});
    }
}

Result<std::span<const float>> TextReader::logits(std::span<const Passage> texts) {
    HEFT_OK(make_caches(texts));
    inputs_.clear();
    rows_.clear();
    for (std::size_t i = 0; i < texts.size(); ++i)
        add_inputs(texts[i], 0, static_cast<std::int64_t>(texts[i].ids.size()), caches_[i]);
    HEFT_OK(engine_->model().forward(engine_->context(), inputs_, rows_));
    return std::span<const float>(rows_);
}

Result<std::span<const float>> TextReader::logits(Passage text, std::span<const int> chunks) {
    if (chunks.empty()) return logits(std::span(&text, 1));
    HEFT_OK(make_caches(std::span(&text, 1)));
    rows_.clear();
    const auto length = static_cast<std::int64_t>(text.ids.size());
    std::size_t chunk = 0;
    for (std::int64_t from = 0; from < length;) {
        const std::int64_t size = std::max(1, chunks[chunk++ % chunks.size()]);
        const std::int64_t to = std::min(length, from + size);
        inputs_.clear();
        add_inputs(text, from, to, caches_.front());
        HEFT_OK(engine_->model().forward(engine_->context(), inputs_, rows_));
        from = to;
    }
    return std::span<const float>(rows_);
}

Result<std::vector<float>> logits(const Engine& engine, std::span<const TokenId> ids,
                                  std::span<const int> positions, std::span<const int> chunks) {
    TextReader reader(engine);
    HEFT_TRY(const auto rows, reader.logits({ids, positions}, chunks));
    return std::vector<float>(rows.begin(), rows.end());
}

Result<std::vector<float>> hidden_states(const Engine& engine, std::span<const TokenId> ids,
                                         int adapter) {
    constexpr std::size_t kAtOnce = 512;
    const auto length = static_cast<std::int64_t>(ids.size());
    if (ids.empty()) return Error{Code::invalid, "there is nothing to embed"};
    HEFT_TRY(kv::Cache cache, engine.make_cache(length, length));
    cache.basis.adapter = adapter;
    PagedVector<float> out;
    for (std::size_t from = 0; from < ids.size(); from += kAtOnce) {
        std::vector<model::Input> inputs;
        for (std::size_t i = from; i < std::min(ids.size(), from + kAtOnce); ++i)
            inputs.push_back({ids[i], static_cast<std::int32_t>(i), &cache, true});
        HEFT_OK(engine.model().forward_hidden(engine.context(), inputs, out));
    }
    return std::vector<float>(out.begin(), out.end());
}

}  // namespace heft::engine
