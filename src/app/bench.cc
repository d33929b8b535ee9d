// heft bench: how fast, and how near to what the machine allows.
#include <algorithm>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/bench_report.h"
#include "app/bench_tuning.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/help.h"
#include "app/interrupt.h"
#include "app/machine.h"
#include "base/clock.h"

namespace heft::app {

namespace {

void warn_of_length(const engine::Engine& engine, const BenchPlan& plan) {
    const std::int64_t n_ctx = engine.model().config().n_ctx;
    if (n_ctx > 0 && plan.n_ctx() > n_ctx)
        say(fmt::format("heft: the model was made for {} tokens; this goes beyond", n_ctx));
}

// What is being measured, once it takes long enough to wonder.
class Progress {
  public:
    explicit Progress(std::size_t n_tests) : n_tests_(n_tests) {}

    void next(const BenchTest& test) {
        constexpr double patience_s = 5;
        ++at_;
        if (seconds_since(began_) < patience_s) return;
        say(fmt::format("heft: {} of {}: {} at depth {}, {} side by side", at_, n_tests_,
                        name_of(test), test.depth, test.batch));
    }

  private:
    Clock::time_point began_ = Clock::now();
    std::size_t n_tests_;
    std::size_t at_ = 0;
};

Status run_tests(const engine::Engine& engine, BenchRun& run, const BenchPlan& plan,
                 BenchReport& report) {
    // Roofs take memory that is not the model's: they are looked at before the tests only where the
    // system can be made to forget that, and after the peak was read.
    const bool twice = forget_peak_memory();
    if (twice) {
        report.roofs = measure_roofs(engine.threads());
        forget_peak_memory();
    }
    HEFT_OK(run.prepare(plan));
    Progress progress(plan.tests.size());
    for (const BenchTest& test : plan.tests) {
        progress.next(test);
        HEFT_TRY(BenchResult result, run.measure(test, plan.repeats));
        report.results.push_back(std::move(result));
    }
    report.peak_memory_bytes = std::max(report.peak_memory_bytes, peak_memory_bytes());
    report.cache_bytes = run.cache_bytes();
    const Roofs after = measure_roofs(engine.threads());
    report.roofs = twice ? better(report.roofs, after) : after;
    return {};
}

Status bench(BenchOptions o) {
    if (o.json) o.format = "json";
    if (!is_bench_format(o.format))
        return Error{Code::invalid,
                     fmt::format("-o: \"{}\" is none of text, md, csv and json", o.format)};
    if (o.tune) return bench_tuning(o);
    if (o.model.reference.empty()) return Error{Code::invalid, "MODEL is required"};
    HEFT_TRY(const BenchPlan plan, plan_bench(o));
    BenchReport report;
    const auto began = Clock::now();
    HEFT_TRY(const engine::Engine engine, open_model(o.model, op::Precision::fast));
    report.load_s = seconds_since(began);
    const InterruptGuard interrupt;
    BenchRun run(engine, interrupt.requested());
    HEFT_OK(run.first_token());
    report.first_token_s = seconds_since(began);
    report.peak_memory_bytes = peak_memory_bytes();
    warn_of_length(engine, plan);
    tell_degradation(engine);
    HEFT_OK(run_tests(engine, run, plan, report));
    const nlohmann::ordered_json document = bench_document(engine, report);
    if (o.format == "json")
        put_json(document);
    else
        put_bench_table(document, o.format);
    return {};
}

}  // namespace

void add_bench(CLI::App& app, Action& action) {
    const auto o = std::make_shared<BenchOptions>();
    CLI::App* verb = add_verb(app, "bench",
                              "Prefill and decode speed, and the share of what the machine allows.",
                              "heft bench model.gguf -p 512 -n 128 -d 0,4096 -b 1,8");
    add_model(*verb, o->model)->required(false);
    verb->add_option("-p,--n-prompt", o->prompts, "tokens of prefill (512; 0: none)")
        ->type_name("N,…");
    verb->add_option("-n,--n-gen", o->predicts, "tokens of decoding (128; 0: none)")
        ->type_name("N,…");
    verb->add_option("-d,--n-depth", o->depths, "tokens in the cache before (0)")->type_name("N,…");
    verb->add_option("-b,--batch", o->batches, "sequences side by side (1)")->type_name("N,…");
    verb->add_option("-r,--repetitions", o->repeats, "repetitions (5)")->type_name("N");
    add_threads(*verb, o->model);
    add_precision(*verb, o->model, "fast");
    add_deterministic(*verb, o->model);
    add_cache_types(*verb, o->model);
    verb->add_option("-o,--output", o->format, "text, md, csv or json (text)")->type_name("F");
    verb->add_flag("--json", o->json, "one heft.bench/2 document");
    verb->add_flag("--tune", o->tune, "measure the kernels' own settings anew and show them");
    verb->callback([o, &action] { action = [o] { return bench(*o); }; });
}

}  // namespace heft::app
