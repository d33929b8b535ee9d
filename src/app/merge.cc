// heft merge: one model of several, by a recipe.
#include <future>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/commands.h"
#include "app/console.h"
#include "app/file_progress.h"
#include "app/help.h"
#include "app/interrupt.h"
#include "app/making.h"
#include "app/merge_report.h"
#include "app/merge_terms.h"
#include "base/clock.h"
#include "merge/card.h"
#include "merge/chat_templates.h"
#include "merge/recipe.h"
#include "merge/result.h"
#include "merge/weights.h"

namespace heft::app {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kRecipeBytes = 1U << 18;

struct MergeFlags {
    std::string recipe, out, models, max_ram, type, shard_size = "5GB";
    UseFlags use;
    std::uint64_t seed = 0;
    int n_threads = 0;
    bool accept_terms = false, allow_crimes = false, dry_run = false, force = false;
    bool json = false, quiet = false;
};

Result<DType> parse_type(const std::string& name) {
    for (const DTypeInfo& info : dtypes())
        if (CLI::detail::to_lower(info.name) == CLI::detail::to_lower(name)) return info.type;
    return Error{Code::invalid, "--type " + name + ": no such type; write it like BF16 or Q8_0"};
}

Result<merge::Plan> plan_of(const MergeFlags& o) {
    HEFT_TRY(const std::string text, read_input(o.recipe, kRecipeBytes));
    auto recipe = merge::read_recipe(text);
    if (!recipe) return within(o.recipe, std::move(recipe.error()));
    merge::PlanOptions options;
    options.places.beside = fs::path(o.recipe).parent_path();
    options.places.models = o.models;
    options.places.hub_cache = merge::default_hub_cache();
    options.seed = o.seed;
    options.allow_crimes = o.allow_crimes;
    auto plan = merge::make_plan(std::move(*recipe), options);
    if (!plan) return within(o.recipe, std::move(plan.error()));
    HEFT_TRY(const auto chosen, merge::chosen_template(*plan));
    (void)chosen;
    if (const auto note = merge::template_note(*plan)) plan->notes.push_back(*note);
    return plan;
}

Result<merge::MakeOptions> make_options(const MergeFlags& o) {
    merge::MakeOptions options;
    options.n_threads = o.n_threads;
    options.seed = o.seed;
    options.replace = o.force;
    if (!o.max_ram.empty()) {
        HEFT_TRY(options.max_ram, parse_size("--max-ram", o.max_ram));
    }
    HEFT_TRY(options.shard_bytes, parse_size("--shard-size", o.shard_size));
    if (!o.type.empty()) {
        HEFT_TRY(options.type, parse_type(o.type));
    }
    return options;
}

// The inputs are hashed while they are merged: both read the same files.
class Hashing {
  public:
    Hashing(const govern::Catalogue& catalogue, const MergeTerms& terms,
            const std::atomic<bool>& interrupted)
        : work_(std::async(std::launch::async, [this, &catalogue, &terms, &interrupted] {
              return lineage_of(catalogue, terms, [this, &interrupted](auto, auto) {
                  return !interrupted.load() && !stop_.load();
              });
          })) {}
    ~Hashing() { stop_ = true; }  // and waits, as futures of async() do
    Hashing(const Hashing&) = delete;
    Hashing& operator=(const Hashing&) = delete;

    // May be asked for several times.
    Result<std::string> text() {
        if (text_.empty()) {
            HEFT_TRY(const nlohmann::ordered_json record, work_.get());
            text_ =
                record.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
        }
        return text_;
    }

