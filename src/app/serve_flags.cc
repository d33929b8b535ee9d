#include "app/serve_flags.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/lora_flags.h"
#include "app/open_options.h"
#include "app/serve_config.h"
#include "net/listener.h"
#include "serve/api/routes.h"

namespace heft::app {

namespace {

constexpr std::int64_t kMiB = 1 << 20;
constexpr std::chrono::seconds kUsualKeepAlive{300};  // of several models
constexpr int kHashDigitsInName = 8;

std::string usual_name(const std::string& reference) {
    std::filesystem::path path(reference);
    if (!path.has_filename()) path = path.parent_path();  // "folder/"
    const std::string extension = path.extension().string();
    const bool is_file = extension == ".gguf" || extension == ".safetensors" || extension == ".bin";
    return (is_file ? path.stem() : path.filename()).string();
}

Result<serve::Key> key_of(const std::string& text) {
    constexpr std::size_t kShortest = 8;
    if (text.size() < kShortest)
        return Error{Code::invalid, fmt::format("an API key has at least {} characters; `heft keys "
                                                "add` makes good ones",
                                                kShortest)};
    serve::Key key;
    HEFT_TRY(key.sha256, serve::hash_key(text));
    key.name = "key-" + key.sha256.substr(0, kHashDigitsInName);
    return key;
}

Status add_key(std::vector<serve::Key>& keys, const std::string& text) {
    HEFT_TRY(serve::Key key, key_of(text));
    const bool known = std::any_of(keys.begin(), keys.end(),
                                   [&](const serve::Key& other) { return other.name == key.name; });
    if (!known) keys.push_back(std::move(key));
    return {};
}

template <class Of>
const CLI::Option* add_flag(CLI::App& verb, const Setting<Of>& setting, Of& of) {
    const std::string name(setting.flag), help(setting.help);
    return std::visit(
        [&](auto place) -> const CLI::Option* {
            if constexpr (std::is_same_v<decltype(place(of)), bool&>)
                return verb.add_flag(name, place(of), help);
            else
                return verb.add_option(name, place(of), help)->type_name(std::string(setting.unit));
        },
        setting.place);
}

// Equal for settings that open a model in the same way.
std::string fingerprint(ModelSettings settings) {
    std::string text;
    const auto add = [&](const auto& value) {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::vector<std::string>>)
            for (const std::string& one : value) text += one + '\x1f';
        else
            text += fmt::format("{}\x1f", value);
    };
    for (const auto& setting : model_settings())
        if (setting.applies == Applies::reloaded)
            std::visit([&](auto place) { add(place(settings)); }, setting.place);
    return text;
}

// [MODEL:]NAME=PATH[:SCALE] is for requests to choose, other arguments are applied to every answer.
// A file of the whole name goes before.
bool is_offered(const std::string& argument) {
    const auto whole = parse_lora(argument);
    std::error_code ignored;
    return argument.find('=') != std::string::npos
           && !(whole && std::filesystem::exists(whole->path, ignored));
}

// How the model is opened; its adapters that requests may choose apart.
Result<engine::OpenOptions> open_options(const ServedModel& model,
                                         const std::vector<ServedModel>& models,
                                         std::vector<engine::OpenOptions::Lora>& offered) {
    ModelFlags flags = model.settings.open;
    flags.lora.clear();
    for (const std::string& argument : model.settings.open.lora) {
        if (!is_offered(argument)) {
            flags.lora.push_back(argument);
            continue;
        }
        const std::string name = argument.substr(0, argument.find('='));
        HEFT_TRY(const LoraArgument lora, parse_lora(argument.substr(name.size() + 1)));
        const std::size_t colon = name.rfind(':');
        const std::string of = colon == std::string::npos ? model.name : name.substr(0, colon);
        const bool known = std::any_of(models.begin(), models.end(),
                                       [&](const ServedModel& one) { return one.name == of; });
        if (!known)
            return Error{Code::invalid,
                         fmt::format("--lora {}: there is no model \"{}\"; it is written "
                                     "MODEL:NAME=PATH, or NAME=PATH",
                                     argument, of)};
        if (of == model.name)
            offered.push_back(
                {lora.path, lora.scale, name.substr(colon == std::string::npos ? 0 : colon + 1)});
    }
    return open_options_of(flags, op::Precision::fast);
}

}  // namespace

