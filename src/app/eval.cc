// heft eval: how good a model is at a text, and how far it is from another one.
#include <cmath>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/console.h"
#include "app/file_progress.h"
#include "app/help.h"
#include "app/interrupt.h"
#include "app/model_flags.h"
#include "base/clock.h"
#include "eval/scores.h"
#include "eval/windows.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;

struct EvalOptions {
    ModelFlags model;
    std::string base, text;
    int n_ctx = 512, chunks = 0;
    bool json = false;
};

Json json_of(const eval::Estimate& estimate) {
    return {{"value", estimate.value}, {"error", estimate.error}};
}

std::string text_of(const eval::Estimate& estimate, int digits) {
    return fmt::format("{:.{}f} ± {:.{}f}", estimate.value, digits, estimate.error, digits);
}

// A text in windows, and the rows of logits that count.
class Text {
  public:
    static Result<Text> read(const EvalOptions& o, const engine::Engine& engine) {
        HEFT_TRY(const std::string text, read_input(o.text));
        HEFT_TRY(const text::Tokenizer* tokenizer, engine.tokenizer());
        const text::SpecialTokens& special = tokenizer->special();
        const auto ids = tokenizer->encode(text);
        Text out;
        HEFT_TRY(out.windows_,
                 eval::cut(ids, o.n_ctx, special.add_bos ? special.bos : std::nullopt, o.chunks));
        return out;
    }

    // Calls take(window) for each.
    template <class Take>
    Status each(FileProgress& line, Take take) const {
        line.begin("measuring");
        std::uint64_t done = 0;
        for (const eval::Window& window : windows_) {
            if (!line.show_count(done, windows_.size())) return Error{Code::cancelled, "stopped"};
            HEFT_OK(take(window));
            ++done;
        }
        return {};
    }

    std::size_t windows() const { return windows_.size(); }

  private:
    std::vector<eval::Window> windows_;
};

std::span<const float> row_of(const std::vector<float>& rows, std::size_t row, std::size_t n_rows) {
    const std::size_t n = rows.size() / n_rows;
    return std::span(rows).subspan(row * n, n);
}

Status measure_perplexity(const EvalOptions& o) {
    const Clock::time_point began = Clock::now();
    HEFT_TRY(const engine::Engine engine, open_model(o.model, op::Precision::fast));
    HEFT_TRY(const Text text, Text::read(o, engine));
    const InterruptGuard interrupt;
    FileProgress line(&interrupt.requested());
    eval::Perplexity perplexity;
    std::vector<double> room;
    HEFT_OK(text.each(line, [&](const eval::Window& window) -> Status {
        HEFT_TRY(const auto rows, engine::logits(engine, window.ids, window.positions, {}));
        for (std::size_t r = 0; r < window.positions.size(); ++r) {
            eval::log_softmax(row_of(rows, r, window.positions.size()), room);
            const int next = window.ids[static_cast<std::size_t>(window.positions[r]) + 1];
            perplexity.add(room[static_cast<std::size_t>(next)]);
        }
        return {};
    }));
    const double seconds = seconds_since(began);
    const auto read = static_cast<double>(text.windows()) * o.n_ctx;
    if (o.json) {
        put_json({{"schema", "heft.eval/1"},
                  {"measure", "perplexity"},
                  {"model", o.model.reference},
                  {"perplexity", json_of(perplexity.estimate())},
                  {"tokens", perplexity.tokens()},
                  {"windows", text.windows()},
                  {"n_ctx", o.n_ctx},
                  {"seconds", seconds},
                  {"tokens_per_second", read / seconds}});
        return {};
    }
    put(fmt::format(
        "perplexity  {}  over {} tokens in {} windows of {}; {:.1f} s, {:.0f} tokens/s\n",
        text_of(perplexity.estimate(), 4), perplexity.tokens(), text.windows(), o.n_ctx, seconds,
        read / seconds));
    return {};
}

Json document(const EvalOptions& o, const eval::Divergence& far, std::size_t windows,
              double seconds) {
    Json quantiles = Json::object();
    for (const double q : {0.5, 0.9, 0.95, 0.99, 1.0})
        quantiles[fmt::format("{:g}", q)] = far.kl_quantile(q);
    return {{"schema", "heft.eval/1"},
            {"measure", "kl"},
            {"model", o.model.reference},
            {"base", o.base},
            {"kl", json_of(far.kl())},
            {"kl_quantiles", std::move(quantiles)},
            {"same_top", json_of(far.same_top())},
            {"probability_change_rms", json_of(far.probability_change())},
            {"perplexity", json_of(far.perplexity())},
            {"base_perplexity", json_of(far.base_perplexity())},
            {"log_perplexity_ratio", json_of(far.log_ratio())},
            {"tokens", far.tokens()},
            {"windows", windows},
            {"n_ctx", o.n_ctx},
            {"seconds", seconds}};
}

