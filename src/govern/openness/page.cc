#include "govern/openness/page.h"

#include <fmt/format.h>

#include "govern/openness/document.h"

namespace heft::openness {

namespace {

constexpr const char* kStyle =
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem}"
    "h1{margin-bottom:0}h2{margin-top:2rem}table{border-collapse:collapse;width:100%}"
    "td,th{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #8884}"
    ".spectrum{display:grid;grid-template-columns:repeat(4,1fr);gap:4px;margin:1.5rem 0}"
    ".spectrum div{padding:.8rem;text-align:center;border-radius:6px;background:#8882}"
    ".spectrum .reached{background:#2a7d46;color:#fff}.spectrum .here{outline:3px solid #1a5fb4}"
    ".spectrum .perhaps{background:repeating-linear-gradient(45deg,#2a7d4644 0 8px,#8882 8px 16px)}"
    ".met,.present,.included{color:#2a7d46}.unmet,.absent,.invalid{color:#b3261e}"
    ".unknown,.partial,.undetermined{color:#8a6100}"
    "@media(prefers-color-scheme:dark){.met,.present,.included{color:#6fcf8f}"
    ".unmet,.absent,.invalid{color:#ff8a80}.unknown,.partial,.undetermined{color:#ffca66}}"
    "@media(max-width:36rem){.spectrum{grid-template-columns:1fr 1fr}}";

// Everything from a file passes through here: it is text of a stranger's.
std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            case '\'': out += "&#39;"; break;
            default: out += c;
        }
    }
    return out;
}

const ComponentKind& kind_of(std::size_t kind) {
    return OpennessTables::embedded().kinds()[kind];
}

std::string row(const std::vector<std::string>& cells, const char* tag = "td") {
    std::string out = "<tr>";
    for (const std::string& cell : cells) out += fmt::format("<{}>{}</{}>", tag, cell, tag);
    return out + "</tr>\n";
}

std::string marked(std::string_view word) {
    return fmt::format("<span class=\"{0}\">{0}</span>", word);
}

std::string spectrum(const Openness& found) {
    constexpr const char* names[] = {"closed", "open weights", "+ data information", "open source"};
    std::string out = "<div class=\"spectrum\">";
    for (int level = 0; level <= 3; ++level) {
        const bool reached = level > 0 ? level <= found.level : found.level == 0;
        const char* kind = reached                                     ? "reached"
                           : level <= found.level_at_most && level > 0 ? "perhaps"
                                                                       : "";
        out += fmt::format("<div class=\"{}{}\">{}</div>", kind,
                           level == found.level ? " here" : "", names[level]);
    }
    return out + "</div>\n";
}

std::string mof(const Release& release, const MofVerdict& verdict) {
    constexpr const char* names[] = {"no class yet", "class I, open science",
                                     "class II, open tooling", "class III, open model"};
    std::string out =
        fmt::format("<h2>Model Openness Framework</h2><p>{}.</p>\n", names[verdict.mof_class]);
    if (verdict.missing.empty()) return out;
    out += fmt::format("<p>Class {} still asks for:</p><ul>\n",
                       std::string(static_cast<std::size_t>(verdict.next_class), 'I'));
    for (const MofPart& part : verdict.missing)
        out += fmt::format("<li>{}: {}</li>\n", escaped(kind_of(part.kind).name),
                           escaped(why_not(release, part)));
    return out + "</ul>\n";
}

std::string osaid(const OsaidVerdict& verdict) {
    std::string word = word_name(verdict.word);
    for (char& c : word)
        if (c == '_') c = ' ';
    std::string out =
        fmt::format("<h2>Open Source AI Definition 1.0</h2><p>{}.</p>\n<table>", word);
    out += row({"asks for", "", "because"}, "th");
    for (const OsaidItem& item : verdict.items)
        out += row({escaped(OpennessTables::embedded().checklist()[item.item].asks),
                    marked(state_name(item.state)), escaped(item.why)});
    return out + "</table>\n";
}

std::string components(const Release& release) {
    std::string out = "<h2>Components</h2>\n<table>";
    out += row({"component", "", "licence", "where"}, "th");
    for (std::size_t i = 0; i < release.components.size(); ++i) {
        const Component& component = release.at(i);
        out += row({escaped(kind_of(i).name), marked(presence_name(component.presence)),
                    escaped(component.licence), escaped(component.where)});
    }
    return out + "</table>\n";
}

std::string list(const char* title, const std::vector<std::string>& sentences) {
    if (sentences.empty()) return {};
    std::string out = fmt::format("<h2>{}</h2><ul>\n", title);
    for (const std::string& sentence : sentences)
        out += fmt::format("<li>{}</li>\n", escaped(sentence));
    return out + "</ul>\n";
}

}  // namespace

std::string openness_page(const std::string& model, const Release& release, const Openness& found) {
    const std::string name = escaped(release.name.empty() ? model : release.name);
    const Component& weights = release.at(*OpennessTables::embedded().by_key("model_parameters"));
    std::string out = fmt::format(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width\"><title>{0}: openness</title>"
        "<style>{1}</style></head><body>\n<h1>{0}</h1>\n<p>Licence of the weights: {2}</p>\n",
        name, kStyle,
        weights.licence.empty() ? "none found, which is no permission" : escaped(weights.licence));
    out += spectrum(found);
    if (found.level_at_most > found.level)
        out +=
            "<p>At least this: what is hatched would be reached if all that is unknown is "
            "there.</p>\n";
    out += list("Why the measures differ", found.differences);
    out += list("What nobody outside can do", found.cannot);
    out += list("What could not be determined: whether one can", found.unsure);
    out += mof(release, found.mof) + osaid(found.osaid) + components(release);
    out += list("Notes", release.notes);
    return out + "</body></html>\n";
}

}  // namespace heft::openness