engine::SchedulerOptions scheduler_options_of(const ModelSettings& settings) {
    engine::SchedulerOptions options;
    options.n_sequences = settings.n_parallel;
    options.n_ctx = settings.n_ctx;
    options.cache_bytes = settings.cache_mib * kMiB;
    options.step_tokens = settings.step_tokens;
    options.max_waiting = settings.max_waiting;
    return options;
}

void add_serve_flags(CLI::App& verb, ServeFlags& flags) {
    verb.add_option("MODEL", flags.values.words, "models, or NAME=MODEL (tiny)");
    verb.add_option("--config", flags.config, "YAML file (--config-help)")->type_name("F");
    verb.add_flag("--check", flags.check, "check it all, and serve nothing");
    verb.add_flag("--config-help", flags.config_help, "the file's keys");
    for (const auto& setting : server_settings())
        flags.of_server.emplace_back(add_flag(verb, setting, flags.values), &setting);
    for (const auto& setting : model_settings())
        flags.of_models.emplace_back(add_flag(verb, setting, flags.values.model), &setting);
}

Result<ServeSettings> settings_of(const ServeFlags& flags) {
    ServeSettings settings;
    if (!flags.config.empty()) HEFT_OK(read_serve_config(flags.config, settings));
    ServeSettings given = flags.values;
    for (const auto& [option, setting] : flags.of_server) {
        if (option->count() == 0) continue;
        HEFT_OK(check_range(*setting, given, long_flag(setting->flag)));
        copy(*setting, given, settings);
    }
    for (const auto& [option, setting] : flags.of_models) {
        if (option->count() == 0) continue;
        HEFT_OK(check_range(*setting, given.model, long_flag(setting->flag)));
        copy(*setting, given.model, settings.model);
        for (ServedModel& model : settings.models) copy(*setting, given.model, model.settings);
    }
    if (given.words.empty()) return settings;
    settings.words = given.words;
    settings.models.clear();
    return settings;
}

Result<std::vector<ServedModel>> served_models(const ServeSettings& settings) {
    std::vector<ServedModel> models = settings.models;
    for (const std::string& word : settings.words) {
        const std::size_t equals = word.find('=');
        std::error_code ignored;
        ServedModel model;
        model.settings = settings.model;
        const bool plain = equals == std::string::npos || std::filesystem::exists(word, ignored);
        if (!plain && equals == 0)
            return Error{Code::invalid, fmt::format("\"{}\": a name is needed before the =", word)};
        if (!plain) model.name = word.substr(0, equals);
        model.path = plain ? word : word.substr(equals + 1);
        models.push_back(std::move(model));
    }
    if (models.empty()) models.push_back({"tiny", "tiny", {}, settings.model});
    for (ServedModel& model : models)
        if (model.name.empty()) model.name = usual_name(model.path);
    if (!settings.alias.empty()) models.front().name = settings.alias;
    return models;
}

Result<std::vector<serve::ModelSource>> sources_of(const ServeSettings& settings) {
    HEFT_TRY(const std::vector<ServedModel> models, served_models(settings));
    std::vector<serve::ModelSource> sources;
    for (const ServedModel& model : models) {
        serve::ModelSource source;
        source.name = model.name;
        source.reference = model.path;
        source.aliases = model.aliases;
        source.scheduler = scheduler_options_of(model.settings);
        source.settings = fingerprint(model.settings);
        source.keep_alive = models.size() > 1 ? serve::KeepAlive(kUsualKeepAlive) : std::nullopt;
        if (!model.settings.keep_alive.empty()) {
            HEFT_TRY(source.keep_alive, parse_keep_alive(model.settings.keep_alive));
        }
        HEFT_TRY(const engine::OpenOptions usual, open_options(model, models, source.adapters));
        source.open = [usual](const serve::ModelSource& one, bool weights) {
            engine::OpenOptions how = usual;
            how.weights = weights;
            how.lora.insert(how.lora.end(), one.adapters.begin(), one.adapters.end());
            return open_with(one.reference, how);
        };
        sources.push_back(std::move(source));
    }
    return sources;
}

