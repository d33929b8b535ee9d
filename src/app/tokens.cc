// heft tokenize, heft detokenize: text to token ids and back.
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/console.h"
#include "app/help.h"
#include "app/ids.h"
#include "app/model_flags.h"
#include "app/text_argument.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;

struct TokenizeOptions {
    ModelFlags model;
    std::string text, file;
    bool no_special = false, parse_special = false, ids_only = false, json = false;
};

// What would break a line of a terminal is shown as an escape.
std::string visible(std::string_view piece) {
    const Json quoted = std::string(piece);
    return quoted.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Status tokenize(const TokenizeOptions& o, bool text_given) {
    HEFT_TRY(const std::string text, text_argument(o.text, text_given, o.file));
    HEFT_TRY(const engine::Engine engine, open_description(o.model.reference));
    HEFT_TRY(const text::Tokenizer* tokenizer, engine.tokenizer());
    const auto ids =
        tokenizer->encode(text, {.add_special = !o.no_special, .parse_special = o.parse_special});
    if (o.json) {
        Json pieces = Json::array();
        for (const auto id : ids) pieces.emplace_back(std::string(tokenizer->piece(id)));
        put_json({{"schema", "heft.tokens/1"}, {"ids", ids}, {"pieces", std::move(pieces)}});
    } else if (o.ids_only) {
        put(fmt::format("{}\n", fmt::join(ids, ",")));
    } else {
        for (const auto id : ids)
            put(fmt::format("{:>6}  {}\n", id, visible(tokenizer->piece(id))));
    }
    return {};
}

struct DetokenizeOptions {
    ModelFlags model;
    std::vector<std::string> ids;
    bool special = false, json = false;
};

Status detokenize(const DetokenizeOptions& o) {
    std::string list = fmt::format("{}", fmt::join(o.ids, " "));
    if (list.empty() || list == "-") {
        HEFT_TRY(list, read_input("-"));
    }
    HEFT_TRY(const engine::Engine engine, open_description(o.model.reference));
    HEFT_TRY(const text::Tokenizer* tokenizer, engine.tokenizer());
    HEFT_TRY(const auto ids, parse_ids(list, "IDS", tokenizer->size()));
    HEFT_TRY(const std::string text, tokenizer->decode(ids, o.special));
    if (o.json)
        put_json({{"schema", "heft.text/1"}, {"text", text}});
    else
        put(text);
    return {};
}

}  // namespace

void add_tokenize(CLI::App& app, Action& action) {
    const auto o = std::make_shared<TokenizeOptions>();
    CLI::App* verb = add_verb(app, "tokenize", "Text to token ids.",
                              "heft tokenize model.gguf \"Hello there\" --json");
    verb->group(kPart);
    add_model(*verb, o->model);
    const CLI::Option* text = verb->add_option("TEXT", o->text, "the text, or what is piped in");
    verb->add_option("--file", o->file, "the text from a file; - is standard input")
        ->type_name("F");
    verb->add_flag("--no-special", o->no_special, "no BOS or EOS around it");
    verb->add_flag("--parse-special", o->parse_special, "control tokens in the text count as such");
    verb->add_flag("--ids", o->ids_only, "only the ids, between commas");
    verb->add_flag("--json", o->json, "one heft.tokens/1 document");
    verb->callback([o, text, &action] {
        action = [o, given = text->count() > 0] { return tokenize(*o, given); };
    });
}

void add_detokenize(CLI::App& app, Action& action) {
    const auto o = std::make_shared<DetokenizeOptions>();
    CLI::App* verb = add_verb(app, "detokenize", "Token ids to the exact text, with nothing added.",
                              "heft detokenize model.gguf 9906,1070");
    verb->group(kPart);
    add_model(*verb, o->model);
    verb->add_option("IDS", o->ids, "as 1,2,3 or 1 2 3, or what is piped in");
    verb->add_flag("--special", o->special, "show control tokens too");
    verb->add_flag("--json", o->json, "one heft.text/1 document");
    verb->callback([o, &action] { action = [o] { return detokenize(*o); }; });
}

}  // namespace heft::app
