#include "serve/metrics.h"

#include <algorithm>

#include <fmt/format.h>

namespace heft::serve {

namespace {

constexpr double kFirstBound = 0.0005;
constexpr double kMicroseconds = 1e6;

void head(std::string& text, std::string_view name, std::string_view type, std::string_view help) {
    text += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

// A label's value: quotes, backslashes and line ends are all that the format knows.
std::string escaped(std::string_view value) {
    std::string out;
    for (const char c : value) {
        if (c == '\\' || c == '"') out += '\\';
        out += c == '\n' ? ' ' : c;
    }
    return out;
}

void counter(std::string& text, std::string_view name, std::string_view help, std::uint64_t value) {
    head(text, name, "counter", help);
    text += fmt::format("{} {}\n", name, value);
}

void gauge(std::string& text, std::string_view name, std::string_view help, std::uint64_t value) {
    head(text, name, "gauge", help);
    text += fmt::format("{} {}\n", name, value);
}

template <class Map>
void counters(std::string& text, std::string_view name, std::string_view help,
              std::string_view label, const Map& map) {
    head(text, name, "counter", help);
    for (const auto& [key, value] : map)
        text += fmt::format("{}{{{}=\"{}\"}} {}\n", name, label, escaped(fmt::format("{}", key)),
                            value);
}

struct ModelRow {
    std::string_view name, type, help;
    double (*value)(const engine::Scheduler::Stats& stats);
};

template <auto member>
double get(const engine::Scheduler::Stats& stats) {
    return static_cast<double>(stats.*member);
}

using Stats = engine::Scheduler::Stats;

constexpr ModelRow kModelRows[] = {
    {"heft_jobs_total", "counter", "Answers asked for", get<&Stats::jobs>},
    {"heft_jobs_done_total", "counter", "Answers completed", get<&Stats::done>},
    {"heft_jobs_failed_total", "counter", "Answers that failed", get<&Stats::failed>},
    {"heft_jobs_cancelled_total", "counter", "Answers taken back", get<&Stats::cancelled>},
    {"heft_jobs_refused_total", "counter", "Answers refused because too many waited",
     get<&Stats::refused>},
    {"heft_prompt_tokens_total", "counter", "Tokens of prompts", get<&Stats::prompt_tokens>},
    {"heft_prompt_tokens_cached_total", "counter", "Of those, found in the cache",
     get<&Stats::cached_tokens>},
    {"heft_tokens_made_total", "counter", "Tokens made", get<&Stats::made_tokens>},
    {"heft_steps_total", "counter", "Passes through the model", get<&Stats::steps>},
    {"heft_step_tokens_total", "counter", "Tokens computed in passes", get<&Stats::step_tokens>},
    {"heft_guesses_total", "counter", "Guesses checked", get<&Stats::guessed>},
    {"heft_guesses_right_total", "counter", "Guesses accepted", get<&Stats::guessed_right>},
    {"heft_cache_blocks_evicted_total", "counter", "Blocks of the cache given to others",
     get<&Stats::evicted_blocks>},
    {"heft_busy_seconds_total", "counter", "Time spent computing", get<&Stats::busy_s>},
    {"heft_jobs_waiting", "gauge", "Answers that wait", get<&Stats::waiting>},
    {"heft_jobs_running", "gauge", "Answers in the making", get<&Stats::running>},
    {"heft_cache_blocks", "gauge", "Blocks of the cache", get<&Stats::blocks>},
    {"heft_cache_blocks_used", "gauge", "Of those, in use", get<&Stats::blocks_used>},
    {"heft_cache_blocks_kept", "gauge", "Of those, kept as prefixes", get<&Stats::blocks_kept>},
};

struct SocketRow {
    std::string_view name, help;
    const std::atomic<std::uint64_t> net::Counters::*value;
};

constexpr SocketRow kSocketRows[] = {
    {"heft_connections_total", "Connections accepted", &net::Counters::accepted},
    {"heft_connections_turned_away_total", "Connections beyond the limits",
     &net::Counters::turned_away},
    {"heft_http_received_total", "Requests that came complete", &net::Counters::requests},
    {"heft_http_refused_total", "Requests refused before they were complete",
     &net::Counters::refused},
    {"heft_clients_slow_total", "Clients given up for reading too slowly", &net::Counters::slow},
    {"heft_clients_left_total", "Clients gone before their answer was complete",
     &net::Counters::left},
    {"heft_received_bytes_total", "Bytes read from clients", &net::Counters::bytes_in},
    {"heft_sent_bytes_total", "Bytes written to clients", &net::Counters::bytes_out},
};

}  // namespace

void Histogram::add(double seconds) {
    std::size_t bucket = 0;
    for (double bound = kFirstBound; bucket < kBuckets && seconds > bound; bound *= 2) ++bucket;
    ++counts_[bucket];
    sum_us_ += static_cast<std::uint64_t>(seconds > 0 ? seconds * kMicroseconds : 0);
}

void Histogram::write(std::string& text, std::string_view name, std::string_view help) const {
    head(text, name, "histogram", help);
    std::uint64_t so_far = 0;
    double bound = kFirstBound;
    for (std::size_t i = 0; i < kBuckets; ++i, bound *= 2) {
        so_far += counts_[i];
        text += fmt::format("{}_bucket{{le=\"{}\"}} {}\n", name, bound, so_far);
    }
    so_far += counts_[kBuckets];
    text += fmt::format("{0}_bucket{{le=\"+Inf\"}} {1}\n{0}_sum {2}\n{0}_count {1}\n", name, so_far,
                        static_cast<double>(sum_us_) / kMicroseconds);
}

void Metrics::http_done(int status, double seconds) {
    http_.add(seconds);
    const std::lock_guard lock(mutex_);
    ++statuses_[status];
}

void Metrics::reloaded(bool good) {
    const std::lock_guard lock(mutex_);
    ++reloads_[good ? "ok" : "failed"];
    stale_ = !good;
}

void Metrics::report(const Outcome& outcome) {
    total_.add(outcome.total_s);
    if (outcome.first_token_s > 0) {
        first_token_.add(outcome.first_token_s);
        if (outcome.n_made > 1)
            between_tokens_.add((outcome.total_s - outcome.first_token_s)
                                / static_cast<double>(outcome.n_made - 1));
    }
    const std::lock_guard lock(mutex_);
    ++outcomes_;
    ++endpoints_[outcome.endpoint];
    if (outcome.cancelled) ++cancelled_;
    if (outcome.failure) ++failures_[std::string(to_string(*outcome.failure))];
    // What was degraded begins with its kind: "truncated: …".
    for (const std::string& what : outcome.degraded)
        if (degraded_.size() < 64) ++degraded_[what.substr(0, what.find_first_of(": "))];
    prompt_tokens_ += static_cast<std::uint64_t>(std::max(outcome.n_prompt, 0));
    cached_tokens_ += static_cast<std::uint64_t>(std::max(outcome.n_cached, 0));
    made_tokens_ += static_cast<std::uint64_t>(std::max(outcome.n_made, 0));
}

std::string Metrics::text(const std::vector<ModelNow>& models, const net::Counters* sockets,
                          std::uint64_t log_lines_lost) const {
    std::string text;
    http_.write(text, "heft_http_seconds", "From a request's arrival to the end of its answer");
    total_.write(text, "heft_answer_seconds", "The same, of answers by a model");
    first_token_.write(text, "heft_first_token_seconds", "Until an answer's first token");
    between_tokens_.write(text, "heft_token_seconds", "Between tokens, an answer's mean");
    {
        const std::lock_guard lock(mutex_);
        counters(text, "heft_http_requests_total", "Requests answered", "status", statuses_);
        counters(text, "heft_answers_total", "Answers by a model", "endpoint", endpoints_);
        counters(text, "heft_failures_total", "Requests that failed", "kind", failures_);
        counters(text, "heft_degraded_total", "Answers with something cut or replaced", "kind",
                 degraded_);
        counter(text, "heft_answers_cancelled_total", "Answers whose client left", cancelled_);
        counter(text, "heft_answer_prompt_tokens_total", "Tokens of answered prompts",
                prompt_tokens_);
        counter(text, "heft_answer_cached_tokens_total", "Of those, found in the cache",
                cached_tokens_);
        counter(text, "heft_answer_tokens_total", "Tokens of answers", made_tokens_);
        counters(text, "heft_reloads_total", "Times the configuration was read again", "result",
                 reloads_);
        gauge(text, "heft_configuration_stale", "1: the last reload failed, the one before is used",
              stale_ ? 1 : 0);
    }
    counter(text, "heft_log_lines_lost_total", "Lines of the access log that could not be written",
            log_lines_lost);
    gauge(text, "heft_models_loaded", "Models that are loaded", models.size());
    for (const ModelRow& row : kModelRows) {
        head(text, row.name, row.type, row.help);
        for (const ModelNow& model : models)
            text += fmt::format("{}{{model=\"{}\"}} {}\n", row.name, escaped(model.name),
                                row.value(model.stats));
    }
    if (sockets == nullptr) return text;
    gauge(text, "heft_connections", "Connections open",
          static_cast<std::uint64_t>(std::max<std::int64_t>(sockets->open, 0)));
    for (const SocketRow& row : kSocketRows)
        counter(text, row.name, row.help, (sockets->*row.value).load());
    return text;
}

}  // namespace heft::serve
