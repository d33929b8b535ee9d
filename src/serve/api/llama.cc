// The small endpoints of llama.cpp's server that clients look at.
#include <fmt/format.h>

#include "serve/answer.h"
#include "serve/api/endpoint.h"
#include "serve/api/fields.h"
#include "serve/api/routes.h"
#include "serve/prompt.h"
#include "text/utf8.h"

namespace heft::serve {

namespace {

using enum JsonType;

constexpr Parameter kTokenize[] = {
    {"model", string, "the model's name; without it, the server's first", take_model},
    {"content", string, "the text", take_draft<&Draft::content>},
    {"add_special", boolean, "with the tokens that begin and end a text",
     take_draft<&Draft::add_special>},
    {"parse_special", boolean,
     "control tokens that are spelled in the text count as such; the default",
     take_draft<&Draft::parse_special>},
    {"with_pieces", boolean, "with each token's text", take_draft<&Draft::with_pieces>},
};

constexpr Parameter kDetokenize[] = {
    {"model", string, "the model's name; without it, the server's first", take_model},
    {"tokens", array, "token ids", take_prompts},
};

constexpr Parameter kApplyTemplate[] = {
    {"model", string, "the model's name; without it, the server's first", take_model},
    {"messages", array, "the conversation", take_messages},
    {"tools", array, "functions that the model may call", take_tools},
    {"tool_choice", string | object, "\"none\" leaves the tools out", take_tool_choice},
    {"chat_template_kwargs", object, "more variables for the chat template",
     take_template_variables},
};

// Reads the body, opens the model, answers with what `make` makes of both.
using Make = Result<Json> (*)(const Model& model, const Draft& draft);

void answer_with(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out,
                 Parameters parameters, Make make) {
    const auto draft = std::make_shared<Draft>();
    if (auto failure = read_body(http, parameters, Unknown::refused, *draft))
        return refuse(http, *out, *failure);
    api.service.open(draft->request.model, http.caller, {},
                     [http, out, draft, make](Opened opened) {
                         if (opened.model == nullptr) return refuse(http, *out, opened.failure);
                         auto body = make(*opened.model, *draft);
                         if (!body) return refuse(http, *out, failure_of(body.error()));
                         send_json(*out, *body);
                     });
}

Json piece_json(const std::string& bytes) {
    if (text::is_utf8(bytes)) return bytes;
    Json numbers = Json::array();
    for (const char c : bytes) numbers.push_back(static_cast<unsigned char>(c));
    return numbers;
}

Result<Json> tokens_of(const Model& model, const Draft& draft) {
    HEFT_TRY(const text::Tokenizer* words, model.engine().tokenizer());
    const auto ids = words->encode(
        draft.content, {.add_special = draft.add_special, .parse_special = draft.parse_special});
    if (!draft.with_pieces) return Json{{"tokens", ids}};
    Json tokens = Json::array();
    for (const engine::TokenId id : ids)
        tokens.push_back(
            {{"id", id}, {"piece", piece_json(std::string(words->bytes_of(id, true)))}});
    return Json{{"tokens", std::move(tokens)}};
}

Result<Json> text_of(const Model& model, const Draft& draft) {
    HEFT_TRY(const text::Tokenizer* words, model.engine().tokenizer());
    std::string text;
    for (const Prompt& prompt : draft.request.prompts) {
        HEFT_TRY(const auto ids, text_prompt(model.engine(), prompt));
        HEFT_TRY(const std::string part, words->decode(ids, true));
        text += part;
    }
    return Json{{"content", text::to_valid_utf8(text)}};
}

Result<Json> prompt_of(const Model& model, const Draft& draft) {
    HEFT_TRY(std::string prompt, rendered_chat(model.engine(), draft.request));
    return Json{{"prompt", std::move(prompt)}};
}

void tokenize(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out) {
    answer_with(api, http, std::move(out), kTokenize, tokens_of);
}

void detokenize(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out) {
    answer_with(api, http, std::move(out), kDetokenize, text_of);
}

void apply_template(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out) {
    answer_with(api, http, std::move(out), kApplyTemplate, prompt_of);
}

Json props_of(const Model& model, const std::string& version) {
    const gen::SamplingOptions defaults = model.engine().sampling_defaults();
    const auto source = model.engine().template_source();
    return {{"default_generation_settings",
             {{"n_ctx", model.n_ctx()},
              {"params",
               {{"temperature", defaults.temperature},
                {"top_k", defaults.top_k},
                {"top_p", defaults.top_p},
                {"min_p", defaults.min_p},
                {"seed", defaults.seed}}}}},
            {"model_alias", model.name()},
            {"model_path", model.engine().checkpoint().name()},
            {"chat_template", source ? *source : ""},
            {"build_info", "heft " + version},
            {"modalities", {{"vision", false}, {"audio", false}}}};
}

void props(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out) {
    const auto named = http.query.find("model");
    api.service.open(named == http.query.end() ? "" : named->second, http.caller, {},
                     [&api, http, out](Opened opened) {
                         if (opened.model == nullptr) return refuse(http, *out, opened.failure);
                         send_json(*out, props_of(*opened.model, api.service.version()));
                     });
}

}  // namespace

std::string say_llama(const Failure& failure, const HttpRequest& /*http*/) {
    return dumped({{"error",
                    {{"code", status_of(failure.kind)},
                     {"message", failure.message},
                     {"type", std::string(to_string(failure.kind))}}}});
}

Endpoints llama_endpoints() {
    static const Endpoint kEndpoints[] = {
        {"POST", "/tokenize", "The token ids of a text", tokenize, kTokenize},
        {"POST", "/detokenize", "The text of token ids", detokenize, kDetokenize},
        {"POST", "/apply-template", "What the chat template makes of a conversation",
         apply_template, kApplyTemplate},
        {"GET", "/props", "The served model's settings", props},
    };
    return kEndpoints;
}

}  // namespace heft::serve
