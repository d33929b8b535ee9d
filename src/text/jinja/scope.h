// Names and what they stand for, one block inside another.
#pragma once

#include <functional>
#include <map>
#include <string_view>

#include "text/jinja/value.h"

namespace heft::text::jinja {

class Scope : public Cell {
  public:
    explicit Scope(Scope* parent) : parent_(parent) {}

    // Names are not copied: they belong to the template or to the heap.
    void set(std::string_view name, Value value) { names_[name] = std::move(value); }
    const Value* find(std::string_view name) const {
        for (const Scope* scope = this; scope != nullptr; scope = scope->parent_) {
            const auto at = scope->names_.find(name);
            if (at != scope->names_.end()) return &at->second;
        }
        return nullptr;
    }

    // A macro refers to this scope and those around it: they outlive their blocks.
    void capture() {
        for (Scope* scope = this; scope != nullptr && !scope->captured_; scope = scope->parent_) {
            scope->captured_ = true;
        }
    }
    bool captured() const { return captured_; }
    std::size_t bytes() const { return sizeof(Scope) + names_.size() * 96; }

  private:
    Scope* parent_;
    bool captured_ = false;
    std::map<std::string_view, Value> names_;
};

}  // namespace heft::text::jinja
