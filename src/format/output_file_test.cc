#include "format/output_file.h"

#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "../../tests/temp_folder.h"
#include "base/mapped_file.h"

namespace heft::format {
namespace {

using ::testing::HasSubstr;

int files_in(const std::filesystem::path& folder) {
    const auto files = std::filesystem::directory_iterator(folder);
    return static_cast<int>(std::distance(begin(files), end(files)));
}

TEST(OutputFile, AppearsWhenCommitted) {
    const heft::testing::TempFolder folder;
    auto file = OutputFile::create(folder / "a");
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->write(as_bytes("one ")));
    const std::string large(3U << 20, 'x');
    ASSERT_TRUE(file->write(as_bytes(large)));
    ASSERT_TRUE(file->write(as_bytes(" two")));
    EXPECT_FALSE(std::filesystem::exists(folder / "a"));
    ASSERT_TRUE(file->commit());
    EXPECT_EQ(*read_text(folder / "a"), "one " + large + " two");
    EXPECT_EQ(files_in(folder.path()), 1);
}

TEST(OutputFile, ReplacesWholeOrNotAtAll) {
    const heft::testing::TempFolder folder;
    folder.write("a", "old");
    {
        auto file = OutputFile::create(folder / "a");
        ASSERT_TRUE(file->write(as_bytes(std::string(2U << 20, 'x'))));
    }
    EXPECT_EQ(*read_text(folder / "a"), "old");
    EXPECT_EQ(files_in(folder.path()), 1);
    auto file = OutputFile::create(folder / "a");
    ASSERT_TRUE(file->write(as_bytes("new")));
    ASSERT_TRUE(file->commit());
    EXPECT_EQ(*read_text(folder / "a"), "new");
}

TEST(OutputFile, FollowsLinksAndKeepsDevices) {
    const heft::testing::TempFolder folder;
    folder.write("real", "old");
    std::filesystem::create_symlink("real", folder / "link");
    auto file = OutputFile::create(folder / "link");
    ASSERT_TRUE(file->write(as_bytes("new")));
    ASSERT_TRUE(file->commit());
    EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
    EXPECT_EQ(*read_text(folder / "real"), "new");

    auto null = OutputFile::create("/dev/null");
    ASSERT_TRUE(null);
    ASSERT_TRUE(null->write(as_bytes("gone")));
    ASSERT_TRUE(null->commit());
    EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST(OutputFile, ErrorsNameTheFile) {
    const heft::testing::TempFolder folder;
    EXPECT_THAT(OutputFile::create(folder / "no/file").error().what, HasSubstr("no/file"));
    EXPECT_EQ(OutputFile::create(folder.path()).error().code, Code::invalid);
    auto full = OutputFile::create("/dev/full");
    ASSERT_TRUE(full);
    ASSERT_TRUE(full->write(as_bytes("text")));
    const auto status = full->commit();
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, Code::exhausted);
    EXPECT_THAT(status.error().what, HasSubstr("/dev/full: cannot write"));
}

// A disk that fills up in the middle, as far as a test can have one.
TEST(OutputFile, ShortWritesLeaveNothing) {
    const heft::testing::TempFolder folder;
    rlimit old{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{1U << 20, old.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    {
        auto file = OutputFile::create(folder / "a");
        ASSERT_TRUE(file);
        const auto status = file->write(as_bytes(std::string(3U << 20, 'x')));
        ASSERT_FALSE(status);
        EXPECT_EQ(status.error().code, Code::exhausted);
    }
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
    std::signal(SIGXFSZ, handler);
    EXPECT_EQ(files_in(folder.path()), 0);
}

}  // namespace
}  // namespace heft::format
