#include "text/jinja/expression_parser.h"

#include <fmt/format.h>

#include "text/jinja/depth.h"
#include "text/jinja/literal.h"

namespace heft::text::jinja {

namespace {

template <class Node>
ExprPtr make(int line, Node node) {
    auto expr = std::make_unique<Expr>();
    expr->line = line;
    expr->node = std::move(node);
    return expr;
}

Error too_deep(int line) {
    return syntax_error(line, fmt::format("nested deeper than {} levels", kMaxParseDepth));
}

}  // namespace

Result<ExprPtr> ExpressionParser::expression() {
    const Depth level(depth_);
    if (depth_ > kMaxParseDepth) return too_deep(tokens_.line());
    const int line = tokens_.line();
    HEFT_TRY(ExprPtr result, disjunction());
    while (tokens_.skip_name("if")) {
        Conditional choice;
        choice.then = std::move(result);
        HEFT_TRY(choice.test, disjunction());
        if (tokens_.skip_name("else")) {
            HEFT_TRY(choice.otherwise, expression());
        }
        result = make(line, std::move(choice));
        if (++depth_ > kMaxParseDepth) return too_deep(line);
    }
    return result;
}

Result<ExprPtr> ExpressionParser::disjunction() {
    const int line = tokens_.line();
    HEFT_TRY(ExprPtr first, conjunction());
    if (!tokens_.at_name("or")) return first;
    Logic logic;
    logic.all = false;
    logic.operands.push_back(std::move(first));
    while (tokens_.skip_name("or")) {
        HEFT_TRY(ExprPtr operand, conjunction());
        logic.operands.push_back(std::move(operand));
    }
    return make(line, std::move(logic));
}

Result<ExprPtr> ExpressionParser::conjunction() {
    const int line = tokens_.line();
    HEFT_TRY(ExprPtr first, negation());
    if (!tokens_.at_name("and")) return first;
    Logic logic;
    logic.operands.push_back(std::move(first));
    while (tokens_.skip_name("and")) {
        HEFT_TRY(ExprPtr operand, negation());
        logic.operands.push_back(std::move(operand));
    }
    return make(line, std::move(logic));
}

Result<ExprPtr> ExpressionParser::negation() {
    const int line = tokens_.line();
    if (!tokens_.skip_name("not")) return comparison();
    const Depth level(depth_);
    if (depth_ > kMaxParseDepth) return too_deep(line);
    HEFT_TRY(ExprPtr operand, negation());
    return make(line, Unary{UnaryOp::logical_not, std::move(operand)});
}

std::optional<CompareOp> ExpressionParser::comparison_op() {
    constexpr std::pair<std::string_view, CompareOp> kOps[] = {
        {"==", CompareOp::eq}, {"!=", CompareOp::ne}, {"<", CompareOp::lt},
        {"<=", CompareOp::le}, {">", CompareOp::gt},  {">=", CompareOp::ge},
    };
    for (const auto& [sign, op] : kOps) {
        if (tokens_.skip_op(sign)) return op;
    }
    if (tokens_.skip_name("in")) return CompareOp::in;
    const Token& after = tokens_.look();
    if (tokens_.at_name("not") && after.kind == TokenKind::name && after.text == "in") {
        tokens_.next();
        tokens_.next();
        return CompareOp::not_in;
    }
    return std::nullopt;
}

Result<ExprPtr> ExpressionParser::comparison() {
    const int line = tokens_.line();
    HEFT_TRY(ExprPtr first, sum());
    Comparison comparison;
    while (const auto op = comparison_op()) {
        HEFT_TRY(ExprPtr operand, sum());
        comparison.rest.emplace_back(*op, std::move(operand));
    }
    if (comparison.rest.empty()) return first;
    comparison.first = std::move(first);
    return make(line, std::move(comparison));
}

std::optional<ArithmeticOp> ExpressionParser::arithmetic_op(std::string_view level) {
    constexpr std::pair<std::string_view, ArithmeticOp> kOps[] = {
        {"+", ArithmeticOp::add},           {"-", ArithmeticOp::subtract},
        {"*", ArithmeticOp::multiply},      {"/", ArithmeticOp::divide},
        {"%", ArithmeticOp::modulo},        {"**", ArithmeticOp::power},
        {"//", ArithmeticOp::floor_divide},
    };
    if (!tokens_.at(TokenKind::op)) return std::nullopt;
    for (const auto& [sign, op] : kOps) {
        const bool here = level == "**"
                              ? sign == "**"
                              : sign != "**" && level.find(sign[0]) != std::string_view::npos;
        if (here && tokens_.skip_op(sign)) return op;
    }
    return std::nullopt;
}

// A chain of left-associative operators of one level.
template <class Next>
Result<ExprPtr> ExpressionParser::arithmetic(std::string_view level, Next operand) {
    const int line = tokens_.line();
    HEFT_TRY(ExprPtr first, (this->*operand)());
    Arithmetic chain;
    while (const auto op = arithmetic_op(level)) {
        HEFT_TRY(ExprPtr next, (this->*operand)());
        chain.rest.emplace_back(*op, std::move(next));
    }
    if (chain.rest.empty()) return first;
    chain.first = std::move(first);
    return make(line, std::move(chain));
}

Result<ExprPtr> ExpressionParser::sum() {
    return arithmetic("+-", &ExpressionParser::concat);
}

Result<ExprPtr> ExpressionParser::product() {
    return arithmetic("*/%", &ExpressionParser::power);
}

Result<ExprPtr> ExpressionParser::concat() {
    const int line = tokens_.line();
    HEFT_TRY(ExprPtr first, product());
    if (!tokens_.at_op("~")) return first;
    Concat concat;
    concat.parts.push_back(std::move(first));
    while (tokens_.skip_op("~")) {
        HEFT_TRY(ExprPtr part, product());
        concat.parts.push_back(std::move(part));
    }
    return make(line, std::move(concat));
}

Result<ExprPtr> ExpressionParser::power() {
    const int line = tokens_.line();
    HEFT_TRY(ExprPtr first, unary(true));
    Arithmetic chain;
    while (const auto op = arithmetic_op("**")) {
        HEFT_TRY(ExprPtr next, unary(true));
        chain.rest.emplace_back(*op, std::move(next));
    }
    if (chain.rest.empty()) return first;
    chain.first = std::move(first);
    return make(line, std::move(chain));
}

Result<ExprPtr> ExpressionParser::unary(bool with_filters) {
    const int line = tokens_.line();
    const bool minus = tokens_.at_op("-");
    if (!minus && !tokens_.at_op("+")) {
        HEFT_TRY(ExprPtr base, primary());
        return chain(std::move(base), with_filters);
    }
    const Depth level(depth_);
    if (depth_ > kMaxParseDepth) return too_deep(line);
    tokens_.next();
    HEFT_TRY(ExprPtr operand, unary(false));
    ExprPtr base =
        make(line, Unary{minus ? UnaryOp::negative : UnaryOp::positive, std::move(operand)});
    return chain(std::move(base), with_filters);
}

Result<ExprPtr> ExpressionParser::primary() {
    const Depth level(depth_);
    const int line = tokens_.line();
    if (depth_ > kMaxParseDepth) return too_deep(line);
    switch (tokens_.current().kind) {
        case TokenKind::name: return name();
        case TokenKind::integer:
        case TokenKind::real: return number();
        case TokenKind::string: {
            std::string text;
            while (tokens_.at(TokenKind::string)) text += tokens_.next().text;
            return make(line, Text{Constant(std::move(text))});
        }
        case TokenKind::op:
            if (tokens_.at_op("(")) return parenthesized();
            if (tokens_.at_op("[")) return list_display();
            if (tokens_.at_op("{")) return dict_display();
            break;
        case TokenKind::data:
        case TokenKind::print_begin:
        case TokenKind::print_end:
        case TokenKind::block_begin:
        case TokenKind::block_end:
        case TokenKind::end: break;
    }
    return tokens_.unexpected();
}

Result<ExprPtr> ExpressionParser::name() {
    const int line = tokens_.line();
    const std::string text = tokens_.next().text;
    if (text == "true" || text == "True") return make(line, Value::boolean(true));
    if (text == "false" || text == "False") return make(line, Value::boolean(false));
    if (text == "none" || text == "None") return make(line, Value::none());
    uses.loop |= text == "loop";
    uses.caller |= text == "caller";
    uses.varargs |= text == "varargs";
    uses.kwargs |= text == "kwargs";
    return make(line, Variable{Constant(text)});
}

Result<ExprPtr> ExpressionParser::number() {
    const int line = tokens_.line();
    const Token token = tokens_.next();
    if (token.kind == TokenKind::real) {
        const auto value = parse_real(token.text);
        if (!value)
            return syntax_error(line, fmt::format("{} is not a number that fits", token.text));
        return make(line, Value::real(*value));
    }
    const auto value = parse_integer(token.text);
    if (!value) return syntax_error(line, fmt::format("{} does not fit in 64 bits", token.text));
    return make(line, Value::integer(*value));
}

Result<ExprPtr> ExpressionParser::parenthesized() {
    const int line = tokens_.line();
    HEFT_OK(tokens_.expect_op("("));
    if (tokens_.skip_op(")")) return make(line, Sequence{Flavor::tuple, {}});
    HEFT_TRY(ExprPtr inner, tuple(true));
    HEFT_OK(tokens_.expect_op(")"));
    return inner;
}

bool ExpressionParser::tuple_ends(std::string_view stop) const {
    return tokens_.at(TokenKind::print_end) || tokens_.at(TokenKind::block_end)
           || tokens_.at_op(")") || (!stop.empty() && tokens_.at_name(stop));
}

Result<ExprPtr> ExpressionParser::tuple(bool ternary, std::string_view stop) {
    const int line = tokens_.line();
    HEFT_TRY(ExprPtr first, ternary ? expression() : disjunction());
    if (!tokens_.at_op(",")) return first;
    Sequence sequence{Flavor::tuple, {}};
    sequence.items.push_back(std::move(first));
    while (tokens_.skip_op(",") && !tuple_ends(stop)) {
        HEFT_TRY(ExprPtr item, ternary ? expression() : disjunction());
        sequence.items.push_back(std::move(item));
    }
    return make(line, std::move(sequence));
}

Result<ExprPtr> ExpressionParser::list_display() {
    const int line = tokens_.line();
    HEFT_OK(tokens_.expect_op("["));
    Sequence sequence;
    while (!tokens_.at_op("]")) {
        if (!sequence.items.empty()) HEFT_OK(tokens_.expect_op(","));
        if (tokens_.at_op("]")) break;
        HEFT_TRY(ExprPtr item, expression());
        sequence.items.push_back(std::move(item));
    }
    HEFT_OK(tokens_.expect_op("]"));
    return make(line, std::move(sequence));
}

Result<ExprPtr> ExpressionParser::dict_display() {
    const int line = tokens_.line();
    HEFT_OK(tokens_.expect_op("{"));
    DictDisplay dict;
    while (!tokens_.at_op("}")) {
        if (!dict.entries.empty()) HEFT_OK(tokens_.expect_op(","));
        if (tokens_.at_op("}")) break;
        HEFT_TRY(ExprPtr key, expression());
        HEFT_OK(tokens_.expect_op(":"));
        HEFT_TRY(ExprPtr value, expression());
        dict.entries.emplace_back(std::move(key), std::move(value));
    }
    HEFT_OK(tokens_.expect_op("}"));
    return make(line, std::move(dict));
}

}  // namespace heft::text::jinja
