#include "text/jinja/interpreter.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "text/jinja/block.h"
#include "text/jinja/depth.h"
#include "text/jinja/globals.h"
#include "text/jinja/loop.h"
#include "text/jinja/macro.h"
#include "text/jinja/operators.h"
#include "text/jinja/words.h"

namespace heft::text::jinja {

namespace {

// Statements and expressions nest statically inside each call, so they get a multiple of its limit.
constexpr int kLevelsPerCall = 4;

}  // namespace

Status Interpreter::enter() {
    HEFT_OK(heap_.spend(1));
    if (depth_ <= heap_.limits().depth * kLevelsPerCall) return {};
    return Error{Code::exhausted, "the template nests more deeply than its limit allows"};
}

Status Interpreter::enter_call() {
    if (calls_ <= heap_.limits().depth) return {};
    return Error{Code::exhausted,
                 "the template's macros call each other more deeply than its limit allows"};
}

Status Interpreter::set_variables(const nlohmann::ordered_json& variables) {
    if (!variables.is_object())
        return Error{Code::invalid, "the variables of a chat template are not an object"};
    for (const auto& [name, json] : variables.items()) {
        HEFT_TRY(Value value, heap_.from_json(json));
        if (name == "heft_now") {
            now_ = std::move(value);
        } else {
            variables_.set(name, std::move(value));
        }
    }
    return {};
}

Result<std::string> Interpreter::run(const Body& body, const nlohmann::ordered_json& variables) {
    HEFT_OK(install_globals(heap_, globals_));
    HEFT_OK(set_variables(variables));
    auto done = execute(body);
    if (!done) {
        done.error().what = fmt::format("line {}: {}", line_, done.error().what);
        return std::move(done.error());
    }
    heap_.give_back(out_.size());
    return std::move(out_);
}

Status Interpreter::write(std::string_view text) {
    if (text.size() > heap_.limits().output_bytes
        || out_.size() > heap_.limits().output_bytes - text.size()) {
        return too_large();
    }
    HEFT_OK(heap_.take(text.size()));
    out_.append(text);
    return {};
}

Status Interpreter::print(const Value& value) {
    if (value.is_undefined()) return {};
    if (value.is_string()) {
        HEFT_OK(heap_.spend_copy(value.text().size()));
        return write(value.text());
    }
    Builder out(heap_);
    HEFT_OK(add_str(heap_, out, value));
    HEFT_OK(out.status());
    return write(out.take());
}

Status Interpreter::unpack(const Target& target, const Value& value) {
    HEFT_TRY(const std::vector<Value> items, iterate(heap_, value));
    const std::size_t wanted = target.parts.size();
    if (items.size() < wanted) {
        return type_error(
            fmt::format("not enough values to unpack (expected {}, got {})", wanted, items.size()));
    }
    if (items.size() > wanted)
        return type_error(fmt::format("too many values to unpack (expected {})", wanted));
    for (std::size_t i = 0; i < wanted; ++i) HEFT_OK(assign(target.parts[i], items[i]));
    return {};
}

Status Interpreter::assign(const Target& target, const Value& value) {
    HEFT_OK(heap_.spend(1));
    if (!target.parts.empty()) return unpack(target, value);
    if (target.attribute.empty()) {
        scope_->set(target.name, value);
        return {};
    }
    const Value* owner = scope_->find(target.name);
    if (owner == nullptr) return type_error(fmt::format("'{}' is undefined", target.name));
    if (!owner->is(Kind::object))
        return type_error("cannot assign attribute on non-namespace object");
    return owner->object().set_attribute(heap_, target.attribute, value);
}

Result<Value> Interpreter::captured(const Body& body) {
    const Block block(*this);
    Capture capture(*this);
    HEFT_OK(execute(body));
    return capture.value();
}

// Statements, by kind.
struct Execute {
    using Flow = Interpreter::Flow;

    Interpreter& run;

    Result<Flow> operator()(const Text& node) const {
        HEFT_OK(run.write(node.text.text()));
        return Flow::onward;
    }

    Result<Flow> operator()(const Print& node) const {
        HEFT_TRY(const Value value, run.evaluate(*node.value));
        HEFT_OK(run.print(value));
        return Flow::onward;
    }

    Result<Flow> operator()(const If& node) const {
        for (const Branch& branch : node.branches) {
            HEFT_TRY(const Value holds, run.evaluate(*branch.test));
            if (truth(holds)) return run.execute(branch.body);
        }
        return run.execute(node.otherwise);
    }

    Result<Flow> operator()(const For& node) const {
        HEFT_TRY(const Value items, run.evaluate(*node.items));
        return run.run_loop(node, 0, items);
    }

    Result<Flow> operator()(const Set& node) const {
        HEFT_TRY(const Value value, run.evaluate(*node.value));
        HEFT_OK(run.assign(node.target, value));
        return Flow::onward;
    }

    Result<Flow> operator()(const SetBlock& node) const {
        HEFT_TRY(Value text, run.captured(node.body));
        HEFT_TRY(const Value value,
                 run.evaluate_steps(std::move(text), node.filters, node.filters.size()));
        HEFT_OK(run.assign(node.target, value));
        return Flow::onward;
    }

