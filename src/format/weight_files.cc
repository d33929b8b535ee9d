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

struct Found {  // of one format
    std::vector<std::string> files;
    bool single = false, index = false;

    explicit operator bool() const { return !files.empty() || index; }
};

struct Listing {
    std::vector<std::string> gguf;
    Found safetensors, pytorch;
    bool config = false;
};

// The formats of a Hugging Face folder's weights.
struct Format {
    const char* name;
    const char* single;
    const char* index;
    const char* extension;  // of shards
    Found Listing::*found;
    bool any_name;  // whether a lone file of another name is the model
};
constexpr Format kSafetensors = {
    "safetensors",  "model.safetensors",   "model.safetensors.index.json",
    ".safetensors", &Listing::safetensors, false};
constexpr Format kPytorch = {"PyTorch", "pytorch_model.bin", "pytorch_model.bin.index.json",
                             ".bin",    &Listing::pytorch,   true};
constexpr const char* kRead =
    "heft reads GGUF files and Hugging Face folders with safetensors or PyTorch weights";

Error unsupported(const fs::path& path, const std::string& is) {
    return {Code::unsupported, path.string() + ": " + is + "; " + kRead};
}

bool is_pytorch(std::string_view name) {
    // What a trainer leaves beside the weights.
    constexpr std::string_view kState[] = {"optimizer", "scheduler", "rng_state", "scaler",
                                           "training_args"};
    for (const std::string_view state : kState)
        if (name.starts_with(state)) return false;
    return (name.starts_with("pytorch_model") && name.ends_with(".bin")) || name.ends_with(".pth")
           || name.ends_with(".pt") || name.ends_with(".ckpt");
}

void note(const std::string& name, bool is_weights, const Format& format, Listing& listing) {
    Found& found = listing.*format.found;
    if (is_weights) found.files.push_back(name);
    found.single = found.single || name == format.single;
    found.index = found.index || name == format.index;
}

Result<Listing> list(const fs::path& folder) {
    Listing listing;
    std::error_code error;
    fs::directory_iterator entries(folder, error);
    for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
        const std::string name = entries->path().filename().string();
        if (name.ends_with(".gguf")) listing.gguf.push_back(name);
        note(name, name.ends_with(".safetensors"), kSafetensors, listing);
        note(name, is_pytorch(name), kPytorch, listing);
        listing.config = listing.config || name == "config.json";
    }
    if (error)
        return Error{Code::not_found, folder.string() + ": cannot be listed: " + error.message()};
    std::sort(listing.gguf.begin(), listing.gguf.end());
    for (Found* found : {&listing.safetensors, &listing.pytorch})
        std::sort(found->files.begin(), found->files.end());
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

Error no_config(const fs::path& path, const Format& format) {
    return {Code::not_found, path.string() + ": has " + format.name
                                 + " weights but no config.json beside it, which describes the "
                                   "model; copy it from where the model came"};
}

Result<WeightFiles> huggingface_folder(const fs::path& folder, const Listing& listing,
                                       const Format& format) {
    const Found& found = listing.*format.found;
    WeightFiles out;
    out.kind = Kind::huggingface;
    out.folder = folder;
    if (!listing.config) return no_config(folder, format);
    if (found.single) {
        out.files.push_back(folder / format.single);
        return out;
    }
    if (found.index) {
        HEFT_OK(read_shard_index(folder / format.index, format.extension, out));
        return out;
    }
    if (found.files.size() == 1 && format.any_name) {
        out.files.push_back(folder / found.files.front());
        return out;
    }
    return Error{Code::invalid, folder.string() + ": has neither " + format.single + " nor "
                                    + format.index + "; name one of its files (" + join(found.files)
                                    + ")"};
}

Result<WeightFiles> open_folder(const fs::path& folder) {
    HEFT_TRY(const Listing listing, list(folder));
    if (listing.safetensors) return huggingface_folder(folder, listing, kSafetensors);
    if (!listing.gguf.empty()) return gguf_folder(folder, listing);
    if (listing.pytorch) return huggingface_folder(folder, listing, kPytorch);
    if (listing.config)
        return Error{Code::not_found, folder.string() + ": has a config.json but no weights ("
                                          + kSafetensors.single + ", or shards with "
                                          + kSafetensors.index + ")"};
    return Error{Code::not_found, folder.string() + ": holds no model; " + kRead};
}

// A shard opens the checkpoint that it belongs to; any other file stands for itself.
Result<WeightFiles> huggingface_file(const fs::path& path, const Format& format) {
    const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
    HEFT_TRY(const Listing listing, list(folder));
    if (!listing.config) return no_config(path, format);
    const Found& found = listing.*format.found;
    WeightFiles out;
    out.kind = Kind::huggingface;
    out.folder = folder;
    if (found.index) {
        HEFT_OK(read_shard_index(folder / format.index, format.extension, out));
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
    if (name.ends_with(".safetensors")) return huggingface_file(path, kSafetensors);
    if (is_pytorch(name) || magic.starts_with("PK")) return huggingface_file(path, kPytorch);
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
