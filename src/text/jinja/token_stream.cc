#include "text/jinja/token_stream.h"

#include <fmt/format.h>

namespace heft::text::jinja {

namespace {

std::string described(const Token& token) {
    switch (token.kind) {
        case TokenKind::end: return "the end of the template";
        case TokenKind::data: return "text";
        case TokenKind::string: return "a string";
        case TokenKind::block_begin:
        case TokenKind::print_begin:
        case TokenKind::block_end:
        case TokenKind::print_end:
        case TokenKind::name:
        case TokenKind::integer:
        case TokenKind::real:
        case TokenKind::op: break;
    }
    return fmt::format("'{}'", token.text);
}

}  // namespace

Error TokenStream::unexpected() const {
    return syntax_error(line(), fmt::format("unexpected {}", described(current())));
}

Status TokenStream::expect_op(std::string_view op) {
    if (skip_op(op)) return {};
    return syntax_error(line(), fmt::format("expected '{}', found {}", op, described(current())));
}

Status TokenStream::expect_name(std::string_view name) {
    if (skip_name(name)) return {};
    return syntax_error(line(), fmt::format("expected '{}', found {}", name, described(current())));
}

Status TokenStream::expect(TokenKind kind, std::string_view what) {
    if (!at(kind))
        return syntax_error(line(),
                            fmt::format("expected {}, found {}", what, described(current())));
    next();
    return {};
}

Result<std::string> TokenStream::expect_any_name() {
    if (!at(TokenKind::name)) {
        return syntax_error(line(), fmt::format("expected a name, found {}", described(current())));
    }
    return next().text;
}

}  // namespace heft::text::jinja
