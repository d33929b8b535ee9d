// Expressions of a template, by precedence: ternary, or, and, not, comparisons, + -, ~, * / // %,
// **, unary, primary with its chain of .x [y] (z) |filter and tests.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "text/jinja/ast.h"
#include "text/jinja/token_stream.h"

namespace heft::text::jinja {

inline constexpr int kMaxParseDepth = 120;  // nested brackets and blocks together

class ExpressionParser {
  public:
    ExpressionParser(TokenStream& tokens, int& depth) : tokens_(tokens), depth_(depth) {}

    Result<ExprPtr> expression();
    Result<ExprPtr> disjunction();  // no ternary: what may stand before the `if` of a for loop
    // One expression or, with commas, a tuple; `stop` is a name that ends it.
    Result<ExprPtr> tuple(bool ternary, std::string_view stop = {});
    Result<std::vector<Step>> filters();  // name(args)|name…, for blocks
    Result<Target> target(std::string_view stop, bool namespaces);
    Result<std::vector<Parameter>> signature();

    // Names read since the flags were last cleared, for loops and macros that want to know.
    struct Uses {
        bool loop = false;
        bool caller = false;
        bool varargs = false;
        bool kwargs = false;
    };
    Uses uses;

  private:
    class Level;

    Result<ExprPtr> conjunction();
    Result<ExprPtr> negation();
    Result<ExprPtr> comparison();
    Result<ExprPtr> sum();
    Result<ExprPtr> concat();
    Result<ExprPtr> product();
    Result<ExprPtr> power();
    Result<ExprPtr> unary(bool with_filters);
    Result<ExprPtr> primary();
    Result<ExprPtr> parenthesized();
    Result<ExprPtr> list_display();
    Result<ExprPtr> dict_display();
    Result<ExprPtr> number();
    Result<ExprPtr> name();
    Result<ExprPtr> chain(ExprPtr base, bool with_filters);
    Result<bool> postfix(std::vector<Step>& steps);
    Result<bool> filter_or_test(std::vector<Step>& steps);
    Result<Step> subscript();
    Result<Step> attribute();
    Result<Step> filter();
    Result<Step> test();
    Result<ExprPtr> slice_part();
    Result<std::vector<Argument>> arguments();
    Result<Argument> argument();
    Result<Target> one_target(bool namespaces);
    std::optional<CompareOp> comparison_op();
    std::optional<ArithmeticOp> arithmetic_op(std::string_view level);
    template <class Next>
    Result<ExprPtr> arithmetic(std::string_view level, Next operand);
    bool tuple_ends(std::string_view stop) const;

    TokenStream& tokens_;
    int& depth_;
};

}  // namespace heft::text::jinja
