// The interpreter's guards: a scope, and an output of its own, for as long as they live.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "text/jinja/interpreter.h"

namespace heft::text::jinja {

class Interpreter::Block {
  public:
    Block(Interpreter& run, Scope* around)
        : run_(run), before_(run.scope_), scope_(std::make_unique<Scope>(around)) {
        run.scope_ = scope_.get();
    }
    explicit Block(Interpreter& run) : Block(run, run.scope_) {}
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;
    ~Block() {
        run_.scope_ = before_;
        if (!scope_->captured()) return;
        const std::size_t bytes = scope_->bytes();
        run_.heap_.keep(std::move(scope_), bytes);
    }

    Scope& scope() { return *scope_; }

  private:
    Interpreter& run_;
    Scope* before_;
    std::unique_ptr<Scope> scope_;
};

class Interpreter::Capture {
  public:
    explicit Capture(Interpreter& run) : run_(run), before_(std::exchange(run.out_, {})) {}
    Capture(const Capture&) = delete;
    Capture& operator=(const Capture&) = delete;
    ~Capture() {
        run_.heap_.give_back(run_.out_.size());
        run_.out_ = std::move(before_);
    }

    Result<Value> value() {
        run_.heap_.give_back(run_.out_.size());  // the string counts itself
        return run_.heap_.string(std::exchange(run_.out_, {}));
    }

  private:
    Interpreter& run_;
    std::string before_;
};

}  // namespace heft::text::jinja
