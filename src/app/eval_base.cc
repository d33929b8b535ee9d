#include "app/eval_base.h"

#include <fmt/format.h>

namespace heft::app {

namespace {

Error other_vocabulary(const std::string& base, int n_base, const std::string& model, int n) {
    return {Code::invalid, fmt::format("{} has {} tokens and {} has {}: they cannot be compared",
                                       model, n, base, n_base)};
}

bool begins_as_saved(const std::string& path) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) return false;
    const auto file = MappedFile::open(path);
    return file && eval::is_base_logits(file->bytes());
}

}  // namespace

Result<EvalBase> EvalBase::open(const std::string& reference, const ModelFlags& flags,
                                const engine::Engine& model) {
    EvalBase out;
    out.reference_ = reference;
    HEFT_TRY(const arch::Config* config, model.config());
    int n_vocab = 0;
    if (begins_as_saved(reference)) {
        HEFT_TRY(out.file_, MappedFile::open(reference));
        auto saved = eval::BaseLogits::parse(out.file_.bytes());
        if (!saved) return within(reference, std::move(saved.error()));
        n_vocab = saved->n_vocab();
        out.saved_.emplace(std::move(*saved));
    } else {
        ModelFlags of_base = flags;
        of_base.reference = reference;
        of_base.lora.clear();
        HEFT_TRY(engine::Engine base, open_model(of_base, op::Precision::fast, &model));
        HEFT_TRY(const arch::Config* base_config, base.config());
        n_vocab = base_config->n_vocab;
        out.engine_.emplace(std::move(base));
    }
    if (n_vocab != config->n_vocab)
        return other_vocabulary(reference, n_vocab, flags.reference, config->n_vocab);
    return out;
}

std::vector<eval::Window> EvalBase::windows() const {
    return saved_ ? saved_->windows() : std::vector<eval::Window>();
}

Result<std::span<const float>> EvalBase::rows(std::span<const eval::Window> windows) {
    if (engine_) {
        if (!reader_) reader_.emplace(*engine_);
        return read_windows(*reader_, windows);
    }
    rows_.clear();
    std::vector<float> row;
    for (const eval::Window& window : windows)
        for (std::size_t r = 0; r < window.positions.size(); ++r) {
            if (auto status = saved_->next(row); !status)
                return within(reference_, std::move(status.error()));
            rows_.insert(rows_.end(), row.begin(), row.end());
        }
    return std::span<const float>(rows_);
}

Result<BaseSaver> BaseSaver::create(const std::string& path, const std::string& model, int n_vocab,
                                    const EvalText& text) {
    HEFT_TRY(format::OutputFile file, format::OutputFile::create(path));
    BaseSaver out(std::move(file));
    HEFT_OK(out.file_.write(as_bytes(eval::base_header(model, n_vocab, text.windows()))));
    return out;
}

Status BaseSaver::add(std::span<const eval::Window> windows, std::span<const float> rows) {
    room_.clear();
    const std::vector<std::int32_t> next = next_tokens(windows);
    for (std::size_t r = 0; r < next.size(); ++r)
        eval::append_base_row(row_of(rows, r, next.size()), next[r], room_);
    return file_.write(as_bytes(room_));
}

}  // namespace heft::app
