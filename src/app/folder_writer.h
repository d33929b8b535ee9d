// A Hugging Face folder on its way to the disk: weights in safetensors files, the files beside
// them, and the record of lineage. It appears whole; what was stopped is gone on with.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/file_progress.h"
#include "app/making.h"
#include "base/threads.h"
#include "convert/folder_files.h"
#include "format/safetensors_writer.h"
#include "format/tensor_hashes.h"
#include "shape/encoder.h"
#include "shape/folder.h"

namespace heft::app {

class FolderWriter {
  public:
    // All must outlive it.
    FolderWriter(const convert::FolderModel& model, ThreadPool& pool, FileProgress& line);

    Result<std::uint64_t> bytes() const { return writer_.tensor_bytes_in_all(); }
    std::size_t n_tensors() const { return n_tensors_; }

    // Writes what else belongs into a folder.
    using Besides = std::function<Status(const std::filesystem::path& folder)>;

    // Into flags.out; the record gets its "contents" and, with a key, its "signature", and goes
    // into heft.json. Returns what it wrote. One file of weights, where --shard-size (5 GB) allows
    // it.
    Result<std::vector<std::filesystem::path>> write(const MakingFlags& flags, Granted& granted,
                                                     const Besides& besides = {});

  private:
    Status write_in(const std::filesystem::path& folder, std::uint64_t shard_bytes,
                    const Besides& besides);
    // When all else is there.
    Status write_record(const std::filesystem::path& folder, Granted& granted) const;

    const convert::FolderModel& model_;
    ThreadPool& pool_;
    FileProgress& line_;
    shape::Encoder encoder_;
    format::SafetensorsWriter writer_;
    format::TensorHashes hashes_;
    std::size_t n_tensors_ = 0;
    std::uint64_t work_ = 0;
    std::uint64_t done_in_pairs_ = 0;  // weights that do not pass through the encoder
    std::uint64_t done_by_encoder_ = 0;
};

}  // namespace heft::app
