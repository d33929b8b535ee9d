#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../../tests/temp_folder.h"
#include "base/bytes.h"
#include "base/mapped_file.h"
#include "format/npy.h"

namespace heft::format {
namespace {

TEST(Npy, HeaderAndRows) {
    const heft::testing::TempFolder folder;
    const std::vector<float> values{1, 2, 3, 4, 5, 6};
    ASSERT_TRUE(write_npy(folder / "a.npy", values, 2, 3));
    const auto text = read_text(folder / "a.npy");
    ASSERT_TRUE(text);
    EXPECT_EQ(text->substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
    const auto length = load<std::uint16_t>(text->data() + 8);
    const std::size_t data = 10 + std::size_t{length};
    EXPECT_EQ(data % 64, 0U);
    EXPECT_EQ((*text)[data - 1], '\n');
    EXPECT_THAT(
        text->substr(10, length),
        ::testing::StartsWith("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"));
    ASSERT_EQ(text->size(), data + 24);
    for (std::size_t i = 0; i < 6; ++i)
        EXPECT_EQ(load<float>(text->data() + data + 4 * i), values[i]);
}

TEST(Npy, WrongShapesAreErrors) {
    const heft::testing::TempFolder folder;
    const std::vector<float> values(6);
    EXPECT_FALSE(write_npy(folder / "a.npy", values, 2, 4));
    EXPECT_FALSE(write_npy(folder / "a.npy", values, 0, 0));
    EXPECT_FALSE(write_npy(folder / "a.npy", values, (1ULL << 63) + 3, 2));
    EXPECT_TRUE(write_npy(folder / "a.npy", {}, 0, 7));
}

}  // namespace
}  // namespace heft::format
