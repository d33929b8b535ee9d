// heft keys: who may use a server.
#include "serve/keys.h"

#include <algorithm>
#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/console.h"
#include "app/help.h"
#include "app/server_commands.h"

namespace heft::app {

namespace {

struct KeysOptions {
    std::string what, name, file = "keys.yaml";
    double requests = 0, tokens = 0;
    int concurrent = 0, priority = 0;
    bool admin = false;
    std::vector<std::string> models;
};

Status need_name(const KeysOptions& o) {
    if (!o.name.empty() && o.name != "local") return {};
    return Error{Code::invalid,
                 fmt::format("a name is needed, as in `heft keys {} alice`; \"local\" "
                             "is taken",
                             o.what)};
}

Result<std::vector<serve::Key>> existing(const KeysOptions& o) {
    std::error_code ignored;
    if (!std::filesystem::exists(o.file, ignored)) return std::vector<serve::Key>{};
    return serve::read_keys(o.file);
}

auto named(std::vector<serve::Key>& keys, const std::string& name) {
    return std::find_if(keys.begin(), keys.end(),
                        [&](const serve::Key& key) { return key.name == name; });
}

Status add(const KeysOptions& o) {
    HEFT_OK(need_name(o));
    HEFT_TRY(std::vector<serve::Key> keys, existing(o));
    if (named(keys, o.name) != keys.end())
        return Error{
            Code::invalid,
            fmt::format("{}: there is a key \"{}\" already; revoke it first", o.file, o.name)};
    HEFT_TRY(const std::string text, serve::make_key());
    serve::Key key;
    key.name = o.name;
    HEFT_TRY(key.sha256, serve::hash_key(text));
    key.requests_per_minute = o.requests;
    key.tokens_per_minute = o.tokens;
    key.concurrent = o.concurrent;
    key.priority = o.priority;
    key.models = o.models;
    key.admin = o.admin;
    keys.push_back(std::move(key));
    HEFT_OK(serve::save_keys(o.file, keys));
    put(text + "\n");
    say(fmt::format(
        "heft: {} holds only its hash: keep the key now. A running server reads the file "
        "again on SIGHUP.",
        o.file));
    return {};
}

Status revoke(const KeysOptions& o) {
    HEFT_OK(need_name(o));
    HEFT_TRY(std::vector<serve::Key> keys, serve::read_keys(o.file));
    const auto found = named(keys, o.name);
    if (found == keys.end())
        return Error{Code::not_found, fmt::format("{}: there is no key \"{}\"", o.file, o.name)};
    keys.erase(found);
    HEFT_OK(serve::save_keys(o.file, keys));
    say(fmt::format("heft: {} is revoked once a running server gets SIGHUP or starts again",
                    o.name));
    return {};
}

Status list(const KeysOptions& o) {
    HEFT_TRY(const std::vector<serve::Key> keys, serve::read_keys(o.file));
    const auto limit = [](double value, std::string_view of) {
        return value > 0 ? fmt::format("  {} {}", value, of) : std::string();
    };
    for (const serve::Key& key : keys) {
        std::string line =
            fmt::format("{:<20}", key.name) + limit(key.requests_per_minute, "requests/min")
            + limit(key.tokens_per_minute, "tokens/min") + limit(key.concurrent, "at a time");
        if (key.priority != 0) line += fmt::format("  priority {}", key.priority);
        if (key.admin) line += "  admin";
        for (const std::string& model : key.models) line += "  " + model;
        put(line + "\n");
    }
    return {};
}

struct Row {
    std::string_view name;
    Status (*run)(const KeysOptions&);
};

constexpr Row kRows[] = {
    {"add", add},
    {"list", list},
    {"revoke", revoke},
};

Status run(const KeysOptions& o) {
    for (const Row& row : kRows)
        if (o.what == row.name) return row.run(o);
    return Error{Code::invalid, fmt::format("\"{}\" is none of add, list and revoke", o.what)};
}

}  // namespace

void add_keys(CLI::App& app, Action& action) {
    auto o = std::make_shared<KeysOptions>();
    CLI::App* verb = add_verb(app, "keys", "Adds, lists and revokes the API keys of a server.",
                              "heft keys add alice --keys keys.yaml");
    verb->group(kBesideServe);
    verb->add_option("WHAT", o->what, "add, list or revoke")->required();
    verb->add_option("NAME", o->name, "whose key");
    verb->add_option("--keys", o->file, "the file (keys.yaml)")->type_name("F");
    verb->add_option("--requests", o->requests, "a minute at most")->type_name("N");
    verb->add_option("--tokens", o->tokens, "a minute at most")->type_name("N");
    verb->add_option("--concurrent", o->concurrent, "requests at a time")->type_name("N");
    verb->add_option("--models", o->models, "only these")->type_name("M")->delimiter(',');
    verb->add_option("--priority", o->priority, "higher goes first (0)")->type_name("N");
    verb->add_flag("--admin", o->admin, "may unload models and stop the server");
    verb->callback([o, &action] { action = [o] { return run(*o); }; });
}

}  // namespace heft::app
