#include "text/jinja/loop.h"

#include <fmt/format.h>

#include "text/jinja/interpreter.h"
#include "text/jinja/operators.h"

namespace heft::text::jinja {

namespace {

// loop.cycle and loop.changed, which are called with the loop at hand.
class LoopMethod : public Object {
  public:
    enum class Which : std::uint8_t { cycle, changed };

    LoopMethod(LoopState& loop, Which which, std::size_t index)
        : loop_(loop), which_(which), index_(index) {}

    std::string_view type_name() const override { return "method"; }
    bool callable() const override { return true; }
    Result<Value> call(Interpreter& run, Args& args) override {
        if (which_ == Which::cycle) {
            if (args.positional.empty()) return type_error("no items for cycling given");
            return args.positional[index_ % args.positional.size()];
        }
        HEFT_TRY(const Value seen, run.heap().list(std::move(args.positional), Flavor::tuple));
        HEFT_TRY(const bool changed, loop_.changed(run.heap(), seen));
        return Value::boolean(changed);
    }

  private:
    LoopState& loop_;
    Which which_;
    std::size_t index_;
};

Value whole(std::size_t value) {
    return Value::integer(static_cast<std::int64_t>(value));
}

}  // namespace

std::string LoopState::repr() const {
    return fmt::format("<LoopContext {}/{}>", index_ + 1, items_ == nullptr ? 0 : items_->size());
}

Result<bool> LoopState::changed(Heap& heap, const Value& now) {
    if (!last_seen_.is_absent()) {
        HEFT_TRY(const bool same, equal(heap, last_seen_, now));
        if (same) return false;
    }
    last_seen_ = now;
    return true;
}

Result<Value> LoopState::neighbour(Heap& heap, bool next) const {
    if (next && index_ + 1 < items_->size()) return (*items_)[index_ + 1];
    if (!next && index_ > 0) return (*items_)[index_ - 1];
    return heap.undefined(next ? "there is no next item" : "there is no previous item");
}

Result<Value> LoopState::attribute(Interpreter& run, std::string_view name) {
    if (items_ == nullptr) return type_error("the loop is over");
    const std::size_t count = items_->size();
    if (name == "index") return whole(index_ + 1);
    if (name == "index0") return whole(index_);
    if (name == "revindex") return whole(count - index_);
    if (name == "revindex0") return whole(count - index_ - 1);
    if (name == "first") return Value::boolean(index_ == 0);
    if (name == "last") return Value::boolean(index_ + 1 == count);
    if (name == "length") return whole(count);
    if (name == "depth") return whole(static_cast<std::size_t>(depth_) + 1);
    if (name == "depth0") return whole(static_cast<std::size_t>(depth_));
    if (name == "previtem") return neighbour(run.heap(), false);
    if (name == "nextitem") return neighbour(run.heap(), true);
    if (name != "cycle" && name != "changed") return Value();
    const auto which = name == "cycle" ? LoopMethod::Which::cycle : LoopMethod::Which::changed;
    HEFT_TRY(LoopMethod * method, run.heap().make<LoopMethod>(*this, which, index_));
    return Value(method);
}

Result<Value> LoopState::call(Interpreter& run, Args& args) {
    if (!loop_.recursive) {
        return type_error("the loop must have the 'recursive' marker to be called recursively");
    }
    if (args.positional.size() != 1)
        return type_error("a recursive loop is called with one argument");
    return run.recurse(loop_, around_, depth_ + 1, args.positional[0]);
}

}  // namespace heft::text::jinja
