#include "app/serve_config.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/console.h"
#include "app/did_you_mean.h"
#include "format/yaml.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;
constexpr std::size_t kFileBytes = 1U << 20;
constexpr std::size_t kMostErrors = 20;

struct Own {  // keys of an entry of `models` that are no flags
    std::string_view key, is, what;
};
constexpr Own kOfModel[] = {
    {"name", "a text", "as requests name it (the file's name)"},
    {"path", "a file", "a folder, a .gguf or .safetensors file, or tiny"},
    {"aliases", "a list of texts", "further names, such as those that a client insists on"},
};

std::string_view kind(const std::string*) {
    return "a text";
}
std::string_view kind(const std::vector<std::string>*) {
    return "a text or a list of texts";
}
std::string_view kind(const int*) {
    return "a whole number";
}
std::string_view kind(const std::int64_t*) {
    return "a whole number";
}
std::string_view kind(const bool*) {
    return "true or false";
}

template <class Of>
std::string_view kind_of(const Setting<Of>& setting) {
    return std::visit(
        [](auto place) {
            return kind(static_cast<std::remove_reference_t<decltype(place(std::declval<Of&>()))>*>(
                nullptr));
        },
        setting.place);
}

// Text that looks like a number is text here: a key, a name, a time of so many seconds.
bool take(const Json& value, std::string& to) {
    if (!value.is_string() && !value.is_number_integer()) return false;
    to = value.is_string() ? value.get<std::string>() : value.dump();
    return true;
}

bool take(const Json& value, std::vector<std::string>& to) {
    to.clear();
    if (value.is_array())
        return std::all_of(value.begin(), value.end(), [&](const Json& one) {
            to.emplace_back();
            return take(one, to.back());
        });
    to.emplace_back();
    return take(value, to.back());
}

bool take(const Json& value, std::int64_t& to) {
    if (!value.is_number_integer()) return false;
    const bool fits = !value.is_number_unsigned()
                      || value.get<std::uint64_t>() <= static_cast<std::uint64_t>(
                             std::numeric_limits<std::int64_t>::max());
    to = fits ? value.get<std::int64_t>() : std::numeric_limits<std::int64_t>::max();
    return true;
}

bool take(const Json& value, int& to) {
    std::int64_t number = 0;
    if (!take(value, number)) return false;
    // What does not fit is out of any range as well.
    to = static_cast<int>(std::clamp<std::int64_t>(number, std::numeric_limits<int>::min(),
                                                   std::numeric_limits<int>::max()));
    return true;
}

bool take(const Json& value, bool& to) {
    if (!value.is_boolean()) return false;
    to = value.get<bool>();
    return true;
}

class Reader {
  public:
    Reader(std::string file, std::string folder, const format::YamlLines& lines)
        : file_(std::move(file)), folder_(std::move(folder)), lines_(lines) {}

    void read(const Json& tree, ServeSettings& settings);
    Status outcome() const;

  private:
    void tell(const std::string& pointer, std::string what);
    void unknown(const std::string& pointer, const std::string& key,
                 const std::vector<std::string>& known);
    // Whether one of the table's keys it is.
    template <class Of>
    bool read_setting(std::span<const Setting<Of>> table, const std::string& pointer,
                      const std::string& key, const Json& value, Of& of);
    void read_models(const Json& list, ServeSettings& settings);
    void read_model(const std::string& pointer, const Json& entry, ServedModel& model);
    void resolve(std::string& path) const;

    const std::string file_, folder_;
    const format::YamlLines& lines_;
    std::vector<std::pair<int, std::string>> errors_;
};

void Reader::tell(const std::string& pointer, std::string what) {
    errors_.emplace_back(format::line_of(lines_, pointer), std::move(what));
}

void Reader::unknown(const std::string& pointer, const std::string& key,
                     const std::vector<std::string>& known) {
    const std::string guess = did_you_mean(key, known);
    tell(pointer, fmt::format("\"{}\" is no setting{}", key,
                              guess.empty() ? "; `heft serve --config-help` lists them"
                                            : fmt::format("; did you mean \"{}\"?", guess)));
}

// A file beside the configuration goes before one of the folder where the server happens to start.
void Reader::resolve(std::string& path) const {
    if (path.empty() || path == "-" || path.front() == '/' || folder_.empty()) return;
    // NAME=PATH, unless a file is called that.
    const std::filesystem::path whole = std::filesystem::path(folder_) / path;
    std::error_code ignored;
    const std::size_t equals = path.find('=');
    if (equals == std::string::npos || std::filesystem::exists(whole, ignored)) {
        path = whole.lexically_normal().string();
        return;
    }
    std::string behind = path.substr(equals + 1);
    resolve(behind);
    path = path.substr(0, equals + 1) + behind;
}

template <class Of>
bool Reader::read_setting(std::span<const Setting<Of>> table, const std::string& pointer,
                          const std::string& key, const Json& value, Of& of) {
    const auto found = std::find_if(table.begin(), table.end(), [&](const Setting<Of>& setting) {
        return key_of(setting.flag) == key;
    });
    if (found == table.end()) return false;
    const bool fits = std::visit([&](auto place) { return take(value, place(of)); }, found->place);
    if (!fits) {
        tell(pointer, fmt::format("{}: {} is needed", key, kind_of(*found)));
        return true;
    }
    if (const Status good = check_range(*found, of, key + ":"); !good)
        tell(pointer, good.error().what);
    if (found->unit != "F") return true;
    if (auto* text = std::get_if<std::string& (*)(Of&)>(&found->place)) resolve((*text)(of));
    if (auto* texts = std::get_if<std::vector<std::string>& (*)(Of&)>(&found->place))
        for (std::string& one : (*texts)(of)) resolve(one);
    return true;
}

