// heft verify: whether a model's files can be relied on.
#include "govern/verify/verify.h"

#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/console.h"
#include "app/file_progress.h"
#include "app/help.h"
#include "app/interrupt.h"
#include "app/release.h"
#include "base/clock.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;

struct VerifyOptions {
    std::string reference, key;
    bool quick = false, json = false;
};

Status check_opened(const LocalRelease& local, const verify::RecordCheck& record,
                    const verify::Progress& progress, verify::Report& report) {
    const format::Checkpoint& checkpoint = local.engine->checkpoint();
    ThreadPool pool;
    HEFT_OK(verify::check_record(verify::carrier_of(checkpoint), record, pool, progress, report));
    const auto config = local.engine->config();
    if (config)
        verify::check_shapes(checkpoint, **config, report);
    else
        report.add(verify::Severity::warning, "shape", {},
                   "shapes were not compared: " + config.error().what);
    verify::check_template(checkpoint, report);
    if (!record.with_contents) return {};
    return verify::check_numbers(checkpoint.tensors(), pool, progress, report);
}

Status check_adapter(const std::string& reference, const verify::RecordCheck& record,
                     const verify::Progress& progress, verify::Report& report) {
    const auto adapter = format::open_adapter_files(reference);
    if (!adapter) {
        report.add(verify::Severity::problem, "file", {},
                   "the adapter cannot be opened: " + adapter.error().what);
        return {};
    }
    ThreadPool pool;
    HEFT_OK(verify::check_record(verify::carrier_of(*adapter), record, pool, progress, report));
    if (!record.with_contents) return {};
    return verify::check_numbers(adapter->tensors, pool, progress, report);
}

Result<verify::Report> report_of(const VerifyOptions& o) {
    verify::RecordCheck record;
    record.with_contents = !o.quick;
    if (!o.key.empty()) {
        HEFT_TRY(record.public_key, read_public_key(o.key));
    }
    HEFT_TRY(const LocalRelease local, open_local_release(o.reference));
    const InterruptGuard interrupt;
    FileProgress line(&interrupt.requested());
    std::string current;
    const verify::Progress progress = [&](const std::string& what, std::uint64_t done,
                                          std::uint64_t total) {
        if (what != current) line.begin(what);
        current = what;
        return line.show(done, total);
    };
    verify::Report report;
    const bool embedded = local.engine && local.engine->embedded();
    if (!embedded) verify::check_files(local.files, report);
    if (local.engine)
        HEFT_OK(check_opened(local, record, progress, report));
    else if (format::is_adapter(o.reference))
        HEFT_OK(check_adapter(o.reference, record, progress, report));
    else
        report.add(verify::Severity::problem, "file", {},
                   "the weights cannot be opened: " + local.why_not_opened);
    if (!embedded && !o.quick) HEFT_OK(verify::check_hashes(local.files, progress, report));
    return report;
}

Json record_json(const verify::RecordFound& record) {
    if (!record.is_there) return nullptr;
    const auto or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
    return {{"contents", verify::state_name(record.contents)},
            {"signature", verify::signature_name(record.signature)},
            {"public_key", or_null(record.public_key)},
            {"fingerprint", or_null(record.fingerprint)}};
}

// "; contents as written, signed with key 0123…": of what carries a record.
std::string spoken_record(const verify::RecordFound& record) {
    if (!record.is_there) return {};
    std::string text = std::string("; contents ") + verify::state_name(record.contents);
    switch (record.signature) {
        case govern::Signature::none: return text + ", unsigned";
        case govern::Signature::good: return text + ", signed with key " + record.fingerprint;
        case govern::Signature::broken: return text + ", signature broken";
    }
    return text;
}

Json document(const VerifyOptions& o, const verify::Report& report, double seconds) {
    Json findings = Json::array();
    for (const verify::Finding& finding : report.findings)
        findings.push_back({{"severity", verify::severity_name(finding.severity)},
                            {"check", finding.check},
                            {"file", finding.file.empty() ? Json() : Json(finding.file)},
                            {"what", finding.what}});
    return {{"schema", "heft.verify/1"},
            {"model", o.reference},
            {"verdict", report.sound() ? "sound" : "problems"},
            {"files", report.n_files},
            {"hashes_compared", report.n_hashes},
            {"tensors", report.n_tensors},
            {"numbers_checked", report.n_numbers},
            {"bytes_read", report.n_bytes},
            {"seconds", seconds},
            {"lineage", record_json(report.record)},
            {"findings", std::move(findings)}};
}

void put_report(const VerifyOptions& o, const verify::Report& report, double seconds) {
    for (const verify::Finding& finding : report.findings)
        put(fmt::format("{:<8} {:<10} {}{}{}\n", verify::severity_name(finding.severity),
                        finding.check, finding.file, finding.file.empty() ? "" : ": ",
                        finding.what));
    const double rate = seconds > 0 ? static_cast<double>(report.n_bytes) / seconds / 1e9 : 0;
    put(fmt::format(
        "{}: {}{}; looked at {} files, {} hashes and {} numbers in {} tensors; {:.1f} s, "
        "{:.2f} GB/s\n",
        o.reference, report.sound() ? "sound" : "has problems", spoken_record(report.record),
        report.n_files, report.n_hashes, report.n_numbers, report.n_tensors, seconds, rate));
}

Status verify_model(const VerifyOptions& o) {
    const Clock::time_point began = Clock::now();
    HEFT_TRY(const verify::Report report, report_of(o));
    const double seconds = seconds_since(began);
    if (o.json)
        put_json(document(o, report, seconds));
    else
        put_report(o, report, seconds);
    if (!report.sound()) answer_no();
    return {};
}

}  // namespace

void add_verify(CLI::App& app, Action& action) {
    const auto o = std::make_shared<VerifyOptions>();
    CLI::App* verb = add_verb(
        app, "verify",
        "Whether a model's files can be relied on, and whether what heft made is unchanged.",
        "heft verify my-model/ && heft run my-model/ \"Hello\"");
    verb->add_option("MODEL", o->reference,
                     "a folder, a .gguf or .safetensors file, an adapter, or tiny")
        ->required();
    verb->add_option("--key", o->key, "it has to be signed with this key: a public one in PEM")
        ->type_name("PUB.pem");
    verb->add_flag("--quick", o->quick, "without reading the weights (hashes, NaN)");
    verb->add_flag("--json", o->json, "one heft.verify/1 document");
    verb->callback([o, &action] { action = [o] { return verify_model(*o); }; });
}

}  // namespace heft::app
