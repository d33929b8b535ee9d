// The sections of tokenizer.json. Internal to the module. Each reader fills in its part of the
// tokenizer; types that heft does not know are refused by name.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/tokenizer_impl.h"

namespace heft::text {

// What the pre_tokenizer section says besides how to cut.
struct PreTokenizerPlan {
    std::vector<CutStep> steps;
    std::vector<std::string> patterns;  // of the steps, when all isolate; for GGUF's name
    bool named = true;                  // `patterns` says it all
    bool byte_level = false;
    std::optional<Prefix> prefix;
    std::optional<std::string> space_mark;  // Metaspace's replacement
};

Status read_pre_tokenizer(JsonElement section, PreTokenizerPlan& plan);
Status read_normaliser(JsonElement section, std::vector<NormaliserStep>& steps, Prefix& prefix);

struct DecoderPlan {
    bool byte_level = false;
    bool strips_first_space = false;
};
Status read_decoder(JsonElement section, DecoderPlan& plan);

// Ids before and after a text.
Status read_post_processor(JsonElement section, const TokenTable& table,
                           std::vector<TokenId>& before, std::vector<TokenId>& after);

// A pattern, {"String": …} or {"Regex": …}. The text is for naming.
struct JsonPattern {
    std::string text;
    bool literal = false;
};
Result<JsonPattern> read_pattern(JsonElement owner);
Result<Regex> compile(const JsonPattern& pattern);

// Calls visit(item) for the items of the array `key`; an absent array has none.
template <class Visit>
Status each_item(JsonElement object, std::string_view key, const Visit& visit) {
    const auto found = json_find(object, key);
    JsonArray items;
    if (!found) return {};
    if (found->get_array().get(items) != simdjson::SUCCESS)
        return Error{Code::corrupt, std::string(key) + " is not a list"};
    for (const JsonElement item : items) HEFT_OK(visit(item));
    return {};
}

}  // namespace heft::text
