#include "text/jinja/parser.h"

#include <initializer_list>

#include <fmt/format.h>

#include "text/jinja/depth.h"
#include "text/jinja/expression_parser.h"

namespace heft::text::jinja {

namespace {

class Parser {
  public:
    explicit Parser(std::vector<Token> tokens)
        : tokens_(std::move(tokens)), expressions_(tokens_, depth_) {}

    Result<Body> run();

  private:
    using Ends = std::initializer_list<std::string_view>;

    // Statements up to one of the ends, whose name is the current token afterwards.
    Result<Body> body(Ends ends);
    // The same, with the end's tag consumed; for blocks with one end.
    Result<Body> whole_body(std::string_view end);
    // The same for a body that breaks cannot leave.
    Result<Body> closed_body(std::string_view end);
    Status tag_end() { return tokens_.expect(TokenKind::block_end, "the end of the tag"); }
    bool at_end(Ends ends) const;

    Result<Stmt> print();
    Result<Stmt> statement();
    Result<Stmt> if_block();
    Result<Stmt> for_block();
    Result<Stmt> set();
    Result<Stmt> macro();
    Result<Stmt> call_block();
    Result<Stmt> filter_block();
    Result<Stmt> with_block();
    Result<Stmt> generation();
    Result<Stmt> break_loop();
    Result<Stmt> continue_loop();
    Result<std::unique_ptr<MacroBody>> macro_body(std::string name,
                                                  std::vector<Parameter> parameters,
                                                  std::string_view end);

