// A text as models are measured on it: in windows, of whose rows of logits some count.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/file_progress.h"
#include "engine/engine.h"
#include "eval/scores.h"
#include "eval/windows.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace heft::app {

// What a verb is told of its text.
struct TextFlags {
    std::string path;  // - for standard input
    int n_ctx = 512;   // tokens of a window
    int limit = 0;     // windows at most; 0: all
    bool parse_special = false;
};

// Adds --text, which it returns, and how to cut it.
CLI::Option* add_text(CLI::App& verb, TextFlags& flags);

class EvalText {
  public:
    // In the vocabulary of this model.
    static Result<EvalText> read(const TextFlags& flags, const engine::Engine& engine);
    // The same of the text itself, wherever it comes from.
    static Result<EvalText> cut(std::string_view text, const TextFlags& flags,
                                const engine::Engine& engine);
    static EvalText of(std::vector<eval::Window> windows, const engine::Engine& engine);

    using Take = std::function<Status(std::span<const eval::Window> windows)>;
    // Calls take() for all windows in their order, for as many together as one pass should compute.
    // Errors: cancelled.
    Status each(FileProgress& line, const std::string& doing, const Take& take) const;

    std::size_t n_windows() const { return windows_.size(); }
    std::uint64_t n_tokens() const;  // of all windows
    const std::vector<eval::Window>& windows() const { return windows_; }

  private:
    std::vector<eval::Window> windows_;
    std::size_t at_once_ = 1;  // of them in a pass
};

// Logits for each position of the first window, then of the second, and so on, one row after the
// other. Valid until the reader's next call.
Result<std::span<const float>> read_windows(engine::TextReader& reader,
                                            std::span<const eval::Window> windows);

// The tokens that those rows tell the probability of.
std::vector<std::int32_t> next_tokens(std::span<const eval::Window> windows);

// One of n_rows rows that stand one after the other.
inline std::span<const float> row_of(std::span<const float> rows, std::size_t row,
                                     std::size_t n_rows) {
    const std::size_t n = rows.size() / n_rows;
    return rows.subspan(row * n, n);
}

// Adds the tokens of windows, in their order; computed on the model's threads. `logits`: as of
// read_windows().
void add_windows(const engine::Engine& model, std::span<const eval::Window> windows,
                 std::span<const float> logits, eval::Perplexity& to);
void add_windows(const engine::Engine& model, std::span<const eval::Window> windows,
                 std::span<const float> base_logits, std::span<const float> logits,
                 eval::Divergence& to);

}  // namespace heft::app
