// The parts that the tables of methods are made of.
#pragma once

#include <span>
#include <string_view>

#include "text/jinja/natives.h"

namespace heft::text::jinja {

std::span<const NativeEntry> string_questions();  // startswith, find, isdigit and the like

inline Native find_native(std::span<const NativeEntry> table, std::string_view name) {
    for (const NativeEntry& entry : table) {
        if (entry.name == name) return entry.native;
    }
    return nullptr;
}

}  // namespace heft::text::jinja
