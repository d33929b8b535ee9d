// OpenAI's /v1/embeddings.
#include <bit>
#include <cstring>

#include "serve/api/fields.h"
#include "serve/api/openai.h"
#include "serve/api/routes.h"
#include "serve/embed.h"
#include "text/base64.h"

namespace heft::serve {

namespace {

using enum JsonType;

std::optional<Failure> take_encoding(const Json& value, Draft& draft) {
    const auto format = value.get<std::string>();
    draft.as_base64 = format == "base64";
    if (format == "float" || format == "base64") return {};
    return invalid("encoding_format", "encoding_format has to be float or base64", "invalid_value");
}

constexpr Parameter kParameters[] = {
    {"model", string, "the model's name; without it, the server's first", take_model},
    {"input", string | array, "texts, or lists of token ids", take_inputs},
    {"encoding_format", string, "float, or base64 of little-endian float32", take_encoding},
    {"keep_alive", string | number, "how long the model stays loaded when idle", take_keep_alive},
    row("user", string, Use::accepted, kNothing),
    row("dimensions", integer, Use::refused, "vectors have the model's own length"),
};

std::string base64_of(const std::vector<float>& vector) {
    static_assert(std::endian::native == std::endian::little);
    std::string bytes(vector.size() * sizeof(float), '\0');
    std::memcpy(bytes.data(), vector.data(), bytes.size());
    return text::base64_encode(bytes);
}

Json body_of(const Embedded& all, bool as_base64) {
    Json data = Json::array();
    for (std::size_t i = 0; i < all.vectors.size(); ++i) {
        Json one = {{"object", "embedding"}, {"index", i}};
        if (as_base64)
            one["embedding"] = base64_of(all.vectors[i]);
        else
            one["embedding"] = all.vectors[i];
        data.push_back(std::move(one));
    }
    return {{"object", "list"},
            {"data", std::move(data)},
            {"model", all.model},
            {"usage", {{"prompt_tokens", all.n_prompt}, {"total_tokens", all.n_prompt}}},
            {"heft", {{"degraded", all.degraded}}}};
}

}  // namespace

Parameters openai_embedding_parameters() {
    return kParameters;
}

void openai_embeddings(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out) {
    Draft draft;
    auto failure = read_body(http, kParameters, Unknown::refused, draft);
    if (!failure) failure = check(draft.embedding);
    if (failure) return refuse(http, *out, *failure);
    embed(
        api.service, std::move(draft.embedding), out,
        [out, as_base64 = draft.as_base64](const Embedded& all) {
            send_json(*out, body_of(all, as_base64));
        },
        [out, http](const Failure& why) { refuse(http, *out, why); });
}

}  // namespace heft::serve
