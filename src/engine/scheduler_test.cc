#include "engine/scheduler.h"

#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

#include "base/rng.h"

namespace heft::engine {
namespace {

using namespace std::chrono_literals;

Engine open(const std::string& reference, const OpenOptions& options = {}) {
    auto engine = Engine::open(reference, options);
    if (!engine) ADD_FAILURE() << engine.error().what;
    return std::move(*engine);
}

std::unique_ptr<Scheduler> start(const Engine& engine, const SchedulerOptions& options = {}) {
    auto scheduler = Scheduler::start(engine, options);
    if (!scheduler) ADD_FAILURE() << scheduler.error().what;
    return std::move(*scheduler);
}

// The scheduler's thread held up between two steps, until this goes.
class Hold {
  public:
    explicit Hold(Scheduler& scheduler) {
        std::promise<void> held;
        EXPECT_TRUE(scheduler.post([&held, gate = gate_.get_future().share()] {
            held.set_value();
            gate.wait();
        }));
        held.get_future().wait();
    }
    ~Hold() { gate_.set_value(); }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

  private:
    std::promise<void> gate_;
};

// Submits jobs and collects what becomes of them, in the order in which they ended.
class Client {
  public:
    explicit Client(Scheduler& scheduler) : scheduler_(scheduler) {}

    JobId submit(Job job) {
        auto id = try_submit(std::move(job));
        if (!id) ADD_FAILURE() << id.error().what;
        return id ? *id : 0;
    }

    Result<JobId> try_submit(Job job) {
        const std::size_t index = n_++;
        job.on_done = [this, index](Result<Reply> reply) {
            const std::lock_guard lock(mutex_);
            EXPECT_TRUE(replies_.emplace(index, std::move(reply)).second);
            order_.push_back(index);
            changed_.notify_all();
        };
        auto id = scheduler_.submit(std::move(job));
        if (!id) --n_;
        return id;
    }

    // Of the index-th job that was taken; waits for it.
    Result<Reply>& reply(std::size_t index) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return replies_.contains(index); });
        return replies_.at(index);
    }
    void wait() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return replies_.size() == n_; });
    }
    const std::vector<std::size_t>& order() const { return order_; }  // after wait()
    std::size_t size() const { return n_; }

  private:
    Scheduler& scheduler_;
    std::size_t n_ = 0;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::size_t, Result<Reply>> replies_;
    std::vector<std::size_t> order_;
};

Request story(std::vector<TokenId> prompt, int n) {
    Request request;
    request.prompt = std::move(prompt);
    request.sampling.temperature = 0;
    request.n_predict = n;
    request.ignore_eos = true;
    request.decode_text = false;
    return request;
}

std::vector<TokenId> ids(Rng& rng, int n, int n_vocab) {
    std::vector<TokenId> out;
    for (int i = 0; i < n; ++i)
        out.push_back(static_cast<TokenId>(rng.next() % static_cast<std::uint64_t>(n_vocab)));
    return out;
}

// Prompts that share beginnings, every kind of sampling, any length.
Request random_request(Rng& rng, int n_vocab, int n_ctx) {
    const auto below = [&](int n) {
        return static_cast<int>(rng.next() % static_cast<std::uint64_t>(n));
    };
    std::vector<TokenId> prompt;
    const int n_shared = below(3) * n_ctx / 4;
    for (int i = 0; i < n_shared; ++i) prompt.push_back((37 * i + 5) % n_vocab);
    for (const TokenId id : ids(rng, 1 + below(n_ctx / 4), n_vocab)) prompt.push_back(id);
    Request request = story(std::move(prompt), below(8) == 0 ? -1 : below(n_ctx / 2));
    request.sampling.temperature = below(2) == 0 ? 0.0F : 1.2F;
    request.sampling.seed = below(1000);
    request.sampling.penalties.repeat = below(3) == 0 ? 1.2F : 1.0F;
    if (below(3) == 0) request.speculation = {.guesser = gen::Guesser::ngram, .always = true};
    return request;
}

