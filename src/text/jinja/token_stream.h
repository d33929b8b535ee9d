// The parsers' view of the tokens, and the errors that they share.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/jinja/lexer.h"

namespace heft::text::jinja {

class TokenStream {
  public:
    explicit TokenStream(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

    const Token& current() const { return tokens_[at_]; }
    const Token& look() const { return tokens_[at_ + 1 < tokens_.size() ? at_ + 1 : at_]; }
    Token next() {
        Token token = tokens_[at_];
        if (at_ + 1 < tokens_.size()) ++at_;
        return token;
    }
    int line() const { return current().line; }
    bool at(TokenKind kind) const { return current().kind == kind; }
    bool at_op(std::string_view op) const { return at(TokenKind::op) && current().text == op; }
    bool at_name(std::string_view name) const {
        return at(TokenKind::name) && current().text == name;
    }
    bool skip_op(std::string_view op) { return at_op(op) && (next(), true); }
    bool skip_name(std::string_view name) { return at_name(name) && (next(), true); }

    Status expect_op(std::string_view op);
    Status expect_name(std::string_view name);
    Status expect(TokenKind kind, std::string_view what);
    Result<std::string> expect_any_name();
    Error unexpected() const;  // what stands here should not

  private:
    std::vector<Token> tokens_;
    std::size_t at_ = 0;
};

}  // namespace heft::text::jinja
