#include "base/json.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace heft {

namespace {

constexpr std::size_t kDepth = 64;

// Integers of 19 digits and more, written as real numbers: simdjson refuses those beyond 64 bits,
// and tokenizer_config.json files hold one (model_max_length, "unlimited").
std::string with_real_numbers(std::string_view text) {
    constexpr std::size_t kDigits = 19;
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    std::string out;
    out.reserve(text.size() + 64);
    bool in_string = false;
    for (std::size_t at = 0; at < text.size();) {
        const char c = text[at];
        if (in_string || !is_digit(c)) {
            if (c == '"') in_string = !in_string;
            const std::size_t length = c == '\\' ? 2 : 1;  // what is escaped ends no string
            out += text.substr(at, length);
            at += length;
            continue;
        }
        std::size_t end = at;
        while (end < text.size() && is_digit(text[end])) ++end;
        out += text.substr(at, end - at);
        const auto is_real = [&text](std::size_t i) {
            return i < text.size()
                   && std::string_view(".eE+").find(text[i]) != std::string_view::npos;
        };
        const bool whole = !is_real(end) && (at == 0 || !is_real(at - 1));
        if (whole && end - at >= kDigits) out += ".0";
        at = end;
    }
    return out;
}

}  // namespace

Result<JsonDoc> JsonDoc::parse(std::string_view text) {
    JsonDoc doc;
    doc.parser_ = std::make_unique<simdjson::dom::parser>();
    if (doc.parser_->allocate(std::max<std::size_t>(text.size(), 64), kDepth) != simdjson::SUCCESS)
        return Error{Code::exhausted, "no memory to read the JSON"};
    auto error = doc.parser_->parse(text.data(), text.size(), true).get(doc.root_);
    if (error == simdjson::NUMBER_ERROR)
        error = doc.parser_->parse(with_real_numbers(text)).get(doc.root_);
    if (error != simdjson::SUCCESS)
        return Error{Code::corrupt,
                     std::string("not valid JSON: ") + simdjson::error_message(error)};
    return doc;
}

std::optional<JsonElement> json_find(JsonElement object, std::string_view key) {
    JsonObject fields;
    JsonElement value;
    if (object.get_object().get(fields) != simdjson::SUCCESS) return {};
    if (fields.at_key(key).get(value) != simdjson::SUCCESS || value.is_null()) return {};
    return value;
}

std::optional<std::string_view> json_string(JsonElement object, std::string_view key) {
    const auto value = json_find(object, key);
    std::string_view text;
    if (!value || value->get_string().get(text) != simdjson::SUCCESS) return {};
    return text;
}

std::optional<double> json_number(JsonElement object, std::string_view key) {
    const auto value = json_find(object, key);
    double number = 0;
    if (!value || value->get_double().get(number) != simdjson::SUCCESS) return {};
    return number;
}

std::optional<std::int64_t> json_int(JsonElement object, std::string_view key) {
    const auto value = json_find(object, key);
    std::int64_t number = 0;
    if (!value || value->get_int64().get(number) != simdjson::SUCCESS) return {};
    return number;
}

std::optional<bool> json_bool(JsonElement object, std::string_view key) {
    const auto value = json_find(object, key);
    bool flag = false;
    if (!value || value->get_bool().get(flag) != simdjson::SUCCESS) return {};
    return flag;
}

Result<nlohmann::ordered_json> parse_json_tree(std::string_view text) {
    using Json = nlohmann::ordered_json;
    bool deep = false;
    const auto bounded = [&deep](int depth, Json::parse_event_t, Json&) {
        deep = deep || depth > static_cast<int>(kDepth);
        return !deep;
    };
    Json tree = Json::parse(text.begin(), text.end(), bounded, false);
    if (deep) return Error{Code::corrupt, "JSON is nested more than 64 levels deep"};
    if (tree.is_discarded()) return Error{Code::corrupt, "not valid JSON"};
    return tree;
}

}  // namespace heft
