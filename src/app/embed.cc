// heft embed: one vector for a text.
#include <cmath>
#include <memory>
#include <span>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/console.h"
#include "app/help.h"
#include "app/model_flags.h"
#include "app/text_argument.h"

namespace heft::app {

namespace {

struct EmbedOptions {
    ModelFlags model;
    std::string text, file, pooling = "last";
    bool normalize = false, json = false;
};

// [n_token, width] to [width].
using Pool = std::vector<float> (*)(std::span<const float> rows, std::size_t width);

std::vector<float> mean_of(std::span<const float> rows, std::size_t width) {
    std::vector<double> sums(width);
    for (std::size_t i = 0; i < rows.size(); ++i) sums[i % width] += static_cast<double>(rows[i]);
    const std::size_t n_token = rows.size() / width;
    std::vector<float> out(width);
    for (std::size_t i = 0; i < width; ++i)
        out[i] = static_cast<float>(sums[i] / static_cast<double>(n_token));
    return out;
}

std::vector<float> last_of(std::span<const float> rows, std::size_t width) {
    const auto last = rows.last(width);
    return {last.begin(), last.end()};
}

std::vector<float> first_of(std::span<const float> rows, std::size_t width) {
    const auto first = rows.first(width);
    return {first.begin(), first.end()};
}

struct Pooling {
    const char* name;
    Pool pool;
};
constexpr Pooling kPoolings[] = {{"mean", mean_of}, {"last", last_of}, {"cls", first_of}};

Result<Pool> parse_pooling(const std::string& name) {
    for (const Pooling& pooling : kPoolings)
        if (name == pooling.name) return pooling.pool;
    return Error{Code::invalid, fmt::format("--pooling: \"{}\" is not mean, last or cls", name)};
}

void normalise(std::vector<float>& vector) {
    double squares = 0;
    for (const float value : vector) squares += static_cast<double>(value) * value;
    if (squares <= 0) return;
    const double scale = 1 / std::sqrt(squares);
    for (float& value : vector) value = static_cast<float>(value * scale);
}

Status embed(const EmbedOptions& o, bool text_given) {
    HEFT_TRY(const Pool pool, parse_pooling(o.pooling));
    HEFT_TRY(const std::string text, text_argument(o.text, text_given, o.file));
    HEFT_TRY(const engine::Engine engine, open_model(o.model, op::Precision::fast));
    HEFT_TRY(const text::Tokenizer* tokenizer, engine.tokenizer());
    HEFT_TRY(const arch::Config* config, engine.config());
    const auto ids = tokenizer->encode(text, {.add_special = true});
    if (static_cast<std::int64_t>(ids.size()) > config->n_ctx)
        return Error{Code::invalid,
                     fmt::format("the text has {} tokens, {} more than the model's context of {}",
                                 ids.size(), static_cast<std::int64_t>(ids.size()) - config->n_ctx,
                                 config->n_ctx)};
    HEFT_TRY(const std::vector<float> rows, engine::hidden_states(engine, ids));
    std::vector<float> vector = pool(rows, static_cast<std::size_t>(config->d_model));
    if (o.normalize) normalise(vector);
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
