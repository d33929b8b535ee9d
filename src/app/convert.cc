// heft convert: the same model in another layout.
// Into a GGUF file where OUT ends in .gguf; else into a Hugging Face folder.
#include "app/convert.h"

#include <deque>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/console.h"
#include "app/converted_adapter.h"
#include "app/file_progress.h"
#include "app/folder_writer.h"
#include "app/help.h"
#include "app/interrupt.h"
#include "app/lora_flags.h"
#include "app/merged_adapter.h"
#include "app/model_flags.h"
#include "base/clock.h"
#include "convert/folder_files.h"
#include "format/adapter_files.h"
#include "shape/quantise.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;

// Types that change nothing but how many digits a number has.
Result<const shape::MixInfo*> plain_type(const std::string& name) {
    if (name.empty()) return nullptr;
    const shape::MixInfo* mix = shape::find_mix(name);
    if (mix != nullptr && dtype_info(mix->base).block == 1) return mix;
    return Error{Code::invalid, "convert writes F32, F16, BF16, or each tensor as it is; for "
                                    + name + " there is `heft quantize`"};
}

std::optional<DType> type_of(const shape::MixInfo* mix) {
    return mix != nullptr ? std::optional(mix->base) : std::nullopt;
}

class Converting {
  public:
    explicit Converting(const ConvertOptions& o)
        : o_(o),
          line_(&interrupt_.requested()),
          pool_(o.making.n_threads),
          made_of_{{o.in, "itself"}} {}

    Status run() {
        const Clock::time_point began = Clock::now();
        HEFT_TRY(const shape::MixInfo* mix, plain_type(o_.type));
        if (format::is_adapter(std::filesystem::path(o_.in))) {
            HEFT_TRY(const Converted done, convert_adapter(o_, type_of(mix), pool_, line_));
            report(done, seconds_since(began));
            return {};
        }
        HEFT_OK(check_no_base());
        HEFT_TRY(const engine::Engine model, open_description(o_.in));
        HEFT_OK(check_place(o_.making.out, model.checkpoint().files(), o_.making.force));
        HEFT_OK(merge_adapters(model.checkpoint(), type_of(mix)));
        HEFT_TRY(const Converted done, names_gguf(o_.making.out)
                                           ? into_gguf(model.checkpoint(), mix)
                                           : into_folder(model.checkpoint(), mix));
        report(done, seconds_since(began));
        return {};
    }

  private:
    Status check_no_base() const {
        if (o_.base.empty()) return {};
        return Error{Code::invalid, "--base names the base of an adapter, and " + o_.in
                                        + " is none; to merge an adapter into a model there is "
                                          "--lora"};
    }

    Status merge_adapters(const format::Checkpoint& checkpoint, std::optional<DType> type) {
        if (o_.lora.empty()) return {};
        HEFT_TRY(const arch::Config config, arch::read_config(checkpoint));
        for (const std::string& argument : o_.lora) {
            HEFT_TRY(const LoraArgument lora, parse_lora(argument));
            HEFT_TRY(adapters_.emplace_back(),
                     model::load_adapter(lora.path, checkpoint, config, lora.scale));
            HEFT_OK(merge_adapter(adapters_.back(), checkpoint, config, type, overlay_));
            const bool is_folder = std::filesystem::is_directory(lora.path);
            made_of_.push_back({lora.path.string(),
                                "adapter",
                                {is_folder ? lora.path / "adapter_model.safetensors" : lora.path}});
            scales_.push_back(lora.scale);
        }
        return {};
    }

    Result<Granted> leave(const shape::MixInfo* mix) {
        Json recorded{{"type", mix != nullptr ? mix->name : "as stored"}};
        if (!scales_.empty()) recorded["lora_scales"] = scales_;
        return ask_leave({"convert", made_of_, recorded}, o_.making);
    }

