// The answer of `heft license`, for people.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/license_document.h"
#include "app/wrap.h"
#include "govern/verdict.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kIndent = 14;

std::string plain(const Json& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string paragraph(const std::string& name, const std::string& text) {
    return app::paragraph(name, text, kIndent);
}

std::string joined(const Json& list, const char* between = ", ") {
    std::string text;
    for (const Json& item : list) text += (text.empty() ? "" : between) + plain(item);
    return text;
}

std::string sentence_of(const Json& verdict) {
    const auto known = govern::verdict_of(plain(verdict));
    return known ? std::string(govern::sentence(*known)) : plain(verdict);
}

std::string acts(const Json& document) {
    std::string out;
    for (const Json& act : document["acts"]) {
        out += paragraph(out.empty() ? "this use" : "",
                         "* " + plain(act["says"]) + ": " + sentence_of(act["verdict"]));
        std::string why = plain(act["licence"]) + ", " + plain(act["clause"]);
        if (plain(act["verdict"]) != "allowed") why += ": " + plain(act["why"]);
        out += paragraph("", why + " [" + plain(act["verified"]) + "]");
        if (!act["ask"].empty()) out += paragraph("", "missing: " + joined(act["ask"], "; "));
    }
    return out;
}

std::string list(const std::string& name, const Json& rows) {
    std::string out;
    for (const Json& row : rows) out += paragraph(out.empty() ? name : "", plain(row));
    return out;
}

std::string duties(const Json& document) {
    std::string out;
    for (const Json& duty : document["duties"]) {
        std::string text = "[ ] " + plain(duty["text"]);
        if (!duty["literal"].is_null()) text += ": \"" + plain(duty["literal"]) + "\"";
        out += paragraph(out.empty() ? "duties" : "",
                         text + " (" + plain(duty["licence"]) + ", " + plain(duty["clause"]) + ")");
    }
    return out;
}

std::string terms(const Json& document) {
    std::string out;
    for (const Json& row : document["terms"]) {
        for (const Json& licence : row["licences"]) {
            out += paragraph(out.empty() ? "licence" : "",
                             plain(licence["name"]) + " (" + plain(licence["id"]) + "), of "
                                 + plain(row["of"]) + ", " + plain(row["relation"])
                                 + "; found by: " + plain(row["found_by"]));
            out += paragraph("", plain(licence["summary"]));
            out += paragraph(
                "", "read: " + plain(licence["verified"]) + ", " + plain(licence["sources"][0]));
        }
        if (row["licences"].empty())
            out += paragraph(out.empty() ? "licence" : "",
                             "unknown, of " + plain(row["of"]) + ": " + plain(row["why"]));
    }
    return out;
}

}  // namespace

std::string license_report(const Json& document) {
    std::string out = paragraph("model", plain(document["model"]));
    out += paragraph("verdict", sentence_of(document["verdict"]));
    out += terms(document);
    out += paragraph("why", plain(document["why"]));
    out += list("problems", document["problems"]);
    out += acts(document);
    out += duties(document);
    std::string also;
    for (const Json& row : document["depends_on"])
        also += paragraph(also.empty() ? "depends on" : "",
                          joined(row["facts"]) + " (not stated): " + plain(row["why"]) + " ("
                              + plain(row["licence"]) + ", " + plain(row["clause"]) + ")");
    out += also;
    out += list("conflicts", document["conflicts"]);
    if (!document["unseen"].empty())
        out +=
            paragraph("not seen", "terms of what it was made from: " + joined(document["unseen"]));
    if (!document["not_understood"].empty())
        out += paragraph("not used",
                         "facts that heft does not know: " + joined(document["not_understood"]));
    if (document.contains("text")) out += "\n" + plain(document["text"]) + "\n\n";
    return out + paragraph("", "This is not legal advice.");
}

}  // namespace heft::app
