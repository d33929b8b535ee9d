#include <algorithm>
#include <fstream>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "base/cpu.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/user_folder.h"
#include "engine/tuning.h"

namespace heft::engine {

namespace {

constexpr const char* kSchema = "heft.tuning/1";

std::string read_small(const std::filesystem::path& path) {
    constexpr std::streamsize most = 4096;
    std::ifstream file(path, std::ios::binary);
    std::string text(most, '\0');
    file.read(text.data(), most);
    text.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
    return text;
}

}  // namespace

std::string tuning_key(const kernel::Table& kernels) {
    return cpu_field("model name") + ", microcode " + cpu_field("microcode") + ", " + kernels.name
           + ", heft " + HEFT_VERSION;
}

std::filesystem::path tuning_file(const std::string& key) {
    const std::filesystem::path folder = user_folder("XDG_CACHE_HOME", ".cache");
    if (folder.empty()) return {};
    const auto hash = sha256(Bytes{reinterpret_cast<const std::byte*>(key.data()), key.size()});
    if (!hash) return {};
    constexpr std::size_t enough = 16;
    return folder / "heft" / ("tuning-" + hash->substr(0, enough) + ".json");
}

std::optional<op::Tuning> read_tuning(const std::filesystem::path& file, const std::string& key) {
    const auto document = JsonDoc::parse(read_small(file));
    if (!document || json_string(document->root(), "schema") != kSchema
        || json_string(document->root(), "machine") != key)
        return std::nullopt;
    op::Tuning tuning;
    for (const Setting& setting : kSettings) {
        const auto value = json_int(document->root(), setting.name);
        if (!value || *value < setting.least || *value > setting.most) return std::nullopt;
        tuning.*setting.value = static_cast<int>(*value);
    }
    return tuning;
}

bool write_tuning(const std::filesystem::path& file, const std::string& key,
                  const op::Tuning& tuning) {
    nlohmann::ordered_json document = {{"schema", kSchema}, {"machine", key}};
    for (const Setting& setting : kSettings) document[setting.name] = tuning.*setting.value;
    std::error_code failed;
    std::filesystem::create_directories(file.parent_path(), failed);
    // Under a name of its own first: another process may read or write meanwhile.
    std::filesystem::path part = file;
    part += "." + std::to_string(::getpid());
    {
        std::ofstream out(part, std::ios::binary);
        out << document.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)
            << '\n';
        if (!out.flush()) {
            std::filesystem::remove(part, failed);
            return false;
        }
    }
    std::filesystem::rename(part, file, failed);
    if (!failed) return true;
    std::filesystem::remove(part, failed);
    return false;
}

op::Tuning tuning_for(ThreadPool& pool, const kernel::Table& kernels, Bytes weights) {
    const std::string key = tuning_key(kernels);
    const std::filesystem::path file = tuning_file(key);
    if (file.empty()) return {};
    if (const auto known = read_tuning(file, key)) return *known;
    if (!write_tuning(file, key, {})) return {};  // before the effort
    const op::Tuning tuning = measure_tuning(pool, kernels, weights);
    write_tuning(file, key, tuning);
    return tuning;
}

}  // namespace heft::engine
