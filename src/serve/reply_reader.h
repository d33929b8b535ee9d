// Sorts what a model writes into text, reasoning and tool calls, as it arrives.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "serve/request.h"

namespace heft::serve {

struct Part {
    enum class Kind : std::uint8_t { text, reasoning, call_begin, call_arguments, call_end };
    Kind kind = Kind::text;
    std::string text;  // what is added; of call_begin: the tool's name
};

class ReplyReader {
  public:
    virtual ~ReplyReader() = default;
    // The next stretch of text, possibly empty, and the token that made it.
    virtual std::vector<Part> push(std::string_view text, engine::TokenId id) = 0;
    // The reply has ended.
    virtual std::vector<Part> finish() = 0;
    // What could not be read as what it seemed to be, for the reply's list.
    virtual std::vector<std::string> degraded() const = 0;
};

// By the model's chat template. Engine and request outlive the reader.
std::unique_ptr<ReplyReader> make_reply_reader(const engine::Engine& engine,
                                               const Request& request);

}  // namespace heft::serve
