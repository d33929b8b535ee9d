// heft run: one answer.
#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/console.h"
#include "app/form_flags.h"
#include "app/help.h"
#include "app/ids.h"
#include "app/interrupt.h"
#include "app/model_flags.h"
#include "app/prompt.h"
#include "app/reply.h"
#include "app/sampling_flags.h"
#include "app/spec_flags.h"
#include "base/clock.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;
constexpr const char* kToy = "tiny";

struct RunOptions {
    ModelFlags model;
    SamplingFlags sampling;
    SpecFlags speculation;
    FormFlags form;
    std::string first, second;  // [MODEL] [PROMPT]
    std::string prompt, file, system, ids;
    std::vector<std::string> stop;
    std::int64_t n_ctx = 0;
    int n_predict = -1;
    int logprobs = -1;
    bool raw = false, ignore_eos = false, truncate = false, strict = false;
    bool json = false, no_stream = false, quiet = false;
};

bool names_a_model(const std::string& word) {
    std::error_code ignored;
    return word == kToy || std::filesystem::exists(word, ignored);
}

Status set_prompt(RunOptions& o, const std::string& text) {
    if (!o.prompt.empty() && !text.empty())
        return Error{Code::invalid, fmt::format("there are two prompts, --prompt and \"{}\"; give "
                                                "one of them, in quotes",
                                                text.substr(0, 60))};
    if (!text.empty()) o.prompt = text;
    return {};
}

// A single word may be the model or the prompt. What has a space in it and does not exist is no
// file's name.
Status sort_words(RunOptions& o) {
    if (!o.model.reference.empty()) {
        if (!o.second.empty())
            return Error{Code::invalid,
                         "with --model there is one more argument, the prompt; put "
                         "it in quotes"};
        return set_prompt(o, o.first);
    }
    const bool only_a_prompt = o.second.empty() && o.prompt.empty() && !names_a_model(o.first)
                               && o.first.find_first_of(" \n") != std::string::npos;
    if (only_a_prompt) {
        if (!o.quiet) say("heft: no model is named, so this is a prompt for the built-in one");
        o.model.reference = kToy;
        return set_prompt(o, o.first);
    }
    o.model.reference = o.first.empty() ? kToy : o.first;
    return set_prompt(o, o.second);
}

// -p, PROMPT, --file, or what is piped in.
Result<std::string> find_prompt(const RunOptions& o) {
    if (!o.file.empty()) {
        if (!o.prompt.empty())
            return Error{Code::invalid, "there is both a prompt and --file; give one of them"};
        return read_input(o.file);
    }
    if (o.prompt == "-") return read_input("-");
    if (!o.prompt.empty()) return o.prompt;
    if (is_terminal(stdin))
        return Error{Code::invalid,
                     "there is no prompt; add one, as in `heft run MODEL \"Hello\"`, or talk with "
                     "the model in `heft chat MODEL`"};
    HEFT_TRY(std::string piped, read_input("-"));
    while (!piped.empty() && (piped.back() == '\n' || piped.back() == '\r')) piped.pop_back();
    if (piped.empty())
        return Error{Code::invalid,
                     "there is no prompt, neither as an argument nor on standard "
                     "input"};
    return piped;
}

Result<std::vector<engine::TokenId>> find_ids(const RunOptions& o, const engine::Engine& engine) {
    if (!o.ids.empty()) {
        HEFT_TRY(const arch::Config* config, engine.config());
        return parse_ids(o.ids, "--ids", config->n_vocab);
    }
    HEFT_TRY(const std::string prompt, find_prompt(o));
    HEFT_TRY(const text::Tokenizer* tokenizer, engine.tokenizer());
    auto source = engine.template_source();
    const bool has_template = static_cast<bool>(source);
    if (!has_template && source.error().code != Code::not_found && !o.raw)
        return std::move(source.error());
    if (o.raw || !has_template) {
        if (!o.system.empty())
            return Error{Code::invalid, o.raw ? "--system has no place in a --raw prompt"
                                              : "the model has no chat template, so --system "
                                                "cannot be told to it"};
        return tokenizer->encode(prompt, {.add_special = true, .parse_special = true});
    }
    Json messages = Json::array();
    if (!o.system.empty()) messages.push_back(message("system", o.system));
    messages.push_back(message("user", prompt));
    return chat_ids(engine, messages);
}

