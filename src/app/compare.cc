// heft compare: several releases side by side.
#include <algorithm>
#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/at_glance.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/help.h"
#include "app/memory_estimate.h"
#include "app/model_flags.h"
#include "app/release.h"
#include "app/scaled.h"
#include "app/wrap.h"
#include "text/utf8.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;

struct CompareOptions {
    std::vector<std::string> references;
    bool json = false;
};

void add_sizes(const LocalRelease& local, Json& out) {
    if (!local.engine) return;
    const format::Checkpoint& checkpoint = local.engine->checkpoint();
    out["file_bytes"] = checkpoint.file_bytes();
    const auto config = local.engine->config();
    if (!config) return;
    const arch::Config& c = **config;
    const std::int64_t n_weight = arch::parameter_count(checkpoint);
    out["architecture"] = c.family->name;
    out["parameters"] = n_weight;
    out["n_ctx"] = c.n_ctx;
    for (const MemoryAt& at : memory_estimate(c, n_weight))
        out["memory"].push_back({{"type", at.type},
                                 {"weight_bytes", at.weights},
                                 {"cache_bytes", at.cache},
                                 {"bytes", at.weights + at.cache}});
}

// A release that is here, or of which the catalogue knows the licence by name.
Result<Json> row_of(const govern::Catalogue& catalogue, const std::string& reference) {
    Json out = {{"model", reference},      {"seen", "files"},       {"architecture", nullptr},
                {"parameters", nullptr},   {"file_bytes", nullptr}, {"n_ctx", nullptr},
                {"memory", Json::array()}, {"licence", nullptr},    {"openness", nullptr}};
    std::error_code ignored;
    if (reference != "tiny" && !std::filesystem::exists(reference, ignored)) {
        const govern::Identification licence = govern::identify_name(catalogue, reference);
        if (licence.licences.empty())
            return Error{Code::not_found,
                         fmt::format("{}: no such file or folder, and no licence or release that "
                                     "the catalogue knows",
                                     reference)};
        out["seen"] = "catalogue";
        out["licence"] =
            licence_at_glance(catalogue, licence, govern::chain_of(catalogue, licence));
        return out;
    }
    HEFT_TRY(LocalRelease local, open_local_release(reference));
    HEFT_TRY(const Json glance, at_glance(catalogue, local));
    out.update(glance);
    add_sizes(local, out);
    return out;
}

struct Line {
    std::string name;
    std::vector<std::string> cells;  // one for each release
};

std::string bytes_or_dash(const Json& value) {
    return value.is_null() ? "-" : scaled(value.get<double>()) + "B";
}

std::string openness_field(const Json& row, std::string (*spoken)(const Json&)) {
    return row["openness"].is_null() ? "-" : spoken(row["openness"]);
}

std::string spoken_class(const Json& openness) {
    constexpr const char* names[] = {"none", "I", "II", "III"};
    return names[openness["mof_class"].get<int>()];
}

std::string spoken_osaid(const Json& openness) {
    std::string word = openness["osaid"].get<std::string>();
    std::replace(word.begin(), word.end(), '_', ' ');
    return word;
}

// Of a path its last part: a column is narrow.
std::string short_name(const Json& row) {
    auto name = row["model"].get<std::string>();
    if (row["seen"] != "files") return name;
    std::filesystem::path path = std::filesystem::path(name).lexically_normal();
    if (!path.has_filename()) path = path.parent_path();
    std::string last = path.filename().string();
    return last.empty() || last == "." || last == ".." ? name : last;
}

// Rows of the report: how each speaks of a release.
struct Field {
    const char* name;
    std::string (*tell)(const Json& row);
};
constexpr Field kFields[] = {
    {"", short_name},
    {"openness", [](const Json& row) { return openness_field(row, spoken_openness); }},
    {"MOF class", [](const Json& row) { return openness_field(row, spoken_class); }},
    {"OSAID 1.0", [](const Json& row) { return openness_field(row, spoken_osaid); }},
    {"licence", [](const Json& row) { return spoken_licence(row["licence"]); }},
    {"private use", [](const Json& row) { return spoken_verdict(row["licence"]["private_use"]); }},
    {"commercial use",
     [](const Json& row) { return spoken_verdict(row["licence"]["commercial_use"]); }},
    {"redistribution",
     [](const Json& row) { return spoken_verdict(row["licence"]["redistribution"]); }},
    {"parameters",
     [](const Json& row) {
         return row["parameters"].is_null() ? "-" : scaled(row["parameters"].get<double>());
     }},
    {"files", [](const Json& row) { return bytes_or_dash(row["file_bytes"]); }},
    {"context",
     [](const Json& row) {
         return row["n_ctx"].is_null() ? "-" : fmt::format("{} tokens", row["n_ctx"].get<long>());
     }},
};

