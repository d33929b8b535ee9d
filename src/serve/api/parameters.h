// The parameters of an endpoint as a table: what they are called, what they may be, what they do.
// Bodies are read by it, and docs/api.md is made from it.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "serve/exchange.h"
#include "serve/request.h"

namespace heft::serve {

// What a body says, in the making.
struct Draft {
    Request request;
    EmbeddingRequest embedding;
    // What some dialects say apart from the conversation.
    std::optional<std::string> system, prompt, suffix;
    std::optional<std::string> previous_id;  // of a stored response
    bool store = true;
    bool raw = false;
    bool as_base64 = false;
    bool add_special = false, parse_special = true, with_pieces = false;
    std::string content;  // to tokenize

    void degrade(std::string entry);  // one entry, once
};

enum class JsonType : std::uint8_t {  // bits
    boolean = 1,
    integer = 2,
    number = 4,
    string = 8,
    array = 16,
    object = 32,
    any = 63,
};
constexpr JsonType operator|(JsonType a, JsonType b) {
    return static_cast<JsonType>(static_cast<int>(a) | static_cast<int>(b));
}

enum class Use : std::uint8_t {
    honoured,
    accepted,  // says nothing that could change the answer
    degraded,  // cannot be done: the answer says so
    refused,   // cannot be done: an error
};

using Take = std::optional<Failure> (*)(const Json& value, Draft& draft);

struct Parameter {
    std::string_view name;
    JsonType type = JsonType::any;
    std::string_view what;
    Take take = nullptr;  // of honoured ones
    double low = -1e300, high = 1e300;
    Use use = Use::honoured;
};

// One that is not honoured.
constexpr Parameter row(std::string_view name, JsonType type, Use use, std::string_view what) {
    return {.name = name, .type = type, .what = what, .use = use};
}
inline constexpr std::string_view kNothing = "says nothing that could change the answer";

// What becomes of names that the table does not have.
enum class Unknown : std::uint8_t { refused, degraded };

using Parameters = std::span<const Parameter>;

template <class... Tables>
std::vector<Parameter> joined(const Tables&... tables) {
    std::vector<Parameter> all;
    (all.insert(all.end(), std::begin(tables), std::end(tables)), ...);
    return all;
}

// Takes every member of the object. Null counts as absent. `prefix` stands before names in errors:
// "options.".
std::optional<Failure> read_object(const Json& object, Parameters parameters, Unknown unknown,
                                   Draft& draft, std::string_view prefix = {});

// The body: UTF-8, JSON, an object, not too deep; then as above. Fills in who asks.
std::optional<Failure> read_body(const HttpRequest& http, Parameters parameters, Unknown unknown,
                                 Draft& draft);

std::string type_names(JsonType type);  // "string or array"

// A member that is there and not null.
const Json* member(const Json& object, const char* name);
// Empty where it is absent or no string.
std::string string_member(const Json& object, const char* name);

// Takes that only put a value in its place.
template <auto place>
std::optional<Failure> take_sampling(const Json& value, Draft& draft) {
    using Value = typename std::remove_reference_t<decltype(draft.request.sampling.*place)>;
    if constexpr (std::is_same_v<Value, std::optional<double>>)
        draft.request.sampling.*place = value.get<double>();
    else if constexpr (std::is_same_v<Value, std::optional<std::int64_t>>)
        draft.request.sampling.*place = value.get<std::int64_t>();
    else
        draft.request.sampling.*place = value.get<Value>();
    return {};
}
template <auto place>
std::optional<Failure> take_request(const Json& value, Draft& draft) {
    using Value = typename std::remove_reference_t<decltype(draft.request.*place)>;
    if constexpr (std::is_same_v<Value, std::optional<std::int64_t>>)
        draft.request.*place = value.get<std::int64_t>();
    else if constexpr (std::is_same_v<Value, std::optional<bool>>)
        draft.request.*place = value.get<bool>();
    else
        draft.request.*place = value.get<Value>();
    return {};
}
template <auto place>
std::optional<Failure> take_draft(const Json& value, Draft& draft) {
    using Value = typename std::remove_reference_t<decltype(draft.*place)>;
    if constexpr (std::is_same_v<Value, std::optional<std::string>>)
        draft.*place = value.get<std::string>();
    else
        draft.*place = value.get<Value>();
    return {};
}

}  // namespace heft::serve
