// heft imatrix: what each column of a model's weights is multiplied with, for quantising.
#include "shape/imatrix.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <numeric>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/console.h"
#include "app/eval_text.h"
#include "app/help.h"
#include "app/interrupt.h"
#include "app/making.h"
#include "app/model_flags.h"
#include "base/clock.h"
#include "model/input_sums.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

struct ImatrixOptions {
    ModelFlags model;
    TextFlags text;
    std::string out = "imatrix.gguf";
    bool with_output = false, force = false, json = false;
};

shape::Imatrix imatrix_of(const ImatrixOptions& o, const model::InputSums& sums,
                          std::size_t n_windows) {
    shape::Imatrix out;
    for (const auto& [name, entry] : sums.entries()) {
        shape::Imatrix::Entry& to = out.entries[name];
        to.sums.assign(entry.sums.begin(), entry.sums.end());
        to.counts.assign(entry.counts.begin(), entry.counts.end());
    }
    out.datasets = {o.text.path == "-" ? "standard input"
                                       : fs::path(o.text.path).filename().string()};
    out.chunks = static_cast<int>(n_windows);
    out.chunk_size = o.text.n_ctx;
    return out;
}

// Experts, or other stacked matrices, that no token came to.
std::int64_t unseen_in(const shape::Imatrix& imatrix) {
    std::int64_t unseen = 0;
    for (const auto& [name, entry] : imatrix.entries)
        unseen += std::count(entry.counts.begin(), entry.counts.end(), 0.0F);
    return unseen;
}

void report(const ImatrixOptions& o, const shape::Imatrix& imatrix, std::uint64_t tokens,
            double seconds) {
    const std::int64_t unseen = unseen_in(imatrix);
    if (o.json)
        return put_json({{"schema", "heft.imatrix/1"},
                         {"model", o.model.reference},
                         {"file", o.out},
                         {"entries", imatrix.entries.size()},
                         {"unseen_matrices", unseen},
                         {"tokens", tokens},
                         {"chunks", imatrix.chunks},
                         {"chunk_size", imatrix.chunk_size},
                         {"seconds", seconds},
                         {"tokens_per_second", static_cast<double>(tokens) / seconds}});
    put(fmt::format("{}: {} tensors over {} tokens; {:.1f} s, {:.0f} tokens/s\n", o.out,
                    imatrix.entries.size(), tokens, seconds,
                    static_cast<double>(tokens) / seconds));
    if (unseen > 0)
        say(fmt::format("heft: {} experts were chosen by no token; a longer text would help them",
                        unseen));
}

Status collect(const ImatrixOptions& o) {
    const Clock::time_point began = Clock::now();
    HEFT_OK(check_place(o.out, {}, o.force));
    HEFT_TRY(const engine::Engine engine, open_model(o.model, op::Precision::fast));
    HEFT_TRY(const EvalText text, EvalText::read(o.text, engine));
    const InterruptGuard interrupt;
    FileProgress line(&interrupt.requested());
    model::InputSums sums(engine.model(), o.with_output);
    sums.watch(engine.context());
    engine::TextReader reader(engine);
    // Without the output matrix there is no need of logits.
    std::vector<int> positions(o.with_output ? static_cast<std::size_t>(o.text.n_ctx) : 0);
    std::iota(positions.begin(), positions.end(), 0);
    HEFT_OK(text.each(line, "measuring", [&](auto windows) -> Status {
        std::vector<engine::Passage> passages;
        for (const eval::Window& window : windows) passages.push_back({window.ids, positions});
        const auto logits = reader.logits(passages);
        return logits ? Status() : Status(logits.error());
    }));
    const shape::Imatrix imatrix = imatrix_of(o, sums, text.n_windows());
    HEFT_OK(shape::write_imatrix(imatrix, o.out));
    report(o, imatrix, text.n_tokens(), seconds_since(began));
    return {};
}

}  // namespace

void add_imatrix(CLI::App& app, Action& action) {
    const auto o = std::make_shared<ImatrixOptions>();
    CLI::App* verb = add_verb(app, "imatrix",
                              "Measure on a text which weights matter, for `heft quantize "
                              "--imatrix`.",
                              "heft imatrix my-model/ --text words.txt -o words.imatrix.gguf");
    verb->group(kShape);
    add_model(*verb, o->model);
    add_text(*verb, o->text)->required();
    verb->add_option("-o,--output", o->out, "the new file (imatrix.gguf); .dat: the older format")
        ->type_name("OUT");
    verb->add_flag("--process-output", o->with_output, "the output matrix, too");
    verb->add_flag("--force", o->force, "write over OUT if it exists");
    add_threads(*verb, o->model);
    add_precision(*verb, o->model, "fast");
    verb->add_flag("--json", o->json, "one heft.imatrix/1 document");
    verb->callback([o, &action] { action = [o] { return collect(*o); }; });
}

}  // namespace heft::app
