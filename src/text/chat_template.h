// Chat templates: the Jinja subset that published models use. A template is hostile input: time,
// depth and output are bounded. Immutable after parsing; safe to render from many threads.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"

namespace heft::text {

struct RenderLimits {
    std::size_t output_bytes = 64U << 20;
    std::size_t steps = 10'000'000;  // evaluated nodes
    int depth = 200;                 // nested calls and expressions
};

class ChatTemplate {
  public:
    static Result<ChatTemplate> parse(std::string_view source);

    ChatTemplate(ChatTemplate&&) noexcept;
    ChatTemplate& operator=(ChatTemplate&&) noexcept;
    ~ChatTemplate();

    // `variables`: an object with messages, tools, add_generation_prompt, bos_token … An exception
    // raised by the template is Code::invalid with its words.
    Result<std::string> render(const nlohmann::ordered_json& variables,
                               const RenderLimits& limits = {}) const;

  private:
    struct Impl;
    explicit ChatTemplate(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace heft::text
