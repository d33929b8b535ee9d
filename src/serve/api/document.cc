#include "serve/api/document.h"

#include <fmt/format.h>

#include "serve/api/endpoint.h"
#include "serve/api/ollama.h"
#include "serve/operations_routes.h"

namespace heft::serve {

namespace {

constexpr double kNoLimit = 1e300;

std::string range_of(const Parameter& row) {
    if (row.low <= -kNoLimit && row.high >= kNoLimit) return "";
    constexpr double kLarge = 1e8;  // from here on a limit only keeps numbers sane
    if (row.high >= kLarge) return fmt::format("{} and more", row.low);
    return fmt::format("{} to {}", row.low, row.high);
}

const char* use_of(Use use) {
    switch (use) {
        case Use::honoured: return "";
        case Use::accepted: return "accepted: ";
        case Use::degraded: return "**degraded**: ";
        case Use::refused: return "**refused**: ";
    }
    return "";
}

std::string table_of(Parameters rows) {
    std::string text = "| parameter | is | range | what |\n| --- | --- | --- | --- |\n";
    for (const Parameter& row : rows)
        text += fmt::format("| `{}` | {} | {} | {}{} |\n", row.name, type_names(row.type),
                            range_of(row), use_of(row.use), row.what);
    return text;
}

std::string operations_table() {
    std::string text = "| `GET` | needs a key | what |\n| --- | --- | --- |\n";
    for (const OperationsPath& row : operations_paths())
        text += fmt::format("| `{}` | {} | {} |\n", row.path, row.open ? "no" : "yes", row.what);
    return text;
}

}  // namespace

std::string api_document() {
    std::string text =
        "# The APIs\n\nMade from the tables that read the requests (`src/serve/api/`). *Accepted* "
        "parameters\nsay nothing that could change the answer. *Degraded* ones cannot be done, and "
        "the reply says so in\n`heft.degraded`. *Refused* ones are an error with status 400, and "
        "so are unknown ones, but in Ollama's\nAPI, where they are degraded. `null` counts as "
        "absent everywhere.\n";
    std::string_view heading;
    for (const Dialect& dialect : dialects()) {
        if (dialect.name != heading) text += fmt::format("\n## {}\n", dialect.name);
        heading = dialect.name;
        for (const Endpoint& endpoint : dialect.endpoints) {
            text += fmt::format("\n### `{} {}`\n\n{}.\n", endpoint.method, endpoint.pattern,
                                endpoint.what);
            if (!endpoint.parameters.empty()) text += "\n" + table_of(endpoint.parameters);
        }
    }
    return text + "\n## Ollama's options\n\n" + table_of(ollama::option_rows())
           + "\n## For operators and the page\n\nSee [serve.md](serve.md).\n\n"
           + operations_table();
}

}  // namespace heft::serve
