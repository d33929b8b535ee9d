#include "govern/licence_text.h"

#include <algorithm>

#include "base/sha256.h"
#include "format/yaml.h"
#include "govern/tree.h"
#include "govern/words.h"

namespace heft::govern {

namespace {

constexpr std::size_t kMostBytes = 1U << 20;

// A copyright line names its holder in no more words than this; several lines may stand there.
constexpr std::size_t kMostWordsOfHolder = 12;

// A line of copyright holds none of these; a clause hardly does without.
constexpr std::string_view kOperativeWords[] = {
    "addition",      "agree",        "allow",     "allowed",    "alone",     "banned",
    "can",           "cannot",       "charge",    "commercial", "condition", "conditions",
    "cost",          "every",        "except",    "exclude",    "excluded",  "fee",
    "fees",          "forbidden",    "if",        "may",        "military",  "must",
    "noncommercial", "not",          "only",      "our",        "outside",   "pay",
    "permission",    "permitted",    "prohibit",  "prohibited", "provided",  "purpose",
    "purposes",      "require",      "required",  "requires",   "restrict",  "restricted",
    "restriction",   "restrictions", "royalties", "royalty",    "shall",     "should",
    "subject",       "terms",        "unless",    "use",        "used",      "user",
    "users",         "uses",         "using",     "will",       "without",   "you",
    "your"};

std::size_t count_words(std::string_view words) {
    return words.empty()
               ? 0
               : 1 + static_cast<std::size_t>(std::count(words.begin(), words.end(), ' '));
}

Result<std::string> hash_of(std::string_view words) {
    return sha256(std::as_bytes(std::span(words.data(), words.size())));
}

// The first `n` words of `words`; empty when there are fewer.
std::string_view first_words(std::string_view words, std::size_t n) {
    std::size_t end = 0;
    for (std::size_t i = 0; i < n; ++i) {
        if (end == std::string_view::npos) return {};
        end = words.find(' ', i == 0 ? 0 : end + 1);
    }
    return words.substr(0, end);
}

std::size_t find_phrase(std::string_view words, std::string_view phrase) {
    for (auto at = words.find(phrase); at != std::string_view::npos;
         at = words.find(phrase, at + 1))
        if (at == 0 || words[at - 1] == ' ' || words[at - 1] == '\n') return at;
    return std::string_view::npos;
}

// What stands around a known body, less what the licence itself suggests to put there: a line for
// each run of words that stood together.
std::string around(std::string_view words, std::size_t at, std::size_t length,
                   const Licence& licence) {
    std::string rest(words.substr(0, at));
    rest += '\n';
    rest += words.substr(at + length);
    std::vector<std::string> usual{words_of(licence.name)};
    if (!licence.spdx.empty()) usual.push_back("spdx license identifier " + words_of(licence.spdx));
    if (const Json* text = member(*licence.data, "text"))
        for (const std::string& phrase : texts_of(*text, "around")) usual.push_back(phrase);
    std::stable_sort(usual.begin(), usual.end(),
                     [](const auto& a, const auto& b) { return a.size() > b.size(); });
    for (const std::string& phrase : usual) {
        const auto found = find_phrase(rest, phrase);
        if (found != std::string::npos) rest.replace(found, phrase.size(), "\n");
    }
    return rest;
}

bool is_year(std::string_view word) {
    return word.size() == 4 && (word.starts_with("19") || word.starts_with("20"));
}

// Whether the words are lines of copyright: "copyright c 2024 some lab all rights reserved".
bool is_copyright(std::string_view line) {
    constexpr std::string_view kReserved = "all rights reserved";
    std::size_t n_word = kMostWordsOfHolder;  // before a mark of copyright, nothing may stand
    while (!line.empty()) {
        if (line.front() == ' ') {
            line.remove_prefix(1);
            continue;
        }
        if (line.starts_with(kReserved)) {
            line.remove_prefix(kReserved.size());
            n_word = kMostWordsOfHolder;
            continue;
        }
        const std::string_view word = line.substr(0, line.find(' '));
        const bool is_mark = word == "copyright" || word == "c" || word == "portions";
        n_word = is_mark || is_year(word) ? 0 : n_word + 1;
        if (n_word > kMostWordsOfHolder) return false;
        line.remove_prefix(word.size());
    }
    return true;
}

// The first words around a body that may change what it says; empty: there are none.
std::string rider_in(std::string_view rest) {
    while (!rest.empty()) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        const bool has_operative =
            std::any_of(std::begin(kOperativeWords), std::end(kOperativeWords),
                        [line](std::string_view word) { return has_phrase(line, word); });
        if (has_operative || !is_copyright(line)) return words_of(line.substr(0, 80));
    }
    return {};
}

enum class Compared : std::uint8_t { different, same, with_more };

struct Comparison {
    Compared result = Compared::different;
    std::string note;
};

Result<Comparison> compare_body(std::string_view words, const KnownText& known,
                                const Licence& licence) {
    const auto at = find_phrase(words, known.begins);
    if (at == std::string_view::npos) return Comparison{};
    const std::string_view body = first_words(words.substr(at), known.n_word);
    if (body.empty()) return Comparison{};
    HEFT_TRY(const std::string hash, hash_of(body));
    if (hash != known.sha256) return Comparison{};
    const std::string rider = rider_in(around(words, at, body.size(), licence));
    if (!rider.empty())
        return Comparison{Compared::with_more,
                          "the text is complete, but what stands around it may change it (\""
                              + rider + "\"): read it"};
    return Comparison{Compared::same, {}};
}

std::size_t phrase_length(const Licence& licence) {
    std::size_t length = 0;
    for (const std::string& phrase : licence.phrases) length += phrase.size();
    return length;
}

// Whose phrases all stand in the words; the most specific one (more phrases, then longer).
const Licence* by_phrases(const Catalogue& catalogue, std::string_view words) {
    const Licence* best = nullptr;
    for (const Licence& licence : catalogue.licences()) {
        const auto stands = [words](const std::string& phrase) {
            return has_phrase(words, phrase);
        };
        if (licence.phrases.empty()
            || !std::all_of(licence.phrases.begin(), licence.phrases.end(), stands))
            continue;
        const bool better = best == nullptr || licence.phrases.size() > best->phrases.size()
                            || (licence.phrases.size() == best->phrases.size()
                                && phrase_length(licence) > phrase_length(*best));
        if (better) best = &licence;
    }
    return best;
}

bool has_known_texts(const Licence& licence) {
    return !licence.texts.empty();
}

// By the known texts of every licence; `none` when there is no such one.
Result<TextFinding> by_hash(const Catalogue& catalogue, std::string_view words) {
    TextFinding finding;
    HEFT_TRY(finding.sha256, hash_of(words));
    finding.n_word = count_words(words);
    for (const Licence& licence : catalogue.licences())
        for (const KnownText& known : licence.texts)
            if (known.begins.empty() && known.sha256 == finding.sha256) {
                finding.licence = &licence;
                finding.match = TextMatch::whole;
                return finding;
            }
    for (const Licence& licence : catalogue.licences())
        for (const KnownText& known : licence.texts) {
            if (known.begins.empty()) continue;
            HEFT_TRY(const Comparison compared, compare_body(words, known, licence));
            if (compared.result == Compared::different) continue;
            finding.licence = &licence;
            finding.match =
                compared.result == Compared::same ? TextMatch::body : TextMatch::modified;
            finding.note = compared.note;
            return finding;
        }
    return finding;
}

}  // namespace

