// config.json, from any bytes: beside a small valid safetensors file, read into a Config, and the
// model's tensors looked up by it.
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "arch/arch.h"
#include "arch/tensors.h"
#include "model/model.h"

namespace {

// A folder in memory-backed storage, made once per process.
const std::filesystem::path& folder() {
    static const std::filesystem::path path = [] {
        const bool in_memory = std::filesystem::is_directory("/dev/shm");
        std::string name =
            (in_memory ? "/dev/shm" : std::filesystem::temp_directory_path().string());
        name += "/heft-config-fuzz-XXXXXX";
        if (::mkdtemp(name.data()) == nullptr) std::abort();
        const std::string header =
            R"({"model.norm.weight":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})";
        std::ofstream file(std::filesystem::path(name) / "model.safetensors", std::ios::binary);
        const std::uint64_t size = header.size();
        file.write(reinterpret_cast<const char*>(&size), sizeof size);
        file << header << std::string(16, '\0');
        return std::filesystem::path(name);
    }();
    return path;
}

struct Cleanup {
    ~Cleanup() {
        std::error_code ignored;
        std::filesystem::remove_all(folder(), ignored);
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Cleanup cleanup;
    std::ofstream(folder() / "config.json", std::ios::binary)
        .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
    const auto checkpoint = heft::format::Checkpoint::open(folder());
    if (!checkpoint) return 0;
    const auto config = heft::arch::read_config(*checkpoint);
    if (!config) return 0;
    for (const bool extended : {false, true})
        if (heft::arch::rope_table(config->rope, config->n_ctx, extended).frequency.empty())
            std::abort();
    if (heft::model::Model::load(*checkpoint, *config)) std::abort();  // tensors are missing
    return 0;
}