Reply alone(const Engine& engine, const Request& request, std::int64_t n_ctx) {
    auto session = Session::start(engine, {.n_ctx = n_ctx});
    if (!session) ADD_FAILURE() << session.error().what;
    auto reply = session->generate(request);
    if (!reply) ADD_FAILURE() << reply.error().what;
    return std::move(*reply);
}

void expect_sums_up(const Scheduler::Stats& s) {
    EXPECT_EQ(s.jobs, s.done + s.failed + s.cancelled + static_cast<std::uint64_t>(s.waiting)
                          + static_cast<std::uint64_t>(s.running));
}

Scheduler::Stats expect_answers_as_alone(const Engine& engine, const SchedulerOptions& options,
                                         int n_jobs, std::uint64_t seed) {
    const auto scheduler = start(engine, options);
    Client client(*scheduler);
    Rng rng(seed);
    const int n_vocab = (*engine.config())->n_vocab;
    const auto n_ctx = static_cast<int>(scheduler->n_ctx());
    std::vector<Request> requests;
    std::vector<JobId> jobs;
    std::uint64_t n_tokens = 0;
    for (int i = 0; i < n_jobs; ++i) {
        requests.push_back(random_request(rng, n_vocab, n_ctx));
        const std::string owner(1, static_cast<char>('a' + i % 3));
        jobs.push_back(
            client.submit({.request = requests.back(), .owner = owner, .priority = i % 2}));
        if (i % 5 == 4) scheduler->cancel(jobs[jobs.size() - 1 - rng.next() % 5]);
        if (i % 7 == 0) std::this_thread::sleep_for(1ms);
    }
    client.wait();
    for (std::size_t i = 0; i < requests.size(); ++i) {
        SCOPED_TRACE(i);
        const auto& reply = client.reply(i);
        if (!reply) {
            ADD_FAILURE() << reply.error().what;
            continue;
        }
        n_tokens += reply->ids.size();
        Reply want = alone(engine, requests[i], n_ctx);
        if (reply->finish == gen::FinishReason::cancelled) {
            EXPECT_LE(reply->ids.size(), want.ids.size());
            want.ids.resize(reply->ids.size());
        } else {
            EXPECT_EQ(reply->finish, want.finish);
        }
        EXPECT_EQ(reply->ids, want.ids);
        EXPECT_EQ(reply->seed, want.seed);
    }
    const Scheduler::Stats stats = scheduler->stats();
    expect_sums_up(stats);
    EXPECT_EQ(stats.jobs, static_cast<std::uint64_t>(n_jobs));
    EXPECT_EQ(stats.failed, 0U);
    EXPECT_EQ(stats.waiting + stats.running, 0);
    EXPECT_EQ(stats.made_tokens, n_tokens);
    EXPECT_LE(stats.step_tokens, stats.steps * static_cast<std::uint64_t>(options.step_tokens));
    EXPECT_EQ(stats.blocks_used, 0);
    return stats;
}

TEST(Scheduler, DeterministicAnswersAreThoseOfALoneSession) {
    const Engine engine = open("tiny", {.deterministic = true});
    for (const int step_tokens : {3, 512})
        expect_answers_as_alone(engine, {.n_sequences = 6, .n_ctx = 96, .step_tokens = step_tokens},
                                30, static_cast<std::uint64_t>(step_tokens));
}

TEST(Scheduler, AnswersOfEveryKindOfModelAreThoseOfALoneSession) {
    int n_models = 0;
    for (const auto& folder : std::filesystem::directory_iterator(
             std::filesystem::path(HEFT_SOURCE_DIR) / "tests" / "golden")) {
        if (!std::filesystem::exists(folder.path() / "config.json")) continue;
        SCOPED_TRACE(folder.path().filename().string());
        const Engine engine = open(folder.path().string(), {.n_threads = 2, .deterministic = true});
        expect_answers_as_alone(engine, {.n_sequences = 4, .n_ctx = 60, .step_tokens = 40}, 8, 7);
        ++n_models;
    }
    EXPECT_GT(n_models, 20);
}

