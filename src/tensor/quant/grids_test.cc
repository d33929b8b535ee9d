#include "tensor/quant/grids.h"

#include <set>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/sha256.h"

namespace heft::quant::grids {
namespace {

struct Codebook {
    const char* name;
    std::span<const std::uint16_t> entries;
    std::span<const int> levels;
    int weights;  // per entry
    int bits;     // per weight
    // Of the table as its authors publish it: one byte a weight.
    const char* sha256;
};

const Codebook kCodebooks[] = {
    {"IQ1", kIq1, kIq1Levels, 8, 2,
     "07540ffc1aeaf6ad4d97e96b0fcc765aae39671d4ae4a27bbd0e796fde167c6a"},
    {"IQ2_XXS", kIq2Xxs, kIq2Levels, 8, 2,
     "05826b5d3e472a3a78f196be62ac78acf81df0f909626e12ab9fa2a5d490dd54"},
    {"IQ2_XS", kIq2Xs, kIq2Levels, 8, 2,
     "06e47aaca60b4dc1d9b5a3f34540437058a6b142b4d7a59d5ded769b4d1bf1de"},
    {"IQ2_S", kIq2S, kIq2Levels, 8, 2,
     "e1aa1473412b0552c2174c30ef22ab4073f6a181b85a17056e8249bd2932fd88"},
    {"IQ3_XXS", kIq3Xxs, kIq3XxsLevels, 4, 3,
     "46e35f5a997efdee6c99ce57854c8a0d4f0ff8ca57e5e8a60c0793ea580acf5d"},
    {"IQ3_S", kIq3S, kIq3SLevels, 4, 3,
     "bd1af4945a1717c65610b0284e4628b9a1ba3b306fae3a06f6e5f597356e349f"},
};

TEST(Grids, AreThePublishedTables) {
    for (const Codebook& book : kCodebooks) {
        std::string bytes;
        for (const unsigned entry : book.entries) {
            for (int j = 0; j < book.weights; ++j) {
                const unsigned digit = entry >> (book.bits * j) & ((1U << book.bits) - 1);
                ASSERT_LT(digit, book.levels.size()) << book.name;
                bytes += static_cast<char>(book.levels[digit]);
            }
        }
        EXPECT_EQ(*sha256(as_bytes(bytes)), book.sha256) << book.name;
    }
}

TEST(Grids, EntriesAscendAndUseEveryLevel) {
    for (const Codebook& book : kCodebooks) {
        std::set<unsigned> digits;
        for (std::size_t i = 0; i < book.entries.size(); ++i) {
            if (i > 0) {
                EXPECT_LT(book.entries[i - 1], book.entries[i]) << book.name << " " << i;
            }
            EXPECT_EQ(book.entries[i] >> (book.weights * book.bits), 0) << book.name << " " << i;
            for (int j = 0; j < book.weights; ++j)
                digits.insert(book.entries[i] >> (book.bits * j) & ((1U << book.bits) - 1));
        }
        EXPECT_EQ(digits.size(), book.levels.size()) << book.name;
    }
}

TEST(Grids, SignsOfEightAreEven) {
    std::set<unsigned> all;
    for (unsigned seven = 0; seven < 128; ++seven) {
        const unsigned eight = even_signs(seven);
        EXPECT_EQ(eight & 127U, seven);
        EXPECT_EQ(std::popcount(eight) % 2, 0) << seven;
        all.insert(eight);
    }
    EXPECT_EQ(all.size(), 128U);
}

}  // namespace
}  // namespace heft::quant::grids
