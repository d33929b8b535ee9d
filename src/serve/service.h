// What the APIs need of the server that they are part of: models to talk to, and somebody to tell
// how requests ended. Implemented by the registry of models; safe to call from any thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "engine/engine.h"
#include "engine/scheduler.h"
#include "serve/exchange.h"
#include "serve/failure.h"

namespace heft::serve {

// A model as lists show it, loaded or not.
struct ModelInfo {
    std::string name;                       // as requests name it
    std::vector<std::string> aliases = {};  // as they may name it besides
    std::string base;            // of an adapter: the model beside whose weights it is applied
    std::int64_t created_s = 0;  // of the file, since 1970
    std::uint64_t file_bytes = 0;
    std::string digest;          // hex SHA-256 of what identifies the files; may be empty
    std::string format;          // "gguf", "safetensors" …
    std::string family;          // "llama"
    std::string parameter_size;  // "1.2B"
    std::string quantization;    // "Q4_K_M"
    std::int64_t n_ctx = 0;      // as it is served
    std::int64_t n_ctx_own = 0;  // as the model has it
    bool loaded = false;
    std::uint64_t memory_bytes = 0;                                     // while loaded, at most
    std::optional<std::chrono::system_clock::time_point> expires = {};  // unloaded then, if idle
    // Its licence and openness, as the page shows them; may be null.
    std::shared_ptr<const nlohmann::ordered_json> card = {};

    bool is_called(std::string_view wanted) const {
        return name == wanted || std::find(aliases.begin(), aliases.end(), wanted) != aliases.end();
    }
};

// A loaded model; stays loaded while somebody holds it. It may be let go of on the scheduler's own
// thread, at the end of a job: whoever made it sees to it that it is not destroyed there.
class Model {
  public:
    virtual ~Model() = default;
    virtual const std::string& name() const = 0;
    virtual const engine::Engine& engine() const = 0;
    virtual engine::Scheduler& scheduler() const = 0;
    virtual int adapter() const = 0;         // for engine::Request
    virtual std::int64_t n_ctx() const = 0;  // of one sequence
};

// One of the two.
struct Opened {
    std::shared_ptr<Model> model;
    Failure failure;
};

// How a request ended, for metrics, logs and the limits of its key. Told once for each request
// that named a model and was well-formed.
struct Outcome {
    std::string endpoint;  // "/v1/chat/completions"
    std::string model;
    std::string owner;  // Caller::name
    std::string request_id;
    int status = 200;
    std::optional<FailureKind> failure = {};
    bool cancelled = false;  // the client went away
    int n_prompt = 0, n_cached = 0, n_made = 0;
    double first_token_s = 0;  // since the request came; 0: there was none
    double total_s = 0;
    std::vector<std::string> degraded;
};

class Service {
  public:
    virtual ~Service() = default;

    virtual std::vector<ModelInfo> models() const = 0;

    // Finds the model, loads it if need be, and calls `then` once: at once or from another thread.
    // An empty name is the default model. Refuses models that the caller may not use and callers
    // beyond their limits. keep_alive: how long it stays loaded when idle, if the request says so
    // and its caller may; negative: for ever.
    virtual void open(const std::string& name, const Caller& caller,
                      std::optional<std::chrono::seconds> keep_alive,
                      std::function<void(Opened)> then) = 0;

    // Lets go of an idle model now; answers whether there is such a model.
    virtual bool unload(const std::string& name) = 0;

    virtual void report(const Outcome& outcome) = 0;
    virtual std::string version() const = 0;  // of the program: "0.6.0"
};

}  // namespace heft::serve
