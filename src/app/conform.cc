// heft conform: whether a server does what the APIs that it offers promise.
#include <map>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/console.h"
#include "app/help.h"
#include "app/interrupt.h"
#include "app/remote.h"
#include "app/server_commands.h"
#include "conform/run.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;
using conform::Outcome;

struct ConformOptions {
    RemoteFlags remote;
    std::string model;
    bool json = false;
};

// The matrix, a line at a time: an endpoint's name once, then its behaviours.
class Table {
  public:
    void add(const Outcome& outcome) {
        if (outcome.api->name != api_) put(fmt::format("\n{}\n", outcome.api->name));
        const std::string endpoint = fmt::format("{} {}", outcome.row->method, outcome.row->path);
        put(fmt::format("  {:<34} {:<12} {}\n", endpoint == endpoint_ ? "" : endpoint,
                        to_string(outcome.verdict), outcome.row->behaviour));
        if (!outcome.got.empty()) put(fmt::format("  {:<47} {}\n", "", outcome.got));
        api_ = outcome.api->name;
        endpoint_ = endpoint;
    }

  private:
    std::string_view api_;
    std::string endpoint_;
};

std::map<std::string_view, int> counts_of(const conform::Run& run) {
    std::map<std::string_view, int> counts = {{"fail", 0}, {"not offered", 0}, {"pass", 0}};
    for (const Outcome& outcome : run.outcomes) ++counts[to_string(outcome.verdict)];
    return counts;
}

Json document(const Remote& remote, const conform::Run& run) {
    Json cases = Json::array();
    for (const Outcome& outcome : run.outcomes)
        cases.push_back({{"api", outcome.api->name},
                         {"method", outcome.row->method},
                         {"path", outcome.row->path},
                         {"behaviour", outcome.row->behaviour},
                         {"verdict", to_string(outcome.verdict)},
                         {"got", outcome.got.empty() ? Json() : Json(outcome.got)},
                         {"seconds", outcome.seconds}});
    const auto counts = counts_of(run);
    return {{"schema", "heft.conform/1"}, {"url", net::to_string(remote.url)},
            {"model", run.model},         {"pass", counts.at("pass")},
            {"fail", counts.at("fail")},  {"not_offered", counts.at("not offered")},
            {"cases", std::move(cases)}};
}

Status try_server(const ConformOptions& o) {
    constexpr std::chrono::seconds kSilence{120};
    const InterruptGuard interrupt;
    HEFT_TRY(const Remote remote, remote_of(o.remote, &interrupt.requested()));
    conform::RunOptions options;
    options.url = remote.url;
    options.client = remote.options;
    options.client.silence = kSilence;
    options.headers = remote.headers;
    options.model = o.model;
    Table table;
    if (!o.json) options.on_outcome = [&](const Outcome& outcome) { table.add(outcome); };
    HEFT_TRY(const conform::Run run, conform::run(options));
    const auto counts = counts_of(run);
    if (o.json)
        put_json(document(remote, run));
    else
        put(fmt::format("\n{}, model {}: {} pass, {} fail, {} not offered\n",
                        net::to_string(remote.url), run.model, counts.at("pass"), counts.at("fail"),
                        counts.at("not offered")));
    if (counts.at("fail") > 0) answer_no();
    return {};
}

}  // namespace

void add_conform(CLI::App& app, Action& action) {
    const auto o = std::make_shared<ConformOptions>();
    CLI::App* verb = add_verb(app, "conform", "Whether a server keeps to the APIs that it offers.",
                              "heft conform http://127.0.0.1:8080");
    verb->group(kBesideServe);
    verb->add_option("URL", o->remote.url, "the server");
    verb->add_option("--model", o->model, "the model to ask (the first of the list)")
        ->type_name("M");
    add_remote_access(*verb, o->remote);
    verb->add_flag("--json", o->json, "one heft.conform/1 document");
    verb->callback([o, &action] { action = [o] { return try_server(*o); }; });
}

}  // namespace heft::app