  private:
    std::atomic<bool> stop_{false};
    std::string text_;
    std::future<Result<nlohmann::ordered_json>> work_;
};

Status carry_out(const govern::Catalogue& catalogue, const merge::Plan& plan,
                 const MergeTerms& terms, const merge::Target& target, merge::MakeOptions options) {
    const InterruptGuard interrupt;
    FileProgress line(&interrupt.requested());
    line.begin(target.path.filename().string());
    options.progress = [&line](std::uint64_t done, std::uint64_t total) {
        return line.show(done, total);
    };
    Hashing hashing(catalogue, terms, interrupt.requested());
    merge::Papers papers;
    papers.card = merge::model_card(plan, target.path.stem().string(), terms.outcome.assessment);
    papers.lineage = [&hashing] { return hashing.text(); };
    papers.assessment = terms.outcome.assessment;
    papers.copies = terms.copies;
    return merge::make(plan, target, papers, options);
}

Status stopped(const merge::Plan& plan, const merge::Target& target,
               const merge::MakeOptions& options) {
    const bool left = merge::can_go_on(plan, target, options);
    return Error{Code::cancelled, left ? "stopped; the same command goes on where it ended, with "
                                             + target.partial().string()
                                       : "stopped; nothing is left behind"};
}

Status merge_models(const MergeFlags& o) {
    HEFT_TRY(merge::MakeOptions options, make_options(o));
    HEFT_TRY(const merge::Plan plan, plan_of(o));
    const merge::Target target = merge::target_of(o.out);
    HEFT_OK(merge::check_target(plan, target, options));
    HEFT_TRY(const govern::Catalogue catalogue, govern::Catalogue::open());
    HEFT_TRY(const MergeTerms terms,
             terms_of(catalogue, plan, target.path.stem().string(), o.seed, o.use, o.accept_terms));
    MergeFigures figures;
    figures.out = target.path.string();
    figures.seed = o.seed;
    figures.goes_on = merge::can_go_on(plan, target, options);
    {
        ThreadPool pool(o.n_threads);
        HEFT_TRY(const int wave, merge::wave_for(plan, pool.size(), options.max_ram));
        figures.memory = merge::memory_for(plan, pool.size(), wave);
        if (o.dry_run) {
            HEFT_TRY(figures.seconds, merge::estimate_seconds(plan, pool));
        }
    }
    if (!o.dry_run) {
        if (!terms.outcome.may_proceed) return refused(terms.outcome);
        const Clock::time_point began = Clock::now();
        Status done = carry_out(catalogue, plan, terms, target, options);
        if (!done && done.error().code == Code::cancelled) return stopped(plan, target, options);
        if (!done) return done;
        figures.seconds = seconds_since(began);
        figures.is_done = true;
    }
    if (o.json)
        put_json(merge_document(plan, terms, figures, o.dry_run));
    else if (o.dry_run || !o.quiet)
        put(merge_report(plan, terms, figures));
    if (o.dry_run && !terms.outcome.may_proceed) return refused(terms.outcome);
    return {};
}

}  // namespace

void add_merge(CLI::App& app, Action& action) {
    const auto o = std::make_shared<MergeFlags>();
    CLI::App* verb = add_verb(
        app, "merge", "One model of several, by a recipe of mergekit's kind (docs/merge.md).",
        "heft merge ties.yml merged/ && heft run merged/ \"Hello\"");
    verb->add_option("RECIPE", o->recipe, "YAML; - is stdin")->required();
    verb->add_option("OUT", o->out, "a new folder, or a name ending in .gguf")->required();
    verb->add_option("--models", o->models, "where repositories' names are looked up")
        ->type_name("DIR");
    verb->add_option("--seed", o->seed, "of methods that draw (0)")->type_name("N");
    verb->add_option("--type", o->type, "of a GGUF result's matrices: Q8_0")->type_name("T");
    verb->add_option("--max-ram", o->max_ram, "memory at most: 500MB")->type_name("N");
    verb->add_option("--shard-size", o->shard_size, "of a folder's files (5GB)")->type_name("N");
    verb->add_option("-t,--threads", o->n_threads, "threads (all CPUs)")->type_name("N");
    verb->add_flag("--dry-run", o->dry_run, "say what would be done, and do nothing");
    verb->add_flag("--force", o->force, "replace OUT if it is there");
    verb->add_flag("--allow-crimes", o->allow_crimes, "other architectures, other vocabularies");
    verb->add_flag("--accept-terms", o->accept_terms,
                   "the licences leave it to you, and you have settled it");
    verb->add_option("--use", o->use.file, "what it is for (docs/licences.md)")->type_name("F");
    verb->add_option("--fact", o->use.facts, "one fact of it")->type_name("K=V");
    verb->add_flag("-q,--quiet", o->quiet, "no report at the end");
    verb->add_flag("--json", o->json, "one heft.merge/1 document");
    verb->callback([o, &action] { action = [o] { return merge_models(*o); }; });
}

}  // namespace heft::app
