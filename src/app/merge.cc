// heft merge: one model of several, by a recipe.
// Into a GGUF file where OUT ends in .gguf; else into a Hugging Face folder. In one pass: the
// result is a checkpoint whose tensors are made as they are read (merge/merged_model.h), and is
// quantised and written as any other.
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/commands.h"
#include "app/console.h"
#include "app/file_progress.h"
#include "app/folder_writer.h"
#include "app/help.h"
#include "app/interrupt.h"
#include "app/making.h"
#include "app/measured_writing.h"
#include "app/merge_report.h"
#include "app/merge_terms.h"
#include "app/mix_flags.h"
#include "base/clock.h"
#include "merge/card.h"
#include "merge/chat_templates.h"
#include "merge/cost.h"
#include "merge/merged_model.h"
#include "merge/recipe.h"
#include "shape/quantise.h"

namespace heft::app {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kRecipeBytes = 1U << 18;

struct MergeFlags {
    std::string recipe, models, max_ram;
    std::uint64_t seed = 0;
    bool allow_crimes = false, measure = false, quiet = false;
    MixFlags mix;
    MakingFlags making;
};

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
    if (const auto note = merge::template_note(*plan)) plan->notes.push_back(*note);
    return plan;
}

std::vector<fs::path> files_of(const merge::Plan& plan) {
    std::vector<fs::path> out;
    for (const merge::Model& model : plan.models)
        out.insert(out.end(), model.checkpoint->files().begin(), model.checkpoint->files().end());
    return out;
}

// "merged" of "merged/", "merged.gguf" and "there/merged".
std::string name_of(const fs::path& out) {
    return (out.has_filename() ? out : out.parent_path()).stem().string();
}

std::int64_t widest(const merge::Plan& plan) {
    std::int64_t most = 1;
    for (const merge::PlannedTensor& tensor : plan.tensors)
        most = std::max(most, merge::columns_of(tensor.shape));
    return most;
}

class Merging {
  public:
    explicit Merging(const MergeFlags& o)
        : o_(o),
          is_gguf_(names_gguf(o.making.out)),
          name_(name_of(o.making.out)),
          line_(&interrupt_.requested()),
          pool_(o.making.n_threads) {}

    Status run() {
        const Clock::time_point began = Clock::now();
        HEFT_TRY(mix_, asked_mix(o_.mix));
        if (!is_gguf_ && !mix_.record.empty())
            return Error{Code::invalid,
                         "--type, --tensor and --imatrix are for GGUF results (a name ending in "
                         ".gguf); a folder's type is the recipe's dtype"};
        HEFT_TRY(plan_, plan_of(o_));
        HEFT_OK(check_place(o_.making.out, files_of(*plan_), o_.making.force));
        HEFT_TRY(key_, signing_key(o_.making.sign, o_.making.out));
        HEFT_TRY(const govern::Catalogue catalogue, govern::Catalogue::open());
        HEFT_TRY(MergeTerms terms, terms_of(catalogue, *plan_, asked()));
        const bool is_refused = !terms.outcome.may_proceed;
        if (is_refused && !o_.making.dry_run) return refused(terms.outcome);
        figures_.out = o_.making.out;
        figures_.seed = o_.seed;
        HEFT_TRY(const int wave, wave_within_limit());
        HEFT_TRY(const merge::MergedModel merged,
                 merge::merged_model(*plan_, name_, {pool_, wave}));
        HEFT_OK(is_gguf_ ? into_gguf(catalogue, terms, merged)
                         : into_folder(catalogue, terms, merged));
        if (!o_.making.dry_run) figures_.seconds = seconds_since(began);
        if (o_.making.json)
            put_json(merge_document(*plan_, terms, figures_));
        else if (o_.making.dry_run || !o_.quiet)
            put(merge_report(*plan_, terms, figures_));
        if (is_refused) return refused(terms.outcome);
        return {};
    }

  private:
    MergeAsked asked() const {
        return {name_, o_.seed, mix_.record, o_.making.use, o_.making.accept_terms};
    }

    Result<int> wave_within_limit() {
        const std::uint64_t encoding = shape::Encoder::memory_for(widest(*plan_), pool_.size());
        std::optional<std::uint64_t> left;
        if (!o_.max_ram.empty()) {
            HEFT_TRY(const std::uint64_t all, parse_size("--max-ram", o_.max_ram));
            left = all - std::min(all, encoding);
        }
        HEFT_TRY(const int wave, merge::wave_for(*plan_, pool_.size(), left));
        figures_.memory = merge::memory_for(*plan_, pool_.size(), wave) + encoding;
        return wave;
    }

    Result<Granted> granted(const govern::Catalogue& catalogue, const MergeTerms& terms) {
        HEFT_TRY(govern::Passport made, govern::passport(catalogue, terms.sources, terms.making));
        return Granted{std::move(made.outcome.record), std::move(made.hashes), {}, std::move(key_)};
    }

