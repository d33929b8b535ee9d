// The settings of op/tuning.h, measured on this machine and kept in the user's cache folder. Files
// there are looked at with suspicion and failures are silent: without one, defaults serve.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/threads.h"
#include "kernel/table.h"
#include "op/tuning.h"

namespace heft::engine {

// How long a product took, the shortest of several times: of `tokens` tokens, each thread reading
// so many `streams` and asking for them so far ahead, or the `way` that has no such choice.
struct TuningTrial {
    const char* setting;
    int tokens;
    int streams;  // 0: not what was compared
    int prefetch;
    const char* way;  // for people; nullptr where streams were compared
    double seconds;
};

// Takes about a second. How the memory is read is tried on `weights`, some hundred megabytes of a
// model's file, or, where none are given, on memory taken for it. `trials`, if asked for, gets
// everything that was tried.
op::Tuning measure_tuning(ThreadPool& pool, const kernel::Table& kernels, Bytes weights = {},
                          std::vector<TuningTrial>* trials = nullptr);

// The settings by the names that files and people see, and what each may be. Those that say up to
// how many tokens something serves: what serves until then, and beyond.
struct Setting {
    const char* name;
    int op::Tuning::*value;
    int least;
    int most;
    const char* until = nullptr;
    const char* beyond = nullptr;
};
inline constexpr Setting kStreamsSetting = {"streams", &op::Tuning::streams, 1, kernel::kStreams};
inline constexpr Setting kPrefetchSetting = {"prefetch", &op::Tuning::prefetch, 0,
                                             op::kMostPrefetch};
inline constexpr Setting kFloatSetting = {"few_tokens_in_float",
                                          &op::Tuning::few_tokens_in_float,
                                          1,
                                          op::kMostFewTokens,
                                          "rows as stored",
                                          "panels"};
inline constexpr Setting kIntegerSetting = {"few_tokens_in_integer",
                                            &op::Tuning::few_tokens_in_integer,
                                            1,
                                            op::kMostFewTokens,
                                            "rows as stored",
                                            "panels"};
inline constexpr Setting kTilesSetting = {
    "tokens_in_integers", &op::Tuning::tokens_in_integers, 0, op::kMostTokensInIntegers, "integers",
    "tiles of bfloat16"};
inline constexpr Setting kSettings[] = {kStreamsSetting, kPrefetchSetting, kFloatSetting,
                                        kIntegerSetting, kTilesSetting};

// What a measurement holds for: processor, microcode, kernels, version of heft. Whatever number of
// threads measured it, others use it too: what they compute must not differ.
std::string tuning_key(const kernel::Table& kernels);

// heft/tuning-….json in $XDG_CACHE_HOME or ~/.cache, by the key's hash; empty where neither is set.
std::filesystem::path tuning_file(const std::string& key);

// Nothing when there is no such file, or it is damaged, or of another key.
std::optional<op::Tuning> read_tuning(const std::filesystem::path& file, const std::string& key);

// Whole or not at all; false when it cannot be written.
bool write_tuning(const std::filesystem::path& file, const std::string& key,
                  const op::Tuning& tuning);

// What the file has; else what is measured now and written there. Defaults where nothing can be
// written: measuring each time would cost more than it gains.
op::Tuning tuning_for(ThreadPool& pool, const kernel::Table& kernels, Bytes weights);

}  // namespace heft::engine
