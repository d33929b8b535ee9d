// The interpreter's expressions and calls.
#include <algorithm>

#include <fmt/format.h>

#include "text/jinja/block.h"
#include "text/jinja/depth.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/lookup.h"
#include "text/jinja/natives.h"
#include "text/jinja/operators.h"
#include "text/jinja/words.h"

namespace heft::text::jinja {

namespace {

constexpr std::size_t kMaxArguments = 4096;

}  // namespace

// Expressions, by kind.
struct Evaluate {
    Interpreter& run;
    int line;

    Result<Value> operator()(const Value& node) const { return node; }

    Result<Value> operator()(const Text& node) const { return node.text.value(); }

    Result<Value> operator()(const Variable& node) const {
        const Value* found = run.scope_->find(node.name.text());
        if (found != nullptr) return *found;
        return run.heap_.undefined(fmt::format("'{}' is undefined", node.name.text()));
    }

    Result<Value> operator()(const Sequence& node) const {
        std::vector<Value> items;
        items.reserve(node.items.size());
        for (const ExprPtr& item : node.items) {
            HEFT_TRY(Value value, run.evaluate(*item));
            items.push_back(std::move(value));
        }
        return run.heap_.list(std::move(items), node.flavor);
    }

    Result<Value> operator()(const DictDisplay& node) const {
        HEFT_TRY(Dict * dict, run.heap_.dict());
        for (const auto& entry : node.entries) {
            HEFT_TRY(const Value key, run.evaluate(*entry.first));
            if (!hashable(key))
                return type_error(fmt::format("unhashable type: '{}'", type_name(key)));
            HEFT_TRY(Value value, run.evaluate(*entry.second));
            HEFT_OK(dict->set(run.heap_, key, std::move(value)));
        }
        return Value(dict);
    }

    Result<Value> operator()(const Unary& node) const {
        HEFT_TRY(Value value, run.evaluate(*node.operand));
        switch (node.op) {
            case UnaryOp::logical_not: return Value::boolean(!truth(value));
            case UnaryOp::negative: return negate(value);
            case UnaryOp::positive: break;
        }
        HEFT_TRY(const Value negated, negate(value));
        return negate(negated);
    }

    Result<Value> operator()(const Logic& node) const {
        Value value;
        for (const ExprPtr& operand : node.operands) {
            HEFT_TRY(value, run.evaluate(*operand));
            if (truth(value) != node.all) break;
        }
        return value;
    }

    Result<Value> operator()(const Comparison& node) const {
        HEFT_TRY(Value left, run.evaluate(*node.first));
        for (const auto& [op, operand] : node.rest) {
            HEFT_TRY(Value right, run.evaluate(*operand));
            HEFT_TRY(const bool holds, compare(run.heap_, op, left, right));
            if (!holds) return Value::boolean(false);
            left = std::move(right);
        }
        return Value::boolean(true);
    }

    Result<Value> operator()(const Arithmetic& node) const {
        HEFT_TRY(Value left, run.evaluate(*node.first));
        for (const auto& [op, operand] : node.rest) {
            HEFT_TRY(const Value right, run.evaluate(*operand));
            HEFT_TRY(left, arithmetic(run.heap_, op, left, right));
        }
        return left;
    }

    Result<Value> operator()(const Concat& node) const {
        Builder out(run.heap_);
        for (const ExprPtr& part : node.parts) {
            HEFT_TRY(const Value value, run.evaluate(*part));
            HEFT_OK(add_str(run.heap_, out, value));
        }
        return out.value();
    }

    Result<Value> operator()(const Conditional& node) const {
        HEFT_TRY(const Value holds, run.evaluate(*node.test));
        if (truth(holds)) return run.evaluate(*node.then);
        if (node.otherwise != nullptr) return run.evaluate(*node.otherwise);
        return run.heap_.undefined(fmt::format(
            "the inline if-expression on line {} evaluated to false and has no else", line));
    }

    Result<Value> operator()(const Chain& node) const {
        HEFT_TRY(Value base, run.evaluate(*node.base));
        return run.evaluate_steps(std::move(base), node.steps, node.steps.size());
    }
};

Result<Value> Interpreter::evaluate(const Expr& expr) {
    const Depth level(depth_);
    line_ = expr.line;
    HEFT_OK(enter());
    return std::visit(Evaluate{*this, expr.line}, expr.node);
}

Result<Value> Interpreter::evaluate_steps(Value value, const std::vector<Step>& steps,
                                          std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const Step& step = steps[i];
        line_ = step.line;
        HEFT_OK(enter());
        const bool is_method = step.form == Step::Form::attribute && i + 1 < count
                               && steps[i + 1].form == Step::Form::call;
        const Native method = is_method ? find_method(value, step.name->text()) : nullptr;
        if (method == nullptr) {
            HEFT_TRY(value, apply(value, step));
            continue;
        }
        ++i;
        Args args;
        HEFT_OK(arguments(steps[i].args, args));
        HEFT_TRY(value, method(*this, value, args));
    }
    return value;
}

Result<Value> Interpreter::apply(const Value& base, const Step& step) {
    Args args;
    if (!step.args.empty()) HEFT_OK(arguments(step.args, args));
    switch (step.form) {
        case Step::Form::attribute: return get_attribute(*this, base, step.name->text());
        case Step::Form::call: return call(base, args);
        case Step::Form::filter: return filter(step.name->text(), base, args);
        case Step::Form::test: {
            HEFT_TRY(const bool holds, test(step.name->text(), base, args));
            return Value::boolean(holds != step.negated);
        }
        case Step::Form::item: {
            HEFT_TRY(const Value key, evaluate(*step.start));
            return get_item(*this, base, key);
        }
        case Step::Form::slice: break;
    }
    Value bounds[3];
    const Expr* written[] = {step.start.get(), step.stop.get(), step.step.get()};
    for (std::size_t i = 0; i < 3; ++i) {
        if (written[i] == nullptr) continue;
        HEFT_TRY(bounds[i], evaluate(*written[i]));
    }
    return slice(heap_, base, bounds[0], bounds[1], bounds[2]);
}

