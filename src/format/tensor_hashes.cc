#include "format/tensor_hashes.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <unistd.h>

#include "base/sha256.h"
#include "base/threads.h"
#include "format/names.h"

namespace heft::format {

namespace {

constexpr std::size_t kPiece = 1U << 20;
constexpr int kMostThreads = 8;  // which hash faster than most disks write

Result<std::string> hash_of(int fd, std::uint64_t at, std::uint64_t bytes,
                            std::vector<std::byte>& piece) {
    piece.resize(kPiece);
    Sha256 hash;
    while (bytes > 0) {
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, kPiece));
        const ssize_t got = ::pread(fd, piece.data(), wanted, static_cast<off_t>(at));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0)
            return Error{Code::invalid,
                         std::string("cannot read what was written: ") + std::strerror(errno)};
        if (got == 0) return Error{Code::corrupt, "ends before what was written"};
        hash.add(Bytes(piece).first(static_cast<std::size_t>(got)));
        at += static_cast<std::uint64_t>(got);
        bytes -= static_cast<std::uint64_t>(got);
    }
    return hash.hex();
}

}  // namespace

TensorHashes::TensorHashes(int n_threads) {
    const int most = std::min(kMostThreads, usable_cpus());
    const int n = n_threads > 0 ? std::min(n_threads, most) : most;
    for (int i = 0; i < n; ++i) threads_.emplace_back([this] { work(); });
}

TensorHashes::~TensorHashes() {
    {
        const std::scoped_lock lock(mutex_);
        ends_ = true;
    }
    came_.notify_all();
    for (std::thread& thread : threads_) thread.join();
}

void TensorHashes::add(const TensorSource& tensor, int fd, std::uint64_t at, std::uint64_t bytes) {
    {
        const std::scoped_lock lock(mutex_);
        waiting_.push_back({tensors_.size(), fd, at, bytes});
        tensors_.push_back({tensor.name, tensor.type, tensor.shape, {}});
        ++n_left_;
    }
    came_.notify_one();
}

Status TensorHashes::wait() {
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return n_left_ == 0; });
    return status_;
}

void TensorHashes::give_up() {
    std::unique_lock lock(mutex_);
    n_left_ -= waiting_.size();
    waiting_.clear();
    done_.wait(lock, [this] { return n_left_ == 0; });
}

void TensorHashes::work() {
    std::vector<std::byte> piece;
    for (;;) {
        Job job;
        {
            std::unique_lock lock(mutex_);
            came_.wait(lock, [this] { return ends_ || !waiting_.empty(); });
            if (ends_) return;
            job = waiting_.front();
            waiting_.pop_front();
        }
        end(job, hash_of(job.fd, job.at, job.bytes, piece));
    }
}

void TensorHashes::end(const Job& job, Result<std::string> hash) {
    const std::scoped_lock lock(mutex_);
    HashedTensor& tensor = tensors_[job.tensor];
    if (hash)
        tensor.sha256 = std::move(*hash);
    else if (status_)
        status_ = within("tensor " + in_quotes(tensor.name), std::move(hash.error()));
    if (--n_left_ == 0) done_.notify_all();
}

}  // namespace heft::format
