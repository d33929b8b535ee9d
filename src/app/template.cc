// heft template: the prompt that a chat template makes of messages, byte for byte.
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/console.h"
#include "app/help.h"
#include "app/model_flags.h"
#include "base/json.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;

struct TemplateOptions {
    ModelFlags model;
    std::string messages, tools;
    std::vector<std::string> set;
    bool no_generation_prompt = false, json = false;
};

Result<Json> read_json(const std::string& path) {
    HEFT_TRY(const std::string text, read_input(path));
    auto tree = parse_json_tree(text);
    if (!tree) return within(path, std::move(tree.error()));
    return tree;
}

// A list of messages, or an object that has one and may have tools beside it, as a request has.
Status add_messages(Json document, const std::string& path, Json& variables) {
    if (document.is_object()) {
        for (const char* key : {"messages", "tools"})
            if (document.contains(key)) variables[key] = document[key];
    } else {
        variables["messages"] = std::move(document);
    }
    if (!variables.contains("messages") || !variables["messages"].is_array())
        return Error{Code::invalid,
                     path + ": is neither a list of messages nor an object with one"};
    return {};
}

// "key=json"; what is no JSON is taken as a string.
Status set_variable(const std::string& setting, Json& variables) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0)
        return Error{Code::invalid,
                     fmt::format("--set: \"{}\" is not of the form key=json", setting)};
    const std::string value = setting.substr(equals + 1);
    auto tree = parse_json_tree(value);
    variables[setting.substr(0, equals)] = tree ? std::move(*tree) : Json(value);
    return {};
}

Status render(const TemplateOptions& o) {
    HEFT_TRY(const engine::Engine engine, open_description(o.model.reference));
    HEFT_TRY(const text::ChatTemplate* chat, engine.chat_template());
    HEFT_TRY(Json variables, engine.template_variables());
    HEFT_TRY(Json document, read_json(o.messages));
    HEFT_OK(add_messages(std::move(document), o.messages, variables));
    if (!o.tools.empty()) {
        HEFT_TRY(variables["tools"], read_json(o.tools));
    }
    variables["add_generation_prompt"] = !o.no_generation_prompt;
    for (const std::string& setting : o.set) HEFT_OK(set_variable(setting, variables));
    HEFT_TRY(const std::string text, chat->render(variables));
    if (o.json)
        put_json({{"schema", "heft.template/1"}, {"text", text}});
    else
        put(text);
    return {};
}

}  // namespace

void add_template(CLI::App& app, Action& action) {
    const auto o = std::make_shared<TemplateOptions>();
    CLI::App* verb =
        add_verb(app, "template", "Messages through the model's chat template, byte for byte.",
                 "heft template model.gguf --messages chat.json");
    verb->group(kPart);
    add_model(*verb, o->model);
    verb->add_option("--messages", o->messages, "JSON list of messages; - is standard input")
        ->required()
        ->type_name("F");
    verb->add_option("--tools", o->tools, "JSON list of tools")->type_name("F");
    verb->add_flag("--no-generation-prompt", o->no_generation_prompt, "do not open the answer");
    verb->add_option("--set", o->set, "a variable for the template")
        ->type_name("key=json")
        ->take_all()
        ->expected(1)
        ->allow_extra_args(false);
    verb->add_flag("--json", o->json, "one heft.template/1 document");
    verb->callback([o, &action] { action = [o] { return render(*o); }; });
}

}  // namespace heft::app
