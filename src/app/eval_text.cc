#include "app/eval_text.h"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "app/console.h"
#include "op/parallel.h"

namespace heft::app {

namespace {

// Windows for a pass: as many as have the tokens of one of the usual length. More would not stay in
// caches, nor would rows of a large vocabulary.
std::size_t windows_at_once(const std::vector<eval::Window>& windows,
                            const engine::Engine& engine) {
    constexpr std::size_t kTokens = 512;
    constexpr std::size_t kLogits = std::size_t{1} << 22;
    if (windows.empty()) return 1;
    const auto n_vocab = static_cast<std::size_t>(engine.model().config().n_vocab);
    const eval::Window& window = windows.front();
    const std::size_t logits = std::max<std::size_t>(1, n_vocab * window.positions.size());
    return std::max<std::size_t>(1, std::min(kTokens / window.ids.size(), kLogits / logits));
}

}  // namespace

CLI::Option* add_text(CLI::App& verb, TextFlags& flags) {
    CLI::Option* text = verb.add_option("--text", flags.path, "a text, - for standard input");
    text->type_name("F");
    verb.add_flag("--parse-special", flags.parse_special, "control tokens in it are such");
    verb.add_option("-c,--ctx-size", flags.n_ctx, "tokens of a window (512)")->type_name("N");
    verb.add_option("--chunks", flags.limit, "so many windows at most (all)")->type_name("N");
    return text;
}

Result<EvalText> EvalText::read(const TextFlags& flags, const engine::Engine& engine) {
    HEFT_TRY(const std::string text, read_input(flags.path));
    return cut(text, flags, engine);
}

Result<EvalText> EvalText::cut(std::string_view text, const TextFlags& flags,
                               const engine::Engine& engine) {
    HEFT_TRY(const text::Tokenizer* tokenizer, engine.tokenizer());
    const text::SpecialTokens& special = tokenizer->special();
    const auto ids =
        tokenizer->encode(text, {.add_special = false, .parse_special = flags.parse_special});
    HEFT_TRY(auto windows, eval::cut(ids, flags.n_ctx, special.add_bos ? special.bos : std::nullopt,
                                     flags.limit));
    return of(std::move(windows), engine);
}

EvalText EvalText::of(std::vector<eval::Window> windows, const engine::Engine& engine) {
    EvalText out;
    out.at_once_ = windows_at_once(windows, engine);
    out.windows_ = std::move(windows);
    return out;
}

Status EvalText::each(FileProgress& line, const std::string& doing, const Take& take) const {
    line.begin(doing);
    const std::uint64_t all = n_tokens();
    std::uint64_t done = 0;
    for (std::size_t first = 0; first < windows_.size(); first += at_once_) {
        if (!line.show_tokens(done, all)) return Error{Code::cancelled, "stopped"};
        const std::size_t n = std::min(at_once_, windows_.size() - first);
        const auto windows = std::span(windows_).subspan(first, n);
        HEFT_OK(take(windows));
        for (const eval::Window& window : windows) done += window.ids.size();
    }
    return {};
}

std::uint64_t EvalText::n_tokens() const {
    std::uint64_t n = 0;
    for (const eval::Window& window : windows_) n += window.ids.size();
    return n;
}

Result<std::span<const float>> read_windows(engine::TextReader& reader,
                                            std::span<const eval::Window> windows) {
    std::vector<engine::Passage> texts;
    for (const eval::Window& window : windows) texts.push_back({window.ids, window.positions});
    return reader.logits(texts);
}

std::vector<std::int32_t> next_tokens(std::span<const eval::Window> windows) {
    std::vector<std::int32_t> tokens;
    for (const eval::Window& window : windows)
        for (const int position : window.positions)
            tokens.push_back(window.ids[static_cast<std::size_t>(position) + 1]);
    return tokens;
}

void add_windows(const engine::Engine& model, std::span<const eval::Window> windows,
                 std::span<const float> logits, eval::Perplexity& to) {
    const std::vector<std::int32_t> next = next_tokens(windows);
    std::vector<double> tokens(next.size());
    op::for_each(model.context(), static_cast<int>(next.size()), [&](int i, int) {
        const auto r = static_cast<std::size_t>(i);
        tokens[r] = eval::log_probability(row_of(logits, r, next.size()), next[r]);
    });
    for (const double log_p : tokens) to.add(log_p);
}

void add_windows(const engine::Engine& model, std::span<const eval::Window> windows,
                 std::span<const float> base_logits, std::span<const float> logits,
                 eval::Divergence& to) {
    const std::vector<std::int32_t> next = next_tokens(windows);
    std::vector<eval::TokenDivergence> tokens(next.size());
    op::for_each(model.context(), static_cast<int>(next.size()), [&](int i, int) {
        const auto r = static_cast<std::size_t>(i);
        tokens[r] = eval::compare(row_of(base_logits, r, next.size()),
                                  row_of(logits, r, next.size()), next[r]);
    });
    for (const eval::TokenDivergence& token : tokens) to.add(token);
}

}  // namespace heft::app
