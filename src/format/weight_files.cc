#include "format/weight_files.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <string_view>
#include <system_error>

#include "format/gguf.h"
#include "format/shard_index.h"

namespace heft::format {

namespace {

namespace fs = std::filesystem;

constexpr const char* kSingle = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";
constexpr const char* kRead =
    "heft reads GGUF files and Hugging Face folders with safetensors weights";

struct Listing {
    std::vector<std::string> gguf, safetensors, pytorch;
    bool config = false, single = false, index = false;
};

Error unsupported(const fs::path& path, const std::string& is) {
    return {Code::unsupported, path.string() + ": " + is + "; " + kRead};
}

bool is_pytorch(std::string_view name) {
    return (name.starts_with("pytorch_model") && name.ends_with(".bin")) || name.ends_with(".pth")
           || name.ends_with(".pt") || name.ends_with(".ckpt");
}

Result<Listing> list(const fs::path& folder) {
    Listing listing;
    std::error_code error;
    fs::directory_iterator entries(folder, error);
    for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
        const std::string name = entries->path().filename().string();
        if (name.ends_with(".gguf")) listing.gguf.push_back(name);
        if (name.ends_with(".safetensors")) listing.safetensors.push_back(name);
        if (is_pytorch(name)) listing.pytorch.push_back(name);
        listing.config = listing.config || name == "config.json";
        listing.single = listing.single || name == kSingle;
        listing.index = listing.index || name == kIndex;
    }
    if (error)
        return Error{Code::not_found, folder.string() + ": cannot be listed: " + error.message()};
    std::sort(listing.gguf.begin(), listing.gguf.end());
    std::sort(listing.safetensors.begin(), listing.safetensors.end());
    return listing;
}

std::string join(const std::vector<std::string>& names) {
    constexpr std::size_t shown = 8;
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), shown); ++i)
        text += (i == 0 ? "" : ", ") + names[i];
    if (names.size() > shown) text += " and " + std::to_string(names.size() - shown) + " more";
    return text;
}

Result<WeightFiles> gguf_file(const fs::path& path) {
    WeightFiles out;
    out.kind = Kind::gguf;
    out.folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
    HEFT_TRY(out.files, gguf_parts(path));
    return out;
}

// A folder of GGUF files is a model if they are one file or the parts of one.
Result<WeightFiles> gguf_folder(const fs::path& folder, const Listing& listing) {
    HEFT_TRY(WeightFiles out, gguf_file(folder / listing.gguf.front()));
    out.folder = folder;
    std::vector<std::string> of_first;
    for (const fs::path& file : out.files) of_first.push_back(file.filename().string());
    if (of_first != listing.gguf)
        return Error{Code::invalid, folder.string() + ": holds several GGUF models ("
                                        + join(listing.gguf) + "); name one of the files"};
    return out;
}

Result<WeightFiles> huggingface_folder(const fs::path& folder, const Listing& listing) {
    WeightFiles out;
    out.kind = Kind::huggingface;
    out.folder = folder;
    if (!listing.config)
        return Error{Code::not_found,
                     folder.string() + ": has safetensors weights but no config.json, which "
                                       "describes the model; copy it from where the model came"};
    if (listing.single) {
        out.files.push_back(folder / kSingle);
        return out;
    }
    if (listing.index) {
        HEFT_OK(read_shard_index(folder / kIndex, out));
        return out;
    }
    return Error{Code::invalid, folder.string() + ": has neither " + kSingle + " nor " + kIndex
                                    + "; name one of its files (" + join(listing.safetensors)
                                    + ")"};
}

Result<WeightFiles> open_folder(const fs::path& folder) {
    HEFT_TRY(const Listing listing, list(folder));
    if (!listing.safetensors.empty() || listing.index) return huggingface_folder(folder, listing);
    if (!listing.gguf.empty()) return gguf_folder(folder, listing);
    if (!listing.pytorch.empty())
        return unsupported(folder, "holds PyTorch weights only (" + join(listing.pytorch) + ")");
    if (listing.config)
        return Error{Code::not_found, folder.string() + ": has a config.json but no weights ("
                                          + kSingle + ", or shards with " + kIndex + ")"};
    return Error{Code::not_found, folder.string() + ": holds no model; " + kRead};
}

// A shard opens the checkpoint that it belongs to; any other file stands for itself.
Result<WeightFiles> safetensors_file(const fs::path& path) {
    const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
    HEFT_TRY(const Listing listing, list(folder));
    if (!listing.config)
        return Error{Code::not_found, path.string() + ": there is no config.json beside it, which "
                                                      "describes the model"};
    WeightFiles out;
    out.kind = Kind::huggingface;
    out.folder = folder;
    if (listing.index) {
        HEFT_OK(read_shard_index(folder / kIndex, out));
        const auto same = [&path](const fs::path& file) {
            return file.filename() == path.filename();
        };
        if (std::any_of(out.files.begin(), out.files.end(), same)) return out;
        out.files.clear();
        out.index.clear();
    }
    out.files.push_back(path);
    return out;
}

std::string first_bytes(const fs::path& path) {
    std::array<char, 4> bytes{};
    std::ifstream file(path, std::ios::binary);
    file.read(bytes.data(), bytes.size());
    return {bytes.data(), static_cast<std::size_t>(file.gcount())};
}

Result<WeightFiles> open_file(const fs::path& path) {
    const std::string name = path.filename().string();
    const std::string magic = first_bytes(path);
    if (magic == "GGUF" || name.ends_with(".gguf")) return gguf_file(path);
    if (name.ends_with(".safetensors")) return safetensors_file(path);
    if (is_pytorch(name) || magic.starts_with("PK"))
        return unsupported(path, "looks like PyTorch weights");
    return unsupported(path, "is not a model file that is known here");
}

}  // namespace

Result<WeightFiles> find_weights(const fs::path& path) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (status.type() == fs::file_type::not_found)
        return Error{Code::not_found, path.string() + ": no such file or folder; a model is a .gguf "
                                                      "file, a .safetensors file or a folder"};
    if (error) return Error{Code::not_found, path.string() + ": " + error.message()};
    return fs::is_directory(status) ? open_folder(path) : open_file(path);
}

}  // namespace heft::format
