#include "serve/reply_reader.h"

#include <algorithm>
#include <utility>

namespace heft::serve {

namespace {

// The end of the prompt, where a template opens a thought.
std::string tail_of(const text::Tokenizer& words, std::span<const engine::TokenId> prompt) {
    constexpr std::size_t kTokens = 64;
    const auto last = prompt.last(std::min(kTokens, prompt.size()));
    auto text = words.decode(last, true);
    return text ? std::move(*text) : std::string();
}

}  // namespace

ReplyStart reply_start(const engine::Engine& engine, std::span<const engine::TokenId> prompt) {
    const auto source = engine.template_source();
    const text::ReplyFormat& format =
        text::reply_format_of_template(source ? std::string_view(*source) : std::string_view());
    return {&format, text::opens_reasoning(format, tail_of(**engine.tokenizer(), prompt))};
}

std::vector<text::Tool> offered_tools(const Request& request) {
    std::vector<text::Tool> tools;
    if (request.tool_use == ToolUse::none) return tools;
    for (const Tool& tool : request.tools)
        tools.push_back(
            {tool.name, tool.parameters.dump(-1, ' ', false, Json::error_handler_t::replace)});
    return tools;
}

ReplyReader ReplyReader::make(const engine::Engine& engine, const Request& request,
                              std::span<const engine::TokenId> prompt) {
    ReplyReader reader(**engine.tokenizer());
    if (!request.is_chat) return reader;
    const ReplyStart start = reply_start(engine, prompt);
    text::ReplyOptions options;
    options.in_reasoning = start.in_reasoning;
    reader.parser_ =
        std::make_unique<text::ReplyParser>(*start.format, offered_tools(request), options);
    return reader;
}

std::vector<text::ReplyEvent> ReplyReader::push(std::string_view text, engine::TokenId id) {
    if (parser_ == nullptr) {
        if (text.empty()) return {};
        return {{text::ReplyEvent::Kind::content, std::string(text)}};
    }
    auto events = parser_->push(text);
    if (id == text::kNoToken || words_->kind(id) != text::TokenKind::control) return events;
    auto more = parser_->push_special(words_->piece(id));
    std::move(more.begin(), more.end(), std::back_inserter(events));
    return events;
}

std::vector<text::ReplyEvent> ReplyReader::finish() {
    return parser_ == nullptr ? std::vector<text::ReplyEvent>() : parser_->finish();
}

std::vector<std::string> ReplyReader::degraded() const {
    return parser_ == nullptr ? std::vector<std::string>() : parser_->degraded();
}

}  // namespace heft::serve
