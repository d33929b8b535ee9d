// Which licence a text is: by the SHA-256 of its words, then by phrases. A text whose licence has
// known texts but which is none of them is "modified", never the licence itself; one whose licence
// has no text on record is "phrases": the title was recognised, nothing was compared.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "govern/catalogue.h"

namespace heft::govern {

enum class TextMatch : std::uint8_t {
    none,      // no licence that the catalogue knows
    whole,     // the words of a known text
    body,      // a known text with lines of the release's own around it (copyright)
    phrases,   // characteristic phrases; no text on record to compare with
    modified,  // characteristic phrases, but the words differ from every text on record
};

struct TextFinding {
    TextMatch match = TextMatch::none;
    const Licence* licence = nullptr;  // belongs to the catalogue
    std::string sha256;                // of the text's words
    std::size_t n_word = 0;
    std::string note;  // for `modified`: what differs
};

// `text`: a LICENSE file or the like; front matter is left out. At most 1 MiB is looked at: a
// longer text is `none`. Errors: only of hashing.
Result<TextFinding> identify_text(const Catalogue& catalogue, std::string_view text);

// The licence that a text speaks of, by phrases, for model cards without a tag; nullptr: none.
const Licence* mentioned_in(const Catalogue& catalogue, std::string_view text);

// The licence whose use policy this text is, by its title; nullptr: none.
const Licence* policy_of(const Catalogue& catalogue, std::string_view text);

}  // namespace heft::govern
