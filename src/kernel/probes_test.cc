#include "kernel/probes.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "kernel/table.h"

namespace heft::kernel {
namespace {

// Those of a set that the machine lacks are not there to be called.
TEST(Probes, RunWhereTheyAreListed) {
    std::set<std::string> names;
    for (const Probe& probe : probes()) {
        EXPECT_TRUE(names.insert(probe.name).second) << probe.name;
        EXPECT_GT(probe.ops_per_round, 0) << probe.name;
        EXPECT_TRUE(probe.usable()) << probe.name;
        probe.run(0);
        probe.run(10);
    }
    EXPECT_EQ(names.count("f32-256"), avx2() != nullptr ? 1U : 0U);
    EXPECT_EQ(names.count("vnni-512"), avx512() != nullptr ? 1U : 0U);
    EXPECT_EQ(names.count("f32-128"), 1U);
}

}  // namespace
}  // namespace heft::kernel
