// The decoder section of tokenizer.json.
#include "text/tokenizer_json.h"

namespace heft::text {

namespace {

using Plan = DecoderPlan;

Status add(Plan& plan, SpeechStep step) {
    plan.speech.steps.push_back(std::move(step));
    return check_steps(plan.speech.steps.size(), "decoder");
}

Status read_sequence(JsonElement component, Plan& plan) {
    return each_item(component, "decoders",
                     [&plan](JsonElement item) { return read_decoder(item, plan); });
}

template <class Step>
Status read_plain(JsonElement /*component*/, Plan& plan) {
    return add(plan, Step{});
}

Status read_fuse(JsonElement /*component*/, Plan& plan) {
    plan.fused = true;
    return {};
}

Status read_metaspace(JsonElement component, Plan& plan) {
    const bool prepend = json_bool(component, "add_prefix_space").value_or(true);
    plan.speech.drops_first_space =
        json_string(component, "prepend_scheme").value_or(prepend ? "always" : "never") != "never";
    const std::string mark(json_string(component, "replacement").value_or(kSpaceMark));
    if (mark.empty()) return Error{Code::corrupt, "Metaspace has an empty replacement"};
    return add(plan, ReplaceText{mark, " "});
}

// Once tokens are fused, what concerns their ends concerns the text's.
Status read_strip(JsonElement component, Plan& plan) {
    const std::string content(json_string(component, "content").value_or(" "));
    const auto start = json_int(component, "start").value_or(0);
    const auto stop = json_int(component, "stop").value_or(0);
    if (content.empty() || start < 0 || stop < 0 || start > 64 || stop > 64)
        return Error{Code::corrupt, "Strip has a content or a number that it cannot have"};
    if (!plan.fused)
        return add(plan, StripEnds{content, static_cast<int>(start), static_cast<int>(stop)});
    if (content != " " || start > 1 || stop > 0)
        return Error{Code::unsupported,
                     "the decoder Strip of a whole text is supported for one space at its start"};
    plan.speech.drops_first_space = plan.speech.drops_first_space || start == 1;
    return {};
}

Status read_replace(JsonElement component, Plan& plan) {
    HEFT_TRY(const JsonPattern pattern, read_pattern(component));
    const std::string with(json_string(component, "content").value_or(""));
    const bool one = pattern.literal && utf8_at(pattern.text, 0).bytes == pattern.text.size();
    if (plan.fused && !one)
        return Error{Code::unsupported,
                     "the decoder Replace after Fuse is supported for one character"};
    if (pattern.literal) return add(plan, ReplaceText{pattern.text, with});
    HEFT_TRY(Regex regex, compile(pattern));
    return add(plan, Replace{std::move(regex), with});
}

Status read_wordpiece(JsonElement component, Plan& plan) {
    plan.speech.drops_first_space = true;
    plan.speech.joins_words = true;
    return add(plan, JoinWords{std::string(json_string(component, "prefix").value_or("##")),
                               json_bool(component, "cleanup").value_or(true)});
}

Status read_bpe(JsonElement component, Plan& plan) {
    const std::string suffix(json_string(component, "suffix").value_or("</w>"));
    if (suffix.empty()) return Error{Code::corrupt, "BPEDecoder has an empty suffix"};
    plan.speech.drops_last_space = true;
    return add(plan, EndOfWord{suffix});
}

constexpr std::array<Component<Plan>, 9> kRows{{
    {"Sequence", "decoders", read_sequence},
    {"ByteLevel", "add_prefix_space trim_offsets use_regex", read_plain<UnspellBytes>},
    {"ByteFallback", "", read_plain<ByteTokens>},
    {"Fuse", "", read_fuse},
    {"Metaspace", "replacement str_rep add_prefix_space prepend_scheme split", read_metaspace},
    {"Strip", "content start stop", read_strip},
    {"Replace", "pattern content", read_replace},
    {"WordPiece", "prefix cleanup", read_wordpiece},
    {"BPEDecoder", "suffix", read_bpe},
}};

}  // namespace

Status read_decoder(JsonElement section, DecoderPlan& plan) {
    return read_component("decoder", kRows, section, plan);
}

std::string known_decoders() {
    return names_of(kRows);
}

}  // namespace heft::text
