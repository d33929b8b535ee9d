#include "serve/page/routes.h"

#include <memory>

#include "base/bytes.h"
#include "base/sha256.h"
#include "serve/page/files.h"

namespace heft::serve {

namespace {

// Scripts and styles of our own files alone, requests to ourselves alone, and no text that becomes
// markup: the script has to make do without innerHTML (Trusted Types).
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'";
constexpr std::size_t kTagDigits = 16;

Headers headers_of(const std::string& tag) {
    return {{"Content-Security-Policy", std::string(kPolicy)},
            {"X-Content-Type-Options", "nosniff"},
            {"Referrer-Policy", "no-referrer"},
            {"Cross-Origin-Opener-Policy", "same-origin"},
            {"Cross-Origin-Resource-Policy", "same-origin"},
            {"Cache-Control", "no-cache"},  // kept, but asked for at each use: names never change
            {"ETag", tag}};
}

// RFC 9110, 13.1.2: any of the listed tags, weak or not, or any at all.
bool is_known(const HttpRequest& request, const std::string& tag) {
    const auto found = request.headers.find("if-none-match");
    return found != request.headers.end()
           && (found->second == "*" || found->second.find(tag) != std::string::npos);
}

std::string tag_of(std::string_view bytes) {
    const auto digest = sha256(as_bytes(bytes));
    return digest ? "\"" + digest->substr(0, kTagDigits) + "\"" : "";
}

}  // namespace

std::vector<Route> page_routes() {
    std::vector<Route> routes;
    for (const PageFile& file : page_files())
        routes.push_back({"GET", std::string(file.path),
                          [&file, tag = tag_of(file.bytes)](const HttpRequest& request,
                                                            std::shared_ptr<Responder> out) {
                              const bool known = !tag.empty() && is_known(request, tag);
                              out->send(known ? 304 : 200, file.type,
                                        known ? "" : std::string(file.bytes), headers_of(tag));
                          },
                          true});
    return routes;
}

}  // namespace heft::serve
