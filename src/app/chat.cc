// heft chat: a conversation.
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/commands.h"
#include "app/console.h"
#include "app/conversation.h"
#include "app/form_flags.h"
#include "app/help.h"
#include "app/interrupt.h"
#include "app/line_reader.h"
#include "app/model_flags.h"
#include "app/reply.h"
#include "app/sampling_flags.h"
#include "app/spec_flags.h"
#include "base/json.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;

struct ChatOptions {
    ModelFlags model;
    SamplingFlags sampling;
    SpecFlags speculation;
    FormFlags form;
    ConversationOptions conversation;
    std::string system;
    bool json = false, quiet = false;
};

// One run of the verb: reads lines, obeys /commands, shows answers.
class Chat {
  public:
    Chat(Conversation conversation, bool json)
        : conversation_(std::move(conversation)), lines_(history_path()), json_(json) {}

    bool interactive() const { return lines_.interactive(); }

    Status loop() {
        std::string text;
        while (!left_) {
            const Read got = lines_.read_text("> ", text);
            if (got == Read::end) break;
            if (got == Read::interrupted) continue;
            if (text.empty()) continue;
            Status done = text[0] == '/' ? obey(text) : ask(text);
            if (done) continue;
            // With nobody there to react, an error ends the conversation.
            if (!interactive()) return done;
            heft::app::say("heft: " + done.error().what);
        }
        if (json_) put_json(conversation_.to_json());
        return {};
    }

  private:
    struct Command {
        const char* name;
        const char* usage;
        const char* what;
        Status (Chat::*run)(const std::string& argument);
    };
    static const Command commands[];

    Status obey(const std::string& text) {
        const std::size_t space = text.find_first_of(" \n");
        const std::string name = text.substr(0, space);
        std::string argument = space == std::string::npos ? "" : text.substr(space + 1);
        argument.erase(0, std::min(argument.find_first_not_of(' '), argument.size()));
        for (const Command* command = commands; command->name != nullptr; ++command)
            if (name == command->name) return (this->*command->run)(argument);
        return Error{Code::invalid, name + " is no command; /help lists them"};
    }

    template <class Answer>
    Status show(const Answer& answer) {
        const InterruptGuard interrupt;
        const auto on_text = [this](std::string_view piece) {
            if (json_) return;
            put(piece);
            std::fflush(stdout);
        };
        Status status = answer(on_text, interrupt.requested());
        if (!status) return status;
        const engine::Reply& reply = conversation_.last();
        if (!json_) put(reply.text.ends_with('\n') ? "" : "\n");
        std::fflush(stdout);
        for (const std::string& what : reply.degraded) heft::app::say("heft: degraded: " + what);
        return {};
    }

    Status ask(const std::string& text) {
        return show([&](const auto& on_text, const auto& cancel) {
            return conversation_.say(text, on_text, cancel);
        });
    }

    Status retry(const std::string& /*argument*/) {
        return show([&](const auto& on_text, const auto& cancel) {
            return conversation_.retry(on_text, cancel);
        });
    }

    Status help(const std::string& /*argument*/) {
        for (const Command* command = commands; command->name != nullptr; ++command)
            heft::app::say(fmt::format("  {:<16} {}", command->usage, command->what));
        heft::app::say(
            "A line that ends in \\ goes on in the next one, \"\"\" begins and ends a text of many "
            "lines.\nCtrl-C stops an answer, Ctrl-D leaves.");
        return {};
    }

    Status system(const std::string& text) {
        conversation_.set_system(text);
        heft::app::say(text.empty() ? "no system prompt from now on" : "system prompt set");
        return {};
    }

    Status reset(const std::string& /*argument*/) {
        conversation_.reset();
        heft::app::say("forgotten");
        return {};
    }

    Status save(const std::string& path) {
        if (path.empty()) return Error{Code::invalid, "/save needs the name of a file"};
        std::ofstream file(path);
        file << conversation_.to_json().dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
        if (!file.flush()) return Error{Code::not_found, path + ": " + std::strerror(errno)};
        heft::app::say("saved to " + path);
        return {};
    }

