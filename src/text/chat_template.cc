#include "text/chat_template.h"

#include <nlohmann/json.hpp>

#include "text/jinja/interpreter.h"
#include "text/jinja/parser.h"

namespace heft::text {

struct ChatTemplate::Impl {
    jinja::Body body;
};

namespace {

Error in_template(Error error) {
    return within("chat template", std::move(error));
}

}  // namespace

ChatTemplate::ChatTemplate(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;
ChatTemplate::~ChatTemplate() = default;

Result<ChatTemplate> ChatTemplate::parse(std::string_view source) {
    auto body = jinja::parse_template(source);
    if (!body) return in_template(std::move(body.error()));
    auto impl = std::make_unique<Impl>();
    impl->body = std::move(*body);
    return ChatTemplate(std::move(impl));
}

Result<std::string> ChatTemplate::render(const nlohmann::ordered_json& variables,
                                         const RenderLimits& limits) const {
    jinja::Heap heap(limits);
    jinja::Interpreter interpreter(heap);
    auto text = interpreter.run(impl_->body, variables);
    if (!text) return in_template(std::move(text.error()));
    return text;
}

}  // namespace heft::text
