// schema_pairs N SEED: random schemas, each with a text drawn through the masks of its grammar, as
// lines of JSON for an independent validator (tests/grammar_ajv).
#include <cstdlib>
#include <iostream>

#include "grammar/test_sampling.h"
#include "grammar/test_schemas.h"

int main(int argc, char** argv) {
    using namespace heft::grammar;
    const int wanted = argc > 1 ? std::atoi(argv[1]) : 1000;
    const auto seed = static_cast<std::uint64_t>(argc > 2 ? std::atoll(argv[2]) : 1);
    heft::grammar::testing::RandomSchemas schemas(seed);
    heft::Rng rng(seed);
    const auto words = heft::grammar::testing::vocabulary_of(heft::grammar::testing::json_pieces());
    int n_refused = 0;
    int n_endless = 0;
    for (int made = 0; made < wanted;) {
        const auto schema = schemas.next();
        const auto grammar = Grammar::from_json_schema(schema);
        if (!grammar) {
            std::cerr << grammar.error().what << "\n";
            if (++n_refused > wanted) return 1;
            continue;
        }
        const auto constraint = Constraint::make(*grammar, words);
        const auto text = heft::grammar::testing::draw_text(Matcher(constraint), rng);
        if (!text) {
            if (++n_endless > wanted) return 1;
            continue;
        }
        nlohmann::ordered_json line = {{"schema", schema}, {"text", *text}};
        std::cout << line.dump() << "\n";
        ++made;
    }
    std::cerr << wanted << " pairs; " << n_refused << " schemas refused, " << n_endless
              << " texts without an end\n";
    return 0;
}
