#include "conform/run.h"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/json.h"
#include "conform/checks.h"

namespace heft::conform {

namespace {

constexpr int kGood = 200, kNotFound = 404, kWrongMethod = 405, kNotImplemented = 501;

Json parsed(std::string_view text) {
    auto tree = parse_json_tree(text);
    return tree ? std::move(*tree) : Json(Json::value_t::discarded);
}

std::string_view take_line(std::string_view& text) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

// Server-sent events (WHATWG HTML, 9.2): fields, and a blank line after each event.
std::vector<Event> sent_events(std::string_view text) {
    std::vector<Event> events;
    Event now;
    bool any = false;
    while (!text.empty()) {
        std::string_view line = take_line(text);
        const std::size_t colon = std::min(line.find(':'), line.size());
        const std::string_view field = line.substr(0, colon);
        std::string_view value = line.substr(std::min(colon + 1, line.size()));
        if (value.starts_with(' ')) value.remove_prefix(1);
        if (line.empty()) {
            now.json = parsed(now.data);
            if (any) events.push_back(std::move(now));
            now = {};
            any = false;
        } else if (field == "event") {
            now.name = value;
        } else if (field == "data") {
            now.data += (any ? "\n" : "") + std::string(value);
            any = true;
        }
    }
    return events;
}

std::vector<Event> lines_of(std::string_view text) {
    std::vector<Event> events;
    while (!text.empty()) {
        const std::string_view line = take_line(text);
        if (!line.empty()) events.push_back({"", std::string(line), parsed(line)});
    }
    return events;
}

std::string replaced(std::string_view text, std::string_view what, const std::string& by) {
    std::string out(text);
    for (std::size_t at = out.find(what); at != std::string::npos;
         at = out.find(what, at + by.size()))
        out.replace(at, what.size(), by);
    return out;
}

std::string in_json(const std::string& text) {
    const std::string quoted = Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
    return quoted.substr(1, quoted.size() - 2);
}

std::string in_path(const std::string& text) {
    constexpr std::string_view kPlain = "-._~:";  // and letters and digits
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
                           || (c >= 'A' && c <= 'Z') || kPlain.find(c) != std::string_view::npos;
        out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

class Runner {
  public:
    explicit Runner(const RunOptions& options)
        : options_(options), client_(options.url, options.client), model_(options.model) {}

    Status find_model();
    Outcome try_case(const Api& api, const Case& row);
    const std::string& model() const { return model_; }

  private:
    bool calls_tools();
    Result<Reply> send(const Api& api, const Case& row);

    const RunOptions& options_;
    net::Client client_;
    std::string model_, id_;
    std::optional<bool> tools_;
    std::map<std::string_view, bool> offered_;  // paths; the first row of each finds out
};

Status Runner::find_model() {
    const struct {
        const char *path, *list, *name;
    } rows[] = {{"/v1/models", "/data/0", "/id"}, {"/api/tags", "/models/0", "/name"}};
    for (const auto& row : rows) {
        if (!model_.empty()) return {};
        HEFT_TRY(net::ClientAnswer answer, client_.ask({"GET", row.path, options_.headers, {}}));
        constexpr int kUnauthorized = 401;
        if (answer.status == kUnauthorized)
            return Error{Code::invalid, fmt::format("{} wants a key: HEFT_API_KEY or --key-file",
                                                    net::to_string(options_.url))};
        model_ = text_at(parsed(answer.body), std::string(row.list) + row.name);
    }
    if (!model_.empty()) return {};
    return Error{Code::invalid, fmt::format("{} lists no model; name one by --model",
                                            net::to_string(options_.url))};
}

Result<Reply> Runner::send(const Api& api, const Case& row) {
    const auto filled = [&](std::string_view text, std::string (*as)(const std::string&)) {
        std::string out(text);
        for (const Word& word : api.words) out = replaced(out, word.name, std::string(word.text));
        return replaced(replaced(out, "$MODEL", as(model_)), "$ID", as(id_));
    };
    net::ClientRequest request;
    request.method = row.method;
    request.target = filled(row.path, in_path);
    request.headers = options_.headers;
    if (!api.header.empty()) request.headers.emplace_back(api.header, api.header_value);
    request.body = filled(row.body, in_json);
    if (!row.body.empty()) request.headers.emplace_back("Content-Type", "application/json");
    HEFT_TRY(net::ClientAnswer answer, client_.ask(request));
    Reply reply = read_reply(std::move(answer));
    if (const std::string id = text_at(reply.json, "/id"); !id.empty()) id_ = id;
    return reply;
}

// As Ollama's API tells; a server without it is taken to.
bool Runner::calls_tools() {
    if (tools_) return *tools_;
    tools_ = true;
    const auto answer = client_.ask({"POST", "/api/show", options_.headers,
                                     fmt::format(R"({{"model":"{}"}})", in_json(model_))});
    if (!answer || answer->status != kGood) return true;
    const Json tree = parsed(answer->body);
    const Json& can = at(tree, "/capabilities");
    if (can.is_array()) tools_ = std::find(can.begin(), can.end(), "tools") != can.end();
    return *tools_;
}

Outcome Runner::try_case(const Api& api, const Case& row) {
    Outcome outcome{&api, &row, Verdict::fail, {}, 0};
    const auto known = offered_.find(row.path);
    if (known != offered_.end() && !known->second) {
        outcome.verdict = Verdict::not_offered;
        return outcome;
    }
    if (row.needs_tools && !calls_tools()) {
        outcome.verdict = Verdict::not_offered;
        outcome.got = "the model calls no tools";
        return outcome;
    }
    const auto begin = Clock::now();
    auto reply = send(api, row);
    outcome.seconds = seconds_since(begin);
    if (!reply) {
        outcome.got = reply.error().what;
        return outcome;
    }
    const bool unknown = reply->status == kNotFound || reply->status == kWrongMethod
                         || reply->status == kNotImplemented;
    const bool offered = !unknown || reply->status == row.status;
    offered_.emplace(row.path, offered);
    if (!offered && known == offered_.end()) {
        outcome.verdict = Verdict::not_offered;
        return outcome;
    }
    outcome.got = judge(row, *reply, model_);
    if (outcome.got.empty() && row.again) {
        const auto second = send(api, row);
        if (!second || at(second->json, row.same) != at(reply->json, row.same))
            outcome.got = fmt::format("{} is not the same the second time", row.same);
    }
    if (outcome.got.empty()) outcome.verdict = Verdict::pass;
    return outcome;
}

}  // namespace

std::string_view to_string(Verdict verdict) {
    switch (verdict) {
        case Verdict::pass: return "pass";
        case Verdict::fail: return "fail";
        case Verdict::not_offered: return "not offered";
    }
    return "";
}

std::string judge(const Case& row, const Reply& reply, const std::string& model) {
    if (reply.status != row.status)
        return fmt::format("status {}, not {}: {}", reply.status, row.status, shown(reply.body));
    for (Expect expect : row.expects) {
        const std::string value = replaced(expect.value, "$MODEL", in_json(model));
        expect.value = value;
        if (std::string what = unmet(expect, reply.json); !what.empty()) return what;
    }
    return row.check == nullptr ? std::string() : row.check(reply);
}

Reply read_reply(net::ClientAnswer answer) {
    Reply reply;
    reply.status = answer.status;
    const std::string type = answer.header("content-type");
    reply.headers = std::move(answer.headers);
    reply.body = std::move(answer.body);
    reply.json = Json(Json::value_t::discarded);
    if (type.starts_with("text/event-stream"))
        reply.events = sent_events(reply.body);
    else if (type.starts_with("application/x-ndjson"))
        reply.events = lines_of(reply.body);
    else
        reply.json = parsed(reply.body);
    return reply;
}

Result<Run> run(const RunOptions& options) {
    Runner runner(options);
    HEFT_OK(runner.find_model());
    Run all;
    all.model = runner.model();
    for (const Api& api : apis())
        for (const Case& row : api.cases) {
            if (options.client.cancel != nullptr && *options.client.cancel)
                return Error{Code::cancelled, ""};
            all.outcomes.push_back(runner.try_case(api, row));
            if (options.on_outcome) options.on_outcome(all.outcomes.back());
        }
    return all;
}

}  // namespace heft::conform
