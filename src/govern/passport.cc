#include "govern/passport.h"

#include <algorithm>
#include <span>

#include "base/json.h"
#include "base/mapped_file.h"

namespace heft::govern {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::size_t kMostHistory = 256;  // records

// Name, size and hash of each of a model's files; `hashes` begins with theirs.
Json files_record(const std::vector<fs::path>& files, std::span<const std::string> hashes) {
    Json out = Json::array();
    for (std::size_t i = 0; i < files.size(); ++i) {
        std::error_code ignored;
        out.push_back({{"name", files[i].filename().string()},
                       {"bytes", fs::file_size(files[i], ignored)},
                       {"sha256", hashes[i]}});
    }
    return out;
}

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
        // These are for whoever has the file at hand.
        if (own.contains("contents") && own["contents"].is_object())
            for (const char* key : {"files", "marks"}) own["contents"].erase(key);
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

Json parsed_record(std::string_view text) {
    if (text.empty() || text.size() > kMostRecordBytes) return nullptr;
    auto tree = parse_json_tree(text);
    if (!tree || !tree->is_object()) return nullptr;
    return std::move(*tree);
}

std::optional<std::string> carried_text(const format::Checkpoint& checkpoint) {
    if (checkpoint.kind() == format::Kind::gguf) {
        const auto text = checkpoint.metadata().string(kLineageKey);
        return text ? std::optional<std::string>(*text) : std::nullopt;
    }
    const auto file = checkpoint.side_file(kLineageFile);
    if (!file) return {};
    return std::string(as_text(file->bytes()));
}

std::optional<std::string> carried_text(const format::AdapterFiles& adapter) {
    if (adapter.gguf) return carried_text(*adapter.gguf);
    auto text = read_text(adapter.folder / kLineageFile, kMostRecordBytes);
    return text ? std::optional(std::move(*text)) : std::nullopt;
}

Json carried_record(const format::Checkpoint& checkpoint) {
    return parsed_record(carried_text(checkpoint).value_or(""));
}

Result<Passport> passport(const Catalogue& catalogue, const std::vector<Source>& sources,
                          const Making& making) {
    std::vector<Parent> parents;
    parents.reserve(sources.size());
    for (const Source& source : sources) parents.push_back(source.parent);
    Passport made;
    made.outcome = gate(catalogue, making.verb, parents, making.use, making.accept_terms);
    GateOutcome& out = made.outcome;
    Json terms = std::move(out.record);
    out.record = Json{{"schema", terms["schema"]},
                      {"verb", making.verb},
                      {"made_by", making.made_by},
                      {"options", making.options},
                      {"seed", making.seed ? Json(*making.seed) : Json()},
                      {"inputs", Json::array()}};
    std::span<const std::string> left;
    if (out.may_proceed) {
        std::vector<fs::path> all;
        for (const Source& source : sources)
            all.insert(all.end(), source.files.begin(), source.files.end());
        if (!all.empty()) {
            HEFT_TRY(made.hashes, InputHashes::begin(std::move(all)));
            left = made.hashes->stand_ins();
        }
    }
    History history;
    for (const Source& source : sources) {
        Json files = Json::array();
        if (out.may_proceed) {
            files = files_record(source.files, left);
            left = left.subspan(source.files.size());
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
    return made;
}

}  // namespace heft::govern
