// What `heft serve` can be told, by flags and by a configuration file: one table of settings, from
// which the flags, the file's keys, their checks and docs/operations.md are made.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "app/model_flags.h"
#include "base/result.h"

namespace heft::app {

// Of one model, or of all that say nothing else.
struct ModelSettings {
    ModelFlags open;
    std::int64_t n_ctx = 0, cache_mib = 0;
    int n_parallel = 64, step_tokens = 512, max_waiting = 256;
    std::string keep_alive;
};

struct ServedModel {  // an entry of `models` in the file
    std::string name, path;
    std::vector<std::string> aliases;
    ModelSettings settings;
};

struct ServeSettings {
    std::vector<std::string> words;   // MODEL or NAME=MODEL, of the command line
    std::vector<ServedModel> models;  // of the file; the words come instead of them
    ModelSettings model;
    std::string alias;
    std::vector<std::string> hosts, api_keys, origins, host_names;
    int port = 8080;
    std::string api_key_file, keys_file;
    std::string certificate, key;
    std::string access_log, state;
    std::int64_t body_mib = 32;
    int timeout_s = 0, request_timeout_s = 0, grace_s = 30, n_http_threads = 2;
    bool allow_anonymous = false, metrics = false, slots = false, no_page = false;
};

// When a changed file is read again, on SIGHUP.
enum class Applies : std::uint8_t {
    at_once,   // to what comes from then on
    reloaded,  // the model is loaded anew when it is next asked for
    restart,   // not before the server starts again, which the log says
};
std::string_view to_string(Applies applies);

template <class Of>
using Place = std::variant<std::string& (*)(Of&), std::vector<std::string>& (*)(Of&), int& (*)(Of&),
                           std::int64_t& (*)(Of&), bool& (*)(Of&)>;

template <class Of>
struct Setting {
    std::string_view flag;  // "-c,--ctx-size"; the key of the file is "ctx_size"
    Place<Of> place;
    std::string_view unit;  // as --help names the value; "F": a file, relative to the file's folder
    std::string_view help;  // a few words, for --help
    Applies applies = Applies::at_once;
    std::int64_t least = 0, most = std::numeric_limits<int>::max();  // of numbers
};

std::span<const Setting<ModelSettings>> model_settings();
std::span<const Setting<ServeSettings>> server_settings();

std::string long_flag(std::string_view flag);  // "--ctx-size"
std::string key_of(std::string_view flag);     // "ctx_size"

// The error of a number that is out of range, as `name` calls it.
template <class Of>
Status check_range(const Setting<Of>& setting, Of& of, const std::string& name);

template <class Of>
bool same(const Setting<Of>& setting, Of& a, Of& b) {
    return std::visit([&](auto place) { return place(a) == place(b); }, setting.place);
}
template <class Of>
void copy(const Setting<Of>& setting, Of& from, Of& to) {
    std::visit([&](auto place) { place(to) = place(from); }, setting.place);
}

}  // namespace heft::app
