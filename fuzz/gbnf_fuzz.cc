// Any bytes as a GBNF grammar. A text drawn through the masks must be one that the grammar matches.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "grammar/test_sampling.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace heft::grammar;
    static const auto words = heft::grammar::testing::vocabulary_of({"ab", "abc", "12", "\n\n"});
    if (size > 4096) return 0;
    const auto grammar = Grammar::from_gbnf({reinterpret_cast<const char*>(data), size});
    if (!grammar) {
        if (grammar.error().what.empty()) std::abort();
        return 0;
    }
    heft::Rng rng(size);
    const auto text =
        heft::grammar::testing::draw_text(Matcher(Constraint::make(*grammar, words)), rng, 60);
    if (text && !grammar->matches(*text)) std::abort();
    return 0;
}
