// heft embed: one vector for a text.
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/console.h"
#include "app/help.h"
#include "app/model_flags.h"
#include "app/text_argument.h"
#include "engine/pooling.h"

namespace heft::app {

namespace {

struct EmbedOptions {
    ModelFlags model;
    std::string text, file, pooling = "last";
    bool normalize = false, json = false;
};

Status embed(const EmbedOptions& o, bool text_given) {
    auto parsed = engine::parse_pooling(o.pooling);
    if (!parsed) return within("--pooling", std::move(parsed.error()));
    const engine::Pooling pooling = *parsed;
    HEFT_TRY(const std::string text, text_argument(o.text, text_given, o.file));
    HEFT_TRY(const engine::Engine engine, open_model(o.model, op::Precision::fast));
    HEFT_TRY(const text::Tokenizer* tokenizer, engine.tokenizer());
    const auto ids = tokenizer->encode(text, {.add_special = true});
    HEFT_TRY(std::vector<float> vector, engine::embed(engine, ids, pooling));
    if (o.normalize) engine::normalise(vector);
    if (o.json)
        put_json({{"schema", "heft.embedding/1"},
                  {"embedding", vector},
                  {"pooling", o.pooling},
                  {"normalized", o.normalize},
                  {"usage", {{"prompt_tokens", ids.size()}}}});
    else
        put(fmt::format("{}\n", fmt::join(vector, " ")));
    return {};
}

}  // namespace

void add_embed(CLI::App& app, Action& action) {
    const auto o = std::make_shared<EmbedOptions>();
    CLI::App* verb = add_verb(app, "embed", "A vector that stands for a text.",
                              "heft embed model.gguf \"Hello there\" --pooling mean --normalize");
    add_model(*verb, o->model);
    const CLI::Option* text = verb->add_option("TEXT", o->text, "the text, or what is piped in");
    verb->add_option("--file", o->file, "the text from a file; - is standard input")
        ->type_name("F");
    verb->add_option("--pooling", o->pooling, "mean, last or cls of the tokens' rows (last)")
        ->type_name("P");
    verb->add_flag("--normalize", o->normalize, "to length 1");
    add_precision(*verb, o->model, "fast");
    add_threads(*verb, o->model);
    verb->add_flag("--json", o->json, "one heft.embedding/1 document");
    verb->callback([o, text, &action] {
        action = [o, given = text->count() > 0] { return embed(*o, given); };
    });
}

}  // namespace heft::app
