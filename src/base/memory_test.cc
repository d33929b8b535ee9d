#include "base/memory.h"

#include <gtest/gtest.h>

#include "../../tests/temp_folder.h"

namespace heft {
namespace {

using testing::TempFolder;

constexpr std::int64_t kMiB = 1 << 20;

void write(const TempFolder& root, const std::string& name, const std::string& text) {
    std::filesystem::create_directories((root / name).parent_path());
    root.write(name, text);
}

TEST(Memory, IsTheLeastThatMachineAndGroupsAllow) {
    const TempFolder root;
    EXPECT_EQ(free_memory_bytes(root.path()), 0);  // not known
    write(root, "proc/meminfo", "MemTotal: 9000 kB\nMemAvailable:   4096 kB\n");
    EXPECT_EQ(free_memory_bytes(root.path()), 4 * kMiB);
    write(root, "proc/self/cgroup", "1:cpu:/other\n0::/a/b\n");
    write(root, "sys/fs/cgroup/a/b/memory.max", "max\n");
    EXPECT_EQ(free_memory_bytes(root.path()), 4 * kMiB);
    write(root, "sys/fs/cgroup/a/memory.max", std::to_string(5 * kMiB));
    write(root, "sys/fs/cgroup/a/memory.current", std::to_string(4 * kMiB));
    EXPECT_EQ(free_memory_bytes(root.path()), kMiB);
    // Pages of files are given up when there is need.
    write(root, "sys/fs/cgroup/a/memory.stat",
          "anon 5\ninactive_file " + std::to_string(kMiB) + "\nactive_file "
              + std::to_string(kMiB / 2) + "\n");
    EXPECT_EQ(free_memory_bytes(root.path()), kMiB * 5 / 2);
    write(root, "sys/fs/cgroup/memory.max", std::to_string(kMiB));
    write(root, "sys/fs/cgroup/memory.current", std::to_string(2 * kMiB));
    EXPECT_EQ(free_memory_bytes(root.path()), 0);
}

TEST(Memory, OfThisProcessGrowsWithWhatItWrites) {
    const std::int64_t before = own_memory_bytes();
    ASSERT_GT(before, 0);
    const std::vector<char> written(64 * kMiB, 1);
    EXPECT_GE(own_memory_bytes() - before, static_cast<std::int64_t>(written.size()) * 9 / 10);
}

}  // namespace
}  // namespace heft
