// heft convert: the same model in another layout.
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/console.h"
#include "app/file_progress.h"
#include "app/help.h"
#include "app/interrupt.h"
#include "app/making.h"
#include "app/measured_writing.h"
#include "app/model_flags.h"
#include "base/clock.h"
#include "shape/quantise.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;

struct ConvertOptions {
    std::string in, type;
    MakingFlags making;
    MeasureFlags measure;
};

// Types that change nothing but how many digits a number has.
Result<const shape::MixInfo*> plain_type(const std::string& name) {
    if (name.empty()) return nullptr;
    const shape::MixInfo* mix = shape::find_mix(name);
    if (mix != nullptr && dtype_info(mix->base).block == 1) return mix;
    return Error{Code::invalid, "convert writes F32, F16, BF16, or each tensor as it is; for "
                                    + name + " there is `heft quantize`"};
}

class Converting {
  public:
    explicit Converting(const ConvertOptions& o)
        : o_(o), line_(&interrupt_.requested()), pool_(o.making.n_threads) {}

    Status run() {
        const Clock::time_point began = Clock::now();
        shape::QuantiseOptions options;
        HEFT_TRY(options.mix, plain_type(o_.type));
        HEFT_TRY(const engine::Engine model, open_description(o_.in));
        HEFT_OK(check_place(o_.making.out, model.checkpoint().files(), o_.making));
        HEFT_TRY(shape::GgufModel target, shape::gguf_model(model.checkpoint()));
        HEFT_TRY(const shape::QuantisePlan plan,
                 shape::plan_quantising(std::move(target.weights), target.facts, options));
        const Json recorded{{"type", options.mix != nullptr ? options.mix->name : "as stored"}};
        HEFT_TRY(const auto leave,
                 ask_leave({"convert", {{o_.in, "itself"}}, recorded}, o_.making, line_));
        HEFT_OK(check_room(o_.making.out, plan.bytes));
        std::vector<std::filesystem::path> files;
        NewModel made{o_.in, model.checkpoint(), plan.bytes, leave.record};
        if (!o_.making.dry_run) {
            if (options.mix != nullptr) shape::set_quantised(target.writer, *options.mix);
            set_licence(target.writer, leave);
            HEFT_TRY(files, write(target.writer, plan, made));
        }
        report(plan, files, made.record, seconds_since(began));
        return {};
    }

  private:
    Result<std::vector<std::filesystem::path>> write(format::GgufWriter& writer,
                                                     const shape::QuantisePlan& plan,
                                                     NewModel& made) {
        line_.begin("converting");
        shape::Encoder encoder(
            pool_, [&](std::uint64_t done) { return line_.show_count(done, plan.work); });
        shape::add_tensors(writer, plan, encoder);
        return write_measured(writer, made, o_.making, o_.measure, line_);
    }

    void report(const shape::QuantisePlan& plan, const std::vector<std::filesystem::path>& files,
                const Json& lineage, double seconds) const {
        Json names = Json::array();
        for (const auto& file : files) names.push_back(file.string());
        if (o_.making.json)
            return put_json({{"schema", "heft.convert/1"},
                             {"model", o_.in},
                             {"dry_run", o_.making.dry_run},
                             {"files", std::move(names)},
                             {"tensors", plan.tensors.size()},
                             {"bytes", plan.bytes},
                             {"seconds", seconds},
                             {"lineage", lineage}});
        put(fmt::format("{}: {} tensors, {}; {:.1f} s\n", o_.in, plan.tensors.size(),
                        bytes_text(plan.bytes), seconds));
        for (const auto& file : files) put(file.string() + "\n");
        if (!o_.making.dry_run) put(difference_text(lineage["difference"]) + "\n");
    }

    const ConvertOptions& o_;
    const InterruptGuard interrupt_;
    FileProgress line_;
    ThreadPool pool_;
};

}  // namespace

void add_convert(CLI::App& app, Action& action) {
    const auto o = std::make_shared<ConvertOptions>();
    CLI::App* verb = add_verb(app, "convert",
                              "The same model as a GGUF file: names, numbers, tokenizer and "
                              "template carried over.",
                              "heft convert my-model/ my-model.gguf --type BF16");
    verb->group(kShape);
    verb->add_option("IN", o->in, "a folder, a .gguf or .safetensors file, or tiny")->required();
    verb->add_option("--type", o->type, "F32, F16 or BF16 (as stored)")->type_name("T");
    add_measure_flags(*verb, o->measure);
    add_making_flags(*verb, o->making);
    verb->callback([o, &action] { action = [o] { return Converting(*o).run(); }; });
}

}  // namespace heft::app