// As many blocks of the model's cache.
std::int64_t blocks(const Engine& engine, int n) {
    return n * kv::kBlock * engine.model().cache_bytes_per_token(engine.cache_types());
}

TEST(Scheduler, AnswersAreTheSameWhereTheCacheIsTooSmall) {
    const Engine engine = open("tiny", {.n_threads = 1, .deterministic = true});
    for (const int n_blocks : {2, 5}) {
        const SchedulerOptions options{
            .n_sequences = 8, .n_ctx = 256, .cache_bytes = blocks(engine, n_blocks)};
        const Scheduler::Stats stats = expect_answers_as_alone(engine, options, 12, 11);
        EXPECT_EQ(stats.blocks, n_blocks);
        EXPECT_GT(stats.evicted_blocks, 0U);
    }
}

TEST(Scheduler, AnswersThatGrowOutOfTheCacheArePutBackAndGoOn) {
    const Engine engine = open("tiny", {.n_threads = 1, .deterministic = true});
    const auto scheduler =
        start(engine, {.n_sequences = 4, .n_ctx = 256, .cache_bytes = blocks(engine, 5)});
    Client client(*scheduler);
    for (int i = 0; i < 4; ++i) client.submit({.request = story({1, 300 + i, 5}, 250)});
    client.wait();
    for (int i = 0; i < 4; ++i) {
        const auto& reply = client.reply(static_cast<std::size_t>(i));
        ASSERT_TRUE(reply) << reply.error().what;
        EXPECT_EQ(reply->ids, alone(engine, story({1, 300 + i, 5}, 250), 256).ids);
        EXPECT_LT(reply->n_cached, 3);
    }
    const Scheduler::Stats stats = scheduler->stats();
    EXPECT_GT(stats.preempted, 0U);
    EXPECT_EQ(stats.blocks_used, 0);
    EXPECT_GT(stats.blocks_kept, 0);
}

TEST(Scheduler, ACommonBeginningIsComputedOnce) {
    const Engine engine = open("tiny", {.n_threads = 1, .deterministic = true});
    const int n_prefix = static_cast<int>((*engine.config())->n_ctx) / 2;
    std::vector<TokenId> prefix;
    for (int i = 0; i < n_prefix; ++i) prefix.push_back((37 * i + 5) % 300 + 3);
    const auto with = [&prefix](TokenId last) {
        std::vector<TokenId> prompt = prefix;
        prompt.insert(prompt.end(), {last, last + 1, last + 2});
        return prompt;
    };
    for (const int step_tokens : {50, 512})
        for (const bool together : {false, true}) {
            const auto scheduler = start(engine, {.step_tokens = step_tokens});
            Client client(*scheduler);
            constexpr int kJobs = 6;
            for (int i = 0; i < kJobs; ++i) {
                client.submit({.request = story(with(10 * i), 4)});
                if (!together) client.wait();
            }
            client.wait();
            int n_cached = 0;
            for (int i = 0; i < kJobs; ++i) {
                const auto& reply = client.reply(static_cast<std::size_t>(i));
                ASSERT_TRUE(reply) << reply.error().what;
                EXPECT_EQ(reply->ids, alone(engine, story(with(10 * i), 4), 0).ids);
                n_cached += reply->n_cached;
                // To the token, or to the block while the first is at it.
                if (i > 0) {
                    EXPECT_GE(reply->n_cached, together ? n_prefix - kv::kBlock : n_prefix);
                }
            }
            const Scheduler::Stats stats = scheduler->stats();
            EXPECT_EQ(stats.cached_tokens, static_cast<std::uint64_t>(n_cached));
            EXPECT_EQ(stats.prompt_tokens, static_cast<std::uint64_t>(kJobs * (n_prefix + 3)));
        }
}

