#include "app/page.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "govern/openness/document.h"
#include "govern/verdict.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;
using openness::Component;
using openness::ComponentKind;
using openness::MofPart;
using openness::MofVerdict;
using openness::Openness;
using openness::OpennessTables;
using openness::OsaidItem;
using openness::OsaidVerdict;
using openness::Release;

constexpr const char* kStyle =
    ":root{color-scheme:light dark;--line:#8884;--soft:#8881;--good:#1f6f3c;--bad:#b3261e;"
    "--open:#8a6100}"
    "@media(prefers-color-scheme:dark){:root{--good:#6fcf8f;--bad:#ff8a80;--open:#ffca66}}"
    "*{box-sizing:border-box}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem;"
    "overflow-wrap:anywhere}"
    "h1{margin:0;line-height:1.2}h2{margin:2.2rem 0 .6rem}p{margin:.4rem 0}"
    "small,.faint{opacity:.75;font-size:.85rem}"
    "table{border-collapse:collapse;width:100%}"
    "td,th{text-align:left;vertical-align:top;padding:.35rem .6rem .35rem 0;"
    "border-bottom:1px solid var(--line)}"
    ".word{font-weight:600;overflow-wrap:normal}"
    ".spectrum{display:grid;grid-template-columns:repeat(4,1fr);gap:4px;margin:1.5rem 0 .6rem}"
    ".spectrum div{padding:.8rem .3rem;text-align:center;border-radius:6px;background:#8882}"
    ".spectrum .reached{background:#1f6f3c;color:#fff}"
    ".spectrum .here{outline:3px solid #3584e4;outline-offset:1px}"
    ".spectrum .perhaps{background:repeating-linear-gradient(45deg,#1f6f3c55 0 8px,#8882 8px 16px)}"
    ".card{border:1px solid var(--line);border-radius:10px;background:var(--soft);"
    "padding:1rem 1.2rem;margin:1.2rem 0}.card h2{margin-top:0}"
    ".acts{display:grid;gap:.7rem;margin:1rem 0}"
    ".acts div{border-left:4px solid var(--line);padding-left:.8rem}"
    ".acts .yes{border-color:var(--good)}.acts .no{border-color:var(--bad)}"
    ".acts .open{border-color:var(--open)}"
    ".met,.present,.yes .word{color:var(--good)}.unmet,.absent,.no .word{color:var(--bad)}"
    ".unknown,.partial,.open .word{color:var(--open)}"
    "ul.duties{list-style:'\\2610\\00a0\\00a0'}q{font-style:italic}"
    "@media(max-width:36rem){.spectrum{grid-template-columns:1fr 1fr}"
    "table,tbody,tr,td{display:block}th{display:none}tr{border-bottom:1px solid var(--line);"
    "padding:.4rem 0}td{border:0;padding:.1rem 0}}"
    "@media print{body{margin:0}.card{break-inside:avoid}}";

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
    return fmt::format("<span class=\"word {0}\">{0}</span>", word);
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
                           escaped(openness::why_not(release, part)));
    return out + "</ul>\n";
}

std::string osaid(const OsaidVerdict& verdict) {
    std::string word = openness::word_name(verdict.word);
    for (char& c : word)
        if (c == '_') c = ' ';
    std::string out =
        fmt::format("<h2>Open Source AI Definition 1.0</h2><p>{}.</p>\n<table>", word);
    out += row({"asks for", "", "because"}, "th");
    for (const OsaidItem& item : verdict.items)
        out += row({escaped(OpennessTables::embedded().checklist()[item.item].asks),
                    marked(openness::state_name(item.state)), escaped(item.why)});
    return out + "</table>\n";
}

