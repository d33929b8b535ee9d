// The names that a pickle may use, and what "calling" them makes: tensors and empty dictionaries.
#include <algorithm>

#include "format/names.h"
#include "format/pickle_machine.h"

namespace heft::format {

namespace {

constexpr std::size_t kMaxTensors = 1U << 18;
constexpr std::uint64_t kMaxGlobal = 256;
constexpr std::size_t kMaxRank = 16;

}  // namespace

Result<std::string_view> PickleMachine::line() {
    const std::string_view rest = as_text(all_).substr(in_.position());
    const std::size_t end = rest.substr(0, kMaxGlobal + 1).find('\n');
    if (end == std::string_view::npos)
        return pickle_limit("names something without an end", kMaxGlobal);
    HEFT_OK(in_.take_bytes(end + 1));
    return rest.substr(0, end);
}

Status PickleMachine::push_global(std::string_view module, std::string_view name) {
    if (const KnownGlobal* known = find_global(module, name))
        return push({.type = Type::global, .global = known});
    const std::string full = std::string(module) + "." + std::string(name);
    HEFT_OK(check_name("a name in its pickle", full, 2 * kMaxGlobal));
    return pickle_refused("names " + full + ", which a dictionary of tensors does not need");
}

Status PickleMachine::global() {
    HEFT_TRY(const std::string_view module, line());
    HEFT_TRY(const std::string_view name, line());
    return push_global(module, name);
}

Status PickleMachine::stack_global() {
    HEFT_TRY(const std::vector<Ref> items, take_many(2));
    const Value& module = values_[items[0]];
    const Value& name = values_[items[1]];
    if (module.type != Type::text || name.type != Type::text)
        return pickle_corrupt("names something by what are no strings");
    return push_global(module.text, name.text);
}

// ('storage', torch.FloatStorage, key, device, number of numbers)
Status PickleMachine::persistent_id() {
    HEFT_TRY(const Ref ref, take());
    const std::vector<Ref>& items = values_[ref].items;
    const auto is = [&](std::size_t i, Type type) { return values_[items[i]].type == type; };
    const bool good = values_[ref].type == Type::tuple && items.size() >= 5 && items.size() <= 6
                      && is(0, Type::text) && values_[items[0]].text == "storage"
                      && is(1, Type::global) && values_[items[1]].global->what == Global::storage
                      && is(2, Type::text) && is(4, Type::integer) && values_[items[4]].number >= 0;
    if (!good) return pickle_corrupt("refers to something other than a storage of tensors");
    if (items.size() == 6 && !is(5, Type::none))
        return pickle_refused("refers to a part of a storage, as PyTorch before 1.6 did");
    PickledStorage storage;
    storage.type = values_[items[1]].global->type;
    storage.key = values_[items[2]].text;
    storage.count = values_[items[4]].number;
    if (storages_.size() == kMaxTensors) return pickle_limit("has too many storages", kMaxTensors);
    storages_.push_back(storage);
    return push({.type = Type::storage, .number = static_cast<std::int64_t>(storages_.size()) - 1});
}

Status PickleMachine::reduce() {
    HEFT_TRY(const std::vector<Ref> items, take_many(2));
    const Value& callee = values_[items[0]];
    const Value& arguments = values_[items[1]];
    if (callee.type != Type::global || arguments.type != Type::tuple)
        return pickle_corrupt(std::string("calls ") + type_name(callee.type) + " with "
                              + type_name(arguments.type));
    return call(*callee.global, arguments);
}

Status PickleMachine::call(const KnownGlobal& callee, const Value& arguments) {
    const std::vector<Ref>& items = arguments.items;
    const std::string name = std::string(callee.module) + "." + std::string(callee.name);
    switch (callee.what) {
        case Global::ordered_dict:
            if (!items.empty()) return pickle_refused("calls " + name + " with arguments");
            return empty_dict();
        case Global::size:
            if (items.size() != 1 || values_[items[0]].type != Type::tuple)
                return pickle_corrupt("calls " + name + " with something other than a tuple");
            stack_.push_back(items[0]);
            return {};
        case Global::rebuild_parameter:
            if (items.empty() || values_[items[0]].type != Type::tensor)
                return pickle_corrupt("calls " + name + " without a tensor");
            stack_.push_back(items[0]);
            return {};
        case Global::rebuild_tensor:
        case Global::rebuild_typed_tensor: return rebuild(callee, arguments);
        case Global::storage:
        case Global::dtype: break;
    }
    return pickle_refused("calls " + name + ", which a dictionary of tensors does not need");
}

Result<std::int64_t> PickleMachine::whole(Ref ref, const char* what) const {
    const Value& value = values_[ref];
    if (value.type != Type::integer || value.number < 0)
        return pickle_corrupt(std::string("gives a tensor ") + what
                              + " that is not a whole number");
    return value.number;
}

Result<Shape> PickleMachine::extents(Ref ref, const char* what) const {
    const Value& value = values_[ref];
    if (value.type != Type::tuple && value.type != Type::list)
        return pickle_corrupt(std::string("gives a tensor ") + what + " that is no tuple");
    if (value.items.size() > kMaxRank)
        return pickle_limit("has a tensor of " + std::to_string(value.items.size()) + " dimensions",
                            kMaxRank);
    Shape out;
    for (const Ref item : value.items) {
        HEFT_TRY(const std::int64_t extent, whole(item, what));
        out.push_back(extent);
    }
    return out;
}

// (storage, offset, size, stride, requires_grad, hooks[, dtype], [metadata])
Status PickleMachine::rebuild(const KnownGlobal& callee, const Value& arguments) {
    const std::vector<Ref>& items = arguments.items;
    const bool typed = callee.what == Global::rebuild_typed_tensor;
    const std::size_t needed = typed ? 7 : 6;
    if (items.size() < needed || items.size() > needed + 1
        || values_[items[0]].type != Type::storage)
        return pickle_corrupt(
            "builds a tensor from other things than a storage, a shape and "
            "strides");
    PickledTensor out;
    out.storage = storages_[static_cast<std::size_t>(values_[items[0]].number)];
    HEFT_TRY(out.offset, whole(items[1], "an offset"));
    HEFT_TRY(out.shape, extents(items[2], "a shape"));
    HEFT_TRY(out.strides, extents(items[3], "strides"));
    std::optional<DType> type = out.storage.type;
    if (typed) {
        const Value& dtype = values_[items[6]];
        const bool known = dtype.type == Type::global && dtype.global->what == Global::dtype;
        type = known ? dtype.global->type : std::nullopt;
    }
    if (!type) return pickle_corrupt("builds a tensor without a type of number");
    if (out.shape.size() != out.strides.size())
        return pickle_corrupt("builds a tensor with more or fewer strides than extents");
    out.type = *type;
    if (tensors_.size() == kMaxTensors) return pickle_limit("has too many tensors", kMaxTensors);
    tensors_.push_back(std::move(out));
    return push({.type = Type::tensor, .number = static_cast<std::int64_t>(tensors_.size()) - 1});
}

// A dictionary of tensors carries attributes of its own (_metadata), which say nothing of weights.
Status PickleMachine::build() {
    HEFT_TRY([[maybe_unused]] const Ref state, take());
    HEFT_TRY(const Ref target, top());
    const Type type = values_[target].type;
    if (type == Type::dict) return {};
    return pickle_refused(std::string("sets attributes of ") + type_name(type));
}

}  // namespace heft::format
