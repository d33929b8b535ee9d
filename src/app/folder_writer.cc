#include "app/folder_writer.h"

#include <algorithm>
#include <system_error>

#include "base/sha256.h"
#include "format/output_file.h"
#include "format/unfinished_folder.h"
#include "govern/contents.h"
#include "govern/passport.h"
#include "govern/seal.h"

namespace heft::app {

namespace {

namespace fs = std::filesystem;

constexpr const char* kShardSize = "5GB";

// Inputs, by what stands for their hashes, and options are in the record; with the sizes of files
// it decides the result.
Result<std::string> key_of(const nlohmann::ordered_json& record, std::uint64_t shard_bytes) {
    return sha256(as_bytes(record.dump() + std::to_string(shard_bytes)));
}

Result<std::vector<fs::path>> files_in(const fs::path& folder) {
    std::vector<fs::path> out;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error)) out.push_back(entry.path());
    if (error) return Error{Code::not_found, folder.string() + ": " + error.message()};
    std::sort(out.begin(), out.end());
    return out;
}

}  // namespace

FolderWriter::FolderWriter(const convert::FolderModel& model, ThreadPool& pool, FileProgress& line)
    : model_(model),
      pool_(pool),
      line_(line),
      encoder_(pool,
               [this](std::uint64_t done) {
                   done_by_encoder_ = done;
                   return line_.show_count(done_by_encoder_ + done_in_pairs_, work_);
               }),
      hashes_(pool.size()) {
    writer_.set("format", "pt");  // which readers ask for
    work_ = shape::work_of(model.tensors);
    n_tensors_ =
        shape::add_tensors(writer_, model.tensors, encoder_, [this](std::uint64_t weights) {
            done_in_pairs_ += weights;
            return line_.show_count(done_by_encoder_ + done_in_pairs_, work_);
        });
}

Result<std::vector<fs::path>> FolderWriter::write(const MakingFlags& flags, Granted& granted,
                                                  const Besides& besides) {
    HEFT_TRY(const std::uint64_t shard_bytes,
             parse_size("--shard-size", flags.shard_size.empty() ? kShardSize : flags.shard_size));
    fs::path out = flags.out;
    if (!out.has_filename()) out = out.parent_path();
    std::error_code error;
    if (fs::is_regular_file(out, error))
        return Error{Code::invalid, out.string() + ": is a file, not a folder to write"};
    HEFT_TRY(std::string same, key_of(granted.record, shard_bytes));
    format::UnfinishedFolder folder(out, std::move(same));
    HEFT_OK(folder.begin());
    Status done = write_in(folder.folder(), shard_bytes, besides);
    if (done) done = write_record(folder.folder(), granted);
    if (!done && done.error().code == Code::cancelled)
        return Error{Code::cancelled,
                     "stopped; the same command goes on where this one ended, with "
                         + folder.folder().string()};
    if (done) done = folder.commit(flags.force);
    if (!done) {
        folder.discard();
        return done.error();
    }
    return files_in(out);
}

Status FolderWriter::write_in(const fs::path& folder, std::uint64_t shard_bytes,
                              const Besides& besides) {
    HEFT_TRY(const std::uint64_t all, bytes());
    constexpr auto kHow = format::Writing::resumable;
    const bool in_parts = model_.may_be_parts && all > shard_bytes;
    HEFT_OK(in_parts ? writer_.write_sharded(folder, shard_bytes, kHow, &hashes_)
                     : writer_.write(folder / model_.weights, kHow, &hashes_));
    for (const convert::SideFile& file : model_.files)
        HEFT_OK(format::write_file(folder / file.name, file.text));
    return besides ? besides(folder) : Status();
}

Status FolderWriter::write_record(const fs::path& folder, Granted& granted) const {
    HEFT_OK(granted.put_hashes(line_));
    format::WeightFiles weights;
    weights.kind = format::Kind::huggingface;
    weights.folder = folder;
    HEFT_TRY(weights.files, files_in(folder));
    std::erase_if(weights.files,
                  [](const fs::path& file) { return file.extension() != ".safetensors"; });
    HEFT_TRY(const govern::Contents contents,
             govern::contents_of(weights, hashes_.tensors(), pool_, {}));
    HEFT_TRY(const std::string text,
             govern::sealed(std::move(granted.record), contents, {granted.signing(), 2}));
    granted.record = govern::parsed_record(text);
    return format::write_file(folder / govern::kLineageFile, text);
}

}  // namespace heft::app
