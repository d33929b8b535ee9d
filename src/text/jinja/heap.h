// Owns what a render makes and counts it: live bytes, work and depth are bounded, so a hostile
// template ends in an error, never in exhaustion. One render, one thread.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/chat_template.h"
#include "text/jinja/value.h"

namespace heft::text::jinja {

class Heap {
  public:
    explicit Heap(const RenderLimits& limits);
    Heap(const Heap&) = delete;
    Heap& operator=(const Heap&) = delete;
    ~Heap();

    const RenderLimits& limits() const { return limits_; }

    // Work: one step is about one evaluated node. `spend_bytes` is for walks over text by code
    // point, `spend_copy` for copies.
    Status spend(std::size_t steps);
    Status spend_bytes(std::size_t bytes) { return spend(bytes / 64); }
    Status spend_copy(std::size_t bytes) { return spend(bytes / 512); }

    Status take(std::size_t bytes);
    void give_back(std::size_t bytes) { live_ -= bytes; }
    std::size_t room() const { return live_ < most_ ? most_ - live_ : 0; }

    Result<Value> string(std::string text, bool markup = false);
    Result<Value> string(std::string_view text) { return string(std::string(text)); }
    Result<Value> list(std::vector<Value> items, Flavor flavor = Flavor::list);
    Result<Value> tuple(std::initializer_list<Value> items);
    Result<Dict*> dict();
    Result<Value> undefined(std::string complaint);
    Status push(List& list, Value item);
    Result<Value> from_json(const nlohmann::ordered_json& json, int depth = 0);

    template <class T, class... A>
    Result<T*> make(A&&... args) {
        HEFT_OK(take(sizeof(T) + kCellOverhead));
        auto cell = std::make_unique<T>(std::forward<A>(args)...);
        T* raw = cell.get();
        cells_.push_back(std::move(cell));
        return raw;
    }
    void keep(std::unique_ptr<Cell> cell, std::size_t bytes);  // counts, but cannot fail

  private:
    friend class Value;
    static constexpr std::size_t kCellOverhead = 32;
    static std::size_t size_of(const Str& string);
    void release(Str* string);

    RenderLimits limits_;
    std::size_t most_;
    std::size_t live_ = 0;
    std::size_t steps_left_;
    std::vector<std::unique_ptr<Cell>> cells_;
};

// Text in the making. Adding never fails; taking the value does when it grew past the limit.
class Builder {
  public:
    explicit Builder(Heap& heap) : heap_(heap) {}
    Builder(const Builder&) = delete;
    Builder& operator=(const Builder&) = delete;
    ~Builder() { heap_.give_back(taken_); }

    bool full() const { return full_; }
    std::size_t size() const { return text_.size(); }
    void add(std::string_view piece);
    void add(char c) { add(std::string_view(&c, 1)); }
    void fill(std::size_t count, std::string_view piece);
    Status status() const;
    std::string take() { return std::move(text_); }
    Result<Value> value(bool markup = false);

  private:
    Heap& heap_;
    bool claim(std::size_t bytes);

    std::size_t taken_ = 0;
    bool full_ = false;
    std::string text_;
};

Error too_large();

}  // namespace heft::text::jinja
