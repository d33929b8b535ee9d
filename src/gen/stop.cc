#include "gen/stop.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

namespace heft::gen {

namespace {

constexpr std::size_t kMaxStrings = 256;

std::vector<std::size_t> fallbacks(std::string_view text) {
    std::vector<std::size_t> fallback(text.size() + 1, 0);
    std::size_t length = 0;
    for (std::size_t i = 1; i < text.size(); ++i) {
        while (length > 0 && text[i] != text[length]) length = fallback[length];
        if (text[i] == text[length]) ++length;
        fallback[i + 1] = length;
    }
    return fallback;
}

// How many bytes at the end begin a UTF-8 character that is not whole yet.
std::size_t unfinished(std::string_view text) {
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
        const auto byte = static_cast<unsigned char>(text[text.size() - back]);
        if ((byte & 0xC0U) == 0x80U) continue;
        const std::size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
        return length > back ? back : 0;
    }
    return 0;
}

}  // namespace

std::string_view to_string(FinishReason reason) {
    switch (reason) {
        case FinishReason::stop_token:
        case FinishReason::stop_string: return "stop";
        case FinishReason::length:
        case FinishReason::context_full: return "length";
        case FinishReason::cancelled: return "cancelled";
    }
    return "";
}

Status validate(const StopOptions& options) {
    if (options.strings.size() > kMaxStrings) {
        return Error{Code::invalid,
                     fmt::format("there are {} stop strings; at most {} are possible",
                                 options.strings.size(), kMaxStrings)};
    }
    for (const auto& text : options.strings) {
        if (text.empty()) return Error{Code::invalid, "a stop string is empty; leave it out"};
        if (!simdjson::validate_utf8(text)) {
            return Error{Code::invalid, "a stop string is not valid UTF-8"};
        }
    }
    if (options.max_tokens < -1) {
        return Error{Code::invalid, fmt::format("the limit of tokens is {}; it has to be at least "
                                                "-1 (-1 = no limit)",
                                                options.max_tokens)};
    }
    return {};
}

std::optional<FinishReason> finished(const StopOptions& options, text::TokenId id,
                                     int n_generated) {
    const auto& tokens = options.tokens;
    if (std::find(tokens.begin(), tokens.end(), id) != tokens.end())
        return FinishReason::stop_token;
    if (options.max_tokens >= 0 && n_generated >= options.max_tokens) return FinishReason::length;
    return std::nullopt;
}

bool StopFilter::Matcher::step(char byte) {
    while (matched > 0 && text[matched] != byte) matched = fallback[matched];
    if (text[matched] == byte) ++matched;
    return matched == text.size();
}

StopFilter::StopFilter(const std::vector<std::string>& strings) {
    for (const auto& text : strings) {
        if (!text.empty()) matchers_.push_back({text, fallbacks(text), 0});
    }
}

std::string StopFilter::push(std::string_view piece) {
    if (stopped()) return {};
    for (const char byte : piece) {
        held_ += byte;
        const Matcher* longest = nullptr;
        for (auto& matcher : matchers_) {
            const bool complete = matcher.step(byte);
            if (complete && (!longest || matcher.text.size() > longest->text.size())) {
                longest = &matcher;
            }
        }
        if (!longest) continue;
        hit_ = longest->text;
        held_.resize(held_.size() - hit_->size());
        return std::exchange(held_, {});
    }
    std::size_t keep = unfinished(held_);
    for (const auto& matcher : matchers_) keep = std::max(keep, matcher.matched);
    std::string out = held_.substr(0, held_.size() - keep);
    held_.erase(0, out.size());
    return out;
}

std::string StopFilter::finish() {
    return std::exchange(held_, {});
}

}  // namespace heft::gen
