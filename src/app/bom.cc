// heft bom: a model's bill of materials.
#include "govern/bom/bom.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/build_info.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/file_progress.h"
#include "app/help.h"
#include "app/interrupt.h"
#include "app/release.h"
#include "base/json_text.h"
#include "base/sha256.h"
#include "engine/embedded.h"
#include "format/output_file.h"
#include "govern/openness/judge.h"
#include "govern/tree.h"

namespace heft::app {

namespace {

struct BomOptions {
    std::string reference, format, output;
};

struct BomFormat {
    const char* name;
    nlohmann::ordered_json (*make)(const bom::Facts& facts);
};
constexpr BomFormat kFormats[] = {{"spdx3", bom::spdx3}, {"cyclonedx", bom::cyclonedx}};

// The time of the document: that of reproducible builds where it is set.
std::string now() {
    std::time_t time = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    if (const char* epoch = std::getenv("SOURCE_DATE_EPOCH")) {
        char* end = nullptr;
        const long long given = std::strtoll(epoch, &end, 10);
        constexpr long long last = 253402300799;  // of year 9999
        if (end != epoch && *end == '\0' && given >= 0 && given <= last)
            time = static_cast<std::time_t>(given);
    }
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(time));
}

Result<std::vector<bom::File>> hashed(const LocalRelease& local) {
    std::vector<bom::File> files;
    if (local.engine && local.engine->embedded()) {
        const Bytes bytes = engine::embedded_model();
        HEFT_TRY(std::string hash, sha256(bytes));
        files.push_back({"tiny.gguf", bytes.size(), std::move(hash)});
        return files;
    }
    const InterruptGuard interrupt;
    FileProgress progress(&interrupt.requested());
    for (const std::string& name : local.files.names) {
        const std::filesystem::path path = local.files.folder / name;
        progress.begin(name);
        HEFT_TRY(std::string hash, sha256_file(path, [&](std::uint64_t done, std::uint64_t total) {
                     return progress.show(done, total);
                 }));
        std::error_code ignored;
        files.push_back({name, std::filesystem::file_size(path, ignored), std::move(hash)});
    }
    return files;
}

void take_config(const LocalRelease& local, bom::Facts& facts) {
    if (!local.engine) return;
    const auto config = local.engine->config();
    if (!config) return;
    const arch::Config& c = **config;
    facts.architecture = c.family->name;
    facts.parameters = {{"layers", std::to_string(c.n_layer)},
                        {"width", std::to_string(c.d_model)},
                        {"attention heads", std::to_string(c.n_head)},
                        {"vocabulary", std::to_string(c.n_vocab)},
                        {"context length", std::to_string(c.n_ctx)}};
    std::int64_t weights = 0;
    for (const TensorView& view : local.engine->checkpoint().tensors()) {
        std::int64_t count = 1;
        for (const std::int64_t extent : view.shape) count *= extent;
        weights += count;
    }
    facts.parameters.emplace_back("weights", std::to_string(weights));
}

void take_release(const openness::Release& release, bom::Facts& facts) {
    const openness::OpennessTables& tables = openness::OpennessTables::embedded();
    const openness::Component& weights = release.at(*tables.by_key("model_parameters"));
    facts.licence = weights.licence;
    facts.is_spdx = tables.licences().spdx(weights.licence).has_value();
    const openness::Openness verdict = openness::judge(release);
    facts.terms.push_back({"openness.level", openness::level_name(verdict.level)});
    facts.terms.push_back({"openness.osaid-1.0", openness::word_name(verdict.osaid.word)});
    if (facts.licence.empty())
        facts.terms.push_back({"licence", "none was found; that is not a permission"});
    else
        facts.terms.push_back({"licence.terms", openness::terms_name(weights.terms)});
    if (facts.supplier.empty()) facts.supplier = release.producer;
}

// Terms that no field of either format can hold, by the catalogue's fields.
constexpr const char* kSpecialTerms[] = {"thresholds", "output_use", "naming",
                                         "use_policy", "territory",  "termination"};

// "threshold: 700000000; comparator: >"
std::string flattened(const nlohmann::ordered_json& tree) {
    if (tree.is_string()) return tree.get<std::string>();
    if (!tree.is_structured()) return tree.dump();
    std::string text;
    for (const auto& item : tree.items()) {
        if (item.value().is_null() || (item.value().is_structured() && item.value().empty()))
            continue;
        text += text.empty() ? "" : "; ";
        if (tree.is_object()) text += item.key() + ": ";
        text += flattened(item.value());
    }
    return text;
}

// How the licence was found, and what stands in no field of either format: as the catalogue has it.
void take_licence(const govern::Identification& found, bom::Facts& facts) {
    facts.terms.push_back({"licence.found_by", std::string(govern::word(found.certainty))});
    for (const std::string& problem : found.problems)
        facts.terms.push_back({"licence.problem", problem});
    for (const govern::Licence* licence : found.licences)
        for (const char* field : kSpecialTerms) {
            const auto* const term = govern::member(*licence->data, field);
            std::string text = term == nullptr ? "" : flattened(*term);
            if (!text.empty())
                facts.terms.push_back({fmt::format("{}.{}", licence->id, field), std::move(text)});
        }
}

Result<bom::Facts> facts_of(const std::string& reference) {
    HEFT_TRY(const govern::Catalogue catalogue, govern::Catalogue::open());
    HEFT_TRY(LocalRelease local, open_local_release(reference));
    HEFT_TRY(const govern::Identification licence, licence_of(catalogue, local));
    bom::Facts facts;
    facts.name = local.files.name;
    facts.version = local.declared.version;
    facts.supplier = local.declared.author;
    facts.description = local.declared.description;
    facts.task = local.declared.task;
    facts.download = local.declared.url;
    facts.tool_version = build_info().version;
    facts.created = now();
    facts.parents = local.declared.base_models;
    facts.relation = local.declared.relation;
    facts.datasets = local.declared.datasets;
    take_config(local, facts);
    HEFT_TRY(const openness::Release release, components_of(local, licence));
    take_release(release, facts);
    take_licence(licence, facts);
    for (const auto& file : local.files.texts)
        if (!facts.is_spdx && file.name == licence.text_file) facts.licence_text = file.text;
    HEFT_TRY(facts.files, hashed(local));
    return facts;
}

Status write_bom(const BomOptions& o) {
    const auto* const format =
        std::find_if(std::begin(kFormats), std::end(kFormats),
                     [&](const BomFormat& known) { return o.format == known.name; });
    if (format == std::end(kFormats))
        return Error{Code::invalid,
                     fmt::format("--format: \"{}\" is neither spdx3 nor cyclonedx", o.format)};
    HEFT_TRY(const bom::Facts facts, facts_of(o.reference));
    const nlohmann::ordered_json document = format->make(facts);
    if (o.output.empty() || o.output == "-") {
        put_json(document);
        return {};
    }
    const std::string text = json_file(document);
    return format::write_file(o.output, text);
}

}  // namespace

void add_bom(CLI::App& app, Action& action) {
    const auto o = std::make_shared<BomOptions>();
    CLI::App* verb = add_verb(
        app, "bom", "A model's bill of materials: files by hash, licences, lineage, terms.",
        "heft bom my-model/ --format cyclonedx -o my-model.cdx.json");
    verb->add_option("MODEL", o->reference, "a folder, a .gguf or .safetensors file, or tiny")
        ->required();
    verb->add_option("--format", o->format, "spdx3 (3.0.1, JSON-LD) or cyclonedx (1.6)")
        ->required()
        ->type_name("F");
    verb->add_option("-o,--output", o->output, "a file rather than standard output")
        ->type_name("F");
    verb->callback([o, &action] { action = [o] { return write_bom(*o); }; });
}

}  // namespace heft::app
