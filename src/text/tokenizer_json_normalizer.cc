// The normalizer section of tokenizer.json.
#include "text/base64.h"
#include "text/tokenizer_json.h"

namespace heft::text {

namespace {

using Plan = NormalizerPlan;

Status add(Plan& plan, NormaliserStep step) {
    plan.steps.push_back(std::move(step));
    return check_steps(plan.steps.size(), "normalizer");
}

template <UnicodeForm form>
Status read_form(JsonElement /*component*/, Plan& plan) {
    return add(plan, form);
}

template <CharMap map>
Status read_map(JsonElement /*component*/, Plan& plan) {
    return add(plan, map);
}

Status read_sequence(JsonElement component, Plan& plan) {
    return each_item(component, "normalizers",
                     [&plan](JsonElement item) { return read_normalizer(item, plan); });
}

Status read_replace(JsonElement component, Plan& plan) {
    HEFT_TRY(const JsonPattern pattern, read_pattern(component));
    const std::string with(json_string(component, "content").value_or(""));
    if (pattern.literal) return add(plan, ReplaceText{pattern.text, with});
    const bool to_one = with == " " || with == kSpaceMark;
    plan.collapses_spaces = plan.collapses_spaces || (pattern.text == kRunsOfSpaces && to_one);
    HEFT_TRY(Regex regex, compile(pattern));
    return add(plan, Replace{std::move(regex), with});
}

Status read_prepend(JsonElement component, Plan& plan) {
    constexpr std::size_t kLongest = 256;
    const std::string text(json_string(component, "prepend").value_or(""));
    if (text.size() > kLongest)
        return Error{Code::unsupported, "Prepend's text is longer than 256 bytes"};
    return add(plan, Prepend{text});
}

Status read_strip(JsonElement component, Plan& plan) {
    return add(plan, Strip{json_bool(component, "strip_left").value_or(true),
                           json_bool(component, "strip_right").value_or(true)});
}

Status read_precompiled(JsonElement component, Plan& plan) {
    const auto text = json_string(component, "precompiled_charsmap");
    if (!text || text->empty()) return {};  // no map, as models without a normaliser have it
    HEFT_TRY(const std::string blob, base64_decode(*text));
    HEFT_TRY(Charsmap map, Charsmap::build(as_bytes(blob)));
    return add(plan, std::make_shared<const Charsmap>(std::move(map)));
}

Status read_byte_level(JsonElement /*component*/, Plan& plan) {
    return add(plan, SpellBytes{});
}

Status read_bert(JsonElement component, Plan& plan) {
    const bool lowercase = json_bool(component, "lowercase").value_or(true);
    if (json_bool(component, "clean_text").value_or(true)) HEFT_OK(add(plan, clean_for_bert));
    if (json_bool(component, "handle_chinese_chars").value_or(true))
        HEFT_OK(add(plan, space_around_han));
    if (json_bool(component, "strip_accents").value_or(lowercase)) {
        HEFT_OK(add(plan, UnicodeForm::nfd));
        HEFT_OK(add(plan, drop_nonspacing));
    }
    return lowercase ? add(plan, to_lower) : Status{};
}

constexpr std::array<Component<Plan>, 14> kRows{{
    {"Sequence", "normalizers", read_sequence},
    {"NFC", "", read_form<UnicodeForm::nfc>},
    {"NFD", "", read_form<UnicodeForm::nfd>},
    {"NFKC", "", read_form<UnicodeForm::nfkc>},
    {"NFKD", "", read_form<UnicodeForm::nfkd>},
    {"Lowercase", "", read_map<to_lower>},
    {"StripAccents", "", read_map<drop_marks>},
    {"Nmt", "", read_map<clean_for_nmt>},
    {"Replace", "pattern content", read_replace},
    {"Prepend", "prepend", read_prepend},
    {"Strip", "strip_left strip_right", read_strip},
    {"Precompiled", "precompiled_charsmap", read_precompiled},
    {"ByteLevel", "", read_byte_level},
    {"BertNormalizer", "clean_text handle_chinese_chars strip_accents lowercase", read_bert},
}};

}  // namespace

Status read_normalizer(JsonElement section, NormalizerPlan& plan) {
    return read_component("normalizer", kRows, section, plan);
}

std::string known_normalizers() {
    return names_of(kRows);
}

}  // namespace heft::text
