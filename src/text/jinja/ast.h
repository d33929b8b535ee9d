// A parsed template. Chains (a + b - c, a ~ b, x.y|f is t) are flat lists, so that only real
// nesting makes the tree deep. Immutable after parsing.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "text/jinja/operators.h"
#include "text/jinja/value.h"

namespace heft::text::jinja {

struct Expr;
struct Stmt;
using ExprPtr = std::unique_ptr<Expr>;
using Body = std::vector<Stmt>;

// Text of the template itself, as a value without a heap.
struct Constant {
    explicit Constant(std::string text) : owner(std::make_unique<Str>(std::move(text))) {}

    std::string_view text() const { return owner->text; }
    Value value() const { return Value(owner.get()); }

    std::unique_ptr<Str> owner;
};

struct Argument {
    enum class Form : std::uint8_t { positional, named, spread, spread_named };
    Form form = Form::positional;
    std::string name;
    ExprPtr value;
};

struct Variable {
    Constant name;
};

struct Text {
    Constant text;
};

struct Sequence {
    Flavor flavor = Flavor::list;
    std::vector<ExprPtr> items;
};

struct DictDisplay {
    std::vector<std::pair<ExprPtr, ExprPtr>> entries;
};

enum class UnaryOp : std::uint8_t { negative, positive, logical_not };

struct Unary {
    UnaryOp op = UnaryOp::negative;
    ExprPtr operand;
};

struct Logic {
    bool all = true;  // and; otherwise or
    std::vector<ExprPtr> operands;
};

struct Comparison {
    ExprPtr first;
    std::vector<std::pair<CompareOp, ExprPtr>> rest;
};

struct Arithmetic {
    ExprPtr first;
    std::vector<std::pair<ArithmeticOp, ExprPtr>> rest;
};

struct Concat {
    std::vector<ExprPtr> parts;
};

struct Conditional {
    ExprPtr test;
    ExprPtr then;
    ExprPtr otherwise;  // may be null
};

// One link of a chain behind a value: .name, [key], [a:b:c], (args), |filter(args), is test(args).
struct Step {
    enum class Form : std::uint8_t { attribute, item, slice, call, filter, test };
    Form form = Form::attribute;
    int line = 0;
    bool negated = false;  // is not
    std::unique_ptr<Constant> name;
    ExprPtr start;  // of a slice, or the key of an item
    ExprPtr stop;
    ExprPtr step;
    std::vector<Argument> args;
};

struct Chain {
    ExprPtr base;
    std::vector<Step> steps;
};

struct Expr {
    int line = 0;
    std::variant<Value, Text, Variable, Sequence, DictDisplay, Unary, Logic, Comparison, Arithmetic,
                 Concat, Conditional, Chain>
        node;
};

struct Target {
    std::string name;
    std::string attribute;      // of a namespace; empty for a plain name
    std::vector<Target> parts;  // to unpack into, when the name is empty
};

struct Parameter {
    std::string name;
    ExprPtr otherwise;  // default; may be null
};

struct Print {
    ExprPtr value;
};

struct Branch {
    ExprPtr test;
    Body body;
};

struct If {
    std::vector<Branch> branches;
    Body otherwise;
};

struct For {
    Target target;
    ExprPtr items;
    ExprPtr filter;  // may be null
    Body body;
    Body otherwise;
    bool recursive = false;
    bool uses_loop = false;
};

struct Set {
    Target target;
    ExprPtr value;
};

struct SetBlock {
    Target target;
    std::vector<Step> filters;
    Body body;
};

struct MacroBody {
    std::string name;
    std::vector<Parameter> parameters;
    Body body;
    bool uses_caller = false;
    bool uses_varargs = false;
    bool uses_kwargs = false;
};

struct DefineMacro {
    std::unique_ptr<MacroBody> macro;
};

struct CallBlock {
    std::unique_ptr<MacroBody> caller;
    ExprPtr call;  // a chain that ends in a call
};

struct FilterBlock {
    std::vector<Step> filters;
    Body body;
};

struct With {
    std::vector<std::pair<Target, ExprPtr>> bindings;
    Body body;
};

struct Scoped {  // {% generation %}
    Body body;
};

struct Break {};
struct Continue {};

struct Stmt {
    int line = 0;
    std::variant<Text, Print, If, For, Set, SetBlock, DefineMacro, CallBlock, FilterBlock, With,
                 Scoped, Break, Continue>
        node;
};

}  // namespace heft::text::jinja