void Reader::read_model(const std::string& pointer, const Json& entry, ServedModel& model) {
    if (!entry.is_object()) return tell(pointer, "a model is written as its name and path");
    for (const auto& item : entry.items()) {
        const std::string& key = item.key();
        const std::string here = pointer + "/" + format::pointer_token(key);
        bool fits = true;
        if (key == "name") {
            fits = take(item.value(), model.name) && !model.name.empty();
        } else if (key == "path") {
            fits = take(item.value(), model.path) && !model.path.empty();
        } else if (key == "aliases") {
            fits = take(item.value(), model.aliases);
        } else if (!read_setting(model_settings(), here, key, item.value(), model.settings)) {
            std::vector<std::string> known;
            for (const Own& own : kOfModel) known.emplace_back(own.key);
            for (const auto& setting : model_settings()) known.push_back(key_of(setting.flag));
            unknown(here, key, known);
        }
        if (!fits)
            tell(here, fmt::format("{}: {} is needed", key,
                                   key == "aliases" ? "a list of texts" : "a text"));
    }
    if (model.path.empty()) return tell(pointer, "a model needs a path");
    if (model.path != "tiny") resolve(model.path);
}

void Reader::read_models(const Json& list, ServeSettings& settings) {
    if (!list.is_array()) return tell("/models", "models: a list is needed, each with a path");
    settings.models.clear();
    for (std::size_t i = 0; i < list.size(); ++i) {
        ServedModel model;
        model.settings = settings.model;
        read_model(fmt::format("/models/{}", i), list[i], model);
        settings.models.push_back(std::move(model));
    }
}

void Reader::read(const Json& tree, ServeSettings& settings) {
    if (tree.is_null()) return;
    if (!tree.is_object()) return tell("", "a configuration is a list of settings, `key: value`");
    for (const auto& item : tree.items()) {
        const std::string& key = item.key();
        const std::string pointer = "/" + format::pointer_token(key);
        if (key == "models" || read_setting(server_settings(), pointer, key, item.value(), settings)
            || read_setting(model_settings(), pointer, key, item.value(), settings.model))
            continue;
        std::vector<std::string> known = {"models"};
        for (const auto& setting : server_settings()) known.push_back(key_of(setting.flag));
        for (const auto& setting : model_settings()) known.push_back(key_of(setting.flag));
        unknown(pointer, key, known);
    }
    // Last: the settings of all are those of each, wherever in the file they stand.
    if (tree.contains("models")) read_models(tree["models"], settings);
}

Status Reader::outcome() const {
    if (errors_.empty()) return {};
    auto errors = errors_;
    std::stable_sort(errors.begin(), errors.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::string what;
    for (std::size_t i = 0; i < std::min(errors.size(), kMostErrors); ++i)
        what += fmt::format("{}{}:{}: {}", i == 0 ? "" : "\n", file_, errors[i].first,
                            errors[i].second);
    if (errors.size() > kMostErrors)
        what += fmt::format("\n{}: {} more mistakes", file_, errors.size() - kMostErrors);
    return Error{Code::invalid, what};
}

// Without the short flag that it may begin with.
std::string_view plain_help(std::string_view help) {
    const std::size_t colon = help.find(": ");
    const bool short_flag = help.starts_with('-') && colon != std::string_view::npos;
    return short_flag ? help.substr(colon + 2) : help;
}

template <class Of>
void put_rows(std::string& text, std::span<const Setting<Of>> table) {
    for (const auto& setting : table) {
        std::string range;
        if (kind_of(setting) == "a whole number")
            range = fmt::format(", {} to {}", setting.least, setting.most);
        text += fmt::format(
            "| `{}` | {}{} | {} | {} |\n", key_of(setting.flag),
            setting.unit == "F" && kind_of(setting) == "a text" ? "a file" : kind_of(setting),
            range, plain_help(setting.help), to_string(setting.applies));
    }
}

}  // namespace

Status parse_serve_config(const std::string& yaml, const std::string& file,
                          const std::string& folder, ServeSettings& settings) {
    format::YamlLines lines;
    auto tree = format::read_yaml(yaml, lines);
    if (!tree) return Error{Code::invalid, fmt::format("{}: {}", file, tree.error().what)};
    Reader reader(file, folder, lines);
    reader.read(*tree, settings);
    return reader.outcome();
}

Status read_serve_config(const std::string& file, ServeSettings& settings) {
    HEFT_TRY(const std::string text, read_input(file, kFileBytes));
    const std::string folder =
        file == "-" ? "" : std::filesystem::path(file).parent_path().string();
    return parse_serve_config(text, file, folder, settings);
}

std::string serve_config_document() {
    constexpr std::string_view kHead =
        "| key | is | what | a change takes effect |\n"
        "| --- | --- | --- | --- |\n";
    std::string text = "The whole server:\n\n" + std::string(kHead);
    put_rows(text, server_settings());
    text += "\nThe models: for all of them, or in an entry of `models` for one:\n\n";
    text += kHead;
    put_rows(text, model_settings());
    text += "\nIn an entry of `models` only:\n\n" + std::string(kHead);
    for (const Own& own : kOfModel)
        text += fmt::format("| `{}` | {} | {} | {} |\n", own.key, own.is, own.what,
                            to_string(Applies::at_once));
    return text;
}

}  // namespace heft::app