    TokenStream tokens_;
    int depth_ = 0;
    int loops_ = 0;  // open around this place, within the same macro
    ExpressionParser expressions_;
};

Result<Body> Parser::run() {
    HEFT_TRY(Body all, body({}));
    if (!tokens_.at(TokenKind::end)) return tokens_.unexpected();
    return all;
}

bool Parser::at_end(Ends ends) const {
    if (tokens_.look().kind != TokenKind::name) return false;
    for (const std::string_view end : ends) {
        if (tokens_.look().text == end) return true;
    }
    return false;
}

Result<Body> Parser::body(Ends ends) {
    const Depth level(depth_);
    if (depth_ > kMaxParseDepth)
        return syntax_error(tokens_.line(), "blocks are nested too deeply");
    Body statements;
    while (!tokens_.at(TokenKind::end)) {
        if (tokens_.at(TokenKind::data)) {
            const int line = tokens_.line();
            statements.push_back(Stmt{line, Text{Constant(tokens_.next().text)}});
        } else if (tokens_.at(TokenKind::print_begin)) {
            HEFT_TRY(Stmt made, print());
            statements.push_back(std::move(made));
        } else if (at_end(ends)) {
            tokens_.next();
            return statements;
        } else {
            HEFT_TRY(Stmt made, statement());
            statements.push_back(std::move(made));
        }
    }
    if (ends.size() == 0) return statements;
    return syntax_error(tokens_.line(),
                        fmt::format("the template ends where '{}' is expected", *(ends.end() - 1)));
}

Result<Body> Parser::whole_body(std::string_view end) {
    HEFT_TRY(Body inner, body({end}));
    HEFT_OK(tokens_.expect_name(end));
    HEFT_OK(tag_end());
    return inner;
}

Result<Body> Parser::closed_body(std::string_view end) {
    const int outer = std::exchange(loops_, 0);
    HEFT_TRY(Body inner, whole_body(end));
    loops_ = outer;
    return inner;
}

Result<Stmt> Parser::print() {
    const int line = tokens_.line();
    tokens_.next();
    Print print;
    HEFT_TRY(print.value, expressions_.tuple(true));
    HEFT_OK(tokens_.expect(TokenKind::print_end, "'}}'"));
    return Stmt{line, std::move(print)};
}

Result<Stmt> Parser::statement() {
    using Method = Result<Stmt> (Parser::*)();
    constexpr std::pair<std::string_view, Method> kTags[] = {
        {"if", &Parser::if_block},      {"for", &Parser::for_block},
        {"set", &Parser::set},          {"macro", &Parser::macro},
        {"call", &Parser::call_block},  {"filter", &Parser::filter_block},
        {"with", &Parser::with_block},  {"generation", &Parser::generation},
        {"break", &Parser::break_loop}, {"continue", &Parser::continue_loop},
    };
    constexpr std::string_view kRefused[] = {"include", "import",     "from",  "extends",
                                             "block",   "autoescape", "trans", "do"};
    HEFT_OK(tokens_.expect(TokenKind::block_begin, "a tag"));
    const int line = tokens_.line();
    HEFT_TRY(const std::string tag, tokens_.expect_any_name());
    for (const auto& [name, method] : kTags) {
        if (name != tag) continue;
        HEFT_TRY(Stmt made, (this->*method)());
        made.line = line;
        return made;
    }
    for (const std::string_view name : kRefused) {
        if (name != tag) continue;
        return Error{
            Code::unsupported,
            fmt::format("line {}: the tag '{}' is not supported in chat templates", line, tag)};
    }
    return syntax_error(line, fmt::format("unknown tag '{}'", tag));
}

Result<Stmt> Parser::if_block() {
    If statement;
    for (;;) {
        Branch branch;
        HEFT_TRY(branch.test, expressions_.tuple(true));
        HEFT_OK(tag_end());
        HEFT_TRY(branch.body, body({"elif", "else", "endif"}));
        statement.branches.push_back(std::move(branch));
        if (tokens_.skip_name("elif")) continue;
        if (tokens_.skip_name("else")) {
            HEFT_OK(tag_end());
            HEFT_TRY(statement.otherwise, whole_body("endif"));
            return Stmt{0, std::move(statement)};
        }
        HEFT_OK(tokens_.expect_name("endif"));
        HEFT_OK(tag_end());
        return Stmt{0, std::move(statement)};
    }
}

Result<Stmt> Parser::for_block() {
    For loop;
    HEFT_TRY(loop.target, expressions_.target("in", false));
    HEFT_OK(tokens_.expect_name("in"));
    HEFT_TRY(loop.items, expressions_.tuple(false, "recursive"));
    if (tokens_.skip_name("if")) {
        HEFT_TRY(loop.filter, expressions_.expression());
    }
    loop.recursive = tokens_.skip_name("recursive");
    HEFT_OK(tag_end());
    const bool outer = expressions_.uses.loop;
    expressions_.uses.loop = false;
    ++loops_;
    HEFT_TRY(loop.body, body({"else", "endfor"}));
    --loops_;
    loop.uses_loop = expressions_.uses.loop || loop.recursive;
    expressions_.uses.loop = outer;
    if (tokens_.skip_name("else")) {
        HEFT_OK(tag_end());
        HEFT_TRY(loop.otherwise, whole_body("endfor"));
    } else {
        HEFT_OK(tokens_.expect_name("endfor"));
        HEFT_OK(tag_end());
    }
    return Stmt{0, std::move(loop)};
}

Result<Stmt> Parser::set() {
    HEFT_TRY(Target target, expressions_.target({}, true));
    if (tokens_.skip_op("=")) {
        Set assignment{std::move(target), nullptr};
        HEFT_TRY(assignment.value, expressions_.tuple(true));
        HEFT_OK(tag_end());
        return Stmt{0, std::move(assignment)};
    }
    SetBlock block{std::move(target), {}, {}};
    if (tokens_.skip_op("|")) {
        HEFT_TRY(block.filters, expressions_.filters());
    }
    HEFT_OK(tag_end());
    HEFT_TRY(block.body, closed_body("endset"));
    return Stmt{0, std::move(block)};
}

Result<std::unique_ptr<MacroBody>> Parser::macro_body(std::string name,
                                                      std::vector<Parameter> parameters,
                                                      std::string_view end) {
    auto macro = std::make_unique<MacroBody>();
    macro->name = std::move(name);
    macro->parameters = std::move(parameters);
    const ExpressionParser::Uses outer = expressions_.uses;
    expressions_.uses = {};
    HEFT_TRY(macro->body, closed_body(end));
    ExpressionParser::Uses& uses = expressions_.uses;
    macro->uses_caller = uses.caller;
    macro->uses_varargs = uses.varargs;
    macro->uses_kwargs = uses.kwargs;
    uses = {uses.loop || outer.loop, uses.caller || outer.caller, uses.varargs || outer.varargs,
            uses.kwargs || outer.kwargs};
    return macro;
}

Result<Stmt> Parser::macro() {
    HEFT_TRY(std::string name, tokens_.expect_any_name());
    HEFT_TRY(std::vector<Parameter> parameters, expressions_.signature());
    HEFT_OK(tag_end());
    DefineMacro define;
    HEFT_TRY(define.macro, macro_body(std::move(name), std::move(parameters), "endmacro"));
    return Stmt{0, std::move(define)};
}

Result<Stmt> Parser::call_block() {
    std::vector<Parameter> parameters;
    if (tokens_.at_op("(")) {
        HEFT_TRY(parameters, expressions_.signature());
    }
    const int line = tokens_.line();
    CallBlock block;
    HEFT_TRY(block.call, expressions_.expression());
    const auto* chain = std::get_if<Chain>(&block.call->node);
    if (chain == nullptr || chain->steps.back().form != Step::Form::call) {
        return syntax_error(line, "a call block wants a call");
    }
    HEFT_OK(tag_end());
    HEFT_TRY(block.caller, macro_body("caller", std::move(parameters), "endcall"));
    return Stmt{0, std::move(block)};
}

Result<Stmt> Parser::filter_block() {
    FilterBlock block;
    HEFT_TRY(block.filters, expressions_.filters());
    HEFT_OK(tag_end());
    HEFT_TRY(block.body, closed_body("endfilter"));
    return Stmt{0, std::move(block)};
}

Result<Stmt> Parser::with_block() {
    With block;
    while (!tokens_.at(TokenKind::block_end)) {
        if (!block.bindings.empty()) HEFT_OK(tokens_.expect_op(","));
        HEFT_TRY(Target target, expressions_.target({}, false));
        HEFT_OK(tokens_.expect_op("="));
        HEFT_TRY(ExprPtr value, expressions_.expression());
        block.bindings.emplace_back(std::move(target), std::move(value));
    }
    HEFT_OK(tag_end());
    HEFT_TRY(block.body, whole_body("endwith"));
    return Stmt{0, std::move(block)};
}

Result<Stmt> Parser::generation() {
    HEFT_OK(tag_end());
    HEFT_TRY(Body inner, closed_body("endgeneration"));
    return Stmt{0, Scoped{std::move(inner)}};
}

Result<Stmt> Parser::break_loop() {
    if (loops_ == 0) return syntax_error(tokens_.line(), "'break' outside of a loop");
    HEFT_OK(tag_end());
    return Stmt{0, Break{}};
}

Result<Stmt> Parser::continue_loop() {
    if (loops_ == 0) return syntax_error(tokens_.line(), "'continue' outside of a loop");
    HEFT_OK(tag_end());
    return Stmt{0, Continue{}};
}

}  // namespace

Result<Body> parse_template(std::string_view source) {
    if (source.size() > kMaxSourceBytes) {
        return Error{Code::exhausted,
                     fmt::format("the source is larger than {} bytes", kMaxSourceBytes)};
    }
    HEFT_TRY(std::vector<Token> tokens, tokenize(source));
    return Parser(std::move(tokens)).run();
}

}  // namespace heft::text::jinja
