#include "engine/scheduler.h"

#include <thread>

#include "engine/test_client.h"

namespace heft::engine {
namespace {

using namespace std::chrono_literals;

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
