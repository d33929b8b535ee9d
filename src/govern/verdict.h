// What a licence says to an act, and which of two answers is the stricter.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace heft::govern {

// From the most to the least permissive; the overall verdict is the strictest of the acts'.
enum class Verdict : std::uint8_t {
    allowed,
    allowed_with_duty,
    unknown_need_input,  // a fact is missing, and it decides
    review,              // texts conflict or do not settle it: a person has to read
    forbidden_unless_renamed,
    needs_separate_licence,
    licence_ends,
    forbidden,
    not_licensed,  // outside of what is licensed at all
};

// The words of documents: "allowed_with_duty".
std::string_view word(Verdict verdict);
std::optional<Verdict> verdict_of(std::string_view word);

// For people: "allowed, with duties".
std::string_view sentence(Verdict verdict);

constexpr bool stricter(Verdict a, Verdict b) {
    return a > b;
}
constexpr Verdict strictest(Verdict a, Verdict b) {
    return a > b ? a : b;
}
constexpr bool is_allowed(Verdict verdict) {
    return verdict <= Verdict::allowed_with_duty;
}
constexpr bool is_no(Verdict verdict) {
    return verdict >= Verdict::forbidden_unless_renamed;
}

}  // namespace heft::govern
