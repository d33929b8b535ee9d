// Holds an answer to the form that was asked for: which tokens may come, as its text grows. Private
// to this module; one thread at a time, but different keepers may share a constraint.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"

namespace heft::engine {

class FormKeeper {
  public:
    // Both outlive the keeper; the form has a constraint.
    FormKeeper(const Engine& engine, const Form& form);

    // One bit per token of the model, valid until the next call; empty: all may come. An error if
    // none may.
    Result<std::span<const std::uint64_t>> allowed();

    // The token was drawn. Adds to `degraded` if the text cannot be held to its form.
    void accept(TokenId id, std::vector<std::string>& degraded);

    // The text has its form and nothing may follow.
    bool is_complete() const { return complete_; }

  private:
    enum class State : std::uint8_t { waiting, holding, free };

    void watch(std::string_view bytes, std::vector<std::string>& degraded);
    bool leave_aside();
    void begin_after_aside();
    void hold(std::string_view begun, std::vector<std::string>& degraded);
    void check_end();

    const Form& form_;
    State state_;
    grammar::Matcher matcher_;
    std::vector<std::uint64_t> mask_;
    std::size_t model_words_;              // of the mask, that the model's tokens take
    bool from_start_;                      // held from the first token that is in no aside
    TokenId aside_mark_ = text::kNoToken;  // this token may come first, and opens an aside
    bool lost_ = false;                    // what follows the aside cannot be held to the form
    bool in_aside_;
    bool at_start_;       // start_trigger may still come up
    std::string recent_;  // while waiting: what a trigger or the end of an aside may begin in
    bool complete_ = false;
};

}  // namespace heft::engine
