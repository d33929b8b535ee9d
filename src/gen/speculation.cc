#include "gen/speculation.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace heft::gen {

namespace {

constexpr std::size_t kShortest = 2;  // tokens that have to agree: after one, anything may follow
constexpr std::size_t kLongest = 24;  // an agreement as long as this is as good as a longer one
constexpr int kMostGuesses = 64;

struct Place {
    std::size_t at = 0;      // where the token that followed stands
    std::size_t length = 0;  // tokens before it that agree with the end of the text
};

std::size_t agreement(std::span<const TokenId> text, std::size_t at) {
    std::size_t length = 0;
    while (length < kLongest && length < at
           && text[at - 1 - length] == text[text.size() - 1 - length])
        ++length;
    return length;
}

Place longest_agreement(std::span<const TokenId> text) {
    Place best;
    for (std::size_t at = text.size() - 1; at > 0 && best.length < kLongest; --at) {
        if (text[at - 1] != text.back()) continue;
        if (const std::size_t length = agreement(text, at); length > best.length)
            best = {at, length};
    }
    return best;
}

// Classes of agreement; few, so that each is seen often.
int trust_in(std::size_t length) {
    constexpr std::size_t least[] = {3, 4, 5, 7, 10, 15, 24};
    return static_cast<int>(std::upper_bound(std::begin(least), std::end(least), length)
                            - std::begin(least));
}

}  // namespace

Guesser guesser_of(std::string_view name) {
    if (name == "off") return Guesser::off;
    return name == "ngram" ? Guesser::ngram : Guesser::draft;
}

std::string_view to_string(Guesser guesser) {
    switch (guesser) {
        case Guesser::off: return "off";
        case Guesser::ngram: return "ngram";
        case Guesser::draft: return "draft";
    }
    return "";
}

Status validate(const SpeculationOptions& options) {
    if (options.n_max < 1 || options.n_max > kMostGuesses)
        return Error{Code::invalid, fmt::format("the most guesses at once ({}) must be 1 to {}",
                                                options.n_max, kMostGuesses)};
    if (options.n_min < 0 || options.n_min > options.n_max)
        return Error{Code::invalid, fmt::format("the fewest guesses at once ({}) must be 0 to the "
                                                "most, {}",
                                                options.n_min, options.n_max)};
    if (!(options.p_min >= 0 && options.p_min <= 1))
        return Error{
            Code::invalid,
            fmt::format("the least probability of a guess ({}) must be 0 to 1", options.p_min)};
    return {};
}

Result<Proposal> NgramProposer::propose(std::span<const TokenId> text, int most) {
    Proposal proposal;
    if (text.size() <= kShortest) return proposal;
    const Place place = longest_agreement(text);
    if (place.length < kShortest) return proposal;
    proposal.trust = trust_in(place.length);
    // Where the place is near the end, what was guessed goes on being repeated.
    const std::size_t period = text.size() - place.at;
    for (std::size_t i = 0; i < static_cast<std::size_t>(most); ++i)
        proposal.tokens.push_back(text[place.at + i % period]);
    return proposal;
}

}  // namespace heft::gen