    Result<Flow> operator()(const DefineMacro& node) const {
        HEFT_TRY(Macro * macro, run.heap_.make<Macro>(*node.macro, *run.scope_));
        run.scope_->capture();
        run.scope_->set(node.macro->name, Value(macro));
        return Flow::onward;
    }

    Result<Flow> operator()(const CallBlock& node) const {
        const Chain& chain = *std::get_if<Chain>(&node.call->node);
        const Step& call = chain.steps.back();
        HEFT_TRY(Value base, run.evaluate(*chain.base));
        HEFT_TRY(const Value callee,
                 run.evaluate_steps(std::move(base), chain.steps, chain.steps.size() - 1));
        Args args;
        HEFT_OK(run.arguments(call.args, args));
        HEFT_TRY(Macro * caller, run.heap_.make<Macro>(*node.caller, *run.scope_));
        run.scope_->capture();
        args.named.emplace_back("caller", Value(caller));
        HEFT_TRY(const Value text, run.call(callee, args));
        HEFT_OK(run.print(text));
        return Flow::onward;
    }

    Result<Flow> operator()(const FilterBlock& node) const {
        HEFT_TRY(Value text, run.captured(node.body));
        HEFT_TRY(const Value value,
                 run.evaluate_steps(std::move(text), node.filters, node.filters.size()));
        HEFT_OK(run.print(value));
        return Flow::onward;
    }

    // All values are worked out before any name is set.
    Result<Flow> operator()(const With& node) const {
        std::vector<Value> values;
        for (const auto& binding : node.bindings) {
            HEFT_TRY(Value value, run.evaluate(*binding.second));
            values.push_back(std::move(value));
        }
        const Interpreter::Block block(run);
        for (std::size_t i = 0; i < values.size(); ++i) {
            HEFT_OK(run.assign(node.bindings[i].first, values[i]));
        }
        return run.execute(node.body);
    }

    Result<Flow> operator()(const Scoped& node) const {
        const Interpreter::Block block(run);
        return run.execute(node.body);
    }

    Result<Flow> operator()(const Break& /*node*/) const { return Flow::break_loop; }

    Result<Flow> operator()(const Continue& /*node*/) const { return Flow::continue_loop; }
};

Result<Interpreter::Flow> Interpreter::execute(const Body& body) {
    for (const Stmt& statement : body) {
        HEFT_TRY(const Flow flow, execute(statement));
        if (flow != Flow::onward) return flow;
    }
    return Flow::onward;
}

Result<Interpreter::Flow> Interpreter::execute(const Stmt& statement) {
    const Depth level(depth_);
    line_ = statement.line;
    HEFT_OK(enter());
    return std::visit(Execute{*this}, statement.node);
}

Result<Interpreter::Flow> Interpreter::run_loop(const For& loop, int depth, const Value& items) {
    HEFT_TRY(std::vector<Value> all, iterate(heap_, items));
    const bool filter_first = loop.filter != nullptr && loop.uses_loop;
    const auto admits = [&](const Value& value) -> Result<bool> {
        HEFT_OK(assign(loop.target, value));
        HEFT_TRY(const Value admitted, evaluate(*loop.filter));
        return truth(admitted);
    };
    if (filter_first) {  // `loop` knows how many there are
        std::vector<Value> admitted;
        for (Value& value : all) {
            const Block block(*this);
            HEFT_TRY(const bool in, admits(value));
            if (in) admitted.push_back(std::move(value));
        }
        all = std::move(admitted);
    }
    LoopItems snapshot(heap_);
    HEFT_OK(snapshot.hold(std::move(all)));
    LoopState* state = nullptr;
    if (loop.uses_loop) {
        HEFT_TRY(state, heap_.make<LoopState>(loop, *scope_, snapshot.items(), depth));
        if (loop.recursive) scope_->capture();
    }
    const LoopEnd end(state);
    bool finished = false;  // any iteration, to its end: that is what keeps Jinja from the else
    for (std::size_t i = 0; i < snapshot.items().size(); ++i) {
        Block block(*this);
        if (loop.filter != nullptr && !filter_first) {
            HEFT_TRY(const bool in, admits(snapshot.items()[i]));
            if (!in) continue;
        } else {
            HEFT_OK(assign(loop.target, snapshot.items()[i]));
        }
        if (state != nullptr) {
            state->move_to(i);
            block.scope().set("loop", Value(state));
        }
        HEFT_TRY(const Flow flow, execute(loop.body));
        if (flow == Flow::break_loop) break;
        finished = finished || flow == Flow::onward;
    }
    if (finished) return Flow::onward;
    const Block block(*this);
    return execute(loop.otherwise);
}

Result<Value> Interpreter::recurse(const For& loop, Scope& around, int depth, const Value& items) {
    const Depth call(calls_);
    HEFT_OK(enter_call());
    const Block block(*this, &around);
    Capture capture(*this);
    HEFT_OK(run_loop(loop, depth, items));
    return capture.value();
}

}  // namespace heft::text::jinja
