// How far a model that is being made is from the one it is made of: measured on a small text, a few
// hundred tokens, by running both.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/eval_text.h"
#include "engine/engine.h"
#include "eval/scores.h"

namespace heft::app {

class Yardstick {
  public:
    // Opens the parent and computes its logits on the text: a file's, or for "" a small one that is
    // built in. Errors: where the parent cannot be run here; the sentence says why.
    static Result<Yardstick> make(const std::string& parent, const std::string& text, int n_threads,
                                  FileProgress& line);

    // Runs a model of the same vocabulary. Errors: as make().
    Result<eval::Divergence> measure(format::Checkpoint model, const std::string& doing,
                                     FileProgress& line) const;
    Result<eval::Divergence> measure(const engine::Engine& model, const std::string& doing,
                                     FileProgress& line) const;

    const engine::Engine& parent() const { return parent_; }

    // "text" and its hash, for the record.
    nlohmann::ordered_json text() const { return {{"name", name_}, {"sha256", sha256_}}; }

  private:
    explicit Yardstick(engine::Engine parent) : parent_(std::move(parent)) {}
    Status keep_rows(FileProgress& line);

    engine::Engine parent_;
    std::string name_, sha256_;
    EvalText text_;
    std::vector<std::vector<float>> rows_;  // the parent's, of each pass over the text
};

// Why a model of so many bytes should not be run beside its parent on this machine; empty: it may.
std::string why_not_run(const format::Checkpoint& parent, std::uint64_t bytes);

// For lineage records: in four digits, so that a last bit of a sum does not change a file.
double in_four_digits(double x);
nlohmann::ordered_json difference_record(const Yardstick& yardstick, const eval::Divergence& far);
nlohmann::ordered_json not_measured(const std::string& why);
// "KL divergence 0.0123 from the original, the same likeliest token in 96.4 %".
std::string difference_text(const nlohmann::ordered_json& record,
                            const std::string& from = "the original");

}  // namespace heft::app
