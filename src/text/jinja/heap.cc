#include "text/jinja/heap.h"

#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace heft::text::jinja {

namespace {

constexpr int kMaxJsonDepth = 200;

// Room beside the output for variables, intermediate strings and the buffers of macros.
std::size_t most_bytes(std::size_t output_bytes) {
    constexpr std::size_t kShare = 4;
    constexpr std::size_t kBase = 1U << 16U;
    constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();
    return output_bytes > (kMost - kBase) / kShare ? kMost : output_bytes * kShare + kBase;
}

}  // namespace

Error too_large() {
    return Error{Code::exhausted, "the template makes more text than its limit allows"};
}

Heap::Heap(const RenderLimits& limits)
    : limits_(limits), most_(most_bytes(limits.output_bytes)), steps_left_(limits.steps) {}

Heap::~Heap() = default;

Status Heap::spend(std::size_t steps) {
    if (steps > steps_left_) {
        steps_left_ = 0;
        return Error{Code::exhausted, "the template takes more steps than its limit allows"};
    }
    steps_left_ -= steps;
    return {};
}

Status Heap::take(std::size_t bytes) {
    if (bytes > room()) return too_large();
    live_ += bytes;
    return {};
}

std::size_t Heap::size_of(const Str& string) {
    return sizeof(Str) + string.text.capacity();
}

void Heap::release(Str* string) {
    give_back(size_of(*string));
    delete string;
}

Result<Value> Heap::string(std::string text, bool markup) {
    auto made = std::make_unique<Str>(std::move(text));
    const bool ascii = made->length == made->text.size();
    HEFT_OK(ascii ? spend_copy(made->length) : spend_bytes(made->text.size()));
    HEFT_OK(take(size_of(*made)));
    made->heap = this;
    made->markup = markup;
    return Value(made.release());
}

Result<Value> Heap::list(std::vector<Value> items, Flavor flavor) {
    HEFT_OK(spend(items.size() / 4));
    HEFT_OK(take(items.capacity() * sizeof(Value)));
    HEFT_TRY(List * made, make<List>());
    made->items = std::move(items);
    made->flavor = flavor;
    return Value(made);
}

Result<Value> Heap::tuple(std::initializer_list<Value> items) {
    return list(std::vector<Value>(items), Flavor::tuple);
}

Result<Dict*> Heap::dict() {
    return make<Dict>();
}

Result<Value> Heap::undefined(std::string complaint) {
    HEFT_TRY(const Value words, string(std::move(complaint)));
    return Value::undefined(words);
}

Status Heap::push(List& list, Value item) {
    HEFT_OK(take(2 * sizeof(Value)));  // vectors grow by doubling
    list.items.push_back(std::move(item));
    return {};
}

void Heap::keep(std::unique_ptr<Cell> cell, std::size_t bytes) {
    live_ += bytes + kCellOverhead;
    cells_.push_back(std::move(cell));
}

Result<Value> Heap::from_json(const nlohmann::ordered_json& json, int depth) {
    using Json = nlohmann::ordered_json;
    if (depth > kMaxJsonDepth) return Error{Code::invalid, "a variable is nested too deeply"};
    switch (json.type()) {
        case Json::value_t::boolean: return Value::boolean(json.get<bool>());
        case Json::value_t::number_integer: return Value::integer(json.get<std::int64_t>());
        case Json::value_t::number_unsigned: {
            const auto number = json.get<std::uint64_t>();
            constexpr auto kMost =
                static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
            if (number > kMost) return Value::real(static_cast<double>(number));
            return Value::integer(static_cast<std::int64_t>(number));
        }
        case Json::value_t::number_float: return Value::real(json.get<double>());
        case Json::value_t::string: return string(json.get_ref<const std::string&>());
        case Json::value_t::array: {
            std::vector<Value> items;
            items.reserve(json.size());
            for (const Json& item : json) {
                HEFT_TRY(Value value, from_json(item, depth + 1));
                items.push_back(std::move(value));
            }
            return list(std::move(items));
        }
        case Json::value_t::object: {
            HEFT_TRY(Dict * made, dict());
            for (const auto& [key, item] : json.items()) {
                HEFT_TRY(Value value, from_json(item, depth + 1));
                HEFT_OK(made->set(*this, key, std::move(value)));
            }
            return Value(made);
        }
        case Json::value_t::null:
        case Json::value_t::binary:
        case Json::value_t::discarded: break;
    }
    return Value::none();
}

bool Builder::claim(std::size_t bytes) {
    full_ = full_ || !heap_.take(bytes);
    if (!full_) taken_ += bytes;
    return !full_;
}

void Builder::add(std::string_view piece) {
    if (claim(piece.size())) text_.append(piece);
}

void Builder::fill(std::size_t count, std::string_view piece) {
    if (piece.empty()) return;
    if (count > heap_.room() / piece.size()) full_ = true;
    if (!claim(full_ ? 0 : count * piece.size())) return;
    text_.reserve(text_.size() + count * piece.size());
    if (piece.size() == 1) {
        text_.append(count, piece[0]);
        return;
    }
    for (std::size_t i = 0; i < count; ++i) text_.append(piece);
}

Status Builder::status() const {
    if (full_) return too_large();
    return {};
}

Result<Value> Builder::value(bool markup) {
    HEFT_OK(status());
    heap_.give_back(std::exchange(taken_, 0));  // the string counts itself
    return heap_.string(std::move(text_), markup);
}

}  // namespace heft::text::jinja
