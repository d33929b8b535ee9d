// What follows a value (.x [y] (z) |filter, is test), arguments, and targets of assignments.
#include <fmt/format.h>

#include "text/jinja/depth.h"
#include "text/jinja/expression_parser.h"

namespace heft::text::jinja {

Result<ExprPtr> ExpressionParser::chain(ExprPtr base, bool with_filters) {
    const int line = tokens_.line();
    Chain chain;
    for (bool more = true; more;) {
        HEFT_TRY(more, postfix(chain.steps));
    }
    for (bool more = with_filters; more;) {
        HEFT_TRY(more, filter_or_test(chain.steps));
    }
    if (chain.steps.empty()) return base;
    chain.base = std::move(base);
    auto expr = std::make_unique<Expr>();
    expr->line = line;
    expr->node = std::move(chain);
    return expr;
}

Result<bool> ExpressionParser::postfix(std::vector<Step>& steps) {
    if (tokens_.at_op(".")) {
        HEFT_TRY(Step step, attribute());
        steps.push_back(std::move(step));
        return true;
    }
    if (tokens_.at_op("[")) {
        HEFT_TRY(Step step, subscript());
        steps.push_back(std::move(step));
        return true;
    }
    if (!tokens_.at_op("(")) return false;
    Step step;
    step.form = Step::Form::call;
    step.line = tokens_.line();
    HEFT_TRY(step.args, arguments());
    steps.push_back(std::move(step));
    return true;
}

Result<bool> ExpressionParser::filter_or_test(std::vector<Step>& steps) {
    if (tokens_.at_op("(")) return postfix(steps);
    if (tokens_.skip_op("|")) {
        HEFT_TRY(Step step, filter());
        steps.push_back(std::move(step));
        return true;
    }
    if (!tokens_.skip_name("is")) return false;
    HEFT_TRY(Step step, test());
    steps.push_back(std::move(step));
    return true;
}

Result<Step> ExpressionParser::attribute() {
    Step step;
    step.line = tokens_.line();
    HEFT_OK(tokens_.expect_op("."));
    if (tokens_.at(TokenKind::name)) {
        step.name = std::make_unique<Constant>(tokens_.next().text);
        return step;
    }
    if (!tokens_.at(TokenKind::integer)) return tokens_.unexpected();
    step.form = Step::Form::item;
    HEFT_TRY(step.start, number());
    return step;
}

Result<ExprPtr> ExpressionParser::slice_part() {
    if (tokens_.at_op(":") || tokens_.at_op("]") || tokens_.at_op(",")) return ExprPtr();
    return expression();
}

Result<Step> ExpressionParser::subscript() {
    Step step;
    step.form = Step::Form::item;
    step.line = tokens_.line();
    HEFT_OK(tokens_.expect_op("["));
    if (!tokens_.at_op(":") && !tokens_.at_op("]")) {
        HEFT_TRY(step.start, expression());
    }
    const bool nothing = step.start == nullptr && tokens_.at_op("]");  // the same as [()]
    if (nothing) {
        step.start = std::make_unique<Expr>();
        step.start->line = step.line;
        step.start->node = Sequence{Flavor::tuple, {}};
    } else if (tokens_.skip_op(":")) {
        step.form = Step::Form::slice;
        HEFT_TRY(step.stop, slice_part());
        if (tokens_.skip_op(":")) {
            HEFT_TRY(step.step, slice_part());
        }
    } else if (tokens_.at_op(",")) {
        Sequence keys{Flavor::tuple, {}};
        keys.items.push_back(std::move(step.start));
        while (tokens_.skip_op(",") && !tokens_.at_op("]")) {
            HEFT_TRY(ExprPtr key, expression());
            keys.items.push_back(std::move(key));
        }
        step.start = std::make_unique<Expr>();
        step.start->line = step.line;
        step.start->node = std::move(keys);
    }
    HEFT_OK(tokens_.expect_op("]"));
    return step;
}

Result<Step> ExpressionParser::filter() {
    Step step;
    step.form = Step::Form::filter;
    step.line = tokens_.line();
    HEFT_TRY(std::string name, tokens_.expect_any_name());
    while (tokens_.skip_op(".")) {
        HEFT_TRY(const std::string more, tokens_.expect_any_name());
        name += "." + more;
    }
    step.name = std::make_unique<Constant>(std::move(name));
    if (tokens_.at_op("(")) {
        HEFT_TRY(step.args, arguments());
    }
    return step;
}

Result<Step> ExpressionParser::test() {
    Step step;
    step.form = Step::Form::test;
    step.line = tokens_.line();
    step.negated = tokens_.skip_name("not");
    HEFT_TRY(std::string name, tokens_.expect_any_name());
    step.name = std::make_unique<Constant>(std::move(name));
    if (tokens_.at_op("(")) {
        HEFT_TRY(step.args, arguments());
        return step;
    }
    bool operand = tokens_.at(TokenKind::string) || tokens_.at(TokenKind::integer)
                   || tokens_.at(TokenKind::real) || tokens_.at_op("[") || tokens_.at_op("{");
    if (tokens_.at(TokenKind::name)) {
        operand = true;
        for (const std::string_view word : {"else", "or", "and", "if", "in", "not", "recursive"}) {
            if (tokens_.at_name(word)) operand = false;
        }
        if (tokens_.at_name("is"))
            return syntax_error(tokens_.line(), "tests with 'is' cannot be chained");
    }
    if (!operand) return step;
    HEFT_TRY(ExprPtr base, primary());
    Argument argument;
    HEFT_TRY(argument.value, chain(std::move(base), false));
    step.args.push_back(std::move(argument));
    return step;
}

Result<Argument> ExpressionParser::argument() {
    Argument argument;
    if (tokens_.skip_op("*")) {
        argument.form = Argument::Form::spread;
    } else if (tokens_.skip_op("**")) {
        argument.form = Argument::Form::spread_named;
    } else if (tokens_.at(TokenKind::name) && tokens_.look().kind == TokenKind::op
               && tokens_.look().text == "=") {
        argument.form = Argument::Form::named;
        argument.name = tokens_.next().text;
        tokens_.next();
    }
    HEFT_TRY(argument.value, expression());
    return argument;
}

Result<std::vector<Argument>> ExpressionParser::arguments() {
    HEFT_OK(tokens_.expect_op("("));
    std::vector<Argument> args;
    auto last = Argument::Form::positional;
    while (!tokens_.at_op(")")) {
        if (!args.empty()) HEFT_OK(tokens_.expect_op(","));
        if (tokens_.at_op(")")) break;
        const int line = tokens_.line();
        HEFT_TRY(Argument next, argument());
        const bool misplaced =
            next.form == Argument::Form::positional && last != Argument::Form::positional;
        if (misplaced || last == Argument::Form::spread_named) {
            return syntax_error(line, "a positional argument follows a named one");
        }
        last = next.form;
        args.push_back(std::move(next));
    }
    HEFT_OK(tokens_.expect_op(")"));
    return args;
}

Result<std::vector<Step>> ExpressionParser::filters() {
    std::vector<Step> steps;
    do {
        HEFT_TRY(Step step, filter());
        steps.push_back(std::move(step));
    } while (tokens_.skip_op("|"));
    return steps;
}

Result<Target> ExpressionParser::one_target(bool namespaces) {
    const Depth level(depth_);
    if (depth_ > kMaxParseDepth)
        return syntax_error(tokens_.line(), "too many brackets in an assignment");
    Target target;
    if (tokens_.at_op("(") || tokens_.at_op("[")) {
        const std::string_view shut = tokens_.next().text == "(" ? ")" : "]";
        while (!tokens_.at_op(shut)) {
            if (!target.parts.empty()) HEFT_OK(tokens_.expect_op(","));
            if (tokens_.at_op(shut)) break;
            HEFT_TRY(Target part, one_target(namespaces));
            target.parts.push_back(std::move(part));
        }
        HEFT_OK(tokens_.expect_op(shut));
        if (target.parts.empty()) return syntax_error(tokens_.line(), "nothing to assign to");
        return target;
    }
    const int line = tokens_.line();
    HEFT_TRY(target.name, tokens_.expect_any_name());
    for (const std::string_view reserved : {"true", "false", "none", "True", "False", "None"}) {
        if (target.name == reserved)
            return syntax_error(line, fmt::format("can't assign to '{}'", reserved));
    }
    if (namespaces && tokens_.skip_op(".")) {
        HEFT_TRY(target.attribute, tokens_.expect_any_name());
    }
    return target;
}

Result<Target> ExpressionParser::target(std::string_view stop, bool namespaces) {
    HEFT_TRY(Target first, one_target(namespaces));
    if (!tokens_.at_op(",")) return first;
    Target target;
    target.parts.push_back(std::move(first));
    while (tokens_.skip_op(",")) {
        if (tuple_ends(stop) || tokens_.at_op("=")) break;
        HEFT_TRY(Target part, one_target(namespaces));
        target.parts.push_back(std::move(part));
    }
    return target;
}

Result<std::vector<Parameter>> ExpressionParser::signature() {
    HEFT_OK(tokens_.expect_op("("));
    std::vector<Parameter> parameters;
    while (!tokens_.at_op(")")) {
        if (!parameters.empty()) HEFT_OK(tokens_.expect_op(","));
        if (tokens_.at_op(")")) break;
        Parameter parameter;
        const int line = tokens_.line();
        HEFT_TRY(parameter.name, tokens_.expect_any_name());
        if (tokens_.skip_op("=")) {
            HEFT_TRY(parameter.otherwise, expression());
        } else if (!parameters.empty() && parameters.back().otherwise != nullptr) {
            return syntax_error(line, "a parameter without a default follows one with a default");
        }
        parameters.push_back(std::move(parameter));
    }
    HEFT_OK(tokens_.expect_op(")"));
    return parameters;
}

}  // namespace heft::text::jinja
