// heft eval: how good a model is at a text, and how far it is from another one.
#include <cmath>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/console.h"
#include "app/eval_base.h"
#include "app/eval_text.h"
#include "app/file_progress.h"
#include "app/help.h"
#include "app/interrupt.h"
#include "app/model_flags.h"
#include "base/clock.h"
#include "eval/scores.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;

struct EvalOptions {
    ModelFlags model;
    TextFlags text;
    std::string base, save_base;
    bool json = false;
};

Json json_of(const eval::Estimate& estimate) {
    return {{"value", estimate.value}, {"error", estimate.error}};
}

std::string text_of(const eval::Estimate& estimate, int digits) {
    return fmt::format("{:.{}f} ± {:.{}f}", estimate.value, digits, estimate.error, digits);
}

// Where the base's logits are to be kept; none without --save-base.
Result<std::optional<BaseSaver>> saver_for(const EvalOptions& o, const std::string& model,
                                           const engine::Engine& engine, const EvalText& text) {
    if (o.save_base.empty()) return std::optional<BaseSaver>();
    HEFT_TRY(const arch::Config* config, engine.config());
    HEFT_TRY(BaseSaver saver, BaseSaver::create(o.save_base, model, config->n_vocab, text));
    return std::optional<BaseSaver>(std::move(saver));
}

Status measure_perplexity(const EvalOptions& o) {
    HEFT_TRY(const engine::Engine engine, open_model(o.model, op::Precision::fast));
    HEFT_TRY(const EvalText text, EvalText::read(o.text, engine));
    const InterruptGuard interrupt;
    FileProgress line(&interrupt.requested());
    eval::Perplexity perplexity;
    HEFT_TRY(auto saver, saver_for(o, o.model.reference, engine, text));
    engine::TextReader reader(engine);
    const Clock::time_point began = Clock::now();
    HEFT_OK(text.each(line, "measuring", [&](std::span<const eval::Window> windows) -> Status {
        HEFT_TRY(const auto rows, read_windows(reader, windows));
        add_windows(engine, windows, rows, perplexity);
        return saver ? saver->add(windows, rows) : Status();
    }));
    if (saver) HEFT_OK(saver->commit());
    const double seconds = seconds_since(began);
    const auto read = static_cast<double>(text.n_tokens());
    if (o.json) {
        put_json({{"schema", "heft.eval/1"},
                  {"measure", "perplexity"},
                  {"model", o.model.reference},
                  {"perplexity", json_of(perplexity.estimate())},
                  {"tokens", perplexity.tokens()},
                  {"windows", text.n_windows()},
                  {"n_ctx", o.text.n_ctx},
                  {"seconds", seconds},
                  {"tokens_per_second", read / seconds}});
        return {};
    }
    put(fmt::format(
        "perplexity  {}  over {} tokens in {} windows of {}; {:.1f} s, {:.0f} tokens/s\n",
        text_of(perplexity.estimate(), 4), perplexity.tokens(), text.n_windows(), o.text.n_ctx,
        seconds, read / seconds));
    return {};
}

Json document(const EvalOptions& o, const eval::Divergence& far, const EvalText& text,
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
            {"expected_perplexity", json_of(far.expected_perplexity())},
            {"base_expected_perplexity", json_of(far.base_expected_perplexity())},
            {"tokens", far.tokens()},
            {"windows", text.n_windows()},
            {"n_ctx", text.n_tokens() / text.n_windows()},
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
    put(fmt::format("expected           {}, of the base {}  (of text as the base would write it)\n",
                    text_of(far.expected_perplexity(), 4),
                    text_of(far.base_expected_perplexity(), 4)));
}

// The text that both are measured on: what a saved base was, or a file.
Result<EvalText> text_for(const EvalOptions& o, const engine::Engine& engine,
                          const EvalBase& base) {
    std::vector<eval::Window> saved = base.windows();
    if (saved.empty() && o.text.path.empty())
        return Error{Code::invalid, "--text is needed, unless --base is a file of --save-base"};
    if (saved.empty()) return EvalText::read(o.text, *base.engine());
    if (!o.text.path.empty() || !o.save_base.empty())
        return Error{Code::invalid, o.base + ": is saved logits, which have a text of their own; "
                                             "leave out --text and --save-base"};
    if (o.text.limit > 0 && static_cast<std::size_t>(o.text.limit) < saved.size())
        saved.resize(static_cast<std::size_t>(o.text.limit));
    return EvalText::of(std::move(saved), engine);
}

Status measure_divergence(const EvalOptions& o) {
    const Clock::time_point began = Clock::now();
    HEFT_TRY(const engine::Engine engine, open_model(o.model, op::Precision::fast));
    HEFT_TRY(EvalBase base, EvalBase::open(o.base, o.model, engine));
    HEFT_TRY(const EvalText text, text_for(o, engine, base));
    const InterruptGuard interrupt;
    FileProgress line(&interrupt.requested());
    eval::Divergence far;
    HEFT_TRY(auto saver, saver_for(o, o.base, engine, text));
    engine::TextReader reader(engine);
    HEFT_OK(text.each(line, "measuring", [&](std::span<const eval::Window> windows) -> Status {
        HEFT_TRY(const auto ours, read_windows(reader, windows));
        HEFT_TRY(const auto theirs, base.rows(windows));
        add_windows(engine, windows, theirs, ours, far);
        return saver ? saver->add(windows, theirs) : Status();
    }));
    if (saver) HEFT_OK(saver->commit());
    if (o.json)
        put_json(document(o, far, text, seconds_since(began)));
    else
        put_report(far);
    return {};
}

CLI::App* add_measure(CLI::App& verb, const char* name, const char* what,
                      const std::shared_ptr<EvalOptions>& o) {
    CLI::App* measure = verb.add_subcommand(name, what);
    measure->footer(verb.get_footer());
    add_model(*measure, o->model)->required();
    add_text(*measure, o->text);
    measure->add_option("--save-base", o->save_base, "keep what the base says, for later --base")
        ->type_name("F");
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
    ppl->get_option("--text")->required();
    ppl->callback([o, &action] { action = [o] { return measure_perplexity(*o); }; });
    CLI::App* kl = add_measure(*verb, "kl", "KL divergence from a base", o);
    kl->add_option("--base", o->base, "a model, or what one said (--save-base)")
        ->required()
        ->type_name("M");
    kl->callback([o, &action] { action = [o] { return measure_divergence(*o); }; });
}

}  // namespace heft::app
