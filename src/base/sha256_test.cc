#include "base/sha256.h"

#include <cstdio>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

namespace heft {
namespace {

// FIPS 180-4 examples.
TEST(Sha256, KnownAnswers) {
    EXPECT_EQ(*sha256(as_bytes("abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(*sha256({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

class Sha256File : public ::testing::Test {
  protected:
    void TearDown() override { std::filesystem::remove(path_); }

    const std::filesystem::path path_ =
        std::filesystem::temp_directory_path() / ("heft_sha256_" + std::to_string(::getpid()));
};

TEST_F(Sha256File, EqualsTheHashOfTheBytesAndReportsProgress) {
    const std::string text(3'000'001, 'a');
    std::ofstream(path_, std::ios::binary) << text;
    std::uint64_t last = 0;
    const auto hex = sha256_file(path_, [&last](std::uint64_t done, std::uint64_t total) {
        EXPECT_GT(done, last);
        EXPECT_EQ(total, 3'000'001U);
        last = done;
        return true;
    });
    ASSERT_TRUE(hex);
    EXPECT_EQ(*hex, *sha256(as_bytes(text)));
    EXPECT_EQ(last, text.size());
}

TEST_F(Sha256File, CanBeCancelled) {
    std::ofstream(path_, std::ios::binary) << "text";
    const auto hex = sha256_file(path_, [](std::uint64_t, std::uint64_t) { return false; });
    ASSERT_FALSE(hex);
    EXPECT_EQ(hex.error().code, Code::cancelled);
}

TEST_F(Sha256File, NamesTheMissingFile) {
    const auto hex = sha256_file(path_);
    ASSERT_FALSE(hex);
    EXPECT_EQ(hex.error().code, Code::not_found);
    EXPECT_NE(hex.error().what.find(path_.string()), std::string::npos);
}

TEST_F(Sha256File, HashesOfManyStandInTheirOrder) {
    std::filesystem::create_directory(path_);
    std::vector<std::filesystem::path> paths;
    for (int i = 0; i < 9; ++i) {
        paths.push_back(path_ / std::to_string(i));
        std::ofstream(paths.back(), std::ios::binary) << std::string(300'000U * (9U - i), 'a');
    }
    std::uint64_t last = 0;
    const auto hashes = sha256_files(paths, [&last](std::uint64_t done, std::uint64_t total) {
        EXPECT_GT(done, last);
        EXPECT_EQ(total, 300'000U * 45);
        last = done;
        return true;
    });
    ASSERT_TRUE(hashes);
    ASSERT_EQ(hashes->size(), paths.size());
    for (std::size_t i = 0; i < paths.size(); ++i)
        EXPECT_EQ((*hashes)[i], *sha256_file(paths[i])) << i;
    EXPECT_EQ(last, 300'000U * 45);
    paths.insert(paths.begin() + 4, path_ / "none");
    const auto failed = sha256_files(paths);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, Code::not_found);
    std::filesystem::remove_all(path_);
}

}  // namespace
}  // namespace heft