Status check(const RunOptions& o) {
    if (o.n_predict < -1)
        return Error{Code::invalid, "-n: a number of tokens, or -1 for no limit, is needed"};
    if (o.n_ctx < 0) return Error{Code::invalid, "-c: a number of at least 0 is needed"};
    if (o.logprobs >= 0 && !o.json)
        return Error{Code::invalid, "--logprobs is part of the --json document; add --json"};
    return {};
}

Result<engine::Request> make_request(const RunOptions& o, const engine::Engine& engine) {
    engine::Request request;
    HEFT_TRY(request.prompt, find_ids(o, engine));
    if (request.prompt.empty()) return Error{Code::invalid, "the prompt has no tokens"};
    HEFT_TRY(request.sampling, apply(o.sampling, engine.sampling_defaults()));
    request.stop = o.stop;
    request.n_predict = o.n_predict;
    request.ignore_eos = o.ignore_eos;
    request.truncate = o.truncate;
    request.sampling.logprobs = o.logprobs >= 0;
    request.sampling.top_logprobs = std::max(0, o.logprobs);
    if (const auto tokenizer = engine.tokenizer(); !tokenizer) {
        if (o.ids.empty() || !o.stop.empty()) return tokenizer.error();
        request.decode_text = false;
    }
    return request;
}

struct Preparing {
    double load_s = 0;
    double tokenize_s = 0;  // from the prompt to its ids
};

void print_json(const RunOptions& o, const engine::Engine& engine, const engine::Request& request,
                const engine::Reply& reply, const Preparing& preparing) {
    Json timings = {{"load_s", preparing.load_s}, {"tokenize_s", preparing.tokenize_s}};
    timings.update(timings_json(reply));
    Json document = {{"schema", "heft.run/1"},
                     {"model", engine.checkpoint().name()},
                     {"text", reply.text},
                     {"ids", reply.ids},
                     {"finish_reason", std::string(gen::to_string(reply.finish))},
                     {"seed", reply.seed},
                     {"usage", usage_json(reply)},
                     {"timings", std::move(timings)},
                     {"speculation", speculation_json(request.speculation.guesser, reply)},
                     {"degraded", reply.degraded}};
    if (o.logprobs >= 0) {
        const auto tokenizer = engine.tokenizer();
        document["logprobs"] = logprobs_json(reply, tokenizer ? *tokenizer : nullptr);
    }
    put_json(document);
}

// Ids where there is no text to show.
void print_text(const RunOptions& o, const engine::Request& request, const engine::Reply& reply) {
    if (!request.decode_text) {
        put(fmt::format("{}\n", fmt::join(reply.ids, ",")));
        return;
    }
    if (o.no_stream) put(reply.text);
    if (reply.text.empty() || reply.text.back() != '\n') put("\n");
}

// What --strict makes of a degraded answer.
Status refuse(const std::string& degradation) {
    if (degradation.empty()) return {};
    return Error{Code::invalid, "the answer is degraded, which --strict forbids: " + degradation};
}

Status finish(const RunOptions& o, const engine::Reply& reply) {
    for (const std::string& what : reply.degraded)
        if (!o.quiet) say("heft: degraded: " + what);
    if (reply.finish == gen::FinishReason::cancelled) return Error{Code::cancelled, ""};
    return o.strict ? refuse(reply.degraded.empty() ? "" : reply.degraded.front()) : Status();
}

