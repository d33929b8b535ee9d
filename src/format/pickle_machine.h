// Runs a pickle over plain values. See pickle.h. One use each.
#pragma once

#include <vector>

#include "format/pickle_values.h"

namespace heft::format {

class PickleMachine {
  public:
    explicit PickleMachine(Bytes bytes) : all_(bytes), in_(bytes) {}

    // The value that the pickle ends with; lives as long as the machine.
    Result<const Value*> run();

    const Value& value(Ref ref) const { return values_[ref]; }
    const PickledTensor& tensor(const Value& of) const {
        return tensors_[static_cast<std::size_t>(of.number)];
    }

  private:
    struct Opcode {
        std::uint8_t code;
        const char* name;
        Status (PickleMachine::*run)();  // nullptr: refused
    };
    static const Opcode kOpcodes[];
    static const Opcode* find_opcode(std::uint8_t code);

    // Instructions, by their names in pickletools.
    Status proto();
    Status frame();
    Status mark();
    Status pop();
    Status pop_mark();
    Status none();
    Status new_true();
    Status new_false();
    Status integer1();
    Status integer2();
    Status integer4();
    Status long1();
    Status real();
    Status short_text();
    Status text();
    Status long_text();
    Status empty_dict();
    Status empty_list();
    Status empty_tuple();
    Status tuple();
    Status tuple1();
    Status tuple2();
    Status tuple3();
    Status append();
    Status appends();
    Status set_item();
    Status set_items();
    Status put1();
    Status put4();
    Status memoize();
    Status get1();
    Status get4();
    Status global();
    Status stack_global();
    Status persistent_id();
    Status reduce();
    Status build();

    Status push(Value value);
    Result<Ref> take();  // the top of the stack, removed
    Result<Ref> top() const;
    Result<std::vector<Ref>> take_to_mark();
    Result<std::vector<Ref>> take_many(std::size_t count);
    Status push_tuple(const std::vector<Ref>& items);
    Status push_text(std::uint64_t length);
    Status push_global(std::string_view module, std::string_view name);
    Status extend(Type type, const std::vector<Ref>& items);  // the container on top
    Status put(std::uint64_t index);
    Status get(std::uint64_t index);
    Result<std::string_view> line();

    Status call(const KnownGlobal& callee, const Value& arguments);
    Status rebuild(const KnownGlobal& callee, const Value& arguments);
    Result<Shape> extents(Ref ref, const char* what) const;
    Result<std::int64_t> whole(Ref ref, const char* what) const;

    Bytes all_;
    ByteReader in_;
    std::uint64_t steps_ = 0;
    std::vector<Value> values_;
    std::vector<Ref> stack_;
    std::vector<std::size_t> marks_;  // sizes of the stack
    std::vector<Ref> memo_;
    std::vector<PickledStorage> storages_;
    std::vector<PickledTensor> tensors_;
};

}  // namespace heft::format