    Status into_gguf(const govern::Catalogue& catalogue, const MergeTerms& terms,
                     const merge::MergedModel& merged) {
        merge::Held held;
        if (plan_->layout == merge::Layout::huggingface) {
            HEFT_TRY(held, merge::hold_columns(merged.checkpoint, pool_));
        }
        figures_.memory += held.bytes;
        HEFT_TRY(shape::GgufModel target, shape::gguf_model(merged.checkpoint, held.overlay));
        HEFT_TRY(stored_,
                 shape::plan_quantising(std::move(target.weights), target.facts, mix_.options));
        figures_.stored = &*stored_;
        figures_.mix = mix_.options.mix;
        figures_.bytes = stored_->bytes;
        HEFT_OK(check_room(o_.making.out, figures_.bytes));
        if (o_.making.dry_run) return estimate();
        HEFT_TRY(Granted leave, granted(catalogue, terms));
        set_mix(target.writer, mix_);
        const merge::DeclaredLicence licence = merge::declared_licence(terms.outcome.assessment);
        target.writer.set_string("general.license", licence.tag);
        if (!licence.name.empty()) target.writer.set_string("general.license.name", licence.name);
        line_.begin("merging");
        shape::Encoder encoder(
            pool_, [this](std::uint64_t done) { return line_.show_count(done, stored_->work); });
        shape::add_tensors(target.writer, *stored_, encoder);
        const merge::Model& parent = plan_->models.front();
        NewModel made{parent.path.string(), *parent.checkpoint, figures_.bytes, leave};
        MeasureFlags measure;
        measure.none = !o_.measure;
        measure.why_none = "it was not asked for (--measure)";
        auto files = write_measured(target.writer, made, o_.making, measure, line_);
        if (!files && files.error().code == Code::cancelled)
            return Error{Code::cancelled, "stopped; the same command goes on where this one ended"};
        HEFT_TRY(figures_.files, std::move(files));
        figures_.lineage = std::move(leave.record);
        figures_.is_done = true;
        return {};
    }

    Status check_folder() const {
        if (plan_->layout == merge::Layout::gguf)
            return Error{Code::unsupported,
                         "all models are GGUF files, of which no Hugging Face folder can be made; "
                         "name a result that ends in .gguf"};
        for (const merge::PlannedTensor& tensor : plan_->tensors)
            if (tensor.models.front().tensor->view->type == DType::mxfp4)
                return Error{Code::unsupported,
                             "tensor " + tensor.name
                                 + " is MXFP4, of which a folder of plain weights has other "
                                   "tensors; name a result that ends in .gguf"};
        return {};
    }

    Status into_folder(const govern::Catalogue& catalogue, const MergeTerms& terms,
                       const merge::MergedModel& merged) {
        HEFT_OK(check_folder());
        convert::FolderModel target{convert::same_tensors(merged.checkpoint, {}), merged.files};
        target.files.push_back(
            {"README.md", merge::model_card(*plan_, name_, terms.outcome.assessment)});
        FolderWriter writer(target, pool_, line_);
        HEFT_TRY(figures_.bytes, writer.bytes());
        HEFT_OK(check_room(o_.making.out, figures_.bytes));
        if (o_.making.dry_run) return estimate();
        HEFT_TRY(Granted leave, granted(catalogue, terms));
        leave.record["difference"] = not_measured("the result is a folder");
        line_.begin("merging");
        HEFT_TRY(figures_.files, writer.write(o_.making, leave, [&](const fs::path& folder) {
            return write_duties(terms, folder / "licences");
        }));
        figures_.lineage = std::move(leave.record);
        figures_.is_done = true;
        return {};
    }

    Status write_duties(const MergeTerms& terms, const fs::path& folder) const {
        std::error_code error;
        fs::remove_all(folder, error);  // of an earlier attempt
        HEFT_TRY(const auto written,
                 govern::write_duties(terms.outcome.assessment, name_, terms.copies, folder));
        (void)written;
        return {};
    }

    Status estimate() {
        constexpr double kWrittenPerSecond = 1e9;
        HEFT_TRY(figures_.seconds, merge::estimate_seconds(*plan_, pool_));
        if (stored_) {
            HEFT_TRY(const double encoding, shape::estimate_seconds(*stored_, pool_));
            figures_.seconds += encoding;
        }
        figures_.seconds += static_cast<double>(figures_.bytes) / kWrittenPerSecond;
        return {};
    }

    const MergeFlags& o_;
    const bool is_gguf_;
    const std::string name_;
    const InterruptGuard interrupt_;
    FileProgress line_;
    ThreadPool pool_;
    AskedMix mix_;
    std::optional<SigningKey> key_;
    std::optional<merge::Plan> plan_;
    std::optional<shape::QuantisePlan> stored_;
    MergeFigures figures_;
};

}  // namespace

void add_merge(CLI::App& app, Action& action) {
    const auto o = std::make_shared<MergeFlags>();
    CLI::App* verb = add_verb(
        app, "merge", "One model of several, by a recipe of mergekit's kind (docs/merge.md).",
        "heft merge ties.yml merged.gguf --type Q4_K_M && heft run merged.gguf \"Hello\"");
    verb->add_option("RECIPE", o->recipe, "YAML; - is stdin")->required();
    verb->add_option("--models", o->models, "where repositories' names are looked up")
        ->type_name("DIR");
    verb->add_option("--seed", o->seed, "of methods that draw (0)")->type_name("N");
    verb->add_option("--max-ram", o->max_ram, "memory at most: 500MB")->type_name("N");
    add_mix_flags(*verb, o->mix);
    verb->add_flag("--allow-crimes", o->allow_crimes, "other architectures, other vocabularies");
    verb->add_flag("--measure", o->measure, "tell how far a GGUF result is from the base");
    add_making_flags(*verb, o->making);
    verb->add_flag("-q,--quiet", o->quiet, "no report at the end");
    verb->callback([o, &action] { action = [o] { return Merging(*o).run(); }; });
}

}  // namespace heft::app
