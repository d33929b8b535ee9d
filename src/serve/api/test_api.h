// The API with the embedded model behind it and no sockets, for tests.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "serve/api/body.h"
#include "serve/api/routes.h"
#include "serve/router.h"

namespace heft::serve::test {

// Keeps what is said, and lets the test wait for its end.
class Recorder : public Responder {
  public:
    void send(int status, std::string_view type, std::string body, Headers headers) override {
        const std::lock_guard lock(mutex_);
        status_ = status;
        type_ = type;
        body_ = std::move(body);
        headers_ = std::move(headers);
        ended_ = true;
        changed_.notify_all();
    }
    void begin(int status, std::string_view type, Headers headers) override {
        const std::lock_guard lock(mutex_);
        status_ = status;
        type_ = type;
        headers_ = std::move(headers);
    }
    void write(std::string chunk) override {
        const std::lock_guard lock(mutex_);
        body_ += chunk;
        ++n_chunks_;
        changed_.notify_all();
    }
    void end() override {
        const std::lock_guard lock(mutex_);
        ended_ = true;
        changed_.notify_all();
    }
    bool gone() const override {
        const std::lock_guard lock(mutex_);
        return gone_;
    }
    void when_gone(std::function<void()> call) override { call_ = std::move(call); }

    void go() {
        {
            const std::lock_guard lock(mutex_);
            gone_ = true;
        }
        if (call_) call_();
    }
    bool wait_end() {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(120), [this] { return ended_; });
    }
    bool wait_chunks(int count) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(120),
                                 [this, count] { return n_chunks_ >= count; });
    }

    int status() const { return status_; }
    const std::string& type() const { return type_; }
    const std::string& body() const { return body_; }
    const Headers& headers() const { return headers_; }

  private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::function<void()> call_;
    int status_ = 0, n_chunks_ = 0;
    std::string type_, body_;
    Headers headers_;
    bool ended_ = false, gone_ = false;
};

class TinyModel : public Model {
  public:
    explicit TinyModel(const std::string& reference)
        : engine_(open(reference)), scheduler_(start(engine_)) {}
    const std::string& name() const override { return name_; }
    const engine::Engine& engine() const override { return engine_; }
    engine::Scheduler& scheduler() const override { return *scheduler_; }
    int adapter() const override { return 0; }
    std::int64_t n_ctx() const override { return scheduler_->n_ctx(); }

  private:
    static engine::Engine open(const std::string& reference) {
        engine::OpenOptions options;
        options.n_threads = 1;
        options.deterministic = true;
        return std::move(*engine::Engine::open(reference, options));
    }
    static std::unique_ptr<engine::Scheduler> start(const engine::Engine& engine) {
        return std::move(*engine::Scheduler::start(engine));
    }
    const std::string name_ = "tiny";
    const engine::Engine engine_;
    const std::unique_ptr<engine::Scheduler> scheduler_;
};

class TinyService : public Service {
  public:
    explicit TinyService(const std::string& reference)
        : model_(std::make_shared<TinyModel>(reference)) {}
    // Not before the scheduler's thread has let go of the model: it cannot wait for itself.
    ~TinyService() override {
        model_->scheduler().drain(Clock::now() + std::chrono::seconds(60));
        while (model_.use_count() > 1) std::this_thread::yield();
    }
    std::vector<ModelInfo> models() const override {
        ModelInfo info;
        info.name = "tiny";
        info.family = "llama";
        info.format = "gguf";
        info.loaded = true;
        info.n_ctx = model_->n_ctx();
        return {info};
    }
    void open(const std::string& name, const Caller& /*caller*/,
              std::optional<std::chrono::seconds> /*keep_alive*/,
              std::function<void(Opened)> then) override {
        if (name.empty() || name == "tiny") return then({model_, {}});
        Failure failure;
        failure.kind = FailureKind::not_found;
        failure.code = "model_not_found";
        failure.param = "model";
        failure.message = "there is no model \"" + name + "\"";
        then({nullptr, failure});
    }
    bool unload(const std::string& name) override { return name == "tiny"; }
    void report(const Outcome& outcome) override {
        const std::lock_guard lock(mutex_);
        outcomes_.push_back(outcome);
        reported_.notify_all();
    }
    std::string version() const override { return "0.0.0"; }

