#include "app/measured_writing.h"

#include <CLI/CLI.hpp>

#include "app/recorded_writing.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

// Empty: it can be measured.
std::string why_not(const NewModel& model, const MakingFlags& making, const MeasureFlags& flags) {
    if (flags.none) return flags.why_none;
    if (!making.shard_size.empty()) return "the model is written in several files";
    if (!is_file_to_be(making.out)) return "what is written to is no file";
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
    const Recorded recorded{model.granted, line, model.from.files()};
    const std::string why = why_not(model, making, flags);
    if (why.empty())
        return write_recorded(writer, recorded, making, [&](Bytes file) {
            return measured(model, file, making, flags, line);
        });
    model.granted.record["difference"] = not_measured(why);
    return write_recorded(writer, recorded, making);
}

}  // namespace heft::app
