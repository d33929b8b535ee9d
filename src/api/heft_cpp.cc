#include <atomic>

#include <nlohmann/json.hpp>

#include "engine/engine.h"
#include "heft/heft.hpp"
#include "text/chat_prompt.h"

namespace heft {

struct Model::Impl {
    std::unique_ptr<engine::Engine> engine;
    std::unique_ptr<engine::Engine> draft;  // may be none; computes on the engine's threads
    engine::Session session;                // points to both
    gen::Guesser guesser = gen::Guesser::off;
};

namespace {

engine::Request request_of(std::vector<Token> prompt, const GenerateOptions& options,
                           std::atomic<bool>& stop) {
    engine::Request request;
    request.prompt = std::move(prompt);
    request.sampling.temperature = options.temperature;
    request.sampling.top_k = options.top_k;
    request.sampling.top_p = options.top_p;
    request.sampling.min_p = options.min_p;
    request.sampling.penalties.repeat = options.repeat_penalty;
    request.sampling.seed = options.seed;
    request.n_predict = options.max_tokens;
    request.stop = options.stop;
    request.truncate = options.truncate;
    request.cancel = &stop;
    if (options.on_text)
        request.on_token = [&options, &stop](std::string_view text, Token) {
            if (!text.empty() && !options.on_text(text)) stop = true;
        };
    return request;
}

Result<Answer> answer(engine::Session& session, gen::Guesser guesser, engine::Request request) {
    request.speculation.guesser = guesser;
    HEFT_TRY(engine::Reply reply, session.generate(request));
    Answer out;
    out.text = std::move(reply.text);
    out.tokens = std::move(reply.ids);
    out.finish_reason = gen::to_string(reply.finish);
    out.seed = reply.seed;
    out.prompt_tokens = reply.n_prompt;
    out.prefill_seconds = reply.prefill_s;
    out.decode_seconds = reply.decode_s;
    out.guesses_checked = reply.guessed.n_checked;
    out.guesses_right = reply.guessed.n_right;
    out.degraded = std::move(reply.degraded);
    return out;
}

}  // namespace

Model::Model(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

Result<Model> Model::open(const std::string& reference, const ModelOptions& options) {
    engine::OpenOptions how;
    how.n_threads = options.threads;
    how.precision = options.exact ? op::Precision::f32 : op::Precision::fast;
    how.deterministic = options.deterministic;
    HEFT_TRY(engine::Engine engine, engine::Engine::open(reference, how));
    engine::SessionOptions conversation;
    conversation.n_ctx = options.context;
    auto opened = std::make_unique<engine::Engine>(std::move(engine));
    const gen::Guesser guesser = gen::guesser_of(options.speculation);
    std::unique_ptr<engine::Engine> draft;
    if (guesser == gen::Guesser::draft) {
        how.threads_of = opened.get();
        HEFT_TRY(engine::Engine small, engine::Engine::open(options.speculation, how));
        draft = std::make_unique<engine::Engine>(std::move(small));
        conversation.draft = draft.get();
    }
    HEFT_TRY(engine::Session session, engine::Session::start(*opened, conversation));
    return Model(std::make_unique<Impl>(
        Impl{std::move(opened), std::move(draft), std::move(session), guesser}));
}

Result<std::vector<Token>> Model::tokenize(std::string_view text, bool add_special) const {
    HEFT_TRY(const text::Tokenizer* words, impl_->engine->tokenizer());
    return words->encode(text, {.add_special = add_special, .parse_special = false});
}

Result<std::string> Model::detokenize(std::span<const Token> tokens) const {
    HEFT_TRY(const text::Tokenizer* words, impl_->engine->tokenizer());
    return words->decode(tokens);
}

Result<Answer> Model::generate(std::string_view prompt, const GenerateOptions& options) {
    HEFT_TRY(const std::vector<Token> tokens, tokenize(prompt));
    return generate(tokens, options);
}

Result<Answer> Model::generate(std::span<const Token> prompt, const GenerateOptions& options) {
    std::atomic<bool> stop{false};
    return answer(impl_->session, impl_->guesser,
                  request_of({prompt.begin(), prompt.end()}, options, stop));
}

Result<Answer> Model::chat(std::span<const Message> messages, const GenerateOptions& options) {
    HEFT_TRY(const text::ChatTemplate* chat_template, impl_->engine->chat_template());
    HEFT_TRY(const text::Tokenizer* words, impl_->engine->tokenizer());
    HEFT_TRY(nlohmann::ordered_json variables, impl_->engine->template_variables());
    variables["messages"] = nlohmann::ordered_json::array();
    for (const Message& message : messages)
        variables["messages"].push_back({{"role", message.role}, {"content", message.content}});
    variables["add_generation_prompt"] = true;
    HEFT_TRY(std::vector<Token> prompt, text::encode_chat(*chat_template, *words, variables));
    std::atomic<bool> stop{false};
    return answer(impl_->session, impl_->guesser, request_of(std::move(prompt), options, stop));
}

Result<std::vector<float>> Model::logits(std::span<const Token> tokens) const {
    const int last[] = {static_cast<int>(tokens.size()) - 1};
    return engine::logits(*impl_->engine, tokens, last);
}

int Model::vocabulary_size() const {
    return impl_->engine->model().config().n_vocab;
}

std::int64_t Model::context_size() const {
    return impl_->session.n_ctx();
}

const char* version() {
    return HEFT_VERSION;
}

}  // namespace heft
