// The sections of tokenizer.json. Internal to the module. Each section is a chain of components; a
// component is a row of its section's table: its name, its options, its reader. A name or an option
// that no row has is refused by name.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/tokenizer_config.h"
#include "text/tokenizer_impl.h"

namespace heft::text {

inline constexpr std::size_t kMostSteps = 64;  // of a section

template <class Plan>
struct Component {
    std::string_view type;
    std::string_view options;  // known keys, with a space between
    Status (*read)(JsonElement component, Plan& plan);
};

std::string_view type_of(JsonElement component);
bool lists(std::string_view names, std::string_view name);  // "a b c" has "b"
Status check_options(std::string_view section, JsonElement component, std::string_view known);

template <class Plan, std::size_t n>
std::string names_of(const std::array<Component<Plan>, n>& rows) {
    std::string names;
    for (const auto& row : rows) names.append(names.empty() ? "" : ", ").append(row.type);
    return names;
}

template <class Plan, std::size_t n>
Status read_component(std::string_view section, const std::array<Component<Plan>, n>& rows,
                      JsonElement component, Plan& plan) {
    const std::string_view type = type_of(component);
    const auto row =
        std::find_if(rows.begin(), rows.end(), [type](const auto& r) { return r.type == type; });
    if (row == rows.end())
        return Error{Code::unsupported, "the " + std::string(section) + " type " + shown(type)
                                            + " is not supported; heft reads " + names_of(rows)};
    HEFT_OK(check_options(section, component, row->options));
    return row->read(component, plan);
}

struct NormalizerPlan {
    std::vector<NormaliserStep> steps;
    bool collapses_spaces = false;
};
Status read_normalizer(JsonElement section, NormalizerPlan& plan);
std::string known_normalizers();

// What the pre_tokenizer section says besides how to cut.
struct PreTokenizerPlan {
    std::vector<PretokeniserStep> steps;
    std::vector<std::string> patterns;  // of the steps, when all isolate; for GGUF's name
    bool named = true;                  // `patterns` says it all
    bool byte_level = false;
    std::optional<Prefix> prefix;
    std::optional<std::string> space_mark;  // Metaspace's replacement, where it comes first
    bool marks_words = false;               // Metaspace comes later
    bool collapses_spaces = false;
};
Status read_pre_tokenizer(JsonElement section, PreTokenizerPlan& plan);
std::string known_pre_tokenizer_types();

struct DecoderPlan {
    Speech speech;
    bool fused = false;
};
Status read_decoder(JsonElement section, DecoderPlan& plan);
std::string known_decoders();

struct PostProcessorPlan {
    const TokenTable* table = nullptr;
    std::vector<TokenId> before, after;  // ids around a text
};
Status read_post_processor(JsonElement section, PostProcessorPlan& plan);
std::string known_post_processors();

// The model section, but for the tokens that it shares with added_tokens.
struct ModelPlan {
    struct Entry {
        std::string_view text;
        std::int64_t id = -1;
    };
    Tokenizer::Impl* impl = nullptr;
    JsonElement model;
    std::vector<Entry> vocab;
    bool byte_fallback = false;
    std::optional<std::string> unknown;  // the unknown token's text
};
Status read_model(JsonElement model, ModelPlan& plan);
Status read_merges(const ModelPlan& plan);  // when impl's table is there
std::string known_models();

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

Status check_steps(std::size_t steps, std::string_view section);

}  // namespace heft::text
