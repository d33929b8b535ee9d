#include "format/pickle_machine.h"

#include <algorithm>
#include <limits>

namespace heft::format {

namespace {

// Far above what any checkpoint needs (a few values for each tensor), far below what would hurt.
constexpr std::uint64_t kMaxBytes = 1U << 28;
constexpr std::size_t kMaxValues = 1U << 22;
constexpr std::size_t kMaxStack = 1U << 20;
constexpr std::size_t kMaxDepth = 64;
constexpr std::uint64_t kMaxText = 1U << 20;
constexpr Ref kNoRef = std::numeric_limits<Ref>::max();

}  // namespace

// Those without function belong to the language, and to no dictionary of tensors.
const PickleMachine::Opcode PickleMachine::kOpcodes[] = {
    {0x80, "PROTO", &PickleMachine::proto},
    {0x95, "FRAME", &PickleMachine::frame},
    {'(', "MARK", &PickleMachine::mark},
    {'0', "POP", &PickleMachine::pop},
    {'1', "POP_MARK", &PickleMachine::pop_mark},
    {'N', "NONE", &PickleMachine::none},
    {0x88, "NEWTRUE", &PickleMachine::new_true},
    {0x89, "NEWFALSE", &PickleMachine::new_false},
    {'K', "BININT1", &PickleMachine::integer1},
    {'M', "BININT2", &PickleMachine::integer2},
    {'J', "BININT", &PickleMachine::integer4},
    {0x8a, "LONG1", &PickleMachine::long1},
    {'G', "BINFLOAT", &PickleMachine::real},
    {0x8c, "SHORT_BINUNICODE", &PickleMachine::short_text},
    {'X', "BINUNICODE", &PickleMachine::text},
    {0x8d, "BINUNICODE8", &PickleMachine::long_text},
    {'U', "SHORT_BINSTRING", &PickleMachine::short_text},
    {'T', "BINSTRING", &PickleMachine::text},
    {'C', "SHORT_BINBYTES", &PickleMachine::short_text},
    {'B', "BINBYTES", &PickleMachine::text},
    {'}', "EMPTY_DICT", &PickleMachine::empty_dict},
    {']', "EMPTY_LIST", &PickleMachine::empty_list},
    {')', "EMPTY_TUPLE", &PickleMachine::empty_tuple},
    {'t', "TUPLE", &PickleMachine::tuple},
    {0x85, "TUPLE1", &PickleMachine::tuple1},
    {0x86, "TUPLE2", &PickleMachine::tuple2},
    {0x87, "TUPLE3", &PickleMachine::tuple3},
    {'a', "APPEND", &PickleMachine::append},
    {'e', "APPENDS", &PickleMachine::appends},
    {'s', "SETITEM", &PickleMachine::set_item},
    {'u', "SETITEMS", &PickleMachine::set_items},
    {'q', "BINPUT", &PickleMachine::put1},
    {'r', "LONG_BINPUT", &PickleMachine::put4},
    {0x94, "MEMOIZE", &PickleMachine::memoize},
    {'h', "BINGET", &PickleMachine::get1},
    {'j', "LONG_BINGET", &PickleMachine::get4},
    {'c', "GLOBAL", &PickleMachine::global},
    {0x93, "STACK_GLOBAL", &PickleMachine::stack_global},
    {'Q', "BINPERSID", &PickleMachine::persistent_id},
    {'R', "REDUCE", &PickleMachine::reduce},
    {'b', "BUILD", &PickleMachine::build},
    {'2', "DUP", nullptr},
    {'F', "FLOAT", nullptr},
    {'I', "INT", nullptr},
    {'L', "LONG", nullptr},
    {0x8b, "LONG4", nullptr},
    {'S', "STRING", nullptr},
    {'V', "UNICODE", nullptr},
    {'P', "PERSID", nullptr},
    {'g', "GET", nullptr},
    {'p', "PUT", nullptr},
    {'d', "DICT", nullptr},
    {'l', "LIST", nullptr},
    {'i', "INST", nullptr},
    {'o', "OBJ", nullptr},
    {0x81, "NEWOBJ", nullptr},
    {0x92, "NEWOBJ_EX", nullptr},
    {0x82, "EXT1", nullptr},
    {0x83, "EXT2", nullptr},
    {0x84, "EXT4", nullptr},
    {0x8e, "BINBYTES8", nullptr},
    {0x8f, "EMPTY_SET", nullptr},
    {0x90, "ADDITEMS", nullptr},
    {0x91, "FROZENSET", nullptr},
    {0x96, "BYTEARRAY8", nullptr},
    {0x97, "NEXT_BUFFER", nullptr},
    {0x98, "READONLY_BUFFER", nullptr},
};

const PickleMachine::Opcode* PickleMachine::find_opcode(std::uint8_t code) {
    for (const Opcode& opcode : kOpcodes)
        if (opcode.code == code) return &opcode;
    return nullptr;
}

Result<const Value*> PickleMachine::run() {
    constexpr std::uint8_t kStop = '.';
    if (in_.left() > kMaxBytes)
        return pickle_limit("has " + std::to_string(in_.left()) + " bytes", kMaxBytes);
    for (;; ++steps_) {
        HEFT_TRY(const auto code, in_.take<std::uint8_t>());
        if (code == kStop) break;
        const Opcode* opcode = find_opcode(code);
        if (opcode == nullptr)
            return pickle_corrupt("holds byte " + std::to_string(code) + " at "
                                  + std::to_string(in_.position() - 1)
                                  + ", which is no instruction");
        if (opcode->run == nullptr)
            return pickle_refused(std::string("uses the instruction ") + opcode->name
                                  + ", which a dictionary of tensors does not need");
        HEFT_OK((this->*opcode->run)());
    }
    HEFT_TRY(const Ref root, take());
    return &values_[root];
}

// -- the stack

Status PickleMachine::push(Value value) {
    if (values_.size() == kMaxValues) return pickle_limit("makes too many values", kMaxValues);
    if (stack_.size() == kMaxStack) return pickle_limit("stacks too many values", kMaxStack);
    stack_.push_back(static_cast<Ref>(values_.size()));
    values_.push_back(std::move(value));
    return {};
}

Result<Ref> PickleMachine::top() const {
    const std::size_t floor = marks_.empty() ? 0 : marks_.back();
    if (stack_.size() <= floor) return pickle_corrupt("takes a value where there is none");
    return stack_.back();
}

Result<Ref> PickleMachine::take() {
    HEFT_TRY(const Ref ref, top());
    stack_.pop_back();
    return ref;
}

Result<std::vector<Ref>> PickleMachine::take_many(std::size_t count) {
    const std::size_t floor = marks_.empty() ? 0 : marks_.back();
    if (stack_.size() - floor < count) return pickle_corrupt("takes a value where there is none");
    const auto first = stack_.end() - static_cast<std::ptrdiff_t>(count);
    std::vector<Ref> out(first, stack_.end());
    stack_.erase(first, stack_.end());
    return out;
}

Result<std::vector<Ref>> PickleMachine::take_to_mark() {
    if (marks_.empty()) return pickle_corrupt("ends a list that has not begun");
    HEFT_TRY(std::vector<Ref> out, take_many(stack_.size() - marks_.back()));
    marks_.pop_back();
    return out;
}

Status PickleMachine::mark() {
    if (marks_.size() == kMaxDepth) return pickle_limit("nests marks too deep", kMaxDepth);
    marks_.push_back(stack_.size());
    return {};
}

Status PickleMachine::pop() {
    if (!marks_.empty() && marks_.back() == stack_.size()) {  // as Python does
        marks_.pop_back();
        return {};
    }
    HEFT_TRY([[maybe_unused]] const Ref gone, take());
    return {};
}

Status PickleMachine::pop_mark() {
    HEFT_TRY([[maybe_unused]] const auto gone, take_to_mark());
    return {};
}

// -- plain values

Status PickleMachine::proto() {
    HEFT_TRY(const auto version, in_.take<std::uint8_t>());
    if (version < 2 || version > 5)
        return Error{Code::unsupported, "its pickle is of protocol " + std::to_string(version)
                                            + ", which is not read; 2 to 5 are"};
    return {};
}

Status PickleMachine::frame() {  // only says how far to read ahead
    HEFT_TRY(const auto length, in_.take<std::uint64_t>());
    if (length > in_.left())
        return pickle_corrupt("announces a frame of " + std::to_string(length) + " bytes, of which "
                              + std::to_string(in_.left()) + " are there");
    return {};
}

Status PickleMachine::none() {
    return push({});
}
Status PickleMachine::new_true() {
    return push({.type = Type::boolean, .number = 1});
}
Status PickleMachine::new_false() {
    return push({.type = Type::boolean, .number = 0});
}
Status PickleMachine::integer1() {
    HEFT_TRY(const auto value, in_.take<std::uint8_t>());
    return push({.type = Type::integer, .number = value});
}
Status PickleMachine::integer2() {
    HEFT_TRY(const auto value, in_.take<std::uint16_t>());
    return push({.type = Type::integer, .number = value});
}
Status PickleMachine::integer4() {
    HEFT_TRY(const auto value, in_.take<std::int32_t>());
    return push({.type = Type::integer, .number = value});
}

Status PickleMachine::long1() {  // little-endian two's complement of any length
    HEFT_TRY(const auto length, in_.take<std::uint8_t>());
    if (length > sizeof(std::int64_t))
        return pickle_limit("holds an integer of " + std::to_string(length) + " bytes",
                            sizeof(std::int64_t));
    HEFT_TRY(const Bytes bytes, in_.take_bytes(length));
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bits |= static_cast<std::uint64_t>(bytes[i]) << (8 * i);
    const bool negative = !bytes.empty() && (bytes.back() & std::byte{0x80}) != std::byte{0};
    if (negative && bytes.size() < sizeof bits) bits |= ~std::uint64_t{0} << (8 * bytes.size());
    return push({.type = Type::integer, .number = static_cast<std::int64_t>(bits)});
}

Status PickleMachine::real() {  // no tensor's place depends on one
    HEFT_TRY([[maybe_unused]] const auto bits, in_.take<std::uint64_t>());
    return push({.type = Type::real});
}

Status PickleMachine::push_text(std::uint64_t length) {
    if (length > kMaxText)
        return pickle_limit("holds a string of " + std::to_string(length) + " bytes", kMaxText);
    HEFT_TRY(const Bytes bytes, in_.take_bytes(length));
    return push({.type = Type::text, .text = as_text(bytes)});
}
Status PickleMachine::short_text() {
    HEFT_TRY(const auto length, in_.take<std::uint8_t>());
    return push_text(length);
}
Status PickleMachine::text() {
    HEFT_TRY(const auto length, in_.take<std::uint32_t>());
    return push_text(length);
}
Status PickleMachine::long_text() {
    HEFT_TRY(const auto length, in_.take<std::uint64_t>());
    return push_text(length);
}

// -- containers

Status PickleMachine::empty_dict() {
    return push({.type = Type::dict, .depth = 1});
}
Status PickleMachine::empty_list() {
    return push({.type = Type::list, .depth = 1});
}
Status PickleMachine::empty_tuple() {
    return push({.type = Type::tuple, .depth = 1});
}

Status PickleMachine::push_tuple(const std::vector<Ref>& items) {
    HEFT_OK(push({.type = Type::tuple, .depth = 1}));
    return extend(Type::tuple, items);
}
Status PickleMachine::tuple() {
    HEFT_TRY(std::vector<Ref> items, take_to_mark());
    return push_tuple(items);
}
Status PickleMachine::tuple1() {
    HEFT_TRY(std::vector<Ref> items, take_many(1));
    return push_tuple(items);
}
Status PickleMachine::tuple2() {
    HEFT_TRY(std::vector<Ref> items, take_many(2));
    return push_tuple(items);
}
Status PickleMachine::tuple3() {
    HEFT_TRY(std::vector<Ref> items, take_many(3));
    return push_tuple(items);
}

Status PickleMachine::extend(Type type, const std::vector<Ref>& items) {
    HEFT_TRY(const Ref ref, top());
    Value& container = values_[ref];
    if (container.type != type)
        return pickle_corrupt(std::string("adds to ") + type_name(container.type)
                              + " as if it were " + type_name(type));
    if (type == Type::dict && items.size() % 2 != 0)
        return pickle_corrupt("gives a key without value");
    for (const Ref item : items)
        container.depth =
            std::max(container.depth, static_cast<std::uint8_t>(values_[item].depth + 1));
    if (container.depth > kMaxDepth) return pickle_limit("nests containers too deep", kMaxDepth);
    container.items.insert(container.items.end(), items.begin(), items.end());
    return {};
}

Status PickleMachine::append() {
    HEFT_TRY(const std::vector<Ref> items, take_many(1));
    return extend(Type::list, items);
}
Status PickleMachine::appends() {
    HEFT_TRY(const std::vector<Ref> items, take_to_mark());
    return extend(Type::list, items);
}
Status PickleMachine::set_item() {
    HEFT_TRY(const std::vector<Ref> items, take_many(2));
    return extend(Type::dict, items);
}
Status PickleMachine::set_items() {
    HEFT_TRY(const std::vector<Ref> items, take_to_mark());
    return extend(Type::dict, items);
}

// -- the memo

Status PickleMachine::put(std::uint64_t index) {
    // Whoever writes a pickle counts; a jump would only claim memory.
    if (index > steps_)
        return pickle_limit("stores value " + std::to_string(index) + " in its memo after "
                                + std::to_string(steps_) + " instructions",
                            steps_);
    HEFT_TRY(const Ref ref, top());
    if (index >= memo_.size()) memo_.resize(static_cast<std::size_t>(index) + 1, kNoRef);
    memo_[static_cast<std::size_t>(index)] = ref;
    return {};
}

Status PickleMachine::get(std::uint64_t index) {
    if (index >= memo_.size() || memo_[static_cast<std::size_t>(index)] == kNoRef)
        return pickle_corrupt("asks for value " + std::to_string(index)
                              + " of its memo, which it has not stored");
    if (stack_.size() == kMaxStack) return pickle_limit("stacks too many values", kMaxStack);
    stack_.push_back(memo_[static_cast<std::size_t>(index)]);
    return {};
}

Status PickleMachine::put1() {
    HEFT_TRY(const auto index, in_.take<std::uint8_t>());
    return put(index);
}
Status PickleMachine::put4() {
    HEFT_TRY(const auto index, in_.take<std::uint32_t>());
    return put(index);
}
Status PickleMachine::memoize() {
    return put(memo_.size());
}
Status PickleMachine::get1() {
    HEFT_TRY(const auto index, in_.take<std::uint8_t>());
    return get(index);
}
Status PickleMachine::get4() {
    HEFT_TRY(const auto index, in_.take<std::uint32_t>());
    return get(index);
}

}  // namespace heft::format
