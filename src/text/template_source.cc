#include "text/template_source.h"

#include <optional>

#include "base/json.h"

namespace heft::text {

namespace {

std::optional<std::string> template_in(JsonElement config) {
    if (const auto text = json_string(config, "chat_template")) return std::string(*text);
    const auto list = json_find(config, "chat_template");
    JsonArray items;
    if (!list || list->get_array().get(items) != simdjson::SUCCESS) return {};
    std::optional<std::string> first;
    for (const JsonElement item : items) {
        const auto text = json_string(item, "template");
        if (!text) continue;
        if (json_string(item, "name") == "default") return std::string(*text);
        if (!first) first = std::string(*text);
    }
    return first;
}

}  // namespace

Result<std::string> template_source(const format::Checkpoint& checkpoint) {
    if (checkpoint.kind() == format::Kind::gguf) {
        if (const auto text = checkpoint.metadata().string("tokenizer.chat_template"))
            return std::string(*text);
    } else if (const auto file = checkpoint.side_file("chat_template.jinja")) {
        return std::string(as_text(file->bytes()));
    } else if (const auto config = checkpoint.side_file("tokenizer_config.json")) {
        auto doc = JsonDoc::parse(as_text(config->bytes()));
        if (!doc) return within(checkpoint.name() + ": tokenizer_config.json", doc.error());
        if (auto text = template_in(doc->root())) return std::move(*text);
    }
    return Error{Code::not_found, checkpoint.name() + ": has no chat template"};
}

}  // namespace heft::text
