// A macro, or the body of a call block, as a value that can be called.
#pragma once

#include <fmt/format.h>

#include "text/jinja/ast.h"
#include "text/jinja/heap.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/scope.h"

namespace heft::text::jinja {

class Macro : public Object {
  public:
    // The scope must have been captured.
    Macro(const MacroBody& macro, Scope& around) : macro_(macro), around_(around) {}

    std::string_view type_name() const override { return "Macro"; }
    std::string repr() const override { return fmt::format("<Macro '{}'>", macro_.name); }
    bool callable() const override { return true; }
    Result<Value> attribute(Interpreter& run, std::string_view name) override {
        if (name == "name") return run.heap().string(macro_.name);
        return Value();
    }
    Result<Value> call(Interpreter& run, Args& args) override {
        return run.call_macro(macro_, around_, args);
    }

  private:
    const MacroBody& macro_;
    Scope& around_;
};

}  // namespace heft::text::jinja