TEST(Scheduler, TheNextTurnOfAConversationGoesOnWhereTheLastEnded) {
    const Engine engine = open("tiny");
    const auto scheduler = start(engine);
    Client client(*scheduler);
    std::vector<TokenId> prompt = {1, 20, 30, 40, 50, 60, 70, 80, 90};
    client.submit({.request = story(prompt, 20)});
    const auto& first = client.reply(0);
    ASSERT_TRUE(first);
    prompt.insert(prompt.end(), first->ids.begin(), first->ids.end());
    const auto n_known = static_cast<int>(prompt.size()) - 1;
    prompt.push_back(99);
    client.submit({.request = story(prompt, 20)});
    ASSERT_TRUE(client.reply(1));
    EXPECT_EQ(client.reply(1)->n_cached, n_known);
}

TEST(Scheduler, WhoComesLateTakesAPlaceOfThoseWhoHaveMany) {
    const Engine engine = open("tiny", {.deterministic = true});
    const auto scheduler = start(engine, {.n_sequences = 2});
    Client client(*scheduler);
    std::promise<void> begun;
    std::atomic<int> n{0};
    Job long_one{.request = story({1, 2, 3}, 100), .owner = "many"};
    long_one.request.on_token = [&](std::string_view, TokenId) {
        if (++n == 20) begun.set_value();
        std::this_thread::sleep_for(1ms);
    };
    client.submit(long_one);
    client.submit(long_one);
    begun.get_future().wait();
    client.submit({.request = story({5, 6, 7}, 5), .owner = "few"});
    client.submit({.request = story({8, 9}, 5), .owner = "most", .priority = 1});
    client.wait();
    EXPECT_LT(client.order()[0], 4U);
    EXPECT_GE(client.order()[0], 2U);
    EXPECT_GE(client.order()[1], 2U);
    EXPECT_GE(scheduler->stats().preempted, 1U);
    for (const std::size_t i : {0U, 1U}) {
        ASSERT_TRUE(client.reply(i));
        EXPECT_EQ(client.reply(i)->ids, alone(engine, story({1, 2, 3}, 100), 0).ids);
    }
}

TEST(Scheduler, GuessesOfADraftModelChangeNothing) {
    const Engine engine = open("tiny", {.deterministic = true});
    const Engine draft = open("tiny", {.precision = op::Precision::f32, .threads_of = &engine});
    const auto scheduler = start(engine, {.n_sequences = 3, .n_ctx = 128, .draft = &draft});
    Client client(*scheduler);
    std::vector<Request> requests;
    for (int i = 0; i < 6; ++i) {
        requests.push_back(story({1, 300 + i, 40, 50}, 40));
        requests.back().speculation = {
            .guesser = gen::Guesser::draft, .n_max = 4, .p_min = 0, .always = true};
        client.submit({.request = requests.back()});
    }
    client.wait();
    for (std::size_t i = 0; i < requests.size(); ++i) {
        requests[i].speculation = {};
        ASSERT_TRUE(client.reply(i));
        EXPECT_EQ(client.reply(i)->ids, alone(engine, requests[i], 128).ids);
    }
    const Scheduler::Stats stats = scheduler->stats();
    EXPECT_GT(stats.guessed_right, 0U);
    EXPECT_LT(stats.steps, 100U);  // 6 answers of 40 tokens by threes would take 80 without guesses
}

TEST(Scheduler, AnOwnerOfManyJobsStarvesNobody) {
    const Engine engine = open("tiny");
    const auto scheduler = start(engine, {.n_sequences = 2, .n_ctx = 64});
    Client client(*scheduler);
    {
        const Hold hold(*scheduler);
        for (int i = 0; i < 40; ++i)
            client.submit({.request = story({1, 2, 3}, 10), .owner = "many"});
        for (int i = 0; i < 4; ++i)
            client.submit({.request = story({1, 2, 3}, 10), .owner = "few"});
    }
    client.wait();
    std::size_t last = 0;
    for (std::size_t i = 0; i < client.order().size(); ++i)
        if (client.order()[i] >= 40) last = i;
    EXPECT_LT(last, 14U);  // every second one, but for those that had begun
}

