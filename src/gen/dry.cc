#include "gen/dry.h"

#include <algorithm>

namespace heft::gen {

namespace {

constexpr std::size_t kMaxTail = 20;

// z[k]: how many tokens that end k places before the end of the text equal the last ones. Z
// algorithm (Gusfield 1997, section 1.4) on the reversed text; linear. z[0] is not used.
std::vector<std::size_t> repeat_lengths(std::span<const TokenId> text) {
    const std::size_t n = text.size();
    const auto back = [text, n](std::size_t i) { return text[n - 1 - i]; };
    std::vector<std::size_t> z(n, 0);
    std::size_t left = 0;  // the match that reaches furthest: [left, right)
    std::size_t right = 0;
    for (std::size_t k = 1; k < n; ++k) {
        std::size_t length = k < right ? std::min(z[k - left], right - k) : 0;
        while (k + length < n && back(length) == back(k + length)) ++length;
        z[k] = length;
        if (k + length > right) {
            left = k;
            right = k + length;
        }
    }
    return z;
}

// The longest repetition that each token would carry on.
std::unordered_map<TokenId, std::size_t> carried_on(std::span<const TokenId> text,
                                                    std::size_t allowed, std::size_t limit) {
    std::unordered_map<TokenId, std::size_t> longest;
    const auto z = repeat_lengths(text);
    for (std::size_t k = 1; k < text.size(); ++k) {
        const std::size_t length = std::min(z[k], limit);
        if (length < allowed) continue;
        auto& known = longest[text[text.size() - k]];
        known = std::max(known, length);
    }
    return longest;
}

}  // namespace

void DryBreakers::add(std::span<const TokenId> sequence) {
    if (sequence.empty()) return;
    const auto tail = sequence.subspan(1, std::min(sequence.size() - 1, kMaxTail));
    std::vector<TokenId> copy(tail.begin(), tail.end());
    auto& known = tails_[sequence[0]];
    if (std::find(known.begin(), known.end(), copy) == known.end())
        known.push_back(std::move(copy));
}

bool DryBreakers::is_whole(TokenId id) const {
    const auto found = tails_.find(id);
    if (found == tails_.end()) return false;
    return std::any_of(found->second.begin(), found->second.end(),
                       [](const auto& tail) { return tail.empty(); });
}

std::optional<std::size_t> DryBreakers::longest_tail(TokenId head,
                                                     std::span<const TokenId> behind) const {
    const auto found = tails_.find(head);
    if (found == tails_.end()) return std::nullopt;
    std::optional<std::size_t> longest;
    for (const auto& tail : found->second) {
        if (tail.size() > behind.size() || (longest && tail.size() <= *longest)) continue;
        if (std::equal(tail.begin(), tail.end(), behind.begin())) longest = tail.size();
    }
    return longest;
}

std::size_t DryBreakers::tokens_behind(std::span<const TokenId> text) const {
    for (std::size_t i = 0; i < text.size() && !empty(); ++i) {
        const std::size_t at = text.size() - 1 - i;
        if (const auto tail = longest_tail(text[at], text.subspan(at + 1))) return i - *tail;
    }
    return text.size();
}

DryBreakers prepare_breakers(std::span<const std::string> strings,
                             const BreakerVocabulary& vocabulary) {
    DryBreakers breakers;
    // rests[s][n]: the tokens of string s without its first n bytes, encoded when first needed.
    std::vector<std::vector<std::vector<TokenId>>> rests(strings.size());
    for (std::size_t s = 0; s < strings.size(); ++s) rests[s].resize(strings[s].size());

    const auto add_ends = [&](TokenId id, std::string_view word, std::size_t s) {
        const std::string_view text = strings[s];
        for (std::size_t n = 1; n < text.size() && n <= word.size(); ++n) {
            if (word.substr(word.size() - n) != text.substr(0, n)) continue;
            auto& rest = rests[s][n];
            if (rest.empty()) rest = vocabulary.encode(text.substr(n));
            if (rest.empty()) continue;
            std::vector<TokenId> sequence = {id};
            sequence.insert(sequence.end(), rest.begin(), rest.end());
            breakers.add(sequence);
        }
    };
    for (TokenId id = 0; id < vocabulary.size; ++id) {
        const std::string word = vocabulary.bytes_of(id);
        for (std::size_t s = 0; s < strings.size() && !word.empty(); ++s) {
            if (strings[s].empty()) continue;
            if (word.find(strings[s]) != std::string::npos) {
                breakers.add({&id, 1});
            } else {
                add_ends(id, word, s);
            }
        }
    }
    return breakers;
}

namespace {

// What each token is to lose.
std::unordered_map<TokenId, float> penalties_of(std::span<const TokenId> text,
                                                const DryOptions& options,
                                                const DryBreakers& breakers) {
    std::unordered_map<TokenId, float> penalties;
    if (!options.active()) return penalties;
    const auto last_n = static_cast<std::size_t>(options.last_n);
    if (options.last_n > 0 && text.size() > last_n) text = text.last(last_n);
    const auto allowed = static_cast<std::size_t>(std::max(options.allowed_length, 0));
    if (text.size() <= allowed) return penalties;
    const std::size_t limit = breakers.tokens_behind(text);
    if (limit < allowed) return penalties;

    for (const auto& [id, length] : carried_on(text, allowed, limit)) {
        if (breakers.is_whole(id)) continue;
        const double steps = static_cast<double>(length - allowed);
        const double penalty =
            options.multiplier * std::pow(static_cast<double>(options.base), steps);
        // Past what a float holds the exact size no longer matters, but it must stay a number.
        constexpr double largest = std::numeric_limits<float>::max();
        penalties[id] = static_cast<float>(std::min(penalty, largest));
    }
    return penalties;
}

float subtract(float logit, float penalty) {
    return logit - penalty;
}

}  // namespace

void dry(Candidates& list, std::span<const TokenId> text, const DryOptions& options,
         const DryBreakers& breakers) {
    adjust_logits(list, penalties_of(text, options, breakers), subtract);
}

void dry(std::span<float> logits, std::span<const TokenId> text, const DryOptions& options,
         const DryBreakers& breakers) {
    adjust_logits(logits, penalties_of(text, options, breakers), subtract);
}

}  // namespace heft::gen