Status run(RunOptions o) {
    HEFT_OK(check(o));
    HEFT_OK(sort_words(o));
    Preparing preparing;
    const auto began = Clock::now();
    HEFT_TRY(const engine::Engine engine, open_model(o.model, op::Precision::fast));
    [[maybe_unused]] const auto tokenizer = engine.tokenizer();  // loaded now; used later
    preparing.load_s = seconds_since(began);
    if (engine.embedded() && !o.quiet)
        say("heft: this is tiny, a built-in toy that tells children's stories; name a real model "
            "with `heft run MODEL`");
    const auto loaded = Clock::now();
    HEFT_TRY(engine::Request request, make_request(o, engine));
    preparing.tokenize_s = seconds_since(loaded);

    HEFT_TRY(const Speculation speculation, open_speculation(o.speculation, o.model, engine));
    request.speculation = speculation.options;
    HEFT_TRY(const auto constraint, make_constraint(o.form, engine));
    hold_to(constraint, engine, request);

    if (o.strict) HEFT_OK(refuse(kv::degradation(engine.cache_types())));
    engine::SessionOptions options;
    options.n_ctx = o.n_ctx;
    options.draft = speculation.draft_model();
    HEFT_TRY(engine::Session session, engine::Session::start(engine, options));
    const InterruptGuard interrupt;
    request.cancel = &interrupt.requested();
    if (!o.json && !o.no_stream && request.decode_text) {
        request.on_token = [](std::string_view text, engine::TokenId) {
            put(text);
            std::fflush(stdout);
        };
    }
    HEFT_TRY(const engine::Reply reply, session.generate(request));
    if (o.json)
        print_json(o, engine, request, reply, preparing);
    else
        print_text(o, request, reply);
    std::fflush(stdout);
    if (!o.quiet) say("heft: " + stats_line(reply));
    return finish(o, reply);
}

}  // namespace

void add_run(CLI::App& app, Action& action) {
    const auto o = std::make_shared<RunOptions>();
    CLI::App* verb = add_verb(app, "run", "One answer, streamed to standard output.",
                              "heft run model.gguf \"Why is the sky blue?\" -n 200");
    verb->add_option("MODEL", o->first, "the model (tiny)");
    verb->add_option("PROMPT", o->second, "the prompt, or standard input");
    verb->add_option("-m,--model", o->model.reference, "the model")->type_name("M");
    verb->add_option("-p,--prompt", o->prompt, "the prompt; - is stdin")->type_name("S");
    verb->add_option("-f,--file", o->file, "the prompt from a file")->type_name("F");
    verb->add_option("-s,--system", o->system, "system prompt")->type_name("S");
    verb->add_flag("--raw", o->raw, "no chat template");
    verb->add_option("--ids", o->ids, "token ids as prompt")->type_name("1,2,3");
    verb->add_option("-n,--predict", o->n_predict, "tokens at most")->type_name("N");
    verb->add_option("-c,--ctx-size", o->n_ctx, "context (0: the model's)")->type_name("N");
    add_threads(*verb, o->model);
    add_precision(*verb, o->model, "fast");
    add_deterministic(*verb, o->model);
    add_speculation(*verb, o->speculation);
    add_cache_types(*verb, o->model);
    verb->add_option("--stop", o->stop, "end before this text")->type_name("S")->take_all();
    verb->add_flag("--ignore-eos", o->ignore_eos, "go on after the end");
    verb->add_flag("--truncate", o->truncate, "cut a prompt that is too long");
    verb->add_flag("--strict", o->strict, "a degraded answer is an error");
    verb->add_option("--logprobs", o->logprobs, "with N best, in --json")->type_name("N");
    verb->add_flag("--no-stream", o->no_stream, "print when complete");
    verb->add_flag("--json", o->json, "one heft.run/1 document");
    verb->add_flag("-q,--quiet", o->quiet, "nothing on stderr");
    add_form(*verb, o->form);
    add_sampling(*verb, o->sampling);
    verb->callback([o, &action] { action = [o] { return run(*o); }; });
}

}  // namespace heft::app
