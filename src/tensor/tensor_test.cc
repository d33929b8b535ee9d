#include "tensor/tensor.h"

#include <gtest/gtest.h>

namespace heft {
namespace {

constexpr std::int64_t kHuge = std::int64_t{1} << 62;

TEST(Tensor, RowsAreWholeBlocks) {
    for (const DTypeInfo& info : dtypes()) {
        const auto block = static_cast<std::uint64_t>(info.block);
        const auto bytes = row_bytes(info.type, 3 * block);
        ASSERT_TRUE(bytes) << info.name;
        EXPECT_EQ(*bytes, 3U * static_cast<std::uint64_t>(info.block_bytes)) << info.name;
        EXPECT_EQ(!row_bytes(info.type, 3 * block + 1), block > 1) << info.name;
    }
}

TEST(Tensor, BytesOfShapes) {
    EXPECT_EQ(*tensor_bytes(DType::f32, {}), 4U);  // a scalar
    EXPECT_EQ(*tensor_bytes(DType::f32, {0}), 0U);
    EXPECT_EQ(*tensor_bytes(DType::bf16, {3, 5}), 30U);
    EXPECT_EQ(*tensor_bytes(DType::q4_k, {2, 3, 512}), 6U * 2 * 144);
}

TEST(Tensor, OverflowsAndNegativesAreErrors) {
    const std::vector<Shape> shapes = {{kHuge, kHuge},    {kHuge},           {2, kHuge, 2}, {-1},
                                       {0, kHuge, kHuge}, {kHuge, kHuge, 0}, {4, -3}};
    for (const Shape& shape : shapes) {
        const auto bytes = tensor_bytes(DType::f32, shape);
        ASSERT_FALSE(bytes) << shape_text(shape);
        EXPECT_EQ(bytes.error().code, Code::corrupt);
    }
    EXPECT_FALSE(tensor_bytes(DType::q4_0, {32, 33}));
    EXPECT_FALSE(tensor_bytes(DType::q4_0, {}));
}

TEST(Tensor, ShapesAsText) {
    EXPECT_EQ(shape_text({}), "[]");
    EXPECT_EQ(shape_text({4096, 1024}), "[4096, 1024]");
}

}  // namespace
}  // namespace heft
