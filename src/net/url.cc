#include "net/url.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace heft::net {

namespace {

constexpr int kHttp = 80, kHttps = 443, kMostPort = 65'535;
constexpr std::size_t kShown = 200;

Error wrong(std::string_view text, std::string_view why) {
    return {Code::invalid, fmt::format("\"{}\" is no address of a server: {}; it looks like "
                                       "http://127.0.0.1:8080 or unix:/run/heft.sock",
                                       text.substr(0, kShown), why)};
}

bool take(std::string_view& text, std::string_view begin) {
    if (text.substr(0, begin.size()) != begin) return false;
    text.remove_prefix(begin.size());
    return true;
}

bool is_visible(char c) {
    return c > ' ' && c < '\x7f';
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
    const std::string_view all = text;
    Url url;
    if (!std::all_of(text.begin(), text.end(), is_visible))
        return wrong(all, "it has blanks or other characters that no address has");
    if (take(text, "unix:")) {
        if (text.starts_with("///")) text.remove_prefix(2);
        if (text.empty()) return wrong(all, "the path of the socket is missing");
        url.socket = text;
        url.host = "localhost";
        return url;
    }
    url.tls = take(text, "https://");
    if (!url.tls) take(text, "http://");
    if (text.find("://") != std::string_view::npos)
        return wrong(all, "it is neither http nor https");
    if (text.find_first_of("?#") != std::string_view::npos) return wrong(all, "it has a query");
    const std::size_t slash = std::min(text.find('/'), text.size());
    url.base = text.substr(slash);
    while (url.base.ends_with('/')) url.base.pop_back();
    std::string_view place = text.substr(0, slash);
    if (place.find('@') != std::string_view::npos)
        return wrong(all, "keys do not belong into it; use HEFT_API_KEY or --key-file");
    std::string_view port;
    if (take(place, "[")) {
        const std::size_t end = place.find(']');
        if (end == std::string_view::npos) return wrong(all, "a ] is missing");
        url.host = place.substr(0, end);
        port = place.substr(end + 1);
    } else {
        url.host = place.substr(0, place.find(':'));
        port = place.substr(url.host.size());
    }
    if (url.host.empty()) return wrong(all, "the host is missing");
    url.port = url.tls ? kHttps : kHttp;
    if (port.empty()) return url;
    const bool colon = take(port, ":");
    const auto [rest, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
    if (!colon || error != std::errc() || rest != port.data() + port.size() || url.port < 1
        || url.port > kMostPort)
        return wrong(all, "the port is none");
    return url;
}

std::string authority(const Url& url) {
    const std::string host =
        url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
    const int usual = url.tls ? kHttps : kHttp;
    return url.port == usual || !url.socket.empty() ? host : fmt::format("{}:{}", host, url.port);
}

std::string to_string(const Url& url) {
    if (!url.socket.empty()) return "unix:" + url.socket;
    return (url.tls ? "https://" : "http://") + authority(url) + url.base;
}

}  // namespace heft::net
