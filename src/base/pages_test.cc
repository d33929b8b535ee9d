#include "base/pages.h"

#include <cstdint>
#include <cstring>
#include <limits>
#include <new>

#include <gtest/gtest.h>

namespace heft {
namespace {

TEST(Pages, AreZeroAndAllOfThemCanBeWritten) {
    for (const std::size_t bytes : {std::size_t{1}, std::size_t{5000}, std::size_t{1} << 20,
                                    (std::size_t{1} << 21) + 1, std::size_t{9} << 20}) {
        auto pages = Pages::reserve(bytes);
        ASSERT_TRUE(pages) << bytes;
        ASSERT_GE(pages->size(), bytes);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(pages->data()) % 4096, 0U);
        for (std::size_t i = 0; i < bytes; i += 997) EXPECT_EQ(pages->data()[i], std::byte{0});
        std::memset(pages->data(), 1, pages->size());
    }
}

TEST(Pages, MoveWithTheirOwner) {
    auto first = Pages::reserve(3 << 20);
    ASSERT_TRUE(first);
    first->data()[0] = std::byte{7};
    Pages second(std::move(*first));
    Pages third;
    third = std::move(second);
    EXPECT_EQ(third.data()[0], std::byte{7});
}

TEST(Pages, OfMoreThanThereCanBeAreRefused) {
    for (const std::size_t less : {std::size_t{0}, std::size_t{1} << 30}) {
        const auto pages = Pages::reserve(std::numeric_limits<std::size_t>::max() - less);
        ASSERT_FALSE(pages);
        EXPECT_EQ(pages.error().code, Code::exhausted);
    }
}

TEST(WorkMemory, GrowsAndStays) {
    WorkMemory memory;
    auto* const small = memory.at_least<float>(100);
    small[99] = 1;
    EXPECT_EQ(memory.at_least<float>(50), small);
    EXPECT_EQ(memory.at_least<double>(50)[49], reinterpret_cast<double*>(small)[49]);
    auto* const large = memory.at_least<float>(1 << 20);
    large[(1 << 20) - 1] = 2;
    EXPECT_EQ(memory.at_least<float>(1000), large);
    EXPECT_THROW(memory.at_least<double>(std::numeric_limits<std::size_t>::max() / 2),
                 std::bad_alloc);
    EXPECT_EQ(memory.at_least<float>(1000), large);
}

TEST(PagedVector, GrowsAndKeepsWhatItHeld) {
    PagedVector<float> numbers;
    for (int i = 0; i < 1'000'000; ++i) numbers.push_back(static_cast<float>(i));
    numbers.resize(3'000'000);
    for (int i = 0; i < 1'000'000; i += 999)
        EXPECT_EQ(numbers[static_cast<std::size_t>(i)], static_cast<float>(i));
    PagedVector<float> other(numbers.begin(), numbers.begin() + 10);
    numbers.swap(other);
    EXPECT_EQ(numbers.size(), 10U);
    EXPECT_EQ(numbers.back(), 9.0F);
    EXPECT_THROW(other.reserve(std::numeric_limits<std::size_t>::max() / 8), std::bad_alloc);
}

}  // namespace
}  // namespace heft
