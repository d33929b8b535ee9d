#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>

#include "base/mapped_file.h"
#include "base/sha256.h"
#include "format/gguf.h"
#include "format/safetensors.h"
#include "govern/contents.h"
#include "govern/passport.h"
#include "govern/release_files.h"
#include "govern/words.h"

namespace heft::govern {

namespace {

namespace fs = std::filesystem;

// Beside the weights, and no item: it says which file has which tensor.
constexpr std::string_view kIndex = "*.safetensors.index.json";

// Tensors on their way to their hashes, on all threads.
class Reading {
  public:
    Reading(Contents& out, const std::vector<format::HashedTensor>& known,
            const ContentsProgress& progress)
        : out_(out), progress_(progress) {
        for (const format::HashedTensor& tensor : known) known_[tensor.name] = &tensor;
    }

    Status add(const std::vector<TensorView>& tensors) {
        for (const TensorView& view : tensors) {
            const auto found = known_.find(view.name);
            if (found != known_.end()) {
                HEFT_OK(out_.add(*found->second));
                continue;
            }
            total_ += view.data.size();
            unread_.push_back({{view.name, view.type, view.shape, {}}, view.data, {}});
        }
        return {};
    }

    Status run(ThreadPool& pool) {
        std::atomic<std::size_t> next{0};
        pool.run([&](int, int) {
            for (std::size_t i = next.fetch_add(1); i < unread_.size(); i = next.fetch_add(1))
                if (!hash(unread_[i])) return;
        });
        if (stopped_) return Error{Code::cancelled, "stopped"};
        for (Unread& one : unread_) {
            HEFT_OK(one.status);
            HEFT_OK(out_.add(one.tensor));
        }
        return {};
    }

  private:
    struct Unread {
        format::HashedTensor tensor;
        Bytes bytes;
        Status status;
    };

    // false: nobody wants it any more.
    bool hash(Unread& one) {
        auto hash = sha256(one.bytes);
        if (hash)
            one.tensor.sha256 = std::move(*hash);
        else
            one.status = std::move(hash.error());
        forget_mapped(one.bytes);
        const std::scoped_lock lock(mutex_);
        done_ += one.bytes.size();
        if (progress_ && !progress_(done_, total_)) stopped_ = true;
        return !stopped_;
    }

    Contents& out_;
    const ContentsProgress& progress_;
    std::map<std::string_view, const format::HashedTensor*> known_;
    std::vector<Unread> unread_;
    std::uint64_t done_ = 0, total_ = 0;
    std::mutex mutex_;
    bool stopped_ = false;
};

Status add_safetensors(const std::vector<std::pair<std::string, std::string>>& metadata,
                       Contents& out) {
    for (const auto& [key, value] : metadata) {
        HEFT_TRY(const std::string hash, sha256(as_bytes(value)));
        HEFT_OK(out.add_key(key, hash));
    }
    return {};
}

Status add_files(const fs::path& folder, const std::vector<fs::path>& weights, Contents& out) {
    HEFT_TRY(const ReleaseFiles release, read_release(folder));
    std::error_code error;
    for (const std::string& name : release.names) {
        const fs::path file = folder / name;
        const bool is_weights =
            std::any_of(weights.begin(), weights.end(), [&](const fs::path& one) {
                return one.filename() == name && fs::equivalent(one, file, error);
            });
        if (is_weights || name == kLineageFile || matches(kIndex, name)
            || !fs::is_regular_file(file, error))
            continue;
        HEFT_TRY(const std::string hash, sha256_file(file));
        HEFT_OK(out.add_file(name, hash));
    }
    return {};
}

}  // namespace

Result<Contents> contents_of_gguf(Bytes file, const std::vector<format::HashedTensor>& tensors) {
    Contents out;
    HEFT_TRY(const format::Gguf gguf, format::parse_gguf(file));
    HEFT_OK(out.add(gguf.metadata));
    for (const format::HashedTensor& tensor : tensors) HEFT_OK(out.add(tensor));
    return out;
}

Result<Contents> contents_of(const format::WeightFiles& weights,
                             const std::vector<format::HashedTensor>& known, ThreadPool& pool,
                             const ContentsProgress& progress) {
    Contents out;
    Reading reading(out, known, progress);
    std::vector<MappedFile> maps;
    for (const fs::path& file : weights.files) {
        HEFT_TRY(maps.emplace_back(), MappedFile::open(file));
        const Bytes bytes = maps.back().bytes();
        if (weights.kind == format::Kind::gguf) {
            HEFT_TRY(const format::Gguf gguf, format::parse_gguf(bytes));
            HEFT_OK(out.add(gguf.metadata));
            HEFT_OK(reading.add(gguf.tensors));
        } else if (file.extension() == ".safetensors") {
            HEFT_TRY(const format::Safetensors shard, format::parse_safetensors(bytes));
            HEFT_OK(add_safetensors(shard.metadata, out));
            HEFT_OK(reading.add(shard.tensors));
        }
    }
    HEFT_OK(reading.run(pool));
    if (weights.kind == format::Kind::huggingface)
        HEFT_OK(add_files(weights.folder, weights.files, out));
    return out;
}

}  // namespace heft::govern
