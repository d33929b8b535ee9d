// Any bytes as a JSON Schema. What compiles is walked: a forced or allowed byte at a time, as the
// input's own bytes choose; what may end must be JSON.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "grammar/test_sampling.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace heft::grammar;
    static const auto words = heft::grammar::testing::vocabulary_of({"{\"", "\":", "null", "12"});
    if (size > 8192) return 0;
    const auto tree = heft::parse_json_tree({reinterpret_cast<const char*>(data), size});
    if (!tree) return 0;
    const auto grammar = Grammar::from_json_schema(*tree);
    if (!grammar) {
        if (grammar.error().what.empty()) std::abort();
        return 0;
    }
    heft::Rng rng(size);
    const auto text =
        heft::grammar::testing::draw_text(Matcher(Constraint::make(*grammar, words)), rng, 200);
    if (text && !nlohmann::json::accept(*text)) std::abort();
    if (text && !grammar->matches(*text)) std::abort();
    return 0;
}
