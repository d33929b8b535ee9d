#include "grammar/formats.h"

#include <fmt/format.h>

namespace heft::grammar {

namespace {

// RFC 3339; the days that each month has, the 29th of February in leap years only.
constexpr std::string_view kDate =
    R"((?:\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|)"
    R"(02-(?:0[1-9]|1\d|2[0-8]))|(?:\d\d(?:0[48]|[2468][048]|[13579][26])|)"
    R"((?:[02468][048]|[13579][26])00)-02-29))";
constexpr std::string_view kTime =
    R"((?:(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+\-](?:[01]\d|2[0-3]):[0-5]\d)))";
// RFC 1123: labels of up to 63 characters, 253 in all. Few long ones or some short ones.
constexpr std::string_view kHost = R"((?:[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?)"
                                   R"((?:\.[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?){0,2}|)"
                                   R"([A-Za-z0-9](?:[A-Za-z0-9\-]{0,13}[A-Za-z0-9])?)"
                                   R"((?:\.[A-Za-z0-9](?:[A-Za-z0-9\-]{0,13}[A-Za-z0-9])?){3,12}))";
constexpr std::string_view kIpv4 =
    R"((?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d))";
constexpr std::string_view kEmailName = R"([A-Za-z0-9_+\-]{1,20}(?:\.[A-Za-z0-9_+\-]{1,20}){0,2}@)";

std::string date_time() {
    return std::string(kDate) + "T" + std::string(kTime);
}

// RFC 4291: eight groups, or fewer around one "::".
std::string ipv6() {
    const std::string h = "[0-9A-Fa-f]{1,4}";
    std::string out = "(?:" + h + ":){7}" + h;
    for (int before = 0; before <= 7; ++before) {
        const int after = 7 - before;
        out += "|";
        if (before > 0) out += fmt::format("{0}(?::{0}){{{1}}}", h, before - 1);
        out += "::";
        if (after > 0) out += fmt::format("(?:{0}(?::{0}){{0,{1}}})?", h, after - 1);
    }
    return out;
}

std::string email() {
    // The domain has a dot.
    const std::string label = R"([A-Za-z0-9](?:[A-Za-z0-9\-]{0,30}[A-Za-z0-9])?)";
    return std::string(kEmailName) + label + "(?:\\." + label + "){1,3}";
}

// RFC 3986: a scheme with an authority and a path, or with a path of its own (urn:…, mailto:…).
std::string uri() {
    const std::string pchar = R"((?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2}))";
    const std::string more = R"((?:[A-Za-z0-9\-._~!$&'()*+,;=:@\/?]|%[0-9A-Fa-f]{2})*)";
    return R"([A-Za-z][A-Za-z0-9+.\-]{0,30}:(?:\/\/)" + std::string(kHost) + R"((?::\d{1,5})?(?:\/)"
           + pchar + "*)*|" + pchar + "+(?:\\/" + pchar + "*)*)(?:\\?" + more + ")?(?:#" + more
           + ")?";
}

// RFC 3339, appendix A.
std::string duration() {
    const std::string n = R"(\d{1,9})";
    const std::string minutes = n + "M(?:" + n + "S)?";
    const std::string time = "T(?:" + n + "H(?:" + minutes + ")?|" + minutes + "|" + n + "S)";
    const std::string days = n + "D";
    const std::string months = n + "M(?:" + days + ")?";
    const std::string date = n + "Y(?:" + months + ")?|" + months + "|" + days;
    return "P(?:(?:" + date + ")(?:" + time + ")?|" + time + "|" + n + "W)";
}

std::string uuid() {
    return "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";
}

struct Format {
    std::string_view name;
    std::string (*pattern)();
};

const Format kFormats[] = {
    {"date-time", date_time},
    {"date", [] { return std::string(kDate); }},
    {"time", [] { return std::string(kTime); }},
    {"duration", duration},
    {"uuid", uuid},
    {"email", email},
    {"hostname", [] { return std::string(kHost); }},
    {"ipv4", [] { return std::string(kIpv4); }},
    {"ipv6", ipv6},
    {"uri", uri},
};

}  // namespace

std::optional<std::string> format_pattern(std::string_view name) {
    for (const Format& format : kFormats)
        if (format.name == name) return "^(?:" + format.pattern() + ")$";
    return std::nullopt;
}

std::vector<std::string_view> format_names() {
    std::vector<std::string_view> out;
    for (const Format& format : kFormats) out.push_back(format.name);
    return out;
}

}  // namespace heft::grammar
