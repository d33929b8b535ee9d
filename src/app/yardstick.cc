#include "app/yardstick.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "app/built_in_text.h"
#include "app/console.h"
#include "app/making.h"
#include "base/memory.h"
#include "base/sha256.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kContext = 128;
constexpr int kMostWindows = 4;
constexpr std::size_t kMostNumbers = std::size_t{1} << 25;  // of logits kept: 128 MiB

// Fewer windows where each takes much memory.
EvalText shortened(const EvalText& text, const engine::Engine& model) {
    const auto n_vocab = static_cast<std::size_t>(model.model().config().n_vocab);
    std::vector<eval::Window> windows = text.windows();
    const std::size_t per_window = n_vocab * windows.front().positions.size();
    const std::size_t most = std::clamp<std::size_t>(kMostNumbers / per_window, 1, kMostWindows);
    if (windows.size() > most) windows.resize(most);
    return EvalText::of(std::move(windows), model);
}

}  // namespace

Result<Yardstick> Yardstick::make(const std::string& parent, const std::string& text, int n_threads,
                                  FileProgress& line) {
    engine::OpenOptions options;
    options.n_threads = n_threads;
    HEFT_TRY(engine::Engine engine, engine::Engine::open(parent, options));
    Yardstick out(std::move(engine));
    std::string words(kBuiltInText);
    out.name_ = "built-in";
    if (!text.empty()) {
        HEFT_TRY(words, read_input(text));
        out.name_ = std::filesystem::path(text).filename().string();
    }
    HEFT_TRY(out.sha256_, sha256(as_bytes(words)));
    TextFlags how;
    how.n_ctx = kContext;
    how.limit = kMostWindows;
    HEFT_TRY(const EvalText whole, EvalText::cut(words, how, out.parent_));
    out.text_ = shortened(whole, out.parent_);
    HEFT_OK(out.keep_rows(line));
    return out;
}

Status Yardstick::keep_rows(FileProgress& line) {
    engine::TextReader reader(parent_);
    return text_.each(line, "measuring the original", [&](auto windows) -> Status {
        HEFT_TRY(const auto rows, read_windows(reader, windows));
        rows_.emplace_back(rows.begin(), rows.end());
        return {};
    });
}

Result<eval::Divergence> Yardstick::measure(format::Checkpoint model, const std::string& doing,
                                            FileProgress& line) const {
    engine::OpenOptions options;
    options.threads_of = &parent_;
    HEFT_TRY(const engine::Engine engine, engine::Engine::of(std::move(model), options));
    return measure(engine, doing, line);
}

Result<eval::Divergence> Yardstick::measure(const engine::Engine& engine, const std::string& doing,
                                            FileProgress& line) const {
    if (engine.model().config().n_vocab != parent_.model().config().n_vocab)
        return Error{Code::invalid, "its vocabulary is not its parent's"};
    engine::TextReader reader(engine);
    eval::Divergence far;
    auto rows = rows_.begin();
    HEFT_OK(text_.each(line, doing, [&](auto windows) -> Status {
        HEFT_TRY(const auto ours, read_windows(reader, windows));
        add_windows(engine, windows, *rows++, ours, far);
        return {};
    }));
    return far;
}

std::string why_not_run(const format::Checkpoint& parent, std::uint64_t bytes) {
    const std::uint64_t needed = parent.file_bytes() + bytes;
    const std::int64_t there = free_memory_bytes();
    if (there == 0 || needed <= static_cast<std::uint64_t>(there)) return {};
    return fmt::format("both models take {} and there is memory for {}", bytes_text(needed),
                       bytes_text(static_cast<std::uint64_t>(there)));
}

double in_four_digits(double x) {
    return std::isfinite(x) ? std::stod(fmt::format("{:.4g}", x)) : x;
}

Json difference_record(const Yardstick& yardstick, const eval::Divergence& far) {
    return {{"measured", true},
            {"text", yardstick.text()},
            {"tokens", far.tokens()},
            {"kl", in_four_digits(far.kl().value)},
            {"kl_most", in_four_digits(far.kl_quantile(1))},
            {"same_top", in_four_digits(far.same_top().value)},
            {"perplexity", in_four_digits(far.perplexity().value)},
            {"parent_perplexity", in_four_digits(far.base_perplexity().value)}};
}

Json not_measured(const std::string& why) {
    return {{"measured", false}, {"why", why}};
}

std::string difference_text(const Json& record, const std::string& from) {
    if (!record.value("measured", false))
        return "difference from " + from + " not measured: " + record.value("why", std::string());
    return fmt::format(
        "KL divergence {:.4g} from {}, the same likeliest token in {:.1f} "
        "% of {}",
        record.value("kl", 0.0), from, 100 * record.value("same_top", 0.0),
        record.value("tokens", 0));
}

}  // namespace heft::app
