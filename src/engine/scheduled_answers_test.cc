// Answers made together are those of a lone session, whatever the cache has room for.
#include <thread>

#include "base/rng.h"
#include "engine/test_client.h"

namespace heft::engine {
namespace {

using namespace std::chrono_literals;

std::string golden(const char* name) {
    return (std::filesystem::path(HEFT_SOURCE_DIR) / "tests" / "golden" / name).string();
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
                                12, static_cast<std::uint64_t>(step_tokens));
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
    const Engine engine = open(golden("llama2"), {.n_threads = 1, .deterministic = true});
    for (const int n_blocks : {2, 5}) {
        const SchedulerOptions options{
            .n_sequences = 8, .n_ctx = 256, .cache_bytes = blocks(engine, n_blocks)};
        const Scheduler::Stats stats = expect_answers_as_alone(engine, options, 12, 11);
        EXPECT_EQ(stats.blocks, n_blocks);
        EXPECT_GT(stats.evicted_blocks, 0U);
    }
}

TEST(Scheduler, AnswersThatGrowOutOfTheCacheArePutBackAndGoOn) {
    const Engine engine = open(golden("llama2"), {.n_threads = 1, .deterministic = true});
    const auto scheduler =
        start(engine, {.n_sequences = 4, .n_ctx = 256, .cache_bytes = blocks(engine, 5)});
    Client client(*scheduler);
    for (int i = 0; i < 4; ++i) client.submit({.request = story({1, 200 + i, 5}, 250)});
    client.wait();
    for (int i = 0; i < 4; ++i) {
        const auto& reply = client.reply(static_cast<std::size_t>(i));
        ASSERT_TRUE(reply) << reply.error().what;
        EXPECT_EQ(reply->ids, alone(engine, story({1, 200 + i, 5}, 250), 256).ids);
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

// Two blocks for three answers: a draft's cache may hold 85 tokens, and guesses end there.
TEST(Scheduler, GuessesEndWhereTheDraftHasNoRoom) {
    const Engine engine = open("tiny", {.deterministic = true});
    const Engine draft = open("tiny", {.precision = op::Precision::f32, .threads_of = &engine});
    const std::int64_t per_token = engine.model().cache_bytes_per_token(engine.cache_types())
                                   + draft.model().cache_bytes_per_token(draft.cache_types());
    const auto scheduler = start(
        engine, {.n_sequences = 3, .cache_bytes = 2 * kv::kBlock * per_token, .draft = &draft});
    Client client(*scheduler);
    std::vector<TokenId> prefix;
    for (TokenId i = 0; i < 80; ++i) prefix.push_back((37 * i + 5) % 300 + 3);
    std::vector<Request> requests;
    for (TokenId i = 0; i < 3; ++i) {
        std::vector<TokenId> prompt = prefix;
        prompt.push_back(400 + i);
        requests.push_back(story(prompt, 30));
        requests.back().speculation = {
            .guesser = gen::Guesser::draft, .n_max = 4, .p_min = 0, .always = true};
        client.submit({.request = requests.back()});
    }
    client.wait();
    for (std::size_t i = 0; i < requests.size(); ++i) {
        requests[i].speculation = {};
        ASSERT_TRUE(client.reply(i));
        EXPECT_EQ(client.reply(i)->ids, alone(engine, requests[i], 256).ids);
    }
}

}  // namespace
}  // namespace heft::engine
