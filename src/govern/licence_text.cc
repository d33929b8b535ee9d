#include "govern/licence_text.h"

#include <algorithm>

#include "base/sha256.h"
#include "format/yaml.h"
#include "govern/tree.h"
#include "govern/words.h"

namespace heft::govern {

namespace {

constexpr std::size_t kMostBytes = 1U << 20;

// Words around a known body that are more than this many are a text of their own.
constexpr std::size_t kMostWordsAround = 60;

// A line of copyright holds none of these; a clause hardly does without.
constexpr std::string_view kOperativeWords[] = {
    "not",         "may",          "shall",      "must",     "only",       "except",
    "unless",      "commercial",   "prohibit",   "provided", "prohibited", "restrict",
    "restriction", "restrictions", "permitted",  "agree",    "require",    "requires",
    "required",    "condition",    "conditions", "subject",  "addition",   "noncommercial"};

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
        if (at == 0 || words[at - 1] == ' ') return at;
    return std::string_view::npos;
}

// What stands around a known body, less what the licence itself suggests to put there.
std::string around(std::string_view words, std::size_t at, std::size_t length,
                   const Licence& licence) {
    std::string rest(words.substr(0, at));
    rest += words.substr(at + length);
    if (const Json* text = member(*licence.data, "text"))
        for (const std::string& usual : texts_of(*text, "around")) {
            const auto found = find_phrase(rest, usual);
            if (found != std::string::npos) rest.erase(found, usual.size());
        }
    return words_of(rest);
}

std::string operative_word_in(std::string_view words) {
    for (const std::string_view word : kOperativeWords)
        if (has_phrase(words, word)) return std::string(word);
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
    const std::string rest = around(words, at, body.size(), licence);
    const std::size_t n_rest = count_words(rest);
    const std::string operative = operative_word_in(rest);
    if (n_rest > kMostWordsAround)
        return Comparison{Compared::with_more, "the text is complete, but " + std::to_string(n_rest)
                                                   + " further words stand around it: read them"};
    if (!operative.empty())
        return Comparison{Compared::with_more,
                          "the text is complete, but what stands around it "
                          "may change it (\""
                              + operative + "\"): read it"};
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
