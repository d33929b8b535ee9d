#include "app/mix_flags.h"

#include <filesystem>

#include <CLI/CLI.hpp>

#include "base/sha256.h"

namespace heft::app {

namespace {

Result<const shape::MixInfo*> mix_named(const std::string& name) {
    if (name.empty()) return nullptr;
    const shape::MixInfo* mix = shape::find_mix(name);
    if (mix != nullptr) return mix;
    std::string names;
    for (const shape::MixInfo& one : shape::mixes())
        names += (names.empty() ? "" : " ") + std::string(one.name);
    return Error{Code::invalid, "there is no type " + name + "; there are " + names};
}

}  // namespace

void add_mix_flags(CLI::App& verb, MixFlags& flags) {
    verb.add_option("--type", flags.type, "Q4_K_M, Q8_0, ... (docs/quantize.md lists them)")
        ->type_name("T");
    verb.add_option("--tensor", flags.overrides, "another type for some: 'blk.0.*=Q8_0'")
        ->type_name("P=T");
    verb.add_option("--imatrix", flags.imatrix, "what errors cost (`heft imatrix`, llama.cpp)")
        ->type_name("F");
}

Result<AskedMix> asked_mix(const MixFlags& flags) {
    AskedMix out;
    HEFT_TRY(out.options.mix, mix_named(flags.type));
    out.record = nlohmann::ordered_json::object();
    if (out.options.mix != nullptr) out.record["type"] = out.options.mix->name;
    for (const std::string& text : flags.overrides) {
        HEFT_TRY(const shape::Override one, shape::parse_override(text));
        out.options.overrides.push_back(one);
        out.record["tensors"].push_back(one.pattern + "=" + dtype_info(one.type).name);
    }
    if (flags.imatrix.empty()) return out;
    HEFT_TRY(shape::Imatrix imatrix, shape::read_imatrix(flags.imatrix));
    HEFT_TRY(std::string hash, sha256_file(flags.imatrix));
    out.record["imatrix"] = {{"sha256", std::move(hash)}};
    out.imatrix = std::make_unique<const shape::Imatrix>(std::move(imatrix));
    out.imatrix_file = std::filesystem::path(flags.imatrix).filename().string();
    out.options.imatrix = out.imatrix.get();
    return out;
}

void set_mix(format::GgufWriter& writer, const AskedMix& mix) {
    if (mix.options.mix != nullptr) shape::set_quantised(writer, *mix.options.mix);
    if (mix.imatrix == nullptr) return;
    writer.set_string("quantize.imatrix.file", mix.imatrix_file);
    if (!mix.imatrix->datasets.empty())
        writer.set_string("quantize.imatrix.dataset", mix.imatrix->datasets.front());
    writer.set("quantize.imatrix.entries_count",
               static_cast<std::uint32_t>(mix.imatrix->entries.size()));
    writer.set("quantize.imatrix.chunks_count", static_cast<std::uint32_t>(mix.imatrix->chunks));
}

}  // namespace heft::app
