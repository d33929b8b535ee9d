// What Ollama's API tells of models, and its options and embeddings.
#include <cmath>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "serve/api/fields.h"
#include "serve/api/ollama.h"
#include "serve/api/routes.h"
#include "serve/api/sampling_rows.h"
#include "serve/embed.h"

namespace heft::serve::ollama {

namespace {

using enum JsonType;

// -1 and -2 are "until the end".
std::optional<Failure> take_predict(const Json& value, Draft& draft) {
    const auto count = value.get<std::int64_t>();
    if (count >= 0) draft.request.max_tokens = count;
    return {};
}

std::optional<Failure> take_input_text(const Json& value, Draft& draft) {
    draft.embedding.inputs.emplace_back(value.get<std::string>());
    return {};
}

std::optional<Failure> take_truncate(const Json& value, Draft& draft) {
    draft.embedding.truncate = value.get<bool>();
    return {};
}

constexpr Parameter kOptions[] = {
    {"num_predict", integer, "tokens to make at most; below 0 there is no limit", take_predict, -2,
     1e9},
    {"seed", integer, "the same seed gives the same reply", take_sampling<&Sampling::seed>, -1,
     9e18},
    {"temperature", number, "0 takes the most probable token",
     take_sampling<&Sampling::temperature>, 0, 100},
    {"top_p", number, "sample from the most probable tokens that make up this share",
     take_sampling<&Sampling::top_p>, 0, 1},
    {"presence_penalty", number, "subtracted from the logit of a token that occurred",
     take_sampling<&Sampling::presence>, -100, 100},
    {"frequency_penalty", number, "subtracted from a token's logit each time it occurred",
     take_sampling<&Sampling::frequency>, -100, 100},
    {"stop", string | array, "texts to end before", take_stop},
    row("num_ctx", integer, Use::degraded, "the context is the server's (-c)"),
    row("num_keep", integer, Use::degraded, "a full context ends the reply, nothing is dropped"),
    row("penalize_newline", boolean, Use::degraded, "line ends are penalised like any token"),
    row("tfs_z", number, Use::degraded, "tail-free sampling is not supported"),
    row("num_batch", integer, Use::accepted, "the server's"),
    row("num_thread", integer, Use::accepted, "the server's"),
    row("num_gpu", integer, Use::accepted, "the server's"),
    row("main_gpu", integer, Use::accepted, "the server's"),
    row("use_mmap", boolean, Use::accepted, "the server's"),
    row("use_mlock", boolean, Use::accepted, "the server's"),
    row("low_vram", boolean, Use::accepted, "the server's"),
    row("numa", boolean, Use::accepted, "the server's"),
};

constexpr Parameter kEmbed[] = {
    {"model", string, "the model's name", take_model},
    {"input", string | array, "texts", take_inputs},
    {"truncate", boolean, "cut texts that are too long; the default", take_truncate},
    {"options", object, "as in /api/chat", take_options},
    {"keep_alive", string | number, "how long the model stays loaded when idle", take_keep_alive},
    row("dimensions", integer, Use::refused, "vectors have the model's own length"),
};

constexpr Parameter kEmbedOne[] = {
    {"model", string, "the model's name", take_model},
    {"prompt", string, "the text", take_input_text},
    {"options", object, "as in /api/chat", take_options},
    {"keep_alive", string | number, "how long the model stays loaded when idle", take_keep_alive},
};

constexpr Parameter kShow[] = {
    {"model", string, "the model's name", take_model},
    {"name", string, "the same", take_model},
    row("verbose", boolean, Use::accepted, kNothing),
};

Json list_entry(const ModelInfo& info) {
    const auto created =
        std::chrono::system_clock::time_point(std::chrono::seconds(info.created_s));
    return {{"name", info.name},       {"model", info.name},    {"modified_at", time_text(created)},
            {"size", info.file_bytes}, {"digest", info.digest}, {"details", details(info)}};
}

std::optional<ModelInfo> info_of(const Service& service, const std::string& name) {
    for (const ModelInfo& info : service.models())
        if (info.is_called(name)) return info;
    return {};
}

Json model_info(const Model& model) {
    const auto config = model.engine().config();
    if (!config) return Json::object();
    const arch::Config& c = **config;
    const std::string family(c.family->gguf);
    return {{"general.architecture", family},
            {family + ".context_length", c.n_ctx},
            {family + ".embedding_length", c.d_model},
            {family + ".vocab_size", c.n_vocab}};
}

Json show_body(const Model& model, const ModelInfo& info) {
    Json body = {{"modelfile", ""}, {"parameters", ""}};
    const auto source = model.engine().template_source();
    body["template"] = source ? *source : "";
    body["details"] = details(info);
    body["model_info"] = model_info(model);
    Json can = Json::array({"completion", "embedding"});
    if (source && source->find("tools") != std::string::npos) can.push_back("tools");
    if (source && source->find("thinking") != std::string::npos) can.push_back("thinking");
    body["capabilities"] = std::move(can);
    body["modified_at"] = list_entry(info)["modified_at"];
    return body;
}

using Say = Json (*)(const Embedded& all);

void embed_with(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out, Draft draft,
                Say say) {
    if (auto failure = check(draft.embedding)) return refuse(http, *out, *failure);
    embed(
        api.service, std::move(draft.embedding), out,
        [out, say](const Embedded& all) { send_json(*out, say(all)); },
        [out, http](const Failure& failure) { refuse(http, *out, failure); });
}

}  // namespace

std::string time_text(std::chrono::system_clock::time_point when) {
    const auto since = when.time_since_epoch();
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(since).count();
    constexpr std::int64_t kMillion = 1'000'000;
    const std::time_t seconds = micros / kMillion;
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", fmt::gmtime(seconds), micros % kMillion);
}

std::int64_t nanoseconds(double seconds) {
    return static_cast<std::int64_t>(std::llround(seconds * 1e9));
}

Json details(const ModelInfo& info) {
    return {{"parent_model", info.base},
            {"format", info.format},
            {"family", info.family},
            {"families", Json::array({info.family})},
            {"parameter_size", info.parameter_size},
            {"quantization_level", info.quantization}};
}

std::optional<Failure> take_options(const Json& value, Draft& draft) {
    return read_object(value, option_rows(), Unknown::degraded, draft, "options.");
}

Parameters option_rows() {
    static const auto kAll = joined(kOptions, kSamplingRows);
    return kAll;
}
Parameters show_parameters() {
    return kShow;
}
Parameters embed_parameters() {
    return kEmbed;
}
Parameters embed_one_parameters() {
    return kEmbedOne;
}

void tags(Api& api, const HttpRequest& /*http*/, std::shared_ptr<Responder> out) {
    Json all = Json::array();
    for (const ModelInfo& info : api.service.models()) all.push_back(list_entry(info));
    send_json(*out, {{"models", std::move(all)}});
}

void ps(Api& api, const HttpRequest& /*http*/, std::shared_ptr<Responder> out) {
    Json all = Json::array();
    for (const ModelInfo& info : api.service.models()) {
        if (!info.loaded) continue;
        Json entry = list_entry(info);
        entry["size"] = info.memory_bytes;
        entry["size_vram"] = 0;
        entry["context_length"] = info.n_ctx;
        if (info.expires) entry["expires_at"] = time_text(*info.expires);
        all.push_back(std::move(entry));
    }
    send_json(*out, {{"models", std::move(all)}});
}

void show(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out) {
    Draft draft;
    if (auto failure = read_body(http, kShow, Unknown::degraded, draft))
        return refuse(http, *out, *failure);
    api.service.open(draft.request.model, http.caller, {}, [&api, http, out](Opened opened) {
        if (opened.model == nullptr) return refuse(http, *out, opened.failure);
        const auto info = info_of(api.service, opened.model->name());
        send_json(*out, show_body(*opened.model, info.value_or(ModelInfo{})));
    });
}

void version(Api& api, const HttpRequest& /*http*/, std::shared_ptr<Responder> out) {
    send_json(*out, {{"version", api.service.version()}});
}

void alive(Api& /*api*/, const HttpRequest& /*http*/, std::shared_ptr<Responder> out) {
    out->send(200, "text/plain", "");
}

void embed_many(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out) {
    Draft draft;
    draft.embedding.truncate = true;
    if (auto failure = read_body(http, kEmbed, Unknown::degraded, draft))
        return refuse(http, *out, *failure);
    embed_with(api, http, std::move(out), std::move(draft), [](const Embedded& all) {
        return Json{{"model", all.model},
                    {"embeddings", all.vectors},
                    {"total_duration", nanoseconds(all.total_s)},
                    {"load_duration", nanoseconds(all.load_s)},
                    {"prompt_eval_count", all.n_prompt},
                    {"heft", {{"degraded", all.degraded}}}};
    });
}

void embed_one(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out) {
    Draft draft;
    draft.embedding.truncate = true;
    draft.embedding.normalise = false;
    if (auto failure = read_body(http, kEmbedOne, Unknown::degraded, draft))
        return refuse(http, *out, *failure);
    embed_with(api, http, std::move(out), std::move(draft), [](const Embedded& all) {
        return Json{{"embedding", all.vectors.front()}, {"heft", {{"degraded", all.degraded}}}};
    });
}

}  // namespace heft::serve::ollama
