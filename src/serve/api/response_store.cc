#include "serve/api/response_store.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/sha256.h"
#include "format/output_file.h"

namespace heft::serve {

namespace {

namespace fs = std::filesystem;
using std::chrono::system_clock;

constexpr std::size_t kMostFileBytes = 256U << 20U;
constexpr std::size_t kHashDigits = 64;
constexpr const char* kLockName = "lock";

// The lengths keep two pairs from looking alike.
Result<std::string> name_of(const std::string& id, const std::string& owner) {
    const std::string both = fmt::format("{} {}{}", owner.size(), owner, id);
    return sha256({reinterpret_cast<const std::byte*>(both.data()), both.size()});
}

std::size_t bytes_of(const StoredResponse& response) {
    std::size_t bytes = sizeof response + response.body.size() + response.owner.size();
    for (const Message& message : response.messages) {
        bytes += sizeof message + message.text.size() + message.reasoning.size();
        for (const ToolCall& call : message.calls) bytes += sizeof call + call.arguments.size();
    }
    return bytes;
}

bool is_hash(const std::string& name) {
    return name.size() == kHashDigits
           && name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

Error failed(const fs::path& path, const char* doing) {
    return Error{Code::exhausted,
                 fmt::format("{}: cannot {}: {}", path.string(), doing, std::strerror(errno))};
}

// So that a name which has just been given or taken is not forgotten with the power.
void sync_folder(const fs::path& folder) {
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    ::fsync(fd);
    ::close(fd);
}

// Plain files only: what else the folder may hold is not ours to follow.
Result<std::string> read_plain(const fs::path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return failed(path, "be read");
    struct stat about {};
    std::string text;
    bool good = ::fstat(fd, &about) == 0 && S_ISREG(about.st_mode)
                && static_cast<std::uint64_t>(about.st_size) <= kMostFileBytes;
    if (good) text.resize(static_cast<std::size_t>(about.st_size));
    for (std::size_t at = 0; good && at < text.size();) {
        const ssize_t n = ::read(fd, text.data() + at, text.size() - at);
        good = n > 0;
        at += good ? static_cast<std::size_t>(n) : 0;
    }
    ::close(fd);
    if (!good) return Error{Code::corrupt, path.string() + ": is no file of a stored response"};
    return text;
}

}  // namespace

Result<std::unique_ptr<ResponseStore>> ResponseStore::open(const fs::path& state,
                                                           StoreLimits limits) {
    auto store = std::make_unique<ResponseStore>(limits);
    const fs::path folder = state / "responses";
    store->folder_ = folder;
    std::error_code problem;
    fs::create_directories(folder, problem);
    if (!problem) fs::permissions(folder, fs::perms::owner_all, problem);
    if (problem)
        return Error{Code::invalid, fmt::format("{}: cannot be made ready: {}", folder.string(),
                                                problem.message())};
    const fs::path lock = folder / kLockName;
    store->lock_ = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (store->lock_ < 0) return failed(lock, "be made");
    if (::flock(store->lock_, LOCK_EX | LOCK_NB) != 0)
        return Error{Code::invalid, folder.string() + ": another server keeps its responses there; "
                                                      "give each a folder of its own (--state)"};
    HEFT_OK(store->take_over());
    store->writer_ = std::thread([s = store.get()] { s->write_all(); });
    return store;
}

ResponseStore::~ResponseStore() {
    {
        const std::lock_guard lock(mutex_);
        over_ = true;
        changed_.notify_all();
    }
    if (writer_.joinable()) writer_.join();
    if (lock_ >= 0) ::close(lock_);
}

// What an earlier run has left, without reading it; and what it was interrupted at goes.
Status ResponseStore::take_over() {
    std::vector<Kept> found;
    std::error_code problem;
    for (fs::directory_iterator at(folder_, problem), end; !problem && at != end;
         at.increment(problem)) {
        const std::string name = at->path().filename().string();
        struct stat about {};
        if (::lstat(at->path().c_str(), &about) != 0 || !S_ISREG(about.st_mode)) continue;
        if (is_hash(name))
            found.push_back({name, static_cast<std::uint64_t>(about.st_size),
                             system_clock::from_time_t(about.st_mtime)});
        else if (name.front() == '.' && is_hash(name.substr(1, kHashDigits)))
            ::unlink(at->path().c_str());
    }
    if (problem)
        return Error{Code::invalid,
                     fmt::format("{}: cannot be read: {}", folder_.string(), problem.message())};
    std::sort(found.begin(), found.end(),
              [](const Kept& a, const Kept& b) { return a.when < b.when; });
    for (Kept& kept : found) add(std::move(kept));
    return {};
}

void ResponseStore::drop(Place place) {
    if (!folder_.empty()) ::unlink(file(place->name).c_str());
    bytes_ -= place->bytes;
    by_name_.erase(place->name);
    by_age_.erase(place);
}

// The newest; the oldest go while there are too many.
void ResponseStore::add(Kept kept) {
    const Time oldest = system_clock::now() - limits_.age;
    bytes_ += kept.bytes;
    by_age_.push_back(std::move(kept));
    by_name_[by_age_.back().name] = std::prev(by_age_.end());
    while (
        !by_age_.empty()
        && (bytes_ > limits_.bytes || by_age_.size() > limits_.n || by_age_.front().when < oldest))
        drop(by_age_.begin());
}

void ResponseStore::put(StoredResponse response, Then then) {
    auto name = name_of(response.id, response.owner);
    if (!name) return then(name.error());
    std::unique_lock lock(mutex_);
    if (!folder_.empty()) {
        waiting_.push_back({std::move(*name), write_stored(response), std::move(then)});
        changed_.notify_all();
        return;
    }
    const std::size_t bytes = bytes_of(response);
    if (bytes > limits_.bytes) {
        lock.unlock();
        return then(Error{Code::exhausted, "it is larger than all that may be stored"});
    }
    if (const auto known = by_name_.find(*name); known != by_name_.end()) drop(known->second);
    add({std::move(*name), bytes, system_clock::now(), std::move(response)});
    lock.unlock();
    then({});
}

// The writer's thread: disks are slow, and whoever made the response has others to serve.
void ResponseStore::write_all() {
    std::unique_lock lock(mutex_);
    while (true) {
        changed_.wait(lock, [this] { return over_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        const Work work = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        const Status done = write(work);
        lock.lock();
        if (done) {
            // It has replaced a file of its name already.
            if (const auto known = by_name_.find(work.name); known != by_name_.end()) {
                bytes_ -= known->second->bytes;
                by_age_.erase(known->second);
            }
            add({work.name, work.text.size(), system_clock::now(), {}});
        }
        lock.unlock();
        work.then(done);
        lock.lock();
    }
}

Status ResponseStore::write(const Work& work) {
    if (work.text.size() > std::min<std::uint64_t>(limits_.bytes, kMostFileBytes))
        return Error{Code::exhausted, "it is larger than all that may be stored"};
    HEFT_OK(format::write_file(file(work.name), work.text));
    sync_folder(folder_);
    return {};
}

std::optional<StoredResponse> ResponseStore::find(const std::string& id, const std::string& owner) {
    const auto name = name_of(id, owner);
    if (!name) return {};
    {
        const std::lock_guard lock(mutex_);
        const auto known = by_name_.find(*name);
        if (known == by_name_.end()) return {};
        const Kept& kept = *known->second;
        if (kept.when < system_clock::now() - limits_.age) return {};
        if (folder_.empty()) return kept.response;
    }
    const auto text = read_plain(file(*name));
    if (!text) return {};
    auto response = read_stored(*text);
    if (!response || response->id != id || response->owner != owner) return {};
    return std::move(*response);
}

bool ResponseStore::erase(const std::string& id, const std::string& owner) {
    const auto name = name_of(id, owner);
    if (!name) return false;
    const std::lock_guard lock(mutex_);
    const auto known = by_name_.find(*name);
    if (known == by_name_.end()) return false;
    drop(known->second);
    if (!folder_.empty()) sync_folder(folder_);
    return true;
}

}  // namespace heft::serve
