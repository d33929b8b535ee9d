#include "app/compared_models.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "app/bench_run.h"
#include "app/making.h"
#include "app/yardstick.h"
#include "arch/arch.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kMostTokens = 512;  // of one measurement
constexpr int kRounds = 3;
constexpr double kSeconds = 0.2;  // of each in a round, about

struct Kind {
    BenchKind kind;
    const char* name;
    int n_probe;  // tokens that tell how many to measure
};
constexpr Kind kKinds[] = {{BenchKind::prefill, "prefill", 32}, {BenchKind::decode, "decode", 4}};

double stored_bytes(const TensorView& view) {
    if (view.repack == nullptr) return static_cast<double>(view.data.size());
    const auto bytes = tensor_bytes(view.type, view.shape);
    return bytes ? static_cast<double>(*bytes) : 0;
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

// Both in turns, so that what else the machine does falls on both.
class Timing {
  public:
    Timing(const engine::Engine& first, const engine::Engine& second,
           const InterruptGuard& interrupt)
        : runs_{BenchRun(first, interrupt.requested()), BenchRun(second, interrupt.requested())},
          most_(static_cast<int>(std::min<std::int64_t>(
              {kMostTokens, first.model().config().n_ctx, second.model().config().n_ctx}))) {}

    Result<Json> measure() {
        BenchPlan plan;
        plan.tests.push_back({BenchKind::prefill, most_, 0, 1});
        for (BenchRun& run : runs_) HEFT_OK(run.prepare(plan));
        Json out{{"measured", true}};
        for (const Kind& kind : kKinds) {
            HEFT_TRY(out[kind.name], speeds(kind));
        }
        return out;
    }

  private:
    Result<Json> speeds(const Kind& kind) {
        HEFT_TRY(const int n, tokens_for(kind));
        std::array<std::vector<double>, 2> seconds;
        for (int round = 0; round < kRounds; ++round)
            for (std::size_t i = 0; i < 2; ++i) {
                HEFT_TRY(const double once, seconds_of(i, kind.kind, n));
                seconds[i].push_back(once);
            }
        const double first = n / median(seconds[0]);
        const double second = n / median(seconds[1]);
        return Json{{"tokens", n}, {"first", first}, {"second", second}, {"ratio", second / first}};
    }

    // As many for both as the slower one needs the time for.
    Result<int> tokens_for(const Kind& kind) {
        const int n = std::min(kind.n_probe, most_);
        double slowest = 0;
        for (std::size_t i = 0; i < 2; ++i) {
            HEFT_TRY(const double once, seconds_of(i, kind.kind, n));
            slowest = std::max(slowest, once);
        }
        return std::clamp(static_cast<int>(n * kSeconds / slowest), 1, most_);
    }

    Result<double> seconds_of(std::size_t model, BenchKind kind, int n) {
        HEFT_TRY(const BenchResult result, runs_[model].measure({kind, n, 0, 1}, 1));
        return std::max(result.median(), 1e-9);
    }

    std::array<BenchRun, 2> runs_;
    int most_;
};

Json why_not(const Error& error) {
    return not_measured(error.what);
}

Status measure_with(const Yardstick& yardstick, const ComparedModel& second,
                    const InterruptGuard& interrupt, FileProgress& line, Json& document) {
    engine::OpenOptions options;
    options.threads_of = &yardstick.parent();
    auto other = engine::Engine::open(second.reference, options);
    if (!other) {
        document["difference"] = document["speed"] = why_not(other.error());
        return {};
    }
    const auto far = yardstick.measure(*other, "measuring", line);
    if (!far && far.error().code == Code::cancelled) return far.error();
    document["difference"] = far ? difference_record(yardstick, *far) : why_not(far.error());
    line.begin("timing");
    auto speed = Timing(yardstick.parent(), *other, interrupt).measure();
    if (!speed && speed.error().code == Code::cancelled) return Error{Code::cancelled, "stopped"};
    document["speed"] = speed ? std::move(*speed) : why_not(speed.error());
    return {};
}

std::string speed_text(const Json& speed) {
    if (!speed.value("measured", false)) return {};
    std::string out;
    for (const Kind& kind : kKinds)
        out += fmt::format("{}: {:.0f} and {:.0f} tokens/s ({:.2f} times as fast)\n", kind.name,
                           speed[kind.name]["first"].get<double>(),
                           speed[kind.name]["second"].get<double>(),
                           speed[kind.name]["ratio"].get<double>());
    return out;
}

}  // namespace

Json size_of(const format::Checkpoint& checkpoint) {
    double bytes = 0;
    for (const TensorView& view : checkpoint.tensors()) bytes += stored_bytes(view);
    const std::int64_t n = arch::parameter_count(checkpoint);
    return {{"bytes", checkpoint.file_bytes()},
            {"parameters", n},
            {"bits_per_weight", n > 0 ? 8 * bytes / static_cast<double>(n) : 0}};
}

Status measure_both(const ComparedModel& first, const ComparedModel& second,
                    const std::string& text, int n_threads, const InterruptGuard& interrupt,
                    FileProgress& line, Json& document) {
    const std::string memory = why_not_run(first.checkpoint, second.checkpoint.file_bytes());
    if (!memory.empty()) {
        document["difference"] = document["speed"] = not_measured(memory);
        return {};
    }
    const auto yardstick = Yardstick::make(first.reference, text, n_threads, line);
    if (yardstick) return measure_with(*yardstick, second, interrupt, line, document);
    if (yardstick.error().code == Code::cancelled) return yardstick.error();
    document["difference"] = document["speed"] = why_not(yardstick.error());
    return {};
}

std::string comparison_text(const Json& document) {
    const Json& first = document["size"]["first"];
    const Json& second = document["size"]["second"];
    return fmt::format("size: {} and {} ({:.3f} of it); {:.2f} and {:.2f} bits per weight\n",
                       bytes_text(first["bytes"]), bytes_text(second["bytes"]),
                       document["size"]["ratio"].get<double>(),
                       first["bits_per_weight"].get<double>(),
                       second["bits_per_weight"].get<double>())
           + difference_text(document["difference"], "the first") + "\n"
           + speed_text(document["speed"]);
}

}  // namespace heft::app