    Result<Converted> into_gguf(const format::Checkpoint& checkpoint, const shape::MixInfo* mix) {
        shape::QuantiseOptions options;
        options.mix = mix;
        HEFT_TRY(shape::GgufModel target, shape::gguf_model(checkpoint, overlay_));
        HEFT_TRY(const shape::QuantisePlan plan,
                 shape::plan_quantising(std::move(target.weights), target.facts, options));
        Converted out;
        out.n_tensors = plan.tensors.size();
        out.bytes = plan.bytes;
        HEFT_TRY(Granted granted, leave(mix));
        out.lineage = granted.record;
        HEFT_OK(check_room(o_.making.out, plan.bytes));
        if (o_.making.dry_run) return out;
        if (mix != nullptr) shape::set_quantised(target.writer, *mix);
        set_licence(target.writer, granted);
        line_.begin("converting");
        shape::Encoder encoder(
            pool_, [&](std::uint64_t done) { return line_.show_count(done, plan.work); });
        shape::add_tensors(target.writer, plan, encoder);
        NewModel made{o_.in, checkpoint, plan.bytes, granted};
        HEFT_TRY(out.files, write_measured(target.writer, made, o_.making, o_.measure, line_));
        out.lineage = std::move(granted.record);
        return out;
    }

    Result<Converted> into_folder(const format::Checkpoint& checkpoint, const shape::MixInfo* mix) {
        HEFT_TRY(const convert::FolderModel made,
                 convert::folder_model(checkpoint, type_of(mix), overlay_));
        Converted out;
        out.missing = made.tensors.missing;
        HEFT_TRY(Granted granted, leave(mix));
        out.lineage = granted.record;
        FolderWriter writer(made, pool_, line_);
        HEFT_TRY(out.bytes, writer.bytes());
        out.n_tensors = writer.n_tensors();
        HEFT_OK(check_room(o_.making.out, out.bytes));
        if (o_.making.dry_run) return out;
        granted.record["difference"] =
            not_measured(o_.measure.none ? "--no-measure" : "the result is a folder");
        line_.begin("converting");
        HEFT_TRY(out.files, writer.write(o_.making, granted));
        out.lineage = std::move(granted.record);
        return out;
    }

    void report(const Converted& done, double seconds) const {
        Json names = Json::array();
        for (const auto& file : done.files) names.push_back(file.string());
        if (o_.making.json)
            return put_json({{"schema", "heft.convert/1"},
                             {"model", o_.in},
                             {"dry_run", o_.making.dry_run},
                             {"files", std::move(names)},
                             {"tensors", done.n_tensors},
                             {"missing", done.missing},
                             {"bytes", done.bytes},
                             {"seconds", seconds},
                             {"lineage", done.lineage}});
        if (!done.missing.empty())
            say(fmt::format(
                "heft: {} tensors of the folder that the file was made of are not in it "
                "(buffers, encoders): {} ...",
                done.missing.size(), done.missing.front()));
        put(fmt::format("{}: {} tensors, {}; {:.1f} s\n", o_.in, done.n_tensors,
                        bytes_text(done.bytes), seconds));
        for (const auto& file : done.files) put(file.string() + "\n");
        if (!o_.making.dry_run) put(difference_text(done.lineage["difference"]) + "\n");
    }

    const ConvertOptions& o_;
    const InterruptGuard interrupt_;
    FileProgress line_;
    ThreadPool pool_;
    std::deque<model::Adapter> adapters_;  // which the overlay reads
    convert::Overlay overlay_;
    std::vector<Ingredient> made_of_;
    Json scales_ = Json::array();  // of adapters, in their order among these
};

}  // namespace

void add_convert(CLI::App& app, Action& action) {
    const auto o = std::make_shared<ConvertOptions>();
    CLI::App* verb = add_verb(
        app, "convert", "The same model or adapter as a GGUF file (OUT ends in .gguf) or a folder.",
        "heft convert my-model/ my-model.gguf --type BF16");
    verb->group(kShape);
    verb->add_option("IN", o->in, "a model or a LoRA adapter: a folder, a file, or tiny")
        ->required();
    verb->add_option("--type", o->type, "of matrices: F32, F16 or BF16 (as stored)")
        ->type_name("T");
    add_lora(*verb, o->lora);
    verb->add_option("--base", o->base, "of an adapter: its model, or a folder with config.json")
        ->type_name("M");
    add_measure_flags(*verb, o->measure);
    add_making_flags(*verb, o->making);
    verb->callback([o, &action] { action = [o] { return Converting(*o).run(); }; });
}

}  // namespace heft::app
