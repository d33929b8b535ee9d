#include "serve/model_info.h"

#include <chrono>
#include <map>

#include <fmt/format.h>

#include "base/sha256.h"
#include "serve/keys.h"

namespace heft::serve {

namespace {

std::string scaled(double count) {
    constexpr std::string_view kUnits[] = {"", "K", "M", "B", "T"};
    std::size_t unit = 0;
    while (count >= 1000 && unit + 1 < std::size(kUnits)) {
        count /= 1000;
        ++unit;
    }
    return fmt::format("{:.1f}{}", count, kUnits[unit]);
}

// When it was made, and what tells it from others.
void note_file(const std::filesystem::path& file, ModelInfo& info, std::string& identity) {
    std::error_code ignored;
    const auto time = std::filesystem::last_write_time(file, ignored);
    if (ignored) return;
    // The clocks of files and of the system need not begin together.
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(
        std::filesystem::file_time_type::clock::now() - time);
    const auto made = std::chrono::system_clock::now() - age;
    info.created_s =
        std::chrono::duration_cast<std::chrono::seconds>(made.time_since_epoch()).count();
    identity += fmt::format(" {} {}", file.string(), time.time_since_epoch().count());
}

}  // namespace

ModelInfo adapter_info(const ModelInfo& base, const engine::OpenOptions::Lora& adapter) {
    ModelInfo info = base;
    info.name = base.name + ":" + adapter.name;
    info.base = base.name;
    std::string identity = base.digest + " " + std::to_string(adapter.scale);
    note_file(adapter.path, info, identity);
    if (auto digest = hash_key(identity)) info.digest = std::move(*digest);
    return info;
}

ModelInfo model_info(const std::string& name, const engine::Engine& engine) {
    const format::Checkpoint& checkpoint = engine.checkpoint();
    ModelInfo info;
    info.name = name;
    info.file_bytes = checkpoint.file_bytes();
    info.format = checkpoint.kind() == format::Kind::gguf ? "gguf" : "safetensors";
    std::string identity = fmt::format("{} {}", checkpoint.name(), checkpoint.file_bytes());
    for (const auto& file : checkpoint.files()) note_file(file, info, identity);
    if (auto digest = hash_key(identity)) info.digest = std::move(*digest);
    std::map<std::string, std::uint64_t> bytes;
    double parameters = 0;
    for (const TensorView& tensor : checkpoint.tensors()) {
        double count = 1;
        for (const auto size : tensor.shape) count *= static_cast<double>(size);
        parameters += count;
        bytes[dtype_info(tensor.type).name] += tensor.data.size();
    }
    std::uint64_t most = 0;
    for (const auto& [type, sum] : bytes) {
        if (sum <= most) continue;
        most = sum;
        info.quantization = type;
    }
    info.parameter_size = scaled(parameters);
    if (auto config = engine.config()) {
        info.family = (*config)->family->name;
        info.n_ctx = info.n_ctx_own = (*config)->n_ctx;
    }
    return info;
}

}  // namespace heft::serve
