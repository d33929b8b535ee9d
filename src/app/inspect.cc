// heft inspect: what a model is.
#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/adapter_description.h"
#include "app/at_glance.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/description.h"
#include "app/family_text.h"
#include "app/help.h"
#include "app/model_flags.h"
#include "app/scaled.h"
#include "app/wrap.h"
#include "base/sha256.h"
#include "format/adapter_files.h"
#include "govern/family.h"
#include "govern/passport.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;

struct InspectOptions {
    ModelFlags model;
    bool tensors = false, hash = false, metadata = false, json = false;
};

// Large files take a while: a person at a terminal sees how far it is.
Status add_hashes(Json& document) {
    for (Json& file : document["files"]) {
        const std::filesystem::path path = file["path"].get<std::string>();
        HashProgress progress;
        if (is_terminal(stderr)) {
            progress = [name = path.filename().string()](std::uint64_t done, std::uint64_t total) {
                const double share = static_cast<double>(done) / static_cast<double>(total);
                fmt::print(stderr, "\r{}: {:.0f} %", name, share * 100);
                return true;
            };
        }
        std::error_code ignored;
        file["bytes"] = std::filesystem::file_size(path, ignored);
        HEFT_TRY(file["sha256"], sha256_file(path, progress));
        if (progress) fmt::print(stderr, "\r\x1b[K");
    }
    return {};
}

void line(std::string_view name, const std::string& value) {
    put(fmt::format("{:<14}{}\n", name, value));
}