TEST(Scheduler, WhatMattersMoreGoesFirst) {
    const Engine engine = open("tiny");
    const auto scheduler = start(engine, {.n_sequences = 1, .n_ctx = 64});
    Client client(*scheduler);
    {
        const Hold hold(*scheduler);
        for (int i = 0; i < 6; ++i)
            client.submit({.request = story({1, 2, 3}, 4), .owner = "a", .priority = i});
    }
    client.wait();
    EXPECT_EQ(client.order(), (std::vector<std::size_t>{5, 4, 3, 2, 1, 0}));
}

TEST(Scheduler, DeadlinesEndJobsThatWaitAndJobsThatRun) {
    const Engine engine = open("tiny");
    const auto scheduler = start(engine, {.n_sequences = 1});
    Client client(*scheduler);
    Job runs{.request = story({1, 2, 3}, 1000), .deadline = Clock::now() + 300ms};
    runs.request.on_token = [](std::string_view, TokenId) { std::this_thread::sleep_for(5ms); };
    client.submit(runs);
    client.submit({.request = story({1, 2, 3}, 4), .deadline = Clock::now() + 50ms});
    client.submit({.request = story({1, 2, 3}, 4)});
    EXPECT_FALSE(client.reply(1));
    EXPECT_FALSE(client.reply(0));
    EXPECT_TRUE(client.reply(2));
    client.wait();
    EXPECT_EQ(client.order(), (std::vector<std::size_t>{1, 0, 2}));
    EXPECT_EQ(client.reply(0).error().code, Code::exhausted);
    EXPECT_NE(client.reply(0).error().what.find("deadline"), std::string::npos);
}

TEST(Scheduler, ACancelledJobSaysSoWithinAStep) {
    const Engine engine = open("tiny");
    const auto scheduler = start(engine, {.n_sequences = 1});
    Client client(*scheduler);
    std::promise<void> begun;
    std::atomic<int> n{0};
    Job job{.request = story({1, 2, 3}, -1)};
    job.request.on_token = [&](std::string_view, TokenId) {
        if (++n == 3) begun.set_value();
        std::this_thread::sleep_for(1ms);
    };
    const JobId first = client.submit(job);
    const JobId second = client.submit({.request = story({1, 2, 3}, 5)});
    std::atomic<bool> flag{false};
    Job flagged{.request = story({1, 2, 3}, 5)};
    flagged.request.cancel = &flag;
    client.submit(flagged);
    begun.get_future().wait();
    const int before = n;
    scheduler->cancel(first);
    flag = true;
    scheduler->cancel(second);
    scheduler->cancel(12345);
    client.wait();
    EXPECT_LE(n - before, 3);
    for (const std::size_t i : {0U, 1U, 2U}) {
        ASSERT_TRUE(client.reply(i));
        EXPECT_EQ(client.reply(i)->finish, gen::FinishReason::cancelled);
    }
    EXPECT_EQ(client.reply(0)->ids.size(), static_cast<std::size_t>(n));
    EXPECT_EQ(scheduler->stats().cancelled, 3U);
}

