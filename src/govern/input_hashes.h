// The SHA-256 of the files that a model is made of, found while it is made: reading gigabytes first
// would take as long as all the rest. Until they are known, other digits stand for them in the
// record of lineage.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/sha256.h"

namespace heft::govern {

class InputHashes {
  public:
    // Begins, in threads of its own. Errors: not_found.
    static Result<std::unique_ptr<InputHashes>> begin(std::vector<std::filesystem::path> files);
    ~InputHashes();  // what is not hashed by then is given up
    InputHashes(const InputHashes&) = delete;
    InputHashes& operator=(const InputHashes&) = delete;

    // One for each file, as long as a hash. The same as long as the file is and nobody has written
    // into it, as the system knows: the same command, run again, knows its unfinished result by
    // them.
    const std::vector<std::string>& stand_ins() const { return stand_ins_; }

    // Puts the hashes into a passport (passport.h) in place of what stands for them. Waits for
    // them; meanwhile `progress` is told, and may cancel. Once. Errors: those of reading;
    // cancelled.
    Status put_into(nlohmann::ordered_json& record, const HashProgress& progress);

  private:
    explicit InputHashes(std::vector<std::filesystem::path> files) : files_(std::move(files)) {}
    void work();
    Status wait(const HashProgress& progress);

    std::vector<std::filesystem::path> files_;
    std::vector<std::string> stand_ins_;
    std::mutex mutex_;
    std::condition_variable ended_;
    std::uint64_t done_ = 0, total_ = 0;  // bytes
    bool is_given_up_ = false, has_ended_ = false;
    Result<std::vector<std::string>> hashes_ = std::vector<std::string>();
    std::thread thread_;
};

}  // namespace heft::govern
