#include "govern/passport.h"

#include <algorithm>

#include "base/json.h"
#include "base/mapped_file.h"

namespace heft::govern {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::size_t kMostRecordBytes = 1U << 20;
constexpr std::size_t kMostHistory = 256;  // records

Json parsed_record(std::string_view text) {
    if (text.empty() || text.size() > kMostRecordBytes) return nullptr;
    auto tree = parse_json_tree(text);
    if (!tree || !tree->is_object()) return nullptr;
    return std::move(*tree);
}

class Hashes {
  public:
    Hashes(const std::vector<Source>& sources, const HashProgress& progress) : progress_(progress) {
        std::error_code ignored;
        for (const Source& source : sources)
            for (const fs::path& file : source.files) total_ += fs::file_size(file, ignored);
    }

    Result<Json> of(const std::vector<fs::path>& files) {
        Json out = Json::array();
        for (const fs::path& file : files) {
            std::error_code error;
            const std::uint64_t bytes = fs::file_size(file, error);
            const auto shown = [this](std::uint64_t done, std::uint64_t) {
                return !progress_ || progress_(before_ + done, total_);
            };
            HEFT_TRY(std::string hash, sha256_file(file, shown));
            before_ += bytes;
            out.push_back({{"name", file.filename().string()},
                           {"bytes", bytes},
                           {"sha256", std::move(hash)}});
        }
        return out;
    }

  private:
    const HashProgress& progress_;
    std::uint64_t total_ = 0;
    std::uint64_t before_ = 0;
};

// The records of the inputs, oldest first, each with the hash of the file that it came with.
class History {
  public:
    void add(const Json& record, const Json& files) {
        if (!record.is_object() || files.empty()) return;
        if (record.contains("history") && record["history"].is_array())
            for (const Json& earlier : record["history"]) add_one(earlier);
        Json own = {{"of", files.front()["sha256"]}};
        for (const auto& [key, value] : record.items())
            if (key != "history" && key != "of") own[key] = value;
        add_one(own);
    }

    // A cut one says so: a chain with a gap must not look whole.
    Json take() {
        if (records_.size() > kMostHistory) {
            records_.erase(
                records_.begin(),
                records_.begin() + static_cast<std::ptrdiff_t>(records_.size() - kMostHistory));
            records_.insert(records_.begin(), Json{{"cut", true}});
        }
        return records_;
    }

  private:
    void add_one(const Json& record) {
        if (!record.is_object()) return;
        if (std::find(records_.begin(), records_.end(), record) == records_.end())
            records_.push_back(record);
    }

    std::vector<Json> records_;
};

}  // namespace

Json carried_record(const format::Checkpoint& checkpoint) {
    if (checkpoint.kind() == format::Kind::gguf)
        return parsed_record(checkpoint.metadata().string(kLineageKey).value_or(""));
    const auto file = checkpoint.side_file(kLineageFile);
    return file ? parsed_record(as_text(file->bytes())) : Json(nullptr);
}

Result<GateOutcome> passport(const Catalogue& catalogue, const std::vector<Source>& sources,
                             const Making& making) {
    std::vector<Parent> parents;
    parents.reserve(sources.size());
    for (const Source& source : sources) parents.push_back(source.parent);
    GateOutcome out = gate(catalogue, making.verb, parents, making.use, making.accept_terms);
    Json terms = std::move(out.record);
    out.record = Json{{"schema", terms["schema"]},
                      {"verb", making.verb},
                      {"made_by", making.made_by},
                      {"options", making.options},
                      {"seed", making.seed ? Json(*making.seed) : Json()},
                      {"inputs", Json::array()}};
    Hashes hashes(sources, making.progress);
    History history;
    for (const Source& source : sources) {
        Json files = Json::array();
        if (out.may_proceed) {
            HEFT_TRY(files, hashes.of(source.files));
        }
        history.add(source.record, files);
        out.record["inputs"].push_back({{"model", source.parent.model.name},
                                        {"relation", source.parent.relation},
                                        {"files", std::move(files)}});
    }
    for (const auto& [key, value] : terms.items())
        if (!out.record.contains(key)) out.record[key] = value;
    out.record["difference"] = nullptr;
    out.record["history"] = history.take();
    return out;
}

}  // namespace heft::govern