std::string plain(const Json& value) {
    return value.is_string() ? value.get<std::string>()
                             : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string token_text(const Json& token) {
    return token.is_null() ? "none"
                           : fmt::format("{} {}", plain(token["id"]), plain(token["piece"]));
}

void put_sizes(const Json& d) {
    if (!d.contains("config")) return;
    const Json& c = d["config"];
    line("layers", fmt::format("{} of d_model {}, d_ff {}", plain(c["n_layer"]),
                               plain(c["d_model"]), plain(c["d_ff"])));
    line("attention",
         fmt::format(
             "{} heads of {}, {} for keys and values{}", plain(c["n_head"]), plain(c["d_head"]),
             plain(c["n_kv"]),
             c["window"].get<int>() > 0 ? fmt::format(", window {}", c["window"].get<int>()) : ""));
    const Json& rope = c["rope"];
    line("rope", fmt::format("theta {}, {} entries, scaling {}", plain(rope["theta"]),
                             plain(rope["dim"]), plain(rope["scaling"])));
    line("context", fmt::format("{} tokens, {}B of cache per token (f16)", plain(c["n_ctx"]),
                                scaled(d["cache_bytes_per_token"]["f16"].get<double>())));
}

void put_tokenizer(const Json& d) {
    if (d["tokenizer"].is_null()) return;
    const Json& t = d["tokenizer"];
    line("tokenizer", fmt::format("{}, {} tokens", plain(t["kind"]), plain(t["n_vocab"])));
    line("", fmt::format("begin {}, end {}", token_text(t["bos"]), token_text(t["eos"])));
}

// What may be done with it, and what cannot.
void put_glance(const Json& d) {
    constexpr std::size_t indent = 14;
    const Json& licence = d["licence"];
    put(paragraph("licence",
                  fmt::format("{}; private use: {}; commercial use: {}; redistribution: {}",
                              spoken_licence(licence), spoken_verdict(licence["private_use"]),
                              spoken_verdict(licence["commercial_use"]),
                              spoken_verdict(licence["redistribution"])),
                  indent));
    if (!d.contains("openness")) return;
    put(paragraph("openness", spoken_openness(d["openness"]), indent));
    put(paragraph("cannot", spoken_limits(d["openness"]), indent));
}

// What it was made of, and that in turn, by its own account.
void put_family(const Json& family) {
    if (family.is_null()) return;
    const char* name = "family";
    for (const std::string& text : family_lines(family)) {
        line(name, text);
        name = "";
    }
}

// Which weights of which model an adapter changes.
void put_adapter(const Json& d) {
    if (!d.contains("adapter")) return;
    const Json& adapter = d["adapter"];
    line("adapter", "LoRA, of "
                        + (adapter["base"].is_null() ? "a model that it does not name"
                                                     : printable_name(adapter["base"])));
    if (!adapter["layers"].empty()) line("layers", spoken_layers(adapter["layers"]));
    const char* name = "modules";
    for (const Json& module : adapter["modules"]) {
        line(name, spoken_module(module));
        name = "";
    }
}

void put_text(const Json& d, const InspectOptions& o) {
    line("model", plain(d["model"]));
    line("format", plain(d["format"]));
    put_adapter(d);
    line("architecture", d["architecture"].is_null() ? "none" : printable_name(d["architecture"]));
    if (!d["parameters"].is_null()) line("parameters", scaled(d["parameters"].get<double>()));
    put_sizes(d);
    for (const Json& file : d["files"])
        line("file",
             plain(file["path"])
                 + (file.contains("sha256") ? "\n              sha256 " + plain(file["sha256"])
                                            : ""));
    line("size", scaled(d["file_bytes"].get<double>()) + "B");
    for (const auto& [type, sum] : d["tensors"]["types"].items())
        line("tensors", fmt::format("{} of {}, {}B", plain(sum["count"]), type,
                                    scaled(sum["bytes"].get<double>())));
    put_tokenizer(d);
    if (!d["template"].is_null())
        line("template", fmt::format("{} bytes", plain(d["template"]["bytes"])));
    for (const Json& what : d["missing"]) line("missing", plain(what));
    if (o.tensors)
        for (const Json& t : d["tensors"]["list"])
            put(fmt::format("{:<48} {:<8} {}\n", plain(t["name"]), plain(t["type"]),
                            plain(t["shape"])));
    if (o.metadata)
        for (const auto& [key, value] : d["metadata"].items())
            put(fmt::format("{} = {}\n", key, plain(value)));
    put_family(d["family"]);
    put_glance(d);
}

// Of "models/name/", too.
std::string file_name(const std::filesystem::path& path) {
    return (path.has_filename() ? path : path.parent_path()).filename().string();
}

void add_family(Json record, const InspectOptions& o, Json& document) {
    document["lineage"] = std::move(record);
    document["family"] = govern::family_of(document["lineage"], file_name(o.model.reference));
}

Result<Json> model_document(const InspectOptions& o, const govern::Catalogue& catalogue) {
    HEFT_TRY(engine::Engine engine, open_description(o.model.reference));
    Json document = describe(engine, o.tensors);
    add_family(govern::carried_record(engine.checkpoint()), o, document);
    HEFT_TRY(LocalRelease local, local_release(o.model.reference, std::move(engine)));
    HEFT_TRY(const Json glance, at_glance(catalogue, local));
    document.update(glance);
    return document;
}

Result<Json> adapter_document(const InspectOptions& o, const govern::Catalogue& catalogue) {
    HEFT_TRY(const format::AdapterFiles adapter, format::open_adapter_files(o.model.reference));
    Json document = describe_adapter(o.model.reference, adapter, o.tensors);
    add_family(govern::parsed_record(govern::carried_text(adapter).value_or("")), o, document);
    HEFT_TRY(LocalRelease local, local_release(o.model.reference, adapter));
    HEFT_TRY(const govern::Identification licence, licence_of(catalogue, local));
    document["licence"] =
        licence_at_glance(catalogue, licence, chain_of(catalogue, local, licence));
    return document;
}

Status inspect(const InspectOptions& o) {
    HEFT_TRY(const govern::Catalogue catalogue, govern::Catalogue::open());
    const bool is_adapter = format::is_adapter(std::filesystem::path(o.model.reference));
    HEFT_TRY(Json document,
             is_adapter ? adapter_document(o, catalogue) : model_document(o, catalogue));
    if (o.hash) HEFT_OK(add_hashes(document));
    if (o.json)
        put_json(document);
    else
        put_text(document, o);
    return {};
}

}  // namespace

void add_inspect(CLI::App& app, Action& action) {
    const auto o = std::make_shared<InspectOptions>();
    CLI::App* verb = add_verb(
        app, "inspect",
        "What a model or an adapter is: architecture, sizes, tensors, tokenizer, what is missing.",
        "heft inspect model.gguf --tensors");
    add_model(*verb, o->model);
    verb->add_flag("--tensors", o->tensors, "name, type and shape of every tensor");
    verb->add_flag("--metadata", o->metadata, "the file's own metadata (--json always has it)");
    verb->add_flag("--hash", o->hash, "SHA-256 of the weight files");
    verb->add_flag("--json", o->json, "one heft.inspect/1 document");
    verb->callback([o, &action] { action = [o] { return inspect(*o); }; });
}

}  // namespace heft::app
