// heft quantize: a model in fewer bits.
#include <map>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/console.h"
#include "app/file_progress.h"
#include "app/help.h"
#include "app/interrupt.h"
#include "app/machine.h"
#include "app/making.h"
#include "app/measured_writing.h"
#include "app/mix_choice.h"
#include "app/mix_flags.h"
#include "app/model_flags.h"
#include "base/clock.h"
#include "shape/quantise.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kRecordRoom = 16384;  // for what a search and a measurement add to it

struct QuantizeOptions {
    std::string in;
    MixFlags mix{"Q4_K_M", {}, {}};
    std::string target_size;
    std::optional<double> target_kl;
    bool allow_requantize = false;
    MakingFlags making;
    MeasureFlags measure;

    bool is_searched() const { return !target_size.empty() || target_kl; }
};

// With all that decides the bytes of the result in its record.
Result<AskedMix> asked(const QuantizeOptions& o) {
    if (!o.target_size.empty() && o.target_kl)
        return Error{Code::invalid, "--target-size and --target-kl: only one can be searched for"};
    if (o.target_kl && !(*o.target_kl > 0))
        return Error{Code::invalid, "--target-kl: a divergence above 0 is needed"};
    HEFT_TRY(AskedMix out, asked_mix(o.mix));
    out.options.allow_requantise = o.allow_requantize;
    if (o.is_searched()) out.record["type"] = "searched";
    if (!o.target_size.empty()) out.record["target_size"] = o.target_size;
    if (o.target_kl) out.record["target_kl"] = *o.target_kl;
    if (o.allow_requantize) out.record["allow_requantize"] = true;
    return out;
}

struct Total {
    int tensors = 0;
    std::uint64_t weights = 0;
    std::uint64_t bytes = 0;
};

std::map<DType, Total> totals(const shape::QuantisePlan& plan) {
    std::map<DType, Total> out;
    for (const shape::TensorPlan& tensor : plan.tensors) {
        Total& total = out[tensor.type];
        ++total.tensors;
        total.weights += tensor.weight.work();
        total.bytes += tensor.bytes;
    }
    return out;
}

double bits_per_weight(const shape::QuantisePlan& plan) {
    return 8.0 * static_cast<double>(plan.bytes)
           / static_cast<double>(std::max<std::uint64_t>(plan.work, 1));
}

// NOLINTNEXTLINE(bugprone-exception-escape): moving a tree of JSON throws nothing
struct Outcome {
    std::vector<std::filesystem::path> files;
    double seconds = 0;
    Json lineage;
};

Json document(const QuantizeOptions& o, const shape::QuantiseOptions& parsed,
              const shape::QuantisePlan& plan, const Outcome& outcome) {
    Json tensors = Json::array();
    for (const shape::TensorPlan& tensor : plan.tensors)
        tensors.push_back({{"name", tensor.weight.name},
                           {"from", dtype_info(tensor.weight.stored).name},
                           {"to", dtype_info(tensor.type).name},
                           {"bytes", tensor.bytes},
                           {"importance", !tensor.importance.empty()}});
    Json files = Json::array();
    for (const auto& file : outcome.files) files.push_back(file.string());
    return {{"schema", "heft.quantize/1"}, {"model", o.in},
            {"type", parsed.mix->name},    {"dry_run", o.making.dry_run},
            {"files", std::move(files)},   {"weights", plan.work},
            {"bytes", plan.bytes},         {"bits_per_weight", bits_per_weight(plan)},
            {"seconds", outcome.seconds},  {"peak_memory_bytes", peak_memory_bytes()},
            {"remarks", plan.remarks},     {"tensors", std::move(tensors)},
            {"lineage", outcome.lineage}};
}

void put_report(const QuantizeOptions& o, const shape::QuantiseOptions& parsed,
                const shape::QuantisePlan& plan, const Outcome& outcome) {
    for (const auto& [type, total] : totals(plan))
        put(fmt::format("{:<8} {:>5} tensors  {:>10}\n", dtype_info(type).name, total.tensors,
                        bytes_text(total.bytes)));
    const std::string what = fmt::format("{} as {}: {}, {:.2f} bits per weight", o.in,
                                         o.is_searched() ? "a mix of its own" : parsed.mix->name,
                                         bytes_text(plan.bytes), bits_per_weight(plan));
    if (o.making.dry_run) return put(what + "\n");
    put(fmt::format("{}; {:.1f} s, {:.1f} M weights/s, {} of memory\n", what, outcome.seconds,
                    static_cast<double>(plan.work) / 1e6 / std::max(outcome.seconds, 1e-9),
                    bytes_text(static_cast<std::uint64_t>(peak_memory_bytes()))));
    for (const auto& file : outcome.files) put(file.string() + "\n");
    put(difference_text(outcome.lineage["difference"]) + "\n");
}

