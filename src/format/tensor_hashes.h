// SHA-256 of the tensors of files while these are written: threads read, a moment later, what was
// written and the system still has in memory. So neither the producers nor the disk wait for it, a
// file larger than memory is not read again, and what an earlier attempt has written is hashed,
// too.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "format/tensor_source.h"

namespace heft::format {

struct HashedTensor {
    std::string name;
    DType type = DType::f32;
    Shape shape;
    std::string sha256;  // of its bytes
};

class TensorHashes {
  public:
    // At most as many threads, and not more than eight. 0: usable_cpus().
    explicit TensorHashes(int n_threads = 0);
    ~TensorHashes();  // what is not hashed by then is given up
    TensorHashes(const TensorHashes&) = delete;
    TensorHashes& operator=(const TensorHashes&) = delete;

    // A tensor whose bytes stand in an open file from `at` on. The file must stay open until
    // wait().
    void add(const TensorSource& tensor, int fd, std::uint64_t at, std::uint64_t bytes);

    // Until all are hashed. Errors: those of reading.
    Status wait();
    // Until none is being hashed; what waits is given up.
    void give_up();

    // In the order of adding. After wait().
    const std::vector<HashedTensor>& tensors() const { return tensors_; }

  private:
    struct Job {
        std::size_t tensor = 0;
        int fd = -1;
        std::uint64_t at = 0, bytes = 0;
    };

    void work();
    void end(const Job& job, Result<std::string> hash);

    std::mutex mutex_;
    std::condition_variable came_, done_;
    std::deque<Job> waiting_;
    std::vector<HashedTensor> tensors_;
    std::size_t n_left_ = 0;  // added and not hashed
    Status status_;
    bool ends_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace heft::format
