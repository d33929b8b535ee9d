#include "format/peft_config.h"

#include <cmath>
#include <string>

#include "base/json.h"
#include "format/names.h"

namespace heft::format {

namespace {

constexpr std::int64_t kMaxRank = 65536;

// What a plain LoRA leaves null, false or empty, and what an adapter does that sets it.
struct Extra {
    const char* key;
    const char* does;
};
constexpr Extra kExtras[] = {
    {"modules_to_save", "brings whole modules beside its low-rank changes"},
    {"lora_bias", "changes biases"},
    {"layer_replication", "runs layers several times"},
    {"target_parameters", "changes single parameters inside modules"},
    {"trainable_token_indices", "brings embeddings of single tokens"},
    {"alora_invocation_tokens", "applies from certain tokens on only"},
    {"arrow_config", "chooses between adapters as it runs"},
};
// Flags named use_… do the same.
constexpr std::string_view kVariantPrefix = "use_";
constexpr std::string_view kRankStabilised = "use_rslora";

// Ways of initialising that take something out of the base's own weights.
constexpr std::string_view kChangesBase[] = {"pissa", "olora", "corda", "loftq", "lora_ga"};

bool is_off(JsonElement value) {
    bool flag = false;
    JsonArray items;
    JsonObject fields;
    std::string_view text;
    if (value.get_bool().get(flag) == simdjson::SUCCESS) return !flag;
    if (value.get_array().get(items) == simdjson::SUCCESS) return items.size() == 0;
    if (value.get_object().get(fields) == simdjson::SUCCESS) return fields.size() == 0;
    if (value.get_string().get(text) == simdjson::SUCCESS) return text.empty();
    return value.is_null();
}

Error unsupported(const std::string& what) {
    return {Code::unsupported,
            what + ", which heft does not apply; merge the adapter into its model, and use that"};
}

Status refuse_variants(JsonElement root, JsonObject fields) {
    for (const auto field : fields) {
        const std::string_view key = field.key;
        if (is_off(field.value)) continue;
        for (const Extra& extra : kExtras)
            if (key == extra.key)
                return unsupported(std::string("the adapter ") + extra.does + " (" + extra.key
                                   + ")");
        if (key.starts_with(kVariantPrefix) && key != kRankStabilised)
            return unsupported("the adapter is of a kind beyond plain LoRA ("
                               + in_quotes(key.substr(0, 64)) + ")");
    }
    const auto bias = json_string(root, "bias");
    if (bias && *bias != "none")
        return unsupported("the adapter changes biases (bias is " + in_quotes(bias->substr(0, 64))
                           + ")");
    const auto start = json_string(root, "init_lora_weights");
    for (const std::string_view method : kChangesBase)
        if (start && start->starts_with(method))
            return unsupported("the adapter was trained on a changed base (init_lora_weights is "
                               + in_quotes(start->substr(0, 64)) + ")");
    return {};
}

Status read_alpha_pattern(JsonElement root, PeftConfig& out) {
    const auto pattern = json_find(root, "alpha_pattern");
    JsonObject fields;
    if (!pattern || pattern->get_object().get(fields) != simdjson::SUCCESS) return {};
    for (const auto field : fields) {
        std::string key;
        for (const char c : std::string_view(field.key))
            if (c != '\\') key += c;  // of escapes, only that of the dot is common
        constexpr std::string_view kSyntax = "*+?[](){}|$";
        const bool expression = key.empty() || key.find_first_of(kSyntax) != std::string::npos
                                || key.find('^', 1) != std::string::npos;
        double alpha = 0;
        if (expression || field.value.get_double().get(alpha) != simdjson::SUCCESS)
            return Error{Code::unsupported, "alpha_pattern: " + in_quotes(key.substr(0, 200))
                                                + " is not the name of a module with a number"};
        out.alpha_pattern.try_emplace(std::move(key),
                                      PeftConfig::Own{out.alpha_pattern.size(), alpha});
    }
    return {};
}

}  // namespace

double PeftConfig::alpha_of(std::string_view module) const {
    const Own* own = nullptr;
    const auto consider = [&](std::string_view name) {
        const auto found = alpha_pattern.find(name);
        if (found == alpha_pattern.end()) return;
        if (own == nullptr || found->second.order < own->order) own = &found->second;
    };
    if (!alpha_pattern.empty()) {
        consider("^" + std::string(module));
        consider(module);
        for (auto dot = module.find('.'); dot != module.npos; dot = module.find('.', dot + 1))
            consider(module.substr(dot + 1));
    }
    return own != nullptr ? own->alpha : alpha;
}

double PeftConfig::scale(std::string_view module, std::int64_t module_rank) const {
    const auto n = static_cast<double>(module_rank);
    return alpha_of(module) / (rank_stabilised ? std::sqrt(n) : n);
}

double PeftConfig::scale_times_rank(std::string_view module, std::int64_t module_rank) const {
    return alpha_of(module) * (rank_stabilised ? std::sqrt(static_cast<double>(module_rank)) : 1);
}

Result<PeftConfig> parse_peft_config(std::string_view json) {
    HEFT_TRY(const JsonDoc doc, JsonDoc::parse(json));
    const JsonElement root = doc.root();
    JsonObject fields;
    if (root.get_object().get(fields) != simdjson::SUCCESS)
        return Error{Code::corrupt, "is not a JSON object"};
    const auto type = json_string(root, "peft_type");
    if (!type) return Error{Code::corrupt, "does not say its peft_type"};
    if (*type != "LORA")
        return Error{Code::unsupported, "is an adapter of type " + in_quotes(type->substr(0, 64))
                                            + "; only LORA is read"};
    HEFT_OK(refuse_variants(root, fields));
    PeftConfig out;
    const auto rank = json_int(root, "r");
    if (!rank || *rank < 1 || *rank > kMaxRank)
        return Error{Code::corrupt, "r must be a whole number from 1 to 65536"};
    const auto alpha = json_number(root, "lora_alpha");
    if (!alpha || !std::isfinite(*alpha))
        return Error{Code::corrupt, "lora_alpha must be a number"};
    out.base = json_string(root, "base_model_name_or_path").value_or("");
    out.rank = *rank;
    out.alpha = *alpha;
    out.rank_stabilised = json_bool(root, kRankStabilised).value_or(false);
    const auto ranks = json_find(root, "rank_pattern");
    out.has_rank_pattern = ranks && !is_off(*ranks);
    HEFT_OK(read_alpha_pattern(root, out));
    return out;
}

}  // namespace heft::format
