#include "app/eval_text.h"

#include <CLI/CLI.hpp>

#include "app/console.h"
#include "op/parallel.h"

namespace heft::app {

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
    EvalText out;
    HEFT_TRY(out.windows_, eval::cut(ids, flags.n_ctx, special.add_bos ? special.bos : std::nullopt,
                                     flags.limit));
    return out;
}

EvalText EvalText::of(std::vector<eval::Window> windows) {
    EvalText out;
    out.windows_ = std::move(windows);
    return out;
}

Status EvalText::each(FileProgress& line, const std::string& doing, const Take& take) const {
    line.begin(doing);
    const std::uint64_t all = n_tokens();
    std::uint64_t done = 0;
    for (const eval::Window& window : windows_) {
        if (!line.show_tokens(done, all)) return Error{Code::cancelled, "stopped"};
        HEFT_OK(take(window));
        done += window.ids.size();
    }
    return {};
}

std::uint64_t EvalText::n_tokens() const {
    std::uint64_t n = 0;
    for (const eval::Window& window : windows_) n += window.ids.size();
    return n;
}

void add_window(const engine::Engine& model, const eval::Window& window,
                std::span<const float> logits, eval::Perplexity& to) {
    const std::size_t n = window.positions.size();
    std::vector<double> tokens(n);
    op::for_each(model.context(), static_cast<int>(n), [&](int i, int) {
        const auto r = static_cast<std::size_t>(i);
        tokens[r] = eval::log_probability(row_of(logits, r, n), next_token(window, r));
    });
    for (const double log_p : tokens) to.add(log_p);
}

void add_window(const engine::Engine& model, const eval::Window& window,
                std::span<const float> base_logits, std::span<const float> logits,
                eval::Divergence& to) {
    const std::size_t n = window.positions.size();
    std::vector<eval::TokenDivergence> tokens(n);
    op::for_each(model.context(), static_cast<int>(n), [&](int i, int) {
        const auto r = static_cast<std::size_t>(i);
        tokens[r] =
            eval::compare(row_of(base_logits, r, n), row_of(logits, r, n), next_token(window, r));
    });
    for (const eval::TokenDivergence& token : tokens) to.add(token);
}

}  // namespace heft::app
