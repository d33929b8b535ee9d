// normalizer, pre_tokenizer, decoder and post_processor of tokenizer.json.
#include <algorithm>

#include "text/tokenizer_json.h"

namespace heft::text {

namespace {

constexpr std::size_t kMostSteps = 32;
constexpr std::string_view kContractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
constexpr std::string_view kSpelledOut =
    "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])";

std::string_view type_of(JsonElement section) {
    return json_string(section, "type").value_or("(none)");
}

Error unknown_type(std::string_view section, JsonElement element) {
    return {Code::unsupported, "the " + std::string(section) + " type " + shown(type_of(element))
                                   + " is not supported"};
}

Status too_many(std::size_t steps, std::string_view section) {
    if (steps <= kMostSteps) return {};
    return Error{Code::unsupported, "the " + std::string(section) + " has more than 32 steps"};
}

// Equal rules in one spelling, so that they can be compared with the table of pre-tokenizers.
std::string canonical(std::string pattern) {
    for (std::size_t at = pattern.find(kContractions); at != std::string::npos;
         at = pattern.find(kContractions, at + kSpelledOut.size()))
        pattern.replace(at, kContractions.size(), kSpelledOut);
    return pattern;
}

Result<Cut> cut_of(JsonElement split) {
    const std::string_view behavior = json_string(split, "behavior").value_or("Isolated");
    if (behavior == "Isolated") return Cut::isolated;
    if (behavior == "Removed") return Cut::removed;
    if (behavior == "MergedWithPrevious") return Cut::merged_with_previous;
    if (behavior == "MergedWithNext") return Cut::merged_with_next;
    if (behavior == "Contiguous") return Cut::contiguous;
    return Error{Code::unsupported, "the split behavior " + shown(behavior) + " is not known"};
}

Status add_step(PreTokenizerPlan& plan, const JsonPattern& pattern, Cut cut, bool invert) {
    // \s+$ searches again from every space of a run. With line breaks cut off before it, it says
    // no more than this, which looks at a run once.
    constexpr std::string_view kTrailing = R"((?<!\s)\s++\z)";
    JsonPattern used = pattern;
    const auto& before = plan.patterns;
    const bool lines = std::find(before.begin(), before.end(), R"([\r\n])") != before.end();
    if (!used.literal && used.text == R"(\s+$)" && lines && plan.named) used.text = kTrailing;
    HEFT_TRY(Regex regex, compile(used));
    plan.steps.push_back({std::move(regex), cut, invert});
    plan.patterns.push_back(canonical(used.text));
    // Every character is in some match of the usual patterns, so keeping only the matches
    // (inverted removal) is isolating them.
    plan.named = plan.named && !used.literal
                 && (cut == Cut::isolated ? !invert : cut == Cut::removed && invert);
    return too_many(plan.steps.size(), "pre_tokenizer");
}

Status read_split(JsonElement section, PreTokenizerPlan& plan) {
    HEFT_TRY(const JsonPattern pattern, read_pattern(section));
    HEFT_TRY(const Cut cut, cut_of(section));
    return add_step(plan, pattern, cut, json_bool(section, "invert").value_or(false));
}

Status read_byte_level(JsonElement section, PreTokenizerPlan& plan) {
    plan.byte_level = true;
    if (json_bool(section, "add_prefix_space").value_or(true))
        plan.prefix = Prefix{" ", Prefix::When::always, true, true};
    if (!json_bool(section, "use_regex").value_or(true)) return {};
    return add_step(plan, {std::string(kGpt2Pattern), false}, Cut::isolated, false);
}

Status read_metaspace(JsonElement section, PreTokenizerPlan& plan) {
    const std::string mark(json_string(section, "replacement").value_or(kSpaceMark));
    if (mark.empty() || mark.size() > 4)
        return Error{Code::corrupt, "Metaspace replaces spaces by " + shown(mark)
                                        + ", which is not one character"};
    plan.space_mark = mark;
    const bool add = json_bool(section, "add_prefix_space").value_or(true);
    const std::string_view scheme =
        json_string(section, "prepend_scheme").value_or(add ? "always" : "never");
    Prefix prefix{mark, Prefix::When::never, true, true};
    if (scheme == "always")
        prefix.when = Prefix::When::always;
    else if (scheme == "first")
        prefix.when = Prefix::When::first;
    else if (scheme != "never")
        return Error{Code::unsupported, "the prepend_scheme " + shown(scheme) + " is not known"};
    plan.prefix = std::move(prefix);
    if (!json_bool(section, "split").value_or(true)) return {};
    return add_step(plan, {mark, true}, Cut::merged_with_next, false);
}

Status read_simple(JsonElement section, PreTokenizerPlan& plan) {
    const std::string_view type = type_of(section);
    if (type == "Digits") {
        const bool single = json_bool(section, "individual_digits").value_or(false);
        return add_step(plan, {single ? R"(\p{N})" : R"(\p{N}+)", false}, Cut::isolated, false);
    }
    if (type == "Punctuation") {
        HEFT_TRY(const Cut cut, cut_of(section));
        return add_step(plan, {R"([!-/:-@\[-`{-~\p{P}])", false}, cut, false);
    }
    if (type == "Whitespace") return add_step(plan, {R"(\w+|[^\w\s]+)", false}, Cut::removed, true);
    if (type == "WhitespaceSplit") return add_step(plan, {R"(\s+)", false}, Cut::removed, false);
    if (type == "CharDelimiterSplit") {
        const std::string delimiter(json_string(section, "delimiter").value_or(""));
        return add_step(plan, {delimiter, true}, Cut::removed, false);
    }
    return unknown_type("pre_tokenizer", section);
}

Result<UnicodeForm> form_of(std::string_view type) {
    if (type == "NFC") return UnicodeForm::nfc;
    if (type == "NFD") return UnicodeForm::nfd;
    if (type == "NFKC") return UnicodeForm::nfkc;
    return UnicodeForm::nfkd;
}

Status read_replace(JsonElement section, std::vector<NormaliserStep>& steps) {
    HEFT_TRY(const JsonPattern pattern, read_pattern(section));
    const std::string with(json_string(section, "content").value_or(""));
    if (pattern.literal) {
        steps.emplace_back(ReplaceText{pattern.text, with});
        return {};
    }
    HEFT_TRY(Regex regex, compile(pattern));
    steps.emplace_back(Replace{std::move(regex), with});
    return {};
}

Status read_template(JsonElement section, const TokenTable& table, std::vector<TokenId>& before,
                     std::vector<TokenId>& after) {
    bool seen_text = false;
    return each_item(section, "single", [&](JsonElement item) -> Status {
        if (json_find(item, "Sequence")) {
            seen_text = true;
            return {};
        }
        const auto special = json_find(item, "SpecialToken");
        if (!special) return Error{Code::corrupt, "TemplateProcessing has an unknown item"};
        const std::string_view name = json_string(*special, "id").value_or("");
        auto& side = seen_text ? after : before;
        const auto all = json_find(section, "special_tokens");
        const auto entry = all ? json_find(*all, name) : std::nullopt;
        if (!entry)
            return Error{Code::corrupt, "TemplateProcessing names " + shown(name)
                                            + ", which special_tokens lacks"};
        return each_item(*entry, "ids", [&](JsonElement id) -> Status {
            std::int64_t value = -1;
            if (id.get_int64().get(value) != simdjson::SUCCESS || value < 0
                || value >= table.size())
                return Error{Code::corrupt, "TemplateProcessing's " + shown(name)
                                                + " has an id outside the vocabulary"};
            side.push_back(static_cast<TokenId>(value));
            return too_many(side.size(), "post_processor");
        });
    });
}

// BERT's and RoBERTa's: [text, id] pairs around the text.
Status read_pair(JsonElement section, std::string_view key, const TokenTable& table,
                 std::vector<TokenId>& side) {
    return each_item(section, key, [&](JsonElement item) -> Status {
        std::string_view text;
        if (item.get_string().get(text) != simdjson::SUCCESS) return {};
        if (const TokenId id = table.find(text); id != kNoToken) side.push_back(id);
        return too_many(side.size(), "post_processor");
    });
}

}  // namespace

Result<JsonPattern> read_pattern(JsonElement owner) {
    const auto pattern = json_find(owner, "pattern");
    if (pattern) {
        std::string_view text;
        if (pattern->get_string().get(text) == simdjson::SUCCESS)
            return JsonPattern{std::string(text), true};
        if (const auto literal = json_string(*pattern, "String"); literal && !literal->empty())
            return JsonPattern{std::string(*literal), true};
        if (const auto regex = json_string(*pattern, "Regex"))
            return JsonPattern{std::string(*regex), false};
    }
    return Error{Code::corrupt, "a pattern is neither a String nor a Regex"};
}

Result<Regex> compile(const JsonPattern& pattern) {
    return pattern.literal ? Regex::literal(pattern.text) : Regex::compile(pattern.text);
}

Status read_pre_tokenizer(JsonElement section, PreTokenizerPlan& plan) {
    const std::string_view type = type_of(section);
    if (type == "Sequence")
        return each_item(section, "pretokenizers",
                         [&plan](JsonElement item) { return read_pre_tokenizer(item, plan); });
    if (type == "Split") return read_split(section, plan);
    if (type == "ByteLevel") return read_byte_level(section, plan);
    if (type == "Metaspace") return read_metaspace(section, plan);
    return read_simple(section, plan);
}

Status read_normaliser(JsonElement section, std::vector<NormaliserStep>& steps, Prefix& prefix) {
    const std::string_view type = type_of(section);
    HEFT_OK(too_many(steps.size(), "normalizer"));
    if (type == "Sequence")
        return each_item(section, "normalizers",
                         [&](JsonElement item) { return read_normaliser(item, steps, prefix); });
    if (type == "Prepend") {
        const std::string text(json_string(section, "prepend").value_or(""));
        prefix = {text, Prefix::When::always, true, false};
    } else if (type == "Replace") {
        return read_replace(section, steps);
    } else if (type == "NFC" || type == "NFD" || type == "NFKC" || type == "NFKD") {
        HEFT_TRY(const UnicodeForm form, form_of(type));
        steps.emplace_back(form);
    } else if (type == "Lowercase") {
        steps.emplace_back(Lowercase{});
    } else if (type == "Strip") {
        steps.emplace_back(Strip{json_bool(section, "strip_left").value_or(true),
                                 json_bool(section, "strip_right").value_or(true)});
    } else {
        return unknown_type("normalizer", section);
    }
    return {};
}

Status read_decoder(JsonElement section, DecoderPlan& plan) {
    const std::string_view type = type_of(section);
    if (type == "Sequence")
        return each_item(section, "decoders",
                         [&plan](JsonElement item) { return read_decoder(item, plan); });
    if (type == "ByteLevel") plan.byte_level = true;
    if (type == "Strip")
        plan.strips_first_space = json_string(section, "content").value_or(" ") == " "
                                  && json_int(section, "start").value_or(0) > 0;
    if (type == "Metaspace") {
        const bool add = json_bool(section, "add_prefix_space").value_or(true);
        plan.strips_first_space =
            json_string(section, "prepend_scheme").value_or(add ? "always" : "never") != "never";
    }
    if (type == "WordPiece" || type == "BPEDecoder" || type == "CTC")
        return unknown_type("decoder", section);
    return {};
}

Status read_post_processor(JsonElement section, const TokenTable& table,
                           std::vector<TokenId>& before, std::vector<TokenId>& after) {
    const std::string_view type = type_of(section);
    if (type == "Sequence")
        return each_item(section, "processors", [&](JsonElement item) {
            return read_post_processor(item, table, before, after);
        });
    if (type == "ByteLevel") return {};
    if (type == "TemplateProcessing") return read_template(section, table, before, after);
    if (type == "BertProcessing" || type == "RobertaProcessing") {
        HEFT_OK(read_pair(section, "cls", table, before));
        return read_pair(section, "sep", table, after);
    }
    return unknown_type("post_processor", section);
}

}  // namespace heft::text
