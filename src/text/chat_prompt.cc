#include "text/chat_prompt.h"

#include <algorithm>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace heft::text {

namespace {

using Json = nlohmann::ordered_json;

// Private-use characters that stand for a message while we look where the template puts it.
constexpr std::string_view kOpen = "\xEE\x80\x80";   // U+E000
constexpr std::string_view kClose = "\xEE\x80\x81";  // U+E001

// Keeps two halves of a control token's spelling apart, invisibly: U+200B, zero width space.
constexpr std::string_view kApart = "\xE2\x80\x8B";

constexpr std::string_view kSpaces = " \t\r\n\f\v";

struct Region {
    std::size_t begin, end;
};

// The texts of a conversation that its participants wrote.
std::vector<Json*> written_texts(Json& variables) {
    std::vector<Json*> texts;
    const auto messages = variables.find("messages");
    if (messages == variables.end() || !messages->is_array()) return texts;
    const auto take = [&texts](Json& owner, const char* key) {
        const auto text = owner.find(key);
        if (text != owner.end() && text->is_string()) texts.push_back(&*text);
    };
    for (Json& message : *messages) {
        if (!message.is_object()) continue;
        take(message, "content");
        take(message, "reasoning_content");
        const auto parts = message.find("content");
        if (parts == message.end() || !parts->is_array()) continue;
        for (Json& part : *parts)
            if (part.is_object()) take(part, "text");
    }
    return texts;
}

std::vector<std::string> control_spellings(const Tokenizer& tokenizer) {
    std::vector<std::string> spellings;
    for (TokenId id = 0; id < tokenizer.size(); ++id) {
        if (tokenizer.kind(id) != TokenKind::control) continue;
        // A spelling of one byte cannot be taken apart.
        if (const auto piece = tokenizer.piece(id); piece.size() > 1) spellings.emplace_back(piece);
    }
    return spellings;
}

// Where the character after the one at `at` begins.
std::size_t next_character(std::string_view text, std::size_t at) {
    do ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U);
    return at;
}

// Where to cut `text` so that no spelling that touches a region is left whole. Ascending.
std::vector<std::size_t> find_cuts(std::string_view text, const std::vector<Region>& regions,
                                   const std::vector<std::string>& spellings) {
    std::vector<std::size_t> cuts;
    for (const std::string& spelling : spellings) {
        for (std::size_t at = text.find(spelling); at != std::string_view::npos;
             at = text.find(spelling, at + 1)) {
            const std::size_t end = at + spelling.size();
            const auto region =
                std::upper_bound(regions.begin(), regions.end(), at,
                                 [](std::size_t place, const Region& r) { return place < r.end; });
            if (region == regions.end() || region->begin >= end) continue;
            // Inside the region, so that a control token of the template beside it stays whole.
            const std::size_t first = std::max(at, region->begin);
            const std::size_t cut = next_character(text, first);
            cuts.push_back(cut < end ? cut : first);
        }
    }
    std::sort(cuts.begin(), cuts.end());
    cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
    return cuts;
}

// The text between the spaces at its ends: templates trim, and the stand-in must be trimmed alike.
Region trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(kSpaces);
    if (begin == std::string_view::npos) return {0, 0};
    return {begin, text.find_last_not_of(kSpaces) + 1};
}

// Renders with stand-ins for all texts, and puts the texts back. Fills `regions` with where they
// came to stand. Returns what it rendered, empty if the template fails on stand-ins.
std::string render_marked(const ChatTemplate& chat, Json variables, std::vector<Region>& regions) {
    std::vector<std::string> originals;
    for (Json* text : written_texts(variables)) {
        const std::string whole = text->get<std::string>();
        const Region core = trimmed(whole);
        if (core.begin == core.end) continue;
        std::string stand_in = whole.substr(0, core.begin);
        stand_in += kOpen;
        stand_in += std::to_string(originals.size());
        stand_in += kClose;
        *text = stand_in + whole.substr(core.end);
        originals.push_back(whole.substr(core.begin, core.end - core.begin));
    }
    const auto marked = chat.render(variables);
    if (!marked) return {};
    std::string out;
    std::size_t at = 0;
    for (std::size_t open = marked->find(kOpen); open != std::string::npos;
         open = marked->find(kOpen, at)) {
        const std::size_t close = marked->find(kClose, open);
        if (close == std::string::npos) return {};
        const std::string number = marked->substr(open + kOpen.size(), close - open - kOpen.size());
        if (number.empty() || number.size() > 9
            || number.find_first_not_of("0123456789") != std::string::npos)
            return {};
        const std::size_t index = std::stoul(number);
        if (index >= originals.size()) return {};
        out.append(*marked, at, open - at);
        regions.push_back({out.size(), out.size() + originals[index].size()});
        out += originals[index];
        at = close + kClose.size();
    }
    out.append(*marked, at);
    return out;
}

// Takes the spellings in a message apart for good: for templates that change what they are given.
bool pull_apart(Json& variables, const std::vector<std::string>& spellings) {
    bool changed = false;
    for (Json* text : written_texts(variables)) {
        const auto& whole = text->get_ref<const std::string&>();
        const std::vector<std::size_t> cuts = find_cuts(whole, {{0, whole.size()}}, spellings);
        if (cuts.empty()) continue;
        std::string apart;
        std::size_t at = 0;
        for (const std::size_t cut : cuts) {
            apart.append(whole, at, cut - at);
            apart += kApart;
            at = cut;
        }
        apart.append(whole, at);
        *text = apart;
        changed = true;
    }
    return changed;
}

}  // namespace

Result<std::vector<TokenId>> encode_chat(const ChatTemplate& chat, const Tokenizer& tokenizer,
                                         const Json& variables) {
    constexpr EncodeOptions template_text = {.add_special = false, .parse_special = true};
    const std::vector<std::string> spellings = control_spellings(tokenizer);
    HEFT_TRY(const std::string plain, chat.render(variables));
    std::vector<Region> regions;
    if (render_marked(chat, variables, regions) != plain) {
        Json safe = variables;
        if (!pull_apart(safe, spellings)) return tokenizer.encode(plain, template_text);
        HEFT_TRY(const std::string text, chat.render(safe));
        return tokenizer.encode(text, template_text);
    }
    std::vector<TokenId> ids;
    std::size_t at = 0;
    std::vector<std::size_t> cuts = find_cuts(plain, regions, spellings);
    cuts.push_back(plain.size());
    for (const std::size_t cut : cuts) {
        const auto part =
            tokenizer.encode(std::string_view(plain).substr(at, cut - at), template_text);
        ids.insert(ids.end(), part.begin(), part.end());
        at = cut;
    }
    return ids;
}

}  // namespace heft::text
