#include "app/recorded_writing.h"

#include "app/yardstick.h"
#include "base/json_text.h"
#include "govern/contents.h"
#include "govern/seal.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr std::size_t kRoom = 640;     // for what is measured, in the record
constexpr std::size_t kMostWhy = 300;  // characters of a reason

// What a file says of itself when it is complete.
class Statement {
  public:
    Statement(const Recorded& recorded, const Measuring& measure)
        : granted_(recorded.granted),
          record_(granted_.record),
          line_(recorded.line),
          measure_(measure) {
        how_.key = granted_.signing();
    }

    // A text as long as the one that will be known in the end, which says what decides it.
    std::string beginning(std::size_t n_tensors, std::size_t n_keys) {
        n_tensors_ = n_tensors;
        n_keys_ = n_keys;
        how_.length = length() + (measure_ ? kRoom : 0);
        std::string text = json_text(record_);
        text.resize(how_.length, ' ');
        return text;
    }

    Result<std::string> end(Bytes file, const std::vector<format::HashedTensor>& tensors) {
        HEFT_OK(granted_.put_hashes(line_));
        if (measure_) HEFT_OK(measure(file));
        HEFT_TRY(const govern::Contents contents, govern::contents_of_gguf(file, tensors));
        HEFT_TRY(std::string text, govern::sealed(record_, contents, how_));
        record_ = govern::parsed_record(text);
        return text;
    }

  private:
    Status measure(Bytes file) {
        Json& difference = record_["difference"];
        auto found = measure_(file);
        if (!found && found.error().code == Code::cancelled) return std::move(found.error());
        difference =
            found ? std::move(*found) : not_measured(found.error().what.substr(0, kMostWhy));
        if (length() > how_.length)  // names and reasons may be of any length
            difference = not_measured("what was measured is too long for the record");
        return {};
    }

    std::size_t length() const { return govern::sealed_length(record_, n_tensors_, n_keys_, how_); }

    Granted& granted_;
    Json& record_;
    FileProgress& line_;
    const Measuring& measure_;
    govern::Sealing how_;
    std::size_t n_tensors_ = 0, n_keys_ = 0;
};

// As several files. Nothing is written over that should stay.
Result<std::vector<fs::path>> write_parts(const format::GgufWriter& writer,
                                          const std::vector<fs::path>& inputs,
                                          const MakingFlags& making,
                                          const format::GgufWriter::Saying& saying) {
    HEFT_TRY(const std::uint64_t most, parse_size("--shard-size", making.shard_size));
    const fs::path out = making.out;
    const fs::path stem = out.extension() == ".gguf" ? out.parent_path() / out.stem() : out;
    HEFT_TRY(const auto names, writer.part_names(stem, most));
    HEFT_OK(check_place(names.front(), {}, making.force));
    for (const fs::path& name : names) HEFT_OK(check_place(name, inputs, true));
    return writer.write_parts_with(stem, most, saying);
}

}  // namespace

Result<std::vector<fs::path>> write_recorded(format::GgufWriter& writer, const Recorded& recorded,
                                             const MakingFlags& making, const Measuring& measure) {
    if (!is_file_to_be(making.out)) {  // begins with its record, before it is known what follows
        HEFT_OK(recorded.granted.put_hashes(recorded.line));
        recorded.granted.record["contents"] = nullptr;
        writer.set_string(govern::kLineageKey, json_text(recorded.granted.record));
        HEFT_OK(writer.write(making.out));
        return std::vector<fs::path>{making.out};
    }
    Statement statement(recorded, measure);
    writer.set_string(govern::kLineageKey, "");
    writer.set_string(govern::kLineageKey,
                      statement.beginning(writer.n_tensors(), writer.n_keys() - 1));
    const format::GgufWriter::Saying saying{
        govern::kLineageKey,
        [&statement](Bytes file, const auto& tensors) { return statement.end(file, tensors); },
        making.n_threads};
    if (!making.shard_size.empty()) return write_parts(writer, recorded.inputs, making, saying);
    HEFT_OK(writer.write_with(making.out, saying));
    return std::vector<fs::path>{making.out};
}

}  // namespace heft::app
