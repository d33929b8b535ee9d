// heft doctor: what to change on this machine, or in a server's configuration.
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/console.h"
#include "app/doctor/checks.h"
#include "app/help.h"
#include "app/serve_config.h"
#include "app/serve_flags.h"
#include "app/server_commands.h"
#include "app/wrap.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;
using doctor::Verdict;

struct DoctorOptions {
    std::string config;
    std::vector<std::string> words;
    bool json = false, list = false;
};

doctor::Patient patient_of(const DoctorOptions& o, doctor::Report& report) {
    doctor::Patient patient;
    report.begin("configuration");
    if (!o.config.empty()) {
        if (const Status read = read_serve_config(o.config, patient.settings); !read) {
            report.problem(read.error().what, "`heft serve --config-help` lists the settings");
            patient.settings = {};
        } else {
            report.ok(o.config + ": every setting is known");
        }
    }
    if (!o.words.empty()) {
        patient.settings.words = o.words;
        patient.settings.models.clear();
    }
    if (auto models = served_models(patient.settings))
        patient.models = std::move(*models);
    else
        report.problem(models.error().what, "as in `heft doctor coder=b.gguf`");
    return patient;
}

Json document(const doctor::Report& report) {
    Json findings = Json::array();
    for (const doctor::Finding& finding : report.findings())
        findings.push_back({{"check", finding.check},
                            {"verdict", to_string(finding.verdict)},
                            {"what", finding.what},
                            {"remedy", finding.remedy.empty() ? Json() : Json(finding.remedy)}});
    return {{"schema", "heft.doctor/1"},
            {"verdict", to_string(report.worst())},
            {"findings", std::move(findings)}};
}

void put_report(const doctor::Report& report) {
    int n_of[] = {0, 0, 0};
    for (const doctor::Finding& finding : report.findings()) {
        ++n_of[static_cast<int>(finding.verdict)];
        std::string text = fmt::format("{}: {}", finding.check, finding.what);
        if (!finding.remedy.empty()) text += " → " + finding.remedy;
        constexpr std::size_t kIndent = 10;
        put(paragraph(to_string(finding.verdict), text, kIndent));
    }
    put(fmt::format("\n{} ok, {} to improve, {} to mend\n", n_of[0], n_of[1], n_of[2]));
}

Status examine(const DoctorOptions& o) {
    if (o.list) {
        for (const auto& checks : {doctor::machine_checks(), doctor::server_checks()})
            for (const doctor::Check& check : checks)
                put(fmt::format("{:<16} {}\n", check.name, check.what));
        return {};
    }
    doctor::Report report;
    const doctor::Patient patient = patient_of(o, report);
    for (const auto& checks : {doctor::machine_checks(), doctor::server_checks()})
        for (const doctor::Check& check : checks) {
            report.begin(check.name);
            check.look(patient, report);
        }
    if (o.json)
        put_json(document(report));
    else
        put_report(report);
    // 0, 1 and 2 (docs/cli.md); the report has said it all.
    if (report.worst() == Verdict::problem) return Error{Code::invalid, ""};
    if (report.worst() == Verdict::advice) answer_no();
    return {};
}

}  // namespace

void add_doctor(CLI::App& app, Action& action) {
    const auto o = std::make_shared<DoctorOptions>();
    CLI::App* verb =
        add_verb(app, "doctor", "What to change on this machine or in a server's file.",
                 "heft doctor --config heft.yaml");
    verb->group(kBesideServe);
    verb->add_option("MODEL", o->words, "models, or NAME=MODEL, as `heft serve` gets them");
    verb->add_option("--config", o->config, "the server's configuration")->type_name("F");
    verb->add_flag("--list", o->list, "the checks");
    verb->add_flag("--json", o->json, "one heft.doctor/1 document");
    verb->callback([o, &action] { action = [o] { return examine(*o); }; });
}

}  // namespace heft::app
