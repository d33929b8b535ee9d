// Runs a parsed template once. Not thread-safe; the tree it runs may be shared.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "text/jinja/ast.h"
#include "text/jinja/heap.h"
#include "text/jinja/scope.h"

namespace heft::text::jinja {

class Interpreter {
  public:
    explicit Interpreter(Heap& heap) : heap_(heap), globals_(nullptr), variables_(&globals_) {}
    Interpreter(const Interpreter&) = delete;
    Interpreter& operator=(const Interpreter&) = delete;

    // The variable heft_now (seconds since 1970) sets the clock of strftime_now, read as UTC.
    Result<std::string> run(const Body& body, const nlohmann::ordered_json& variables);

    // For filters, tests, methods and globals.
    Heap& heap() { return heap_; }
    Result<Value> call(const Value& callee, Args& args);
    Result<Value> filter(std::string_view name, const Value& value, Args& args);
    Result<bool> test(std::string_view name, const Value& value, Args& args);
    const Value& now() const { return now_; }  // absent: the real clock

    // For macros and loops.
    Result<Value> call_macro(const MacroBody& macro, Scope& around, Args& args);
    Result<Value> recurse(const For& loop, Scope& around, int depth, const Value& items);

  private:
    enum class Flow : std::uint8_t { onward, break_loop, continue_loop };
    class Block;    // a scope for as long as it lives
    class Capture;  // collects output for as long as it lives
    friend struct Evaluate;
    friend struct Execute;

    Status enter();       // counts a step and refuses to go deeper than the stack allows
    Status enter_call();  // the same for macros and recursive loops
    Status set_variables(const nlohmann::ordered_json& variables);

    Result<Flow> execute(const Body& body);
    Result<Flow> execute(const Stmt& statement);
    Result<Flow> run_loop(const For& loop, int depth, const Value& items);
    Result<Value> captured(const Body& body);  // the body's output, in a scope of its own
    Status write(std::string_view text);
    Status print(const Value& value);
    Status assign(const Target& target, const Value& value);
    Status unpack(const Target& target, const Value& value);
    Status bind_parameters(const MacroBody& macro, Args& args);

    Result<Value> evaluate(const Expr& expr);
    Result<Value> evaluate_steps(Value value, const std::vector<Step>& steps, std::size_t count);
    Result<Value> apply(const Value& base, const Step& step);
    Status arguments(const std::vector<Argument>& written, Args& args);
    Status spread(const Argument& written, const Value& value, Args& args);

    Heap& heap_;
    Scope globals_;
    Scope variables_;
    Scope* scope_ = &variables_;
    Value now_;
    int line_ = 0;
    int depth_ = 0;  // nested statements and expressions
    int calls_ = 0;  // nested macros and recursive loops
    std::string out_;
};

}  // namespace heft::text::jinja