std::string components(const Release& release) {
    std::string out = "<h2>Components</h2>\n<table>";
    out += row({"component", "", "licence", "where"}, "th");
    for (std::size_t i = 0; i < release.components.size(); ++i) {
        const Component& component = release.at(i);
        out += row({escaped(kind_of(i).name), marked(openness::presence_name(component.presence)),
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

std::string plain(const Json& value) {
    return value.is_string() ? value.get<std::string>()
                             : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string joined(const Json& rows, const char* between) {
    std::string text;
    for (const Json& row : rows) text += (text.empty() ? "" : between) + plain(row);
    return text;
}

std::string acts(const Json& document) {
    std::string out = "<div class=\"acts\">\n";
    for (const Json& act : document["acts"]) {
        const auto verdict = govern::verdict_of(plain(act["verdict"]));
        if (!verdict) continue;
        const char* kind = govern::is_allowed(*verdict) ? "yes"
                           : govern::is_no(*verdict)    ? "no"
                                                        : "open";
        out += fmt::format("<div class=\"{}\">{}: <span class=\"word\">{}</span>", kind,
                           escaped(plain(act["says"])), govern::sentence(*verdict));
        if (*verdict != govern::Verdict::allowed)
            out += fmt::format("<br>{}", escaped(plain(act["why"])));
        if (!act["ask"].empty())
            out += fmt::format("<br>missing: {}", escaped(joined(act["ask"], "; ")));
        out += fmt::format("<br><small>{}, {} ({})</small></div>\n", escaped(plain(act["licence"])),
                           escaped(plain(act["clause"])), escaped(plain(act["verified"])));
    }
    return out + "</div>\n";
}

std::string duties(const Json& document) {
    if (document["duties"].empty()) return {};
    std::string out = "<h3>Duties</h3><ul class=\"duties\">\n";
    for (const Json& duty : document["duties"]) {
        out += "<li>" + escaped(plain(duty["text"]));
        if (!duty["literal"].is_null()) out += ": <q>" + escaped(plain(duty["literal"])) + "</q>";
        out += fmt::format(" <small>{}, {}</small></li>\n", escaped(plain(duty["licence"])),
                           escaped(plain(duty["clause"])));
    }
    return out + "</ul>\n";
}

// What a heft.license/1 document says.
std::string licence_card(const Json& document) {
    std::string out = "<section class=\"card\"><h2>Licence</h2>\n";
    for (const Json& terms : document["terms"]) {
        for (const Json& licence : terms["licences"])
            out +=
                fmt::format("<p><b>{}</b>, of {}, found by: {}<br>{}</p>\n",
                            escaped(plain(licence["name"])), escaped(plain(terms["of"])),
                            escaped(plain(terms["found_by"])), escaped(plain(licence["summary"])));
        if (terms["licences"].empty())
            out += fmt::format("<p><b>unknown</b>, of {}: {}</p>\n", escaped(plain(terms["of"])),
                               escaped(plain(terms["why"])));
    }
    out += acts(document) + duties(document);
    for (const char* key : {"problems", "conflicts"})
        for (const Json& row : document[key])
            out += fmt::format("<p class=\"open\"><span class=\"word\">note</span> {}</p>\n",
                               escaped(plain(row)));
    return out + "<p class=\"faint\">This is not legal advice.</p></section>\n";
}

std::string openness_part(const Release& release, const Openness& found) {
    std::string out = "<h2>Openness</h2>\n" + spectrum(found);
    if (found.level_at_most > found.level)
        out +=
            "<p>At least this: what is hatched would be reached if all that is unknown is "
            "there.</p>\n";
    out += list("Why the measures differ", found.differences);
    out += list("What nobody outside can do", found.cannot);
    out += list("What could not be determined: whether one can", found.unsure);
    out += mof(release, found.mof) + osaid(found.osaid) + components(release);
    return out + list("Notes", release.notes);
}

}  // namespace

std::string release_page(const std::string& model, const nlohmann::ordered_json& licence,
                         const openness::Release* release, const openness::Openness* found) {
    std::string name = release == nullptr || release->name.empty() ? model : release->name;
    name = escaped(name);
    std::string out = fmt::format(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width\"><title>{0}: licence and "
        "openness</title><style>{1}</style></head><body>\n<h1>{0}</h1>\n",
        name, kStyle);
    if (!licence.is_null()) out += licence_card(licence);
    if (release != nullptr && found != nullptr) out += openness_part(*release, *found);
    return out + "</body></html>\n";
}

}  // namespace heft::app
