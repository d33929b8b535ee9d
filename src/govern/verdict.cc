#include "govern/verdict.h"

#include <cstddef>

namespace heft::govern {

namespace {

struct Row {
    std::string_view word;
    std::string_view sentence;
};

// In the order of the enumeration.
constexpr Row kVerdicts[] = {
    {"allowed", "allowed"},
    {"allowed_with_duty", "allowed, with duties"},
    {"unknown_need_input", "unknown: a fact is missing"},
    {"review", "review: a person has to read the texts"},
    {"forbidden_unless_renamed", "forbidden under this name"},
    {"needs_separate_licence", "needs a separate licence"},
    {"licence_ends", "the licence ends"},
    {"forbidden", "forbidden"},
    {"not_licensed", "not licensed"},
};

const Row& row(Verdict verdict) {
    return kVerdicts[static_cast<std::size_t>(verdict)];
}

}  // namespace

std::string_view word(Verdict verdict) {
    return row(verdict).word;
}
std::string_view sentence(Verdict verdict) {
    return row(verdict).sentence;
}

std::optional<Verdict> verdict_of(std::string_view text) {
    for (std::size_t i = 0; i < std::size(kVerdicts); ++i)
        if (kVerdicts[i].word == text) return static_cast<Verdict>(i);
    return {};
}

}  // namespace heft::govern