Result<std::vector<serve::Key>> keys_of(const ServeSettings& settings) {
    std::vector<serve::Key> keys;
    if (!settings.keys_file.empty()) {
        HEFT_TRY(keys, serve::read_keys(settings.keys_file));
        if (keys.empty())
            return Error{Code::invalid,
                         fmt::format("{}: no key is in it; add one by `heft keys add "
                                     "NAME`",
                                     settings.keys_file)};
    }
    for (const std::string& text : settings.api_keys) HEFT_OK(add_key(keys, text));
    if (settings.api_key_file.empty()) return keys;
    std::ifstream in(settings.api_key_file);
    if (!in) return Error{Code::not_found, settings.api_key_file + ": cannot be read"};
    std::size_t n = 0;
    for (std::string line; std::getline(in, line);) {
        if (!line.empty() && line.back() == '\r') line.pop_back();
        if (line.empty()) continue;
        HEFT_OK(add_key(keys, line));
        ++n;
    }
    if (n == 0)
        return Error{Code::invalid,
                     settings.api_key_file + ": no key is in it; one a line is needed"};
    return keys;
}

bool is_nearby(const std::string& host) {
    return net::is_socket_path(host) || host == "localhost" || host == "::1"
           || host.rfind("127.", 0) == 0;
}

Result<net::ServerOptions> server_options_of(const ServeSettings& settings) {
    net::ServerOptions options;
    if (!settings.hosts.empty()) options.hosts = settings.hosts;
    options.port = settings.port;
    options.n_threads = settings.n_http_threads;
    if (settings.certificate.empty() != settings.key.empty())
        return Error{Code::invalid, "--ssl-cert-file and --ssl-key-file need each other"};
    if (!settings.certificate.empty()) options.tls = {settings.certificate, settings.key};
    options.limits.body_bytes = static_cast<std::size_t>(settings.body_mib * kMiB);
    if (settings.timeout_s > 0) {
        options.limits.body_time = std::chrono::seconds(settings.timeout_s);
        options.limits.slow_time = std::chrono::seconds(settings.timeout_s);
    }
    return options;
}

serve::FrontOptions front_options_of(const ServeSettings& settings) {
    serve::FrontOptions options;
    options.origins = settings.origins;
    options.host_names = settings.host_names;
    options.refuse = serve::refuse;
    options.request_timeout = std::chrono::seconds(settings.request_timeout_s);
    const auto& hosts = settings.hosts;
    options.check_hosts =
        !settings.host_names.empty() || std::all_of(hosts.begin(), hosts.end(), is_nearby);
    options.host_names.insert(options.host_names.end(), hosts.begin(), hosts.end());
    return options;
}

Status check_reach(const net::ServerOptions& options, bool has_keys,
                   const ServeSettings& settings) {
    if (has_keys || settings.allow_anonymous) return {};
    for (const std::string& host : options.hosts)
        if (!is_nearby(host))
            return Error{Code::invalid,
                         fmt::format("--host {} can be reached from other machines, and "
                                     "there are no API keys: add --api-key or --keys, "
                                     "or --allow-anonymous if that is meant",
                                     host)};
    return {};
}

Result<serve::KeepAlive> parse_keep_alive(const std::string& text) {
    std::int64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    const std::string unit(rest, end);
    constexpr std::int64_t kMost = 1'000'000;
    std::int64_t seconds = 1;
    if (unit == "m") seconds = 60;
    if (unit == "h") seconds = 3600;
    const bool known = unit.empty() || unit == "s" || unit == "m" || unit == "h";
    if (error != std::errc() || !known || number > kMost)
        return Error{Code::invalid, fmt::format("--keep-alive {}: a time such as 5m, 300 or 1h is "
                                                "needed, 0 for at once, -1 for never",
                                                text)};
    if (number < 0) return serve::KeepAlive{};
    return serve::KeepAlive{std::chrono::seconds(number * seconds)};
}

}  // namespace heft::app
