// The `loop` variable of a for loop.
#pragma once

#include <vector>

#include "text/jinja/ast.h"
#include "text/jinja/heap.h"
#include "text/jinja/scope.h"

namespace heft::text::jinja {

// What a loop walks over, counted while it runs.
class LoopItems {
  public:
    explicit LoopItems(Heap& heap) : heap_(heap) {}
    LoopItems(const LoopItems&) = delete;
    LoopItems& operator=(const LoopItems&) = delete;
    ~LoopItems() { heap_.give_back(bytes_); }

    Status hold(std::vector<Value> items) {
        const std::size_t bytes = items.capacity() * sizeof(Value);
        HEFT_OK(heap_.take(bytes));
        bytes_ = bytes;
        items_ = std::move(items);
        return {};
    }
    const std::vector<Value>& items() const { return items_; }

  private:
    Heap& heap_;
    std::size_t bytes_ = 0;
    std::vector<Value> items_;
};

class LoopState : public Object {
  public:
    LoopState(const For& loop, Scope& around, const std::vector<Value>& items, int depth)
        : loop_(loop), around_(around), items_(&items), depth_(depth) {}

    void move_to(std::size_t index) { index_ = index; }
    void end() { items_ = nullptr; }

    std::string_view type_name() const override { return "LoopContext"; }
    std::string repr() const override;
    Result<Value> attribute(Interpreter& run, std::string_view name) override;
    bool callable() const override { return loop_.recursive; }
    std::optional<std::int64_t> size() const override {
        return items_ == nullptr ? 0 : static_cast<std::int64_t>(items_->size());
    }
    Result<Value> call(Interpreter& run, Args& args) override;

    // loop.changed(...): whether the arguments differ from those of the last call.
    Result<bool> changed(Heap& heap, const Value& now);

  private:
    Result<Value> neighbour(Heap& heap, bool next) const;

    const For& loop_;
    Scope& around_;
    const std::vector<Value>* items_;  // null once the loop is over
    int depth_;
    std::size_t index_ = 0;
    Value last_seen_;
};

// Ends the state with the loop, whose items it refers to.
class LoopEnd {
  public:
    explicit LoopEnd(LoopState* state) : state_(state) {}
    LoopEnd(const LoopEnd&) = delete;
    LoopEnd& operator=(const LoopEnd&) = delete;
    ~LoopEnd() {
        if (state_ != nullptr) state_->end();
    }

  private:
    LoopState* state_;
};

}  // namespace heft::text::jinja
