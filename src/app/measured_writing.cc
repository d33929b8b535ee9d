#include "app/measured_writing.h"

#include <CLI/CLI.hpp>

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr std::size_t kRoom = 640;     // for what is measured, in the record
constexpr std::size_t kMostWhy = 300;  // characters of a reason

std::string text_of(const Json& record) {
    return record.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Empty: it can be measured.
std::string why_not(const NewModel& model, const MakingFlags& making, const MeasureFlags& flags) {
    if (flags.none) return flags.why_none;
    if (!making.shard_size.empty()) return "the model is written in several files";
    std::error_code error;
    if (fs::exists(making.out, error) && !fs::is_regular_file(making.out, error))
        return "what is written to is no file";
    return why_not_run(model.from, model.bytes);
}

Result<Json> measured(const NewModel& model, Bytes file, const MakingFlags& making,
                      const MeasureFlags& flags, FileProgress& line) {
    HEFT_TRY(const Yardstick yardstick,
             Yardstick::make(model.parent, flags.text, making.n_threads, line));
    HEFT_TRY(auto checkpoint, format::Checkpoint::from_gguf(file, making.out));
    HEFT_TRY(const auto far, yardstick.measure(std::move(checkpoint), "measuring", line));
    return difference_record(yardstick, far);
}

}  // namespace

void add_measure_flags(CLI::App& verb, MeasureFlags& flags) {
    verb.add_flag("--no-measure", flags.none, "do not measure how far it is from the original");
    verb.add_option("--text", flags.text, "measure on this (a small built-in text)")
        ->type_name("F");
}

Result<std::vector<fs::path>> write_measured(format::GgufWriter& writer, NewModel& model,
                                             const MakingFlags& making, const MeasureFlags& flags,
                                             FileProgress& line) {
    Json& difference = model.record["difference"];
    const std::string why = why_not(model, making, flags);
    if (!why.empty()) {
        difference = not_measured(why);
        writer.set_string(govern::kLineageKey, text_of(model.record));
        return write_gguf(writer, making);
    }
    // A record of this length, which is known only when all else is written.
    std::string text = text_of(model.record);
    text.append(kRoom, ' ');
    writer.set_string(govern::kLineageKey, text);
    const auto finish = [&](Bytes file) -> Result<std::string> {
        auto found = measured(model, file, making, flags, line);
        if (!found && found.error().code == Code::cancelled) return std::move(found.error());
        difference =
            found ? std::move(*found) : not_measured(found.error().what.substr(0, kMostWhy));
        std::string said = text_of(model.record);
        if (said.size() > text.size()) {  // names and reasons may be of any length
            difference = not_measured("what was measured is too long for the record");
            said = text_of(model.record);
        }
        said.resize(text.size(), ' ');
        return said;
    };
    HEFT_OK(writer.write_with(making.out, govern::kLineageKey, finish));
    return std::vector<fs::path>{making.out};
}

}  // namespace heft::app
