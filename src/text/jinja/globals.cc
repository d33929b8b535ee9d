#include "text/jinja/globals.h"

#include <fmt/format.h>

#include "text/jinja/interpreter.h"
#include "text/jinja/lookup.h"
#include "text/jinja/natives.h"
#include "text/jinja/operators.h"
#include "text/jinja/words.h"

namespace heft::text::jinja {

namespace {

constexpr std::size_t kMaxRange = 100'000;  // jinja2's sandbox has the same

class Function : public Object {
  public:
    explicit Function(Native native) : native_(native) {}

    std::string_view type_name() const override { return "function"; }
    bool callable() const override { return true; }
    Result<Value> call(Interpreter& run, Args& args) override {
        return native_(run, Value(), args);
    }

  private:
    Native native_;
};

class Namespace : public Object {
  public:
    explicit Namespace(Dict& names) : names_(names) {}

    std::string_view type_name() const override { return "Namespace"; }
    Result<Value> attribute(Interpreter& /*run*/, std::string_view name) override {
        const Value* found = names_.find(name);
        return found == nullptr ? Value() : *found;
    }
    Status set_attribute(Heap& heap, std::string_view name, Value value) override {
        return names_.set(heap, name, std::move(value));
    }

  private:
    Dict& names_;
};

// Nothing at first, the separator ever after.
class Joiner : public Object {
  public:
    explicit Joiner(Value separator) : separator_(std::move(separator)) {}

    std::string_view type_name() const override { return "Joiner"; }
    bool callable() const override { return true; }
    Result<Value> call(Interpreter& run, Args& args) override {
        HEFT_OK(Bound::bind(args, "joiner", {}));
        if (std::exchange(used_, true)) return separator_;
        return run.heap().string(std::string_view());
    }

  private:
    Value separator_;
    bool used_ = false;
};

class Cycler : public Object {
  public:
    enum class Which : std::uint8_t { next, reset };

    explicit Cycler(std::vector<Value> items) : items_(std::move(items)) {}

    std::string_view type_name() const override { return "Cycler"; }
    Result<Value> attribute(Interpreter& run, std::string_view name) override;

    Value next() {
        Value item = items_[at_];
        at_ = (at_ + 1) % items_.size();
        return item;
    }
    void reset() { at_ = 0; }

  private:
    std::vector<Value> items_;
    std::size_t at_ = 0;
};

class CyclerMethod : public Object {
  public:
    CyclerMethod(Cycler& cycler, Cycler::Which which) : cycler_(cycler), which_(which) {}

    std::string_view type_name() const override { return "method"; }
    bool callable() const override { return true; }
    Result<Value> call(Interpreter& /*run*/, Args& args) override {
        HEFT_OK(Bound::bind(args, "cycler", {}));
        if (which_ == Cycler::Which::next) return cycler_.next();
        cycler_.reset();
        return Value::none();
    }

  private:
    Cycler& cycler_;
    Cycler::Which which_;
};

Result<Value> Cycler::attribute(Interpreter& run, std::string_view name) {
    if (name == "current") return items_[at_];
    if (name != "next" && name != "reset") return Value();
    HEFT_TRY(CyclerMethod * method,
             run.heap().make<CyclerMethod>(*this, name == "next" ? Which::next : Which::reset));
    return Value(method);
}

Result<Value> range(Interpreter& run, const Value& /*self*/, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "range", {"start", "stop", "step"}, 1));
    HEFT_TRY(std::int64_t start, bound.whole(0));
    HEFT_TRY(std::int64_t stop, bound.whole(1));
    HEFT_TRY(const std::int64_t step, bound.whole(2, 1));
    if (bound[1].is_absent()) {
        stop = start;
        start = 0;
    }
    if (step == 0) return type_error("range() arg 3 must not be zero");
    std::vector<Value> items;
    for (std::int64_t at = start; step > 0 ? at < stop : at > stop;) {
        if (items.size() == kMaxRange) {
            return Error{Code::exhausted, fmt::format("range() is limited to {} items", kMaxRange)};
        }
        HEFT_OK(run.heap().spend(1));
        items.push_back(Value::integer(at));
        if (__builtin_add_overflow(at, step, &at)) break;
    }
    return run.heap().list(std::move(items), Flavor::range);
}

Result<Value> dict(Interpreter& run, const Value& /*self*/, Args& args) {
    HEFT_TRY(Dict * made, run.heap().dict());
    HEFT_OK(merge_into(run.heap(), *made, args));
    return Value(made);
}

Result<Value> make_namespace(Interpreter& run, const Value& /*self*/, Args& args) {
    HEFT_TRY(Dict * names, run.heap().dict());
    HEFT_OK(merge_into(run.heap(), *names, args));
    HEFT_TRY(Namespace * made, run.heap().make<Namespace>(*names));
    return Value(made);
}

Result<Value> joiner(Interpreter& run, const Value& /*self*/, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "joiner", {"sep"}));
    Value separator = bound[0];
    if (separator.is_absent()) {
        HEFT_TRY(separator, run.heap().string(std::string_view(", ")));
    }
    HEFT_TRY(Joiner * made, run.heap().make<Joiner>(std::move(separator)));
    return Value(made);
}

Result<Value> cycler(Interpreter& run, const Value& /*self*/, Args& args) {
    if (args.positional.empty() || !args.named.empty())
        return type_error("no items for cycling given");
    HEFT_TRY(Cycler * made, run.heap().make<Cycler>(std::move(args.positional)));
    return Value(made);
}

Result<Value> raise_exception(Interpreter& run, const Value& /*self*/, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "raise_exception", {"message"}, 1));
    HEFT_TRY(const Value words, to_str(run.heap(), bound[0]));
    return Error{Code::invalid, std::string(words.text())};
}

constexpr NativeEntry kGlobals[] = {
    {"range", range},
    {"dict", dict},
    {"namespace", make_namespace},
    {"joiner", joiner},
    {"cycler", cycler},
    {"raise_exception", raise_exception},
    {"strftime_now", strftime_now},
};

}  // namespace

Status merge_into(Heap& heap, Dict& dict, const Args& args) {
    if (args.positional.size() > 1) return type_error("at most one mapping can be given");
    if (!args.positional.empty() && args.positional[0].is(Kind::dict)) {
        const auto entries = args.positional[0].dict().entries;  // a copy: it may be the same one
        for (const auto& [key, value] : entries) HEFT_OK(dict.set(heap, key, value));
    } else if (!args.positional.empty()) {
        HEFT_TRY(const std::vector<Value> pairs, iterate(heap, args.positional[0]));
        for (const Value& pair : pairs) {
            HEFT_TRY(const std::vector<Value> two, iterate(heap, pair));
            if (two.size() != 2 || !hashable(two[0]))
                return type_error("a dictionary is made of pairs");
            HEFT_OK(dict.set(heap, two[0], two[1]));
        }
    }
    for (const auto& [name, value] : args.named) HEFT_OK(dict.set(heap, name, value));
    return {};
}

Status install_globals(Heap& heap, Scope& scope) {
    for (const NativeEntry& entry : kGlobals) {
        HEFT_TRY(Function * function, heap.make<Function>(entry.native));
        scope.set(entry.name, Value(function));
    }
    return {};
}

}  // namespace heft::text::jinja