class Quantizing {
  public:
    explicit Quantizing(const QuantizeOptions& o)
        : o_(o), line_(&interrupt_.requested()), pool_(o.making.n_threads) {}

    Status run() {
        const Clock::time_point began = Clock::now();
        HEFT_TRY(AskedMix mix, asked(o_));
        shape::QuantiseOptions& options = mix.options;
        HEFT_TRY(const engine::Engine model, open_description(o_.in));
        HEFT_OK(check_place(o_.making.out, model.checkpoint().files(), o_.making.force));
        HEFT_TRY(shape::GgufModel target, shape::gguf_model(model.checkpoint()));
        HEFT_TRY(shape::QuantisePlan plan,
                 shape::plan_quantising(target.weights, target.facts, options));
        Outcome outcome;
        HEFT_TRY(Granted granted,
                 ask_leave({"quantize", {{o_.in, "itself"}}, mix.record}, o_.making));
        if (o_.is_searched()) {
            HEFT_OK(search(target, options, granted.record));
            HEFT_TRY(plan, shape::plan_quantising(target.weights, target.facts, options));
        }
        HEFT_OK(check_room(o_.making.out, plan.bytes));
        for (const std::string& remark : plan.remarks) say("heft: " + remark);
        if (!o_.making.dry_run) {
            set_mix(target.writer, mix);
            set_licence(target.writer, granted);
            NewModel made{o_.in, model.checkpoint(), plan.bytes, granted};
            HEFT_TRY(outcome.files, write(target.writer, plan, made));
        }
        outcome.lineage = std::move(granted.record);
        outcome.seconds = seconds_since(began);
        if (o_.making.json)
            put_json(document(o_, options, plan, outcome));
        else
            put_report(o_, options, plan, outcome);
        return {};
    }

  private:
    // Types for what the person has not said a type for, found by measuring.
    Status search(const shape::GgufModel& model, shape::QuantiseOptions& options, Json& record) {
        MixTarget target;
        target.kl = o_.target_kl;
        if (!o_.target_size.empty()) {
            HEFT_TRY(target.bytes, parse_size("--target-size", o_.target_size));
        }
        HEFT_TRY(const Yardstick yardstick,
                 Yardstick::make(o_.in, o_.measure.text, o_.making.n_threads, line_));
        HEFT_TRY(const std::uint64_t overhead,
                 overhead_bytes(model, record.dump().size() + kRecordRoom));
        HEFT_TRY(ChosenMix chosen,
                 choose_mix(model, target, yardstick, {options, overhead, pool_, line_}));
        options.mix = chosen.mix;
        options.overrides.insert(options.overrides.end(), chosen.overrides.begin(),
                                 chosen.overrides.end());
        record["options"]["search"] = std::move(chosen.record);
        record["options"]["search"]["text"] = yardstick.text();
        return {};
    }

    Result<std::vector<std::filesystem::path>> write(format::GgufWriter& writer,
                                                     const shape::QuantisePlan& plan,
                                                     NewModel& made) {
        line_.begin("quantizing");
        shape::Encoder encoder(
            pool_, [&](std::uint64_t done) { return line_.show_count(done, plan.work); });
        shape::add_tensors(writer, plan, encoder);
        auto files = write_measured(writer, made, o_.making, o_.measure, line_);
        if (!files && files.error().code == Code::cancelled)
            return Error{Code::cancelled, "stopped; the same command goes on where this one ended"};
        return files;
    }

    const QuantizeOptions& o_;
    const InterruptGuard interrupt_;
    FileProgress line_;
    ThreadPool pool_;
};

}  // namespace

void add_quantize(CLI::App& app, Action& action) {
    const auto o = std::make_shared<QuantizeOptions>();
    CLI::App* verb = add_verb(app, "quantize",
                              "Store a model in fewer bits, as a GGUF file that tells what it was "
                              "made of.",
                              "heft quantize my-model/ my-model.Q4_K_M.gguf --type Q4_K_M");
    verb->group(kShape);
    verb->add_option("IN", o->in, "a folder, a .gguf or .safetensors file, or tiny")->required();
    add_mix_flags(*verb, o->mix);
    verb->add_option("--target-size", o->target_size,
                     "search the best mix of at most so much: 4GiB")
        ->type_name("N");
    verb->add_option("--target-kl", o->target_kl, "search the smallest mix so near: 0.02")
        ->type_name("X");
    verb->add_flag("--allow-requantize", o->allow_requantize,
                   "from a type that has lost precision already");
    add_measure_flags(*verb, o->measure);
    add_making_flags(*verb, o->making);
    verb->callback([o, &action] { action = [o] { return Quantizing(*o).run(); }; });
}

}  // namespace heft::app
