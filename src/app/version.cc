// heft version: what was built and what this machine offers it.
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/build_info.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/help.h"
#include "base/threads.h"
#include "kernel/table.h"

namespace heft::app {

namespace {

Status version(bool json) {
    const BuildInfo& build = build_info();
    std::vector<std::string> found;
    for (const kernel::Table* table : kernel::usable()) found.emplace_back(table->name);
    if (json) {
        put_json({{"schema", "heft.version/1"},
                  {"version", build.version},
                  {"commit", build.commit},
                  {"compiler", build.compiler},
                  {"build_type", build.build_type},
                  {"sanitizers", build.sanitizers},
                  {"isa", {{"found", found}, {"used", kernel::best().name}}},
                  {"cpus", usable_cpus()}});
        return {};
    }
    put(
        fmt::format("heft {} ({})\ncompiler: {}, {}{}{}\ninstruction sets: {}; in use: {}\n"
                    "CPUs: {}\n",
                    build.version, build.commit, build.compiler, build.build_type,
                    *build.sanitizers != '\0' ? ", sanitizers " : "", build.sanitizers,
                    fmt::join(found, ", "), kernel::best().name, usable_cpus()));
    return {};
}

}  // namespace

void add_version(CLI::App& app, Action& action) {
    const auto json = std::make_shared<bool>(false);
    CLI::App* verb = add_verb(app, "version", "Version, commit, compiler and instruction sets.",
                              "heft version --json");
    verb->add_flag("--json", *json, "one heft.version/1 document");
    verb->callback([json, &action] { action = [json] { return version(*json); }; });
}

}  // namespace heft::app
