// The post_processor section of tokenizer.json: what stands around a single text.
#include "text/tokenizer_json.h"

namespace heft::text {

namespace {

using Plan = PostProcessorPlan;

Status add_id(const Plan& plan, JsonElement id, std::string_view name, std::vector<TokenId>& side) {
    std::int64_t value = -1;
    if (id.get_int64().get(value) != simdjson::SUCCESS || value < 0 || value >= plan.table->size())
        return Error{Code::corrupt,
                     "the post_processor's " + shown(name) + " has an id outside the vocabulary"};
    side.push_back(static_cast<TokenId>(value));
    return check_steps(side.size(), "post_processor");
}

Status read_sequence(JsonElement component, Plan& plan) {
    return each_item(component, "processors",
                     [&plan](JsonElement item) { return read_post_processor(item, plan); });
}

Status read_byte_level(JsonElement /*component*/, Plan& /*plan*/) {
    return {};  // offsets only
}

Status read_template(JsonElement component, Plan& plan) {
    bool seen_text = false;
    return each_item(component, "single", [&](JsonElement item) -> Status {
        if (json_find(item, "Sequence")) {
            seen_text = true;
            return {};
        }
        const auto special = json_find(item, "SpecialToken");
        if (!special) return Error{Code::corrupt, "TemplateProcessing has an unknown item"};
        const std::string_view name = json_string(*special, "id").value_or("");
        const auto all = json_find(component, "special_tokens");
        const auto entry = all ? json_find(*all, name) : std::nullopt;
        if (!entry)
            return Error{Code::corrupt, "TemplateProcessing names " + shown(name)
                                            + ", which special_tokens lacks"};
        auto& side = seen_text ? plan.after : plan.before;
        return each_item(*entry, "ids",
                         [&](JsonElement id) { return add_id(plan, id, name, side); });
    });
}

// [text, id]
Status read_pair(JsonElement component, std::string_view key, const Plan& plan,
                 std::vector<TokenId>& side) {
    const auto pair = json_find(component, key);
    JsonElement id;
    if (!pair || pair->at(1).get(id) != simdjson::SUCCESS)
        return Error{Code::corrupt,
                     "the post_processor's " + shown(key) + " is not a token and its id"};
    return add_id(plan, id, key, side);
}

Status read_bert(JsonElement component, Plan& plan) {
    HEFT_OK(read_pair(component, "cls", plan, plan.before));
    return read_pair(component, "sep", plan, plan.after);
}

constexpr std::array<Component<Plan>, 5> kRows{{
    {"Sequence", "processors", read_sequence},
    {"ByteLevel", "add_prefix_space trim_offsets use_regex", read_byte_level},
    {"TemplateProcessing", "single pair special_tokens", read_template},
    {"BertProcessing", "sep cls", read_bert},
    {"RobertaProcessing", "sep cls trim_offsets add_prefix_space", read_bert},
}};

}  // namespace

Status read_post_processor(JsonElement section, PostProcessorPlan& plan) {
    return read_component("post_processor", kRows, section, plan);
}

std::string known_post_processors() {
    return names_of(kRows);
}

}  // namespace heft::text
