// The base of a comparison: a model that is computed, or what one said, saved in a file
// (eval/base_logits.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/eval_text.h"
#include "app/model_flags.h"
#include "base/mapped_file.h"
#include "eval/base_logits.h"
#include "format/output_file.h"

namespace heft::app {

class EvalBase {
  public:
    // `flags`: of the model to be compared, already opened as `model`, on whose threads a base
    // computes. Errors: those of the files; invalid where the vocabularies differ.
    static Result<EvalBase> open(const std::string& reference, const ModelFlags& flags,
                                 const engine::Engine& model);

    // The windows of a saved one; empty where a model is computed.
    std::vector<eval::Window> windows() const;
    const engine::Engine* engine() const { return engine_ ? &*engine_ : nullptr; }

    // As of read_windows(); valid until the next call. Of a saved base the windows have to come in
    // their order.
    Result<std::span<const float>> rows(std::span<const eval::Window> windows);

  private:
    std::string reference_;
    std::optional<engine::Engine> engine_;
    std::optional<engine::TextReader> reader_;  // of the engine
    MappedFile file_;
    std::optional<eval::BaseLogits> saved_;
    std::vector<float> rows_;  // of what is saved
};

// Saves the rows of a base, which come in order; the file appears when it is complete.
class BaseSaver {
  public:
    static Result<BaseSaver> create(const std::string& path, const std::string& model, int n_vocab,
                                    const EvalText& text);
    Status add(std::span<const eval::Window> windows, std::span<const float> rows);
    Status commit() { return file_.commit(); }

  private:
    explicit BaseSaver(format::OutputFile file) : file_(std::move(file)) {}

    format::OutputFile file_;
    std::string room_;
};

}  // namespace heft::app