    Status load(const std::string& path) {
        if (path.empty()) return Error{Code::invalid, "/load needs the name of a file"};
        HEFT_TRY(const std::string text, read_input(path));
        auto document = parse_json_tree(text);
        if (!document) return within(path, std::move(document.error()));
        if (Status status = conversation_.load(*document); !status)
            return Error{status.error().code, path + " " + status.error().what};
        heft::app::say(fmt::format("{} messages", conversation_.messages().size()));
        return {};
    }

    Status stats(const std::string& /*argument*/) {
        const engine::Reply& reply = conversation_.last();
        heft::app::say(stats_line(reply));
        heft::app::say(fmt::format("{} of {} tokens of context in use",
                                   static_cast<std::size_t>(reply.n_prompt) + reply.ids.size(),
                                   conversation_.n_ctx()));
        return {};
    }

    Status leave(const std::string& /*argument*/) {
        left_ = true;
        return {};
    }

    Conversation conversation_;
    LineReader lines_;
    bool json_;
    bool left_ = false;
};

const Chat::Command Chat::commands[] = {
    {"/help", "/help", "this list", &Chat::help},
    {"/system", "/system TEXT", "set the system prompt; no TEXT: none", &Chat::system},
    {"/retry", "/retry", "answer the last question again", &Chat::retry},
    {"/reset", "/reset", "forget all but the system prompt", &Chat::reset},
    {"/save", "/save FILE", "write the conversation as JSON", &Chat::save},
    {"/load", "/load FILE", "go on with a saved conversation", &Chat::load},
    {"/stats", "/stats", "speed and size of the last answer", &Chat::stats},
    {"/exit", "/exit", "leave, as Ctrl-D does", &Chat::leave},
    {nullptr, nullptr, nullptr, nullptr},
};

Status chat(ChatOptions o) {
    if (o.model.reference.empty()) o.model.reference = "tiny";
    if (o.conversation.n_predict < -1)
        return Error{Code::invalid, "-n: a number of tokens, or -1 for no limit, is needed"};
    HEFT_TRY(const engine::Engine engine, open_model(o.model, op::Precision::fast));
    HEFT_TRY(o.conversation.sampling, apply(o.sampling, engine.sampling_defaults()));
    HEFT_TRY(const Speculation speculation, open_speculation(o.speculation, o.model, engine));
    o.conversation.speculation = speculation.options;
    HEFT_TRY(o.conversation.constraint, make_constraint(o.form, engine));
    o.conversation.draft = speculation.draft_model();
    HEFT_TRY(Conversation conversation, Conversation::start(engine, o.conversation));
    conversation.set_system(o.system);
    if (engine.embedded() && !o.quiet)
        say("heft: this is tiny, a built-in toy that tells children's stories; name a real model "
            "with `heft chat MODEL`");
    Chat chat(std::move(conversation), o.json);
    if (chat.interactive() && !o.quiet) say("/help lists the commands, Ctrl-D leaves");
    return chat.loop();
}

}  // namespace

void add_chat(CLI::App& app, Action& action) {
    const auto o = std::make_shared<ChatOptions>();
    CLI::App* verb = add_verb(app, "chat", "A conversation, with /commands (/help lists them).",
                              "heft chat model.gguf -s \"Answer briefly.\"");
    verb->add_option("MODEL", o->model.reference, "the model (tiny)");
    verb->add_option("-s,--system", o->system, "system prompt")->type_name("S");
    verb->add_option("-n,--predict", o->conversation.n_predict, "tokens per answer")
        ->type_name("N");
    verb->add_option("-c,--ctx-size", o->conversation.n_ctx, "context (0: the model's)")
        ->type_name("N");
    add_threads(*verb, o->model);
    add_precision(*verb, o->model, "fast");
    add_deterministic(*verb, o->model);
    add_speculation(*verb, o->speculation);
    add_cache_types(*verb, o->model);
    verb->add_option("--stop", o->conversation.stop, "end before this text")
        ->type_name("S")
        ->take_all();
    verb->add_flag("--truncate", o->conversation.truncate, "cut what is too long");
    verb->add_flag("--json", o->json, "one heft.chat/1 document at the end");
    verb->add_flag("-q,--quiet", o->quiet, "no words but the model's");
    add_form(*verb, o->form);
    add_sampling(*verb, o->sampling);
    verb->callback([o, &action] { action = [o] { return chat(*o); }; });
}

}  // namespace heft::app