TEST(Scheduler, TheQueueIsBoundedAndRequestsAreCheckedAtOnce) {
    const Engine engine = open("tiny");
    const auto scheduler = start(engine, {.n_sequences = 1, .n_ctx = 32, .max_waiting = 3});
    Client client(*scheduler);
    int n_taken = 0;
    {
        const Hold hold(*scheduler);
        for (int i = 0; i < 10; ++i) {
            const auto id = client.try_submit({.request = story({1, 2, 3}, 4)});
            if (id) ++n_taken;
            if (!id) {
                EXPECT_EQ(id.error().code, Code::exhausted) << id.error().what;
            }
        }
        EXPECT_EQ(n_taken, 4);  // one may run, three wait
        const auto stats = scheduler->stats();
        EXPECT_EQ(stats.refused, 6U);
        EXPECT_GT(stats.retry_after_s, 0);
        expect_sums_up(stats);
    }
    client.wait();
    const auto refused = client.try_submit({.request = story(std::vector<TokenId>(40, 5), 4)});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::invalid);
    EXPECT_NE(refused.error().what.find("9 more"), std::string::npos) << refused.error().what;
    EXPECT_FALSE(client.try_submit({.request = story({1, 999999}, 4)}));
    EXPECT_EQ(scheduler->stats().jobs, 4U);
}

TEST(Scheduler, DrainingEndsWhatThereIsAndTakesNoMore) {
    const Engine engine = open("tiny");
    const auto scheduler = start(engine, {.n_sequences = 2});
    Client client(*scheduler);
    for (int i = 0; i < 5; ++i) client.submit({.request = story({1, 2, 3}, 20)});
    {
        const Hold hold(*scheduler);
        EXPECT_FALSE(scheduler->drain(Clock::now() + 1ms));
    }
    EXPECT_FALSE(client.try_submit({.request = story({1, 2, 3}, 20)}));
    EXPECT_TRUE(scheduler->drain(Clock::now() + 60s));
    EXPECT_EQ(client.order().size(), 5U);
    const auto stats = scheduler->stats();
    EXPECT_EQ(stats.done, 5U);
    expect_sums_up(stats);
    EXPECT_TRUE(scheduler->slots().empty());
}

TEST(Scheduler, GoingCancelsWhatIsLeft) {
    const Engine engine = open("tiny");
    auto scheduler = start(engine, {.n_sequences = 2});
    Client client(*scheduler);
    for (int i = 0; i < 5; ++i) client.submit({.request = story({1, 2, 3}, -1)});
    scheduler.reset();
    client.wait();
    for (std::size_t i = 0; i < 5; ++i) EXPECT_TRUE(client.reply(i));
}

TEST(Scheduler, WorkIsDoneBetweenStepsAndSlotsAreSeen) {
    const Engine engine = open("tiny");
    const auto scheduler = start(engine, {.n_sequences = 2});
    Client client(*scheduler);
    std::promise<std::size_t> seen;
    Job job{.request = story({1, 2, 3}, 30), .owner = "someone"};
    std::atomic<int> n{0};
    job.request.on_token = [&](std::string_view, TokenId) {
        if (++n != 5) return;
        EXPECT_TRUE(scheduler->post([&] {
            const auto slots = scheduler->slots();
            ASSERT_EQ(slots.size(), 1U);
            EXPECT_EQ(slots.front().owner, "someone");
            EXPECT_EQ(slots.front().n_prompt, 3);
            EXPECT_EQ(slots.front().n_made, 5);
            const TokenId text[] = {1, 2, 3};
            const auto rows = hidden_states(engine, text);
            ASSERT_TRUE(rows);
            seen.set_value(rows->size());
        }));
    };
    client.submit(job);
    EXPECT_EQ(seen.get_future().get(), 3U * (*engine.config())->d_model);
    client.wait();
}

TEST(Scheduler, OptionsWithoutMeaningAreRefused) {
    const Engine engine = open("tiny");
    for (const SchedulerOptions& options :
         {SchedulerOptions{.n_sequences = 0}, SchedulerOptions{.n_ctx = -1},
          SchedulerOptions{.cache_bytes = -1}, SchedulerOptions{.cache_bytes = 10},
          SchedulerOptions{.step_tokens = 0}, SchedulerOptions{.max_waiting = -1}}) {
        const auto refused = Scheduler::start(engine, options);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, Code::invalid);
    }
}

}  // namespace
}  // namespace heft::engine
