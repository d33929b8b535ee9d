// The context's scratch, handed out in aligned pieces: one operation's at a time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "op/context.h"

namespace heft::op {

class Scratch {
  public:
    Scratch(Context& context, std::size_t bytes)
        : at_(context.scratch.at_least<std::byte>(bytes)) {}

    template <class T>
    T* take(std::size_t count) {
        auto* const at = reinterpret_cast<T*>(at_);
        at_ += aligned(count * sizeof(T));
        return at;
    }

    static constexpr std::size_t kAlignment = 64;
    static constexpr std::size_t aligned(std::size_t bytes) {
        return (bytes + kAlignment - 1) / kAlignment * kAlignment;
    }

  private:
    std::byte* at_;
};

}  // namespace heft::op
