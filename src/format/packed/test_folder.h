// For tests: a Hugging Face folder with the tensors of a packed checkpoint, and what it reads as.
// Not part of the library.
#pragma once

#include <bit>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../../../tests/temp_folder.h"
#include "base/rng.h"
#include "format/checkpoint.h"
#include "format/safetensors_writer.h"
#include "tensor/half.h"
#include "tensor/rows.h"

namespace heft::format::packed::test {

class Folder {
  public:
    // `quantization`: the value of quantization_config.
    explicit Folder(const std::string& quantization)
        : Folder("config.json",
                 quantization.empty() ? "{}" : R"({"quantization_config":)" + quantization + "}") {}
    Folder(const std::string& file, const std::string& text) {
        folder_.write("config.json", "{}");
        folder_.write(file, text);
    }

    template <class T>
    void add(const std::string& name, DType type, Shape shape, const std::vector<T>& values) {
        std::vector<std::byte> bytes(values.size() * sizeof(T));
        if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
        writer_.add({name, type, std::move(shape),
                     [bytes = std::move(bytes)](const ByteSink& out) { return out(bytes); }});
    }
    void add_words(const std::string& name, Shape shape, const std::vector<std::uint32_t>& words) {
        add(name, DType::i32, std::move(shape), words);
    }

    Result<Checkpoint> open() {
        EXPECT_TRUE(writer_.write(folder_ / "model.safetensors"));
        return Checkpoint::open(folder_.path());
    }

    void expect_error(Code code, const std::string& part) {
        const auto opened = open();
        ASSERT_FALSE(opened) << part;
        EXPECT_EQ(opened.error().code, code) << opened.error().what;
        EXPECT_THAT(opened.error().what, ::testing::HasSubstr(part));
    }

  private:
    heft::testing::TempFolder folder_;
    SafetensorsWriter writer_;
};

inline bool same_bits(float a, float b) {
    return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b)
           || (std::isnan(a) && std::isnan(b));
}

struct Expected {
    std::string name;
    DType type;
    Shape shape;
    std::vector<float> weights;
};

inline void expect_rows(const TensorView& view, const std::vector<float>& want, std::int64_t first,
                        std::int64_t count) {
    const std::int64_t columns = columns_of(view);
    std::vector<float> got(static_cast<std::size_t>(columns * count));
    read_rows(view, first, count, got.data());
    for (std::size_t i = 0; i < got.size(); ++i) {
        const std::size_t at = static_cast<std::size_t>(first * columns) + i;
        ASSERT_TRUE(same_bits(got[i], want[at]))
            << view.name << " " << shape_text(view.shape) << " weight " << at << ": " << got[i]
            << ", not " << want[at];
    }
}

// The tensor reads as these weights, as a whole and row by row, and its parts are gone.
inline void expect_weights(Folder& folder, const Expected& want) {
    const auto opened = folder.open();
    ASSERT_TRUE(opened) << opened.error().what;
    const TensorView* view = opened->find(want.name);
    ASSERT_NE(view, nullptr) << want.name;
    EXPECT_EQ(opened->tensors().size(), 1U) << want.name;
    EXPECT_EQ(view->shape, want.shape);
    EXPECT_EQ(dtype_info(view->type).name, std::string(dtype_info(want.type).name)) << want.name;
    EXPECT_TRUE(view->data.empty());
    const std::int64_t rows = rows_of(*view);
    expect_rows(*view, want.weights, 0, rows);
    for (std::int64_t r = 0; r < rows; r += 7) expect_rows(*view, want.weights, r, 1);
}

// Scales of a type, and the floats that they are.
struct Scales {
    DType type;
    std::vector<float> values;

    Scales(DType stored, std::size_t count, Rng& rng) : type(stored), values(count) {
        for (float& value : values) value = rounded(static_cast<float>(rng.uniform() + 0.1) / 64);
    }
    void add_to(Folder& folder, const std::string& name, const Shape& shape) const {
        if (type == DType::f32) return folder.add(name, type, shape, values);
        std::vector<std::uint16_t> bits;
        for (const float value : values)
            bits.push_back(type == DType::f16 ? to_f16(value) : to_bf16(value));
        folder.add(name, type, shape, bits);
    }

  private:
    float rounded(float value) const {
        if (type == DType::f32) return value;
        return type == DType::f16 ? from_f16(to_f16(value)) : from_bf16(to_bf16(value));
    }
};

inline std::vector<int> random_codes(std::size_t count, int codes, Rng& rng) {
    std::vector<int> out(count);
    for (int& code : out) code = static_cast<int>(rng.next() % static_cast<unsigned>(codes));
    return out;
}

// Puts `bits` bits of `value` into 32-bit words, one bit after the other from bit `at` on.
inline void put_bits(std::vector<std::uint32_t>& words, std::size_t at, int value, int bits,
                     std::size_t stride = 1, std::size_t first = 0) {
    for (int b = 0; b < bits; ++b, ++at)
        if ((value >> b & 1) != 0) words[first + at / 32 * stride] |= 1U << (at % 32);
}

}  // namespace heft::format::packed::test
