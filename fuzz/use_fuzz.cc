// Any bytes as the description of a use, asked of every licence. An act is answered for every act
// that is intended, and the overall verdict is the strictest of them.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "govern/catalogue.h"
#include "govern/judge.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto catalogue = heft::govern::Catalogue::built_in();
    if (!catalogue) std::abort();
    const auto& vocabulary = catalogue->vocabulary();
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto use = heft::govern::Use::read(text, vocabulary);
    if (!use) return 0;
    const std::size_t n_act = heft::govern::intended_acts(*use, vocabulary).size();
    for (const auto& licence : catalogue->licences()) {
        const auto judgement = heft::govern::judge(licence, *use, vocabulary);
        if (judgement.acts.size() != n_act) std::abort();
        for (const auto& answer : judgement.acts)
            if (heft::govern::stricter(answer.verdict, judgement.verdict)) std::abort();
    }
    return 0;
}
