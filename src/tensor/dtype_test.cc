#include "tensor/dtype.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace heft {
namespace {

TEST(DType, NamesAndIdsAreUnique) {
    std::set<std::string> names;
    std::set<int> ids;
    for (const DTypeInfo& info : dtypes()) {
        EXPECT_TRUE(names.insert(info.name).second) << info.name;
        EXPECT_TRUE(info.gguf_id < 0 || ids.insert(info.gguf_id).second) << info.name;
        EXPECT_TRUE(info.gguf_id >= 0 || info.safetensors_name != nullptr
                    || is_in_memory_only(info.type))
            << info.name;
    }
}

TEST(DType, LooksUpWhatItNames) {
    for (const DTypeInfo& info : dtypes()) {
        EXPECT_EQ(&dtype_info(info.type), &info);
        if (info.gguf_id >= 0) {
            EXPECT_EQ(dtype_from_gguf(static_cast<std::uint32_t>(info.gguf_id)), info.type);
        }
        if (info.safetensors_name != nullptr) {
            EXPECT_EQ(dtype_from_safetensors(info.safetensors_name), info.type);
        }
    }
}

// Bits per weight, as the formats' authors state them: a check of blocks and bytes together.
TEST(DType, BitsPerWeight) {
    const struct {
        DType type;
        double bits;
    } table[] = {{DType::q4_0, 4.5},     {DType::q4_1, 5},         {DType::q5_0, 5.5},
                 {DType::q5_1, 6},       {DType::q8_0, 8.5},       {DType::q2_k, 2.625},
                 {DType::q3_k, 3.4375},  {DType::q4_k, 4.5},       {DType::q5_k, 5.5},
                 {DType::q6_k, 6.5625},  {DType::iq2_xxs, 2.0625}, {DType::iq2_xs, 2.3125},
                 {DType::iq2_s, 2.5625}, {DType::iq3_xxs, 3.0625}, {DType::iq3_s, 3.4375},
                 {DType::iq1_s, 1.5625}, {DType::iq1_m, 1.75},     {DType::iq4_nl, 4.5},
                 {DType::iq4_xs, 4.25},  {DType::tq1_0, 1.6875},   {DType::tq2_0, 2.0625},
                 {DType::mxfp4, 4.25},   {DType::nvfp4, 4.5},      {DType::q1_0, 1.125},
                 {DType::q2_0, 2.25}};
    for (const auto& row : table) {
        const DTypeInfo& info = dtype_info(row.type);
        EXPECT_EQ(8.0 * info.block_bytes / info.block, row.bits) << info.name;
    }
}

TEST(DType, RefusedIdsAreExplained) {
    for (const std::uint32_t id : {4U, 5U, 31U, 32U, 33U, 36U, 37U, 38U}) {
        EXPECT_FALSE(dtype_from_gguf(id)) << id;
        EXPECT_NE(refused_gguf_type(id).find("removed"), std::string_view::npos) << id;
    }
    for (const std::uint32_t id : {98U, 137U, 144U, 212U, 344U, 399U}) {
        EXPECT_FALSE(dtype_from_gguf(id)) << id;
        EXPECT_NE(refused_gguf_type(id).find("ik_llama.cpp"), std::string_view::npos) << id;
    }
    for (const std::uint32_t id : {103U, 142U, 143U}) {
        EXPECT_FALSE(dtype_from_gguf(id)) << id;
        EXPECT_NE(refused_gguf_type(id).find("a private type of "), std::string_view::npos) << id;
    }
    EXPECT_NE(refused_gguf_type(250).find("probably a private type"), std::string_view::npos);
    for (const std::uint32_t id : {43U, 96U, 400U, 0xffffffffU})
        EXPECT_EQ(refused_gguf_type(id), "unknown") << id;
}

TEST(DType, KnownIdsOfTheSpecification) {
    EXPECT_EQ(dtype_from_gguf(0), DType::f32);
    EXPECT_EQ(dtype_from_gguf(12), DType::q4_k);
    EXPECT_EQ(dtype_from_gguf(24), DType::i8);
    EXPECT_EQ(dtype_from_gguf(28), DType::f64);
    EXPECT_EQ(dtype_from_gguf(30), DType::bf16);
    EXPECT_EQ(dtype_from_gguf(39), DType::mxfp4);
}

TEST(DType, UnknownSafetensorsNames) {
    for (const char* name : {"", "F4", "f32", "F8_E8M0", "F6_E2M3", "Q4_0", "C64"})
        EXPECT_FALSE(dtype_from_safetensors(name)) << name;
}

}  // namespace
}  // namespace heft
