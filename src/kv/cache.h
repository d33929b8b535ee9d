// Keys and values of one sequence, for every layer: a row of each per position. The
// whole context is reserved as address space; memory is used as positions are filled. Not
// thread-safe; different positions may be written by different threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "tensor/dtype.h"

namespace heft::kv {

// How numbers are kept: f32, f16, bf16 or q8_0.
struct Types {
    DType keys = DType::f16;
    DType values = DType::f16;

    bool quantised() const { return keys == DType::q8_0 || values == DType::q8_0; }
};

// The types that a cache may have, by the names of llama.cpp.
struct TypeName {
    const char* name;
    DType type;
};
inline constexpr TypeName kTypeNames[] = {
    {"f32", DType::f32}, {"f16", DType::f16}, {"bf16", DType::bf16}, {"q8_0", DType::q8_0}};
const char* name_of(DType type);  // of one of these
// What a quantised cache costs, as a reply tells it; empty for other types.
std::string degradation(const Types& types);

struct Shape {
    int n_layer = 0;
    std::int64_t n_ctx = 0;
    int key_row = 0;    // numbers per position: n_kv * d_head, whole blocks of the type
    int value_row = 0;  // 0: values are the beginnings of the keys (latent attention)
    Types types = {};

    std::int64_t key_row_bytes() const;
    std::int64_t value_row_bytes() const;  // 0 where there are none of their own
};

class Cache {
  public:
    static Result<Cache> make(const Shape& shape);

    Cache(Cache&& other) noexcept;
    Cache& operator=(Cache&& other) noexcept;
    ~Cache();

    const Shape& shape() const { return shape_; }
    std::int64_t key_row_bytes() const { return key_bytes_; }
    std::int64_t value_row_bytes() const {
        return shape_.value_row > 0 ? value_bytes_ : key_bytes_;
    }
    std::int64_t length() const { return length_; }
    void set_length(std::int64_t length);  // shorter: forgets the tail

    // Position 0 of a layer's keys or values; positions are *_row_bytes() apart.
    std::byte* keys(int layer) const;
    std::byte* values(int layer) const;

    bool long_context = false;  // which rope factors this sequence settled on

  private:
    Cache() = default;
    Shape shape_;
    std::int64_t key_bytes_ = 0;
    std::int64_t value_bytes_ = 0;
    std::int64_t length_ = 0;
    std::byte* base_ = nullptr;
    std::size_t bytes_ = 0;
};

}  // namespace heft::kv
