#include "text/speech.h"

#include <algorithm>
#include <array>

#include "text/byte_level.h"

namespace heft::text {

namespace {

// Spaces that WordPiece's join makes and its cleanup takes back, in this order.
struct Cleanup {
    std::string_view what, with;
};
constexpr std::array<Cleanup, 11> kCleanup{{{" .", "."},
                                            {" ?", "?"},
                                            {" !", "!"},
                                            {" ,", ","},
                                            {" ' ", "'"},
                                            {" n't", "n't"},
                                            {" 'm", "'m"},
                                            {" do not", " don't"},
                                            {" 's", "'s"},
                                            {" 've", "'ve"},
                                            {" 're", "'re"}}};

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::string unescaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            out += text[i];
            continue;
        }
        const char kind = text[++i];
        const int high = kind == 'x' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
        const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
        if (low >= 0) {
            out += static_cast<char>(high * 16 + low);
            i += 2;
        } else {
            out += kind == 't' ? '\t' : kind == 'n' ? '\n' : kind == 'r' ? '\r' : kind;
        }
    }
    return out;
}

std::string stripped(std::string_view text, const StripEnds& step) {
    for (int i = 0; i < step.start && text.starts_with(step.content); ++i)
        text.remove_prefix(step.content.size());
    for (int i = 0; i < step.stop && text.ends_with(step.content); ++i)
        text.remove_suffix(step.content.size());
    return std::string(text);
}

struct Say {
    const std::string& text;
    RegexScratch& scratch;
    std::size_t limit;

    std::string operator()(const Replace& step) const {
        return replace_pattern(text, step, scratch, limit);
    }
    std::string operator()(const ReplaceText& step) const {
        return replace_text(text, step, limit);
    }
    std::string operator()(const UnspellBytes& /*step*/) const { return byte_level_bytes(text); }
    std::string operator()(const ByteTokens& /*step*/) const {
        const auto byte = byte_of_token(text);
        return byte ? std::string(1, static_cast<char>(*byte)) : text;
    }
    std::string operator()(const Unescape& /*step*/) const { return unescaped(text); }
    std::string operator()(const StripEnds& step) const { return stripped(text, step); }
    std::string operator()(const JoinWords& step) const {
        const bool continues = !step.prefix.empty() && text.starts_with(step.prefix);
        std::string out = continues ? text.substr(step.prefix.size()) : " " + text;
        if (!step.cleanup) return out;
        for (const Cleanup& rule : kCleanup)
            out = replace_text(out, {std::string(rule.what), std::string(rule.with)});
        return out;
    }
    std::string operator()(const EndOfWord& step) const {
        return replace_text(text, {step.suffix, " "});
    }
};

template <class Step>
bool has(const std::vector<SpeechStep>& steps) {
    return std::any_of(steps.begin(), steps.end(),
                       [](const SpeechStep& s) { return std::holds_alternative<Step>(s); });
}

}  // namespace

bool Speech::unspells_bytes() const {
    return has<UnspellBytes>(steps);
}

std::string Speech::say(std::string_view piece, RegexScratch& scratch, std::size_t limit) const {
    std::string text(piece);
    for (const SpeechStep& step : steps) {
        if (text.size() > limit) break;
        text = std::visit(Say{text, scratch, limit}, step);
    }
    return text;
}

Speech speech_of_bytes() {
    Speech speech;
    speech.steps.emplace_back(UnspellBytes{});
    return speech;
}

Speech speech_of_marks() {
    Speech speech;
    speech.steps.emplace_back(ReplaceText{std::string(kSpaceMark), " "});
    return speech;
}

std::optional<std::uint8_t> byte_of_token(std::string_view text) {
    if (text.size() != 6 || !text.starts_with("<0x") || text[5] != '>') return {};
    const auto is_upper = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); };
    if (!is_upper(text[3]) || !is_upper(text[4])) return {};
    return static_cast<std::uint8_t>(hex_digit(text[3]) * 16 + hex_digit(text[4]));
}

}  // namespace heft::text
