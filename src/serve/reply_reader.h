// Sorts what a model writes into text, reasoning and tool calls, as it arrives.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "serve/request.h"
#include "text/reply_parser.h"

namespace heft::serve {

// How a reply to this prompt begins.
struct ReplyStart {
    const text::ReplyFormat* format = nullptr;  // by the model's chat template
    bool in_reasoning = false;                  // the prompt opened a thought
};
// The engine's tokenizer is loaded.
ReplyStart reply_start(const engine::Engine& engine, std::span<const engine::TokenId> prompt);

std::vector<text::Tool> offered_tools(const Request& request);

class ReplyReader {
  public:
    // By the model's chat template. The engine, whose tokenizer is loaded, outlives the reader.
    static ReplyReader make(const engine::Engine& engine, const Request& request,
                            std::span<const engine::TokenId> prompt);

    // The next stretch of text, possibly empty, and the token that made it.
    std::vector<text::ReplyEvent> push(std::string_view text, engine::TokenId id);
    std::vector<text::ReplyEvent> finish();
    // What was not as it should be; complete after finish().
    std::vector<std::string> degraded() const;

  private:
    explicit ReplyReader(const text::Tokenizer& words) : words_(&words) {}

    const text::Tokenizer* words_;
    std::unique_ptr<text::ReplyParser> parser_;  // none: everything is text
};

}  // namespace heft::serve