    std::vector<Outcome> outcomes(std::size_t at_least = 0) {
        std::unique_lock lock(mutex_);
        reported_.wait_for(lock, std::chrono::seconds(60),
                           [&] { return outcomes_.size() >= at_least; });
        return outcomes_;
    }
    const TinyModel& model() const { return *model_; }

  private:
    const std::shared_ptr<TinyModel> model_;
    std::mutex mutex_;
    std::condition_variable reported_;
    std::vector<Outcome> outcomes_;
};

struct Said {
    int status = 0;
    std::string type, text;
    Json json;                       // of a whole body
    std::vector<Json> events;        // of a stream, the data of each
    std::vector<std::string> names;  // of server-sent events, where they have any
    bool done_mark = false;          // "[DONE]" came last
    Headers headers;
};

inline void read_events(Said& said) {
    const bool lines = said.type == "application/x-ndjson";
    std::size_t at = 0;
    while (at < said.text.size()) {
        const std::size_t end = std::min(said.text.find('\n', at), said.text.size());
        std::string line = said.text.substr(at, end - at);
        at = end + 1;
        if (line.rfind("event: ", 0) == 0) said.names.push_back(line.substr(7));
        if (!lines && line.rfind("data: ", 0) != 0) continue;
        if (!lines) line = line.substr(6);
        said.done_mark = line == "[DONE]";
        if (said.done_mark) continue;
        auto json = body_json(line);
        EXPECT_TRUE(json) << line;
        if (json) said.events.push_back(std::move(*json));
    }
}

class Server {
  public:
    // Another model than tiny is known under its name nevertheless.
    explicit Server(const std::string& reference = "tiny")
        : service_(reference), routes_(api_routes(service_, nullptr)), router_(routes_) {}

    std::shared_ptr<Recorder> begin(const std::string& method, const std::string& path,
                                    const std::string& body = {},
                                    const std::string& caller = "local") {
        auto recorder = std::make_shared<Recorder>();
        HttpRequest http;
        http.method = method;
        http.path = path;
        http.body = body;
        http.id = "r" + std::to_string(++n_requests_);
        http.caller.name = caller;
        http.caller.admin = caller == "local";
        if (const std::size_t question = path.find('?'); question != std::string::npos) {
            http.path = path.substr(0, question);
            const std::size_t equals = path.find('=', question);
            http.query[path.substr(question + 1, equals - question - 1)] = path.substr(equals + 1);
        }
        Router::Match match = router_.find(method, http.path);
        http.parameters = std::move(match.parameters);
        if (match.route != nullptr) {
            match.route->handler(http, recorder);
            return recorder;
        }
        ADD_FAILURE() << "no route for " << method << " " << path;
        recorder->end();
        return recorder;
    }

    Said call(const std::string& method, const std::string& path, const std::string& body = {},
              const std::string& caller = "local") {
        const auto recorder = begin(method, path, body, caller);
        EXPECT_TRUE(recorder->wait_end()) << path << " " << body;
        Said said;
        said.status = recorder->status();
        said.type = recorder->type();
        said.text = recorder->body();
        said.headers = recorder->headers();
        if (said.type == "application/json")
            said.json = *body_json(said.text);
        else
            read_events(said);
        return said;
    }
    Said post(const std::string& path, const Json& body) { return call("POST", path, body.dump()); }

    TinyService& service() { return service_; }
    const std::vector<Route>& routes() const { return routes_; }

  private:
    TinyService service_;
    const std::vector<Route> routes_;
    const Router router_;
    int n_requests_ = 0;
};

// One for all tests of a program: the model is opened once.
inline Server& server() {
    static Server one;
    return one;
}

}  // namespace heft::serve::test
