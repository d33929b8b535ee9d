// The reply in the making: sampled tokens become text, until it ends. Private to this module.
#pragma once

#include <optional>

#include "engine/engine.h"
#include "gen/stop.h"

namespace heft::engine {

class Writer {
  public:
    // Engine, request and reply outlive the writer.
    static Result<Writer> make(const Engine& engine, const Request& request, Reply& reply);

    // Takes the next token; answers why the reply ends with it, if it does.
    std::optional<gen::FinishReason> add(gen::Choice choice);
    // Shows what was held back.
    void finish();

  private:
    Writer(const Request& request, Reply& reply);
    void show(const std::string& text, TokenId id);

    const Request* request_;
    Reply* reply_;
    gen::StopOptions stop_;
    std::optional<text::StreamDecoder> decoder_;
    gen::StopFilter filter_;
};

}  // namespace heft::engine