std::string memory_of(const Json& row, std::size_t at) {
    return at < row["memory"].size() ? bytes_or_dash(row["memory"][at]["bytes"]) : "-";
}

std::vector<Line> lines_of(const std::vector<Json>& rows) {
    std::vector<Line> lines;
    for (const Field& field : kFields) {
        lines.push_back({field.name, {}});
        for (const Json& row : rows) lines.back().cells.push_back(field.tell(row));
    }
    const auto sized = std::find_if(rows.begin(), rows.end(),
                                    [](const Json& row) { return !row["memory"].empty(); });
    if (sized == rows.end()) return lines;
    for (std::size_t at = 0; at < (*sized)["memory"].size(); ++at) {
        lines.push_back({"at " + (*sized)["memory"][at]["type"].get<std::string>(), {}});
        for (const Json& row : rows) lines.back().cells.push_back(memory_of(row, at));
    }
    return lines;
}

constexpr std::size_t kNameColumns = 16;
constexpr std::size_t kNarrowest = 20;  // of a release's column

// Within so many columns whatever the words.
std::vector<std::string> cell_of(const std::string& text, std::size_t columns) {
    std::vector<std::string> lines;
    for (std::string& line : wrapped(text, columns)) {
        while (line.size() > columns) {
            const std::size_t end = text::char_before(line, columns + 1);  // not within a character
            lines.push_back(line.substr(0, end));
            line.erase(0, end);
        }
        lines.push_back(std::move(line));
    }
    return lines;
}

// One line of the table, its cells wrapped within their columns.
void put_line(const Line& line, std::size_t first, std::size_t count, std::size_t columns) {
    std::vector<std::vector<std::string>> cells;
    std::size_t height = 1;
    for (std::size_t i = first; i < first + count; ++i) {
        cells.push_back(cell_of(line.cells[i], columns - 2));
        height = std::max(height, cells.back().size());
    }
    for (std::size_t at = 0; at < height; ++at) {
        std::string text = fmt::format("{:<{}}", at == 0 ? line.name : "", kNameColumns);
        for (const auto& cell : cells)
            text += fmt::format("{:<{}}", at < cell.size() ? cell[at] : "", columns);
        text.erase(text.find_last_not_of(' ') + 1);
        put(text + "\n");
    }
}

// As many releases beside each other as fit, the others below.
void put_table(const std::vector<Json>& rows) {
    constexpr std::size_t most = (kReportColumns - kNameColumns) / kNarrowest;
    const std::vector<Line> lines = lines_of(rows);
    for (std::size_t first = 0; first < rows.size(); first += most) {
        const std::size_t count = std::min(most, rows.size() - first);
        if (first > 0) put("\n");
        for (const Line& line : lines)
            put_line(line, first, count,
                     (kReportColumns - kNameColumns) / std::min(most, rows.size()));
    }
    put(
        fmt::format("\nMemory is an estimate: weights at that type, and 16-bit cache for the "
                    "context or\n{} tokens, whichever is smaller. This is not legal advice.\n",
                    kEstimatedContext));
}

Status compare(const CompareOptions& o) {
    HEFT_TRY(const govern::Catalogue catalogue, govern::Catalogue::open());
    std::vector<Json> rows;
    for (const std::string& reference : o.references) {
        HEFT_TRY(Json row, row_of(catalogue, reference));
        rows.push_back(std::move(row));
    }
    if (!o.json) {
        put_table(rows);
        return {};
    }
    put_json({{"schema", "heft.compare/1"},
              {"estimated_context", kEstimatedContext},
              {"releases", rows},
              {"not_legal_advice", true}});
    return {};
}

}  // namespace

void add_compare(CLI::App& app, Action& action) {
    const auto o = std::make_shared<CompareOptions>();
    CLI::App* verb =
        add_verb(app, "compare", "Releases side by side: openness, licence, size, memory.",
                 "heft compare my-model/ other.gguf Qwen/Qwen2.5-3B");
    verb->add_option("MODEL", o->references, "models, or names that the catalogue knows")
        ->required();
    verb->add_flag("--json", o->json, "one heft.compare/1 document");
    verb->callback([o, &action] { action = [o] { return compare(*o); }; });
}

}  // namespace heft::app
