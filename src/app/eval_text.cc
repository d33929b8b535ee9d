#include "app/eval_text.h"

#include "app/console.h"
#include "op/parallel.h"

namespace heft::app {

Result<EvalText> EvalText::read(const std::string& path, const engine::Engine& engine, int n_ctx,
                                int limit) {
    HEFT_TRY(const std::string text, read_input(path));
    return cut(text, engine, n_ctx, limit);
}

Result<EvalText> EvalText::cut(std::string_view text, const engine::Engine& engine, int n_ctx,
                               int limit) {
    HEFT_TRY(const text::Tokenizer* tokenizer, engine.tokenizer());
    const text::SpecialTokens& special = tokenizer->special();
    const auto ids = tokenizer->encode(text);
    EvalText out;
    HEFT_TRY(out.windows_,
             eval::cut(ids, n_ctx, special.add_bos ? special.bos : std::nullopt, limit));
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
