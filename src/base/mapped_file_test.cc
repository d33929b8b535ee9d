#include "base/mapped_file.h"

#include <fstream>

#include <gtest/gtest.h>
#include <sys/mman.h>

#include "../../tests/temp_folder.h"

namespace heft {
namespace {

// Of all files, in this process's tables.
std::int64_t mapped_kibibytes() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;)
        if (word == "RssFile:") {
            std::int64_t kibibytes = 0;
            status >> kibibytes;
            return kibibytes;
        }
    return -1;
}

bool system_enters_pages() {
#ifdef MADV_POPULATE_READ
    return ::madvise(nullptr, 0, MADV_POPULATE_READ) == 0;
#else
    return false;
#endif
}

TEST(MappedFile, IsEnteredAndForgottenWithoutAChange) {
    constexpr std::int64_t kMegabytes = 5;
    const testing::TempFolder folder;
    const std::string text(kMegabytes << 20, 'x');
    folder.write("file", text);
    const auto file = MappedFile::open(folder / "file");
    ASSERT_TRUE(file);

    const std::int64_t before = mapped_kibibytes();
    enter_mapped(file->bytes().subspan(100));  // from the middle of a page on
    const std::int64_t entered = mapped_kibibytes() - before;
    EXPECT_TRUE(as_text(file->bytes()) == text);
    forget_mapped(file->bytes());
    const std::int64_t left = mapped_kibibytes() - before;
    EXPECT_TRUE(as_text(file->bytes()) == text);

    EXPECT_LT(left, 1024);
    if (system_enters_pages()) {
        EXPECT_GE(entered, (kMegabytes << 10) - 256);
    }
    enter_mapped({});
}

}  // namespace
}  // namespace heft
