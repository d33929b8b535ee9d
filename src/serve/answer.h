// The answer to a request: one stream of events, from which every dialect makes its own words,
// streamed or not.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "serve/finish.h"
#include "serve/request.h"
#include "serve/service.h"

namespace heft::serve {

struct TokenInfo {
    struct Alternative {
        std::string bytes;  // what the token stands for; need not be UTF-8
        engine::TokenId id = 0;
        float logprob = 0;
    };
    Alternative chosen;
    std::vector<Alternative> top;
};

struct Event {
    enum class Kind : std::uint8_t {
        reasoning,       // text is added
        text,            // text is added
        call_begin,      // of the call number `call`, with id and name
        call_arguments,  // text is added
        call_end,
        tokens,    // log-probabilities of the tokens since the last such event
        finished,  // of one choice
    };
    Kind kind = Kind::text;
    int choice = 0;
    std::string text = {};
    int call = 0;
    std::string id = {}, name = {};
    std::vector<TokenInfo> tokens = {};
    Finish finish = Finish::stop;
};

struct Choice {
    std::string text, reasoning;
    std::vector<ToolCall> calls;
    std::vector<TokenInfo> tokens;
    Finish finish = Finish::stop;
    std::string stop_string;  // which one came up
    bool finished = false;
};

struct Usage {
    int n_prompt = 0;  // of prompts, each counted once, however many choices
    int n_cached = 0;
    int n_made = 0;
    int n_reasoning = 0;  // of n_made
};

// All that is known of the answer so far; complete when it is done.
struct Answer {
    std::string id;  // of the request, without a dialect's prefix
    std::string model;
    std::string fingerprint;
    std::int64_t created_s = 0;
    std::vector<Choice> choices;
    Usage usage;
    std::vector<std::string> degraded;
    std::uint64_t seed = 0;  // of the first choice
    double load_s = 0, prompt_s = 0, decode_s = 0, total_s = 0, first_token_s = 0;
};

// Whoever says the answer. Called by one thread at a time, must not block. started(), then events,
// then done() or failed(); or failed() alone.
class Sink {
  public:
    virtual ~Sink() = default;
    virtual void started(const Answer& answer) = 0;
    virtual void event(const Event& event, const Answer& answer) = 0;
    virtual void done(const Answer& answer) = 0;
    virtual void failed(const Failure& failure) = 0;
};

// Answers the request, which check() has found in order. The jobs are cancelled when the client of
// `responder` goes away. Returns at once; sink and request are held until the answer is complete.
void answer(Service& service, Request request, std::shared_ptr<Responder> responder,
            std::shared_ptr<Sink> sink);

}  // namespace heft::serve