Result<TextFinding> identify_text(const Catalogue& catalogue, std::string_view text) {
    if (text.size() > kMostBytes) return TextFinding{};
    const std::string words = words_of(format::split_card(text).body);
    if (words.empty()) return TextFinding{};
    HEFT_TRY(TextFinding finding, by_hash(catalogue, words));
    const bool settled = finding.match == TextMatch::whole || finding.match == TextMatch::body;
    const Licence* resembled = settled ? nullptr : by_phrases(catalogue, words);
    if (resembled == nullptr) return finding;
    // Of a text that holds another's body with more around it, the more specific title speaks.
    if (finding.match == TextMatch::modified && resembled->phrases.size() < 2) return finding;
    finding.licence = resembled;
    if (has_known_texts(*resembled)) {
        finding.match = TextMatch::modified;
        finding.note = "its words differ from every text of it that is on record: read it";
    } else {
        finding.match = TextMatch::phrases;
        finding.note = "recognised by its title; there is no text on record to compare it with";
    }
    return finding;
}

const Licence* mentioned_in(const Catalogue& catalogue, std::string_view text) {
    const std::string words = words_of(text.substr(0, kMostBytes));
    for (const Licence& licence : catalogue.licences())
        if (const Json* of_licence = member(*licence.data, "text"))
            for (const std::string& phrase : texts_of(*of_licence, "mentions"))
                if (has_phrase(words, phrase)) return &licence;
    return by_phrases(catalogue, words);
}

const Licence* policy_of(const Catalogue& catalogue, std::string_view text) {
    if (text.size() > kMostBytes) return nullptr;
    const std::string words = words_of(text);
    for (const Licence& licence : catalogue.licences()) {
        const Json* policy = member(*licence.data, "use_policy");
        if (policy == nullptr) continue;
        for (const std::string& phrase : texts_of(*policy, "phrases"))
            if (has_phrase(words, phrase)) return &licence;
    }
    return nullptr;
}

}  // namespace heft::govern