void put_report(const eval::Divergence& far) {
    put(fmt::format("KL divergence      {}  median {:.6f}, 90 % {:.6f}, 99 % {:.6f}, most {:.6f}\n",
                    text_of(far.kl(), 6), far.kl_quantile(0.5), far.kl_quantile(0.9),
                    far.kl_quantile(0.99), far.kl_quantile(1)));
    const eval::Estimate top = far.same_top();
    put(fmt::format("same top token     {:.2f} % ± {:.2f} %\n", 100 * top.value, 100 * top.error));
    put(fmt::format("perplexity         {}, of the base {}\n", text_of(far.perplexity(), 4),
                    text_of(far.base_perplexity(), 4)));
    put(fmt::format("ln of their ratio  {}\n", text_of(far.log_ratio(), 6)));
}

Status measure_divergence(const EvalOptions& o) {
    const Clock::time_point began = Clock::now();
    HEFT_TRY(const engine::Engine engine, open_model(o.model, op::Precision::fast));
    ModelFlags of_base = o.model;
    of_base.reference = o.base;
    of_base.lora.clear();
    HEFT_TRY(const engine::Engine base, open_model(of_base, op::Precision::fast, &engine));
    HEFT_TRY(const Text text, Text::read(o, base));
    HEFT_TRY(const arch::Config* config, engine.config());
    HEFT_TRY(const arch::Config* base_config, base.config());
    if (config->n_vocab != base_config->n_vocab)
        return Error{Code::invalid,
                     fmt::format("{} has {} tokens and {} has {}: they cannot be compared",
                                 o.model.reference, config->n_vocab, o.base, base_config->n_vocab)};
    const InterruptGuard interrupt;
    FileProgress line(&interrupt.requested());
    eval::Divergence far;
    HEFT_OK(text.each(line, [&](const eval::Window& window) -> Status {
        HEFT_TRY(const auto ours, engine::logits(engine, window.ids, window.positions, {}));
        HEFT_TRY(const auto theirs, engine::logits(base, window.ids, window.positions, {}));
        const std::size_t n = window.positions.size();
        for (std::size_t r = 0; r < n; ++r)
            far.add(row_of(theirs, r, n), row_of(ours, r, n),
                    window.ids[static_cast<std::size_t>(window.positions[r]) + 1]);
        return {};
    }));
    if (o.json)
        put_json(document(o, far, text.windows(), seconds_since(began)));
    else
        put_report(far);
    return {};
}

CLI::App* add_measure(CLI::App& verb, const char* name, const char* what,
                      const std::shared_ptr<EvalOptions>& o) {
    CLI::App* measure = verb.add_subcommand(name, what);
    measure->footer(verb.get_footer());
    add_model(*measure, o->model)->required();
    measure->add_option("--text", o->text, "a text, - for standard input")
        ->required()
        ->type_name("F");
    measure->add_option("-c,--ctx-size", o->n_ctx, "tokens of a window (512)")->type_name("N");
    measure->add_option("--chunks", o->chunks, "so many windows at most (all)")->type_name("N");
    add_threads(*measure, o->model);
    add_precision(*measure, o->model, "fast");
    measure->add_flag("--json", o->json, "one heft.eval/1 document");
    return measure;
}

}  // namespace

void add_eval(CLI::App& app, Action& action) {
    const auto o = std::make_shared<EvalOptions>();
    CLI::App* verb = add_verb(app, "eval",
                              "How good a model is at a text (ppl), and how far it is from another "
                              "one (kl).",
                              "heft eval kl model.Q4_K_M.gguf --base model/ --text wiki.txt");
    verb->group(kShape);
    verb->require_subcommand(1);
    CLI::App* ppl = add_measure(*verb, "ppl", "perplexity, as llama.cpp cuts the text", o);
    ppl->callback([o, &action] { action = [o] { return measure_perplexity(*o); }; });
    CLI::App* kl = add_measure(*verb, "kl", "KL divergence from a base", o);
    kl->add_option("--base", o->base, "the model to be compared with")->required()->type_name("M");
    kl->callback([o, &action] { action = [o] { return measure_divergence(*o); }; });
}

}  // namespace heft::app