Status Interpreter::spread(const Argument& written, const Value& value, Args& args) {
    if (written.form == Argument::Form::spread) {
        HEFT_TRY(const std::vector<Value> items, iterate(heap_, value));
        if (items.size() > kMaxArguments) return type_error("too many arguments");
        args.positional.insert(args.positional.end(), items.begin(), items.end());
        return {};
    }
    if (!value.is(Kind::dict)) return type_error("the argument after ** must be a mapping");
    if (value.dict().entries.size() > kMaxArguments) return type_error("too many arguments");
    for (const auto& [key, item] : value.dict().entries) {
        if (!key.is_string()) return type_error("keywords must be strings");
        args.named.emplace_back(key.text(), item);
    }
    return {};
}

Status Interpreter::arguments(const std::vector<Argument>& written, Args& args) {
    for (const Argument& argument : written) {
        HEFT_TRY(Value value, evaluate(*argument.value));
        switch (argument.form) {
            case Argument::Form::positional: args.positional.push_back(std::move(value)); break;
            case Argument::Form::named:
                args.named.emplace_back(argument.name, std::move(value));
                break;
            case Argument::Form::spread:
            case Argument::Form::spread_named: HEFT_OK(spread(argument, value, args)); break;
        }
    }
    return {};
}

Result<Value> Interpreter::call(const Value& callee, Args& args) {
    const Depth level(depth_);
    HEFT_OK(enter());
    if (callee.is_undefined()) return type_error(std::string(callee.complaint()));
    if (callee.is(Kind::object)) return callee.object().call(*this, args);
    return type_error(fmt::format("'{}' object is not callable", type_name(callee)));
}

Result<Value> Interpreter::filter(std::string_view name, const Value& value, Args& args) {
    const Native native = find_filter(name);
    if (native == nullptr)
        return Error{Code::unsupported, fmt::format("there is no filter named '{}'", name)};
    const Depth level(depth_);
    HEFT_OK(enter());
    return native(*this, value, args);
}

Result<bool> Interpreter::test(std::string_view name, const Value& value, Args& args) {
    const Native native = find_test(name);
    if (native == nullptr)
        return Error{Code::unsupported, fmt::format("there is no test named '{}'", name)};
    const Depth level(depth_);
    HEFT_OK(enter());
    HEFT_TRY(const Value holds, native(*this, value, args));
    return truth(holds);
}

Status Interpreter::bind_parameters(const MacroBody& macro, Args& args) {
    const std::size_t count = macro.parameters.size();
    std::vector<bool> taken(args.named.size());
    const auto take_named = [&](std::string_view name) -> Value {
        for (std::size_t i = 0; i < taken.size(); ++i) {
            if (taken[i] || args.named[i].first != name) continue;
            taken[i] = true;
            return args.named[i].second;
        }
        return Value();
    };
    for (std::size_t i = 0; i < count; ++i) {
        const Parameter& parameter = macro.parameters[i];
        Value value = i < args.positional.size() ? args.positional[i] : take_named(parameter.name);
        if (value.is_absent() && parameter.otherwise != nullptr) {
            HEFT_TRY(value, evaluate(*parameter.otherwise));
        } else if (value.is_absent()) {
            HEFT_TRY(value, heap_.undefined(
                                fmt::format("parameter '{}' was not provided", parameter.name)));
        }
        scope_->set(parameter.name, std::move(value));
    }
    if (macro.uses_caller) {
        Value caller = take_named("caller");
        if (caller.is_absent()) {
            HEFT_TRY(caller, heap_.undefined("No caller defined"));
        }
        scope_->set("caller", std::move(caller));
    }
    Dict* rest = nullptr;
    if (macro.uses_kwargs) {
        HEFT_TRY(rest, heap_.dict());
        scope_->set("kwargs", Value(rest));
    }
    for (std::size_t i = 0; i < taken.size(); ++i) {
        if (taken[i]) continue;
        if (rest == nullptr) {
            return type_error(fmt::format("macro '{}' takes no keyword argument '{}'", macro.name,
                                          args.named[i].first));
        }
        HEFT_OK(rest->set(heap_, args.named[i].first, args.named[i].second));
    }
    const std::size_t used = std::min(count, args.positional.size());
    if (!macro.uses_varargs && used < args.positional.size()) {
        return type_error(
            fmt::format("macro '{}' takes not more than {} argument(s)", macro.name, count));
    }
    if (!macro.uses_varargs) return {};
    std::vector<Value> extra(args.positional.begin() + static_cast<std::ptrdiff_t>(used),
                             args.positional.end());
    HEFT_TRY(Value varargs, heap_.list(std::move(extra), Flavor::tuple));
    scope_->set("varargs", std::move(varargs));
    return {};
}

Result<Value> Interpreter::call_macro(const MacroBody& macro, Scope& around, Args& args) {
    const Depth call(calls_);
    HEFT_OK(enter_call());
    const int line = line_;
    const Block block(*this, &around);
    HEFT_OK(bind_parameters(macro, args));
    Capture capture(*this);
    HEFT_OK(execute(macro.body));
    line_ = line;
    return capture.value();
}

}  // namespace heft::text::jinja
