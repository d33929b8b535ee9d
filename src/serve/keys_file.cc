// The file of keys.
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <openssl/rand.h>
#include <unistd.h>

#include "format/yaml.h"
#include "serve/keys.h"

namespace heft::serve {

namespace {

using Json = nlohmann::ordered_json;
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kHashDigits = 64;
constexpr double kMostPerMinute = 1e12;

Error wrong(const std::string& file, std::string_view what) {
    return {Code::invalid, fmt::format("{}: {}", file, what)};
}

bool is_hash(const std::string& text) {
    return text.size() == kHashDigits
           && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

Status read_field(Key& key, const std::string& name, const Json& value, const std::string& file) {
    const auto number = [&]() -> Result<double> {
        if (!value.is_number() || !(value.get<double>() >= 0)
            || value.get<double>() > kMostPerMinute)
            return wrong(file, fmt::format("{}: a number of at least 0 is needed", name));
        return value.get<double>();
    };
    if (name == "name" || name == "sha256") {
        if (!value.is_string()) return wrong(file, name + ": a text is needed, in quotes");
        (name == "name" ? key.name : key.sha256) = value.get<std::string>();
    } else if (name == "requests_per_minute") {
        HEFT_TRY(key.requests_per_minute, number());
    } else if (name == "tokens_per_minute") {
        HEFT_TRY(key.tokens_per_minute, number());
    } else if (name == "concurrent" || name == "priority") {
        constexpr double kMost = std::numeric_limits<int>::max();
        if (!value.is_number_integer() || std::abs(value.get<double>()) > kMost)
            return wrong(file, name + ": a whole number is needed");
        (name == "priority" ? key.priority : key.concurrent) = value.get<int>();
    } else if (name == "admin") {
        if (!value.is_boolean()) return wrong(file, "admin: true or false is needed");
        key.admin = value.get<bool>();
    } else if (name == "models") {
        if (!value.is_array()) return wrong(file, "models: a list is needed, such as [tiny]");
        for (const Json& model : value) {
            if (!model.is_string()) return wrong(file, "models: a list of names is needed");
            key.models.push_back(model.get<std::string>());
        }
    } else {
        return wrong(file,
                     fmt::format("\"{}\" is no setting of a key; there are name, sha256, "
                                 "requests_per_minute, tokens_per_minute, concurrent, models, "
                                 "priority and admin",
                                 name));
    }
    return {};
}

std::string quoted(const std::string& text) {
    return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

Result<std::vector<Key>> parse_keys(std::string_view yaml, const std::string& file) {
    auto tree = format::read_yaml(yaml);
    if (!tree) return wrong(file, tree.error().what);
    std::vector<Key> keys;
    if (tree->is_null()) return keys;
    if (!tree->is_object() || tree->size() != 1 || !tree->contains("keys")
        || !((*tree)["keys"].is_array() || (*tree)["keys"].is_null()))
        return wrong(file, "a file of keys is one list under \"keys:\"");
    std::set<std::string> names;
    const Json& list = (*tree)["keys"];
    for (const Json& one : list) {
        if (!one.is_object()) return wrong(file, "every key has a name and a sha256");
        Key key;
        for (const auto& item : one.items())
            HEFT_OK(read_field(key, item.key(), item.value(), file));
        if (key.name.empty() || key.name == "local" || !is_hash(key.sha256))
            return wrong(file, fmt::format("the key \"{}\" needs a name other than \"local\" and a "
                                           "sha256 of {} hex digits; `heft keys add NAME` writes "
                                           "both",
                                           key.name, kHashDigits));
        if (!names.insert(key.name).second)
            return wrong(file, fmt::format("two keys are called \"{}\"", key.name));
        keys.push_back(std::move(key));
    }
    return keys;
}

Result<std::vector<Key>> read_keys(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return Error{Code::not_found, fmt::format("{}: cannot be read", file.string())};
    std::ostringstream text;
    text << in.rdbuf();
    return parse_keys(text.str(), file.string());
}

std::string write_keys(const std::vector<Key>& keys) {
    std::string text =
        "# API keys of heft serve, as hashes. `heft keys` adds and revokes them.\nkeys:\n";
    for (const Key& key : keys) {
        text += fmt::format("  - name: {}\n    sha256: \"{}\"\n", quoted(key.name), key.sha256);
        if (key.requests_per_minute > 0)
            text += fmt::format("    requests_per_minute: {}\n", key.requests_per_minute);
        if (key.tokens_per_minute > 0)
            text += fmt::format("    tokens_per_minute: {}\n", key.tokens_per_minute);
        if (key.concurrent > 0) text += fmt::format("    concurrent: {}\n", key.concurrent);
        if (key.priority != 0) text += fmt::format("    priority: {}\n", key.priority);
        if (key.admin) text += "    admin: true\n";
        if (key.models.empty()) continue;
        text += "    models:\n";
        for (const std::string& model : key.models)
            text += fmt::format("      - {}\n", quoted(model));
    }
    return text;
}

Status save_keys(const std::filesystem::path& file, const std::vector<Key>& keys) {
    const std::string text = write_keys(keys);
    const std::filesystem::path part = file.string() + ".part";
    const int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const auto failed = [&] {
        const int error = errno;
        if (fd >= 0) ::unlink(part.c_str());
        return Error{Code::exhausted,
                     fmt::format("{}: cannot be written: {}", file.string(), std::strerror(error))};
    };
    if (fd < 0) return failed();
    std::size_t written = 0;
    bool good = true;
    while (good && written < text.size()) {
        const ssize_t n = ::write(fd, text.data() + written, text.size() - written);
        good = n > 0;
        if (good) written += static_cast<std::size_t>(n);
    }
    good = good && ::fsync(fd) == 0;
    if (::close(fd) != 0 || !good) return failed();
    if (::rename(part.c_str(), file.c_str()) != 0) return failed();
    return {};
}

Result<std::string> make_key() {
    std::array<unsigned char, kKeyBytes> bytes{};
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
        return Error{Code::internal, "the system gives no random numbers"};
    std::string key = "heft-";
    for (const unsigned char byte : bytes) key += fmt::format("{:02x}", byte);
    return key;
}

}  // namespace heft::serve
