#include "app/bench_tuning.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/console.h"
#include "base/clock.h"
#include "engine/tuning.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;

Json settings_json(const op::Tuning& tuning) {
    Json out;
    for (const engine::Setting& setting : engine::kSettings)
        out[setting.name] = tuning.*setting.value;
    return out;
}

Json trial_json(const engine::TuningTrial& trial) {
    Json out = {{"setting", trial.setting}, {"tokens", trial.tokens}};
    if (trial.streams > 0) {
        out["streams"] = trial.streams;
        out["prefetch"] = trial.prefetch;
    } else {
        out["way"] = trial.way;
    }
    out["ms"] = trial.seconds * 1e3;
    return out;
}

void put_settings(const Json& d) {
    put(fmt::format("{}\nmeasured in {:.2f} s; kept in {}\n\n", d["machine"].get<std::string>(),
                    d["seconds"].get<double>(),
                    d["file"].is_null() ? "no file: the cache folder cannot be written"
                                        : d["file"].get<std::string>()));
    for (const auto& [name, value] : d["settings"].items())
        put(fmt::format("{:<24}{:>5}  (usually {})\n", name, value.get<int>(),
                        d["defaults"][name].get<int>()));
    put("\n");
    for (const Json& trial : d["trials"]) {
        const std::string way = trial.contains("streams") ? fmt::format(
                                    "{} streams, {} bytes ahead", trial["streams"].get<int>(),
                                    trial["prefetch"].get<int>())
                                                          : trial["way"].get<std::string>();
        put(fmt::format("{:<24}{:>4} tokens, {:<28}{:>9.3f} ms\n",
                        trial["setting"].get<std::string>(), trial["tokens"].get<int>(), way,
                        trial["ms"].get<double>()));
    }
}

}  // namespace

Status bench_tuning(const BenchOptions& o) {
    if (o.model.n_threads < 0)
        return Error{Code::invalid, "--threads: a number of at least 0 is needed"};
    ThreadPool pool(o.model.n_threads);
    const kernel::Table& kernels = kernel::best();
    const std::string key = engine::tuning_key(kernels);
    const std::filesystem::path file = engine::tuning_file(key);
    const auto began = Clock::now();
    std::vector<engine::TuningTrial> trials;
    const op::Tuning tuning = engine::measure_tuning(pool, kernels, {}, &trials);
    const double took = seconds_since(began);
    const bool kept = !file.empty() && engine::write_tuning(file, key, tuning);
    Json document = {{"schema", "heft.tune/1"},
                     {"machine", key},
                     {"seconds", took},
                     {"file", kept ? Json(file.string()) : Json()},
                     {"settings", settings_json(tuning)},
                     {"defaults", settings_json({})},
                     {"trials", Json::array()}};
    for (const engine::TuningTrial& trial : trials) document["trials"].push_back(trial_json(trial));
    if (o.format == "json")
        put_json(document);
    else
        put_settings(document);
    return {};
}

}  // namespace heft::app
