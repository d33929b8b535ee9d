#include "govern/input_hashes.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>

namespace heft::govern {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::chrono::milliseconds kTold{100};

// The system changes the last time whenever the file's bytes change, and nobody can set it.
Result<std::string> stand_in(const fs::path& file) {
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0)
        return Error{Code::not_found, file.string() + ": " + std::strerror(errno)};
    return sha256(as_bytes(fmt::format("{} {} {} {}.{:09} {}.{:09}", info.st_dev, info.st_ino,
                                       info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec,
                                       info.st_ctim.tv_sec, info.st_ctim.tv_nsec)));
}

}  // namespace

Result<std::unique_ptr<InputHashes>> InputHashes::begin(std::vector<fs::path> files) {
    std::unique_ptr<InputHashes> out(new InputHashes(std::move(files)));
    for (const fs::path& file : out->files_) {
        HEFT_TRY(out->stand_ins_.emplace_back(), stand_in(file));
    }
    out->thread_ = std::thread([hashes = out.get()] { hashes->work(); });
    return out;
}

InputHashes::~InputHashes() {
    {
        const std::lock_guard lock(mutex_);
        is_given_up_ = true;
    }
    if (thread_.joinable()) thread_.join();
}

void InputHashes::work() {
    auto hashes = sha256_files(files_, [this](std::uint64_t done, std::uint64_t total) {
        const std::lock_guard lock(mutex_);
        done_ = done;
        total_ = total;
        return !is_given_up_;
    });
    const std::lock_guard lock(mutex_);
    hashes_ = std::move(hashes);
    has_ended_ = true;
    ended_.notify_all();
}

Status InputHashes::wait(const HashProgress& progress) {
    std::unique_lock lock(mutex_);
    while (!ended_.wait_for(lock, kTold, [this] { return has_ended_; })) {
        const std::uint64_t done = done_, total = total_;
        lock.unlock();
        if (progress && !progress(done, total))
            return Error{Code::cancelled, "hashing was stopped"};
        lock.lock();
    }
    if (!hashes_) return hashes_.error();
    return {};
}

Status InputHashes::put_into(Json& record, const HashProgress& progress) {
    HEFT_OK(wait(progress));
    std::map<std::string, std::string, std::less<>> hash_of;
    for (std::size_t i = 0; i < files_.size(); ++i) hash_of.emplace(stand_ins_[i], (*hashes_)[i]);
    const auto put = [&hash_of](Json& value) {
        if (!value.is_string()) return;
        const auto found = hash_of.find(value.get_ref<const std::string&>());
        if (found != hash_of.end()) value = found->second;
    };
    for (Json& input : record["inputs"])
        for (Json& file : input["files"]) put(file["sha256"]);
    Json history = Json::array();
    for (Json& step : record["history"]) {
        if (step.contains("of")) put(step["of"]);
        // Of two files with the same bytes that was not known before.
        if (std::find(history.begin(), history.end(), step) == history.end())
            history.push_back(std::move(step));
    }
    record["history"] = std::move(history);
    return {};
}

}  // namespace heft::govern
