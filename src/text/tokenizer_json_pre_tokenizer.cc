// The pre_tokenizer section of tokenizer.json.
#include "text/tokenizer_json.h"

namespace heft::text {

namespace {

using Plan = PreTokenizerPlan;

constexpr std::string_view kContractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
constexpr std::string_view kSpelledOut =
    "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])";

// Equal rules in one spelling, so that they can be compared with the table of pre-tokenizers.
std::string canonical(std::string pattern) {
    for (std::size_t at = pattern.find(kContractions); at != std::string::npos;
         at = pattern.find(kContractions, at + kSpelledOut.size()))
        pattern.replace(at, kContractions.size(), kSpelledOut);
    return pattern;
}

struct CutName {
    std::string_view name;
    Cut cut;
};
constexpr std::array<CutName, 5> kCuts{{{"Isolated", Cut::isolated},
                                        {"Removed", Cut::removed},
                                        {"MergedWithPrevious", Cut::merged_with_previous},
                                        {"MergedWithNext", Cut::merged_with_next},
                                        {"Contiguous", Cut::contiguous}}};

Result<Cut> cut_of(JsonElement component) {
    const std::string_view behavior = json_string(component, "behavior").value_or("Isolated");
    for (const CutName& row : kCuts)
        if (row.name == behavior) return row.cut;
    return Error{Code::unsupported, "the split behavior " + shown(behavior) + " is not known"};
}

Status add_step(Plan& plan, const JsonPattern& pattern, Cut cut, bool invert) {
    // \s+$ searches again from every space of a run. With line breaks cut off before it, it says
    // no more than this, which looks at a run once.
    constexpr std::string_view kTrailing = R"((?<!\s)\s++\z)";
    JsonPattern used = pattern;
    const auto& before = plan.patterns;
    const bool lines = std::find(before.begin(), before.end(), R"([\r\n])") != before.end();
    if (!used.literal && used.text == R"(\s+$)" && lines && plan.named) used.text = kTrailing;
    const bool isolates = !used.literal && cut == Cut::isolated && !invert && !plan.byte_level;
    if (isolates) {
        HEFT_TRY(PretokeniserStep step, isolating_step(used.text));
        plan.steps.push_back(std::move(step));
    } else {
        HEFT_TRY(Regex regex, compile(used));
        plan.steps.emplace_back(CutStep{std::move(regex), cut, invert, plan.byte_level});
    }
    plan.patterns.push_back(canonical(used.text));
    // Every character is in some match of the usual patterns, so keeping only the matches
    // (inverted removal) is isolating them.
    plan.named = plan.named && !used.literal && !plan.byte_level
                 && (cut == Cut::isolated ? !invert : cut == Cut::removed && invert);
    return check_steps(plan.steps.size(), "pre_tokenizer");
}

Status read_sequence(JsonElement component, Plan& plan) {
    return each_item(component, "pretokenizers",
                     [&plan](JsonElement item) { return read_pre_tokenizer(item, plan); });
}

Status read_split(JsonElement component, Plan& plan) {
    HEFT_TRY(const JsonPattern pattern, read_pattern(component));
    HEFT_TRY(const Cut cut, cut_of(component));
    return add_step(plan, pattern, cut, json_bool(component, "invert").value_or(false));
}

// Text before the text where the component comes first, before every word where it does not.
Status add_mark(Plan& plan, MarkStep mark) {
    plan.named = plan.named && !mark.replace_spaces && mark.when == MarkStep::When::never;
    if (plan.steps.empty() && !plan.prefix) {
        plan.prefix = Prefix{mark.mark, mark.when, true, true};
        if (mark.replace_spaces) plan.space_mark = mark.mark;
        return {};
    }
    plan.marks_words =
        plan.marks_words || (mark.replace_spaces && mark.when != MarkStep::When::never);
    plan.steps.emplace_back(std::move(mark));
    return check_steps(plan.steps.size(), "pre_tokenizer");
}

Status read_byte_level(JsonElement component, Plan& plan) {
    if (plan.byte_level)
        return Error{Code::unsupported, "the pre_tokenizer has ByteLevel more than once"};
    if (json_bool(component, "add_prefix_space").value_or(true))
        HEFT_OK(add_mark(plan, {" ", MarkStep::When::always, false}));
    if (json_bool(component, "use_regex").value_or(true))
        HEFT_OK(add_step(plan, {std::string(kGpt2Pattern), false}, Cut::isolated, false));
    plan.byte_level = true;  // what comes after it sees spelled bytes
    return {};
}

Status read_metaspace(JsonElement component, Plan& plan) {
    const std::string mark(json_string(component, "replacement").value_or(kSpaceMark));
    if (mark.empty() || mark.size() > 4)
        return Error{Code::corrupt, "Metaspace replaces spaces by " + shown(mark)
                                        + ", which is not one character"};
    if (plan.byte_level)
        return Error{Code::unsupported, "Metaspace after ByteLevel is not supported"};
    const bool prepend = json_bool(component, "add_prefix_space").value_or(true);
    const std::string_view scheme =
        json_string(component, "prepend_scheme").value_or(prepend ? "always" : "never");
    MarkStep step{mark, MarkStep::When::never, true};
    if (scheme == "always")
        step.when = MarkStep::When::always;
    else if (scheme == "first")
        step.when = MarkStep::When::first;
    else if (scheme != "never")
        return Error{Code::unsupported, "the prepend_scheme " + shown(scheme) + " is not known"};
    HEFT_OK(add_mark(plan, std::move(step)));
    if (!json_bool(component, "split").value_or(true)) return {};
    return add_step(plan, {mark, true}, Cut::merged_with_next, false);
}

Status read_digits(JsonElement component, Plan& plan) {
    const bool single = json_bool(component, "individual_digits").value_or(false);
    return add_step(plan, {single ? R"(\p{N})" : R"(\p{N}+)", false}, Cut::isolated, false);
}

constexpr std::string_view kPunctuation = R"([!-/:-@\[-`{-~\p{P}])";

Status read_punctuation(JsonElement component, Plan& plan) {
    HEFT_TRY(const Cut cut, cut_of(component));
    return add_step(plan, {std::string(kPunctuation), false}, cut, false);
}

Status read_whitespace(JsonElement /*component*/, Plan& plan) {
    return add_step(plan, {R"(\w+|[^\w\s]+)", false}, Cut::removed, true);
}

Status read_whitespace_split(JsonElement /*component*/, Plan& plan) {
    plan.collapses_spaces = true;
    return add_step(plan, {R"(\s+)", false}, Cut::removed, false);
}

Status read_bert(JsonElement component, Plan& plan) {
    HEFT_OK(read_whitespace_split(component, plan));
    return add_step(plan, {std::string(kPunctuation), false}, Cut::isolated, false);
}

Status read_delimiter(JsonElement component, Plan& plan) {
    const std::string delimiter(json_string(component, "delimiter").value_or(""));
    if (delimiter.empty()) return Error{Code::corrupt, "CharDelimiterSplit has no delimiter"};
    return add_step(plan, {delimiter, true}, Cut::removed, false);
}

constexpr std::array<Component<Plan>, 10> kRows{{
    {"Sequence", "pretokenizers", read_sequence},
    {"Split", "pattern behavior invert", read_split},
    {"ByteLevel", "add_prefix_space trim_offsets use_regex", read_byte_level},
    {"Metaspace", "replacement str_rep add_prefix_space prepend_scheme split", read_metaspace},
    {"Digits", "individual_digits", read_digits},
    {"Punctuation", "behavior", read_punctuation},
    {"Whitespace", "", read_whitespace},
    {"WhitespaceSplit", "", read_whitespace_split},
    {"BertPreTokenizer", "", read_bert},
    {"CharDelimiterSplit", "delimiter", read_delimiter},
}};

}  // namespace

Status read_pre_tokenizer(JsonElement section, PreTokenizerPlan& plan) {
    return read_component("pre_tokenizer", kRows, section, plan);
}

std::string known_pre_tokenizer_types() {
    return names_of(kRows);
}

}  // namespace heft::text
