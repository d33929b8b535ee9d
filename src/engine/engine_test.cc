#include "engine/engine.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace heft::engine {
namespace {

std::filesystem::path golden(const char* name) {
    return std::filesystem::path(HEFT_SOURCE_DIR) / "tests" / "golden" / name;
}

Engine open(const std::string& reference) {
    auto engine = Engine::open(reference);
    if (!engine) ADD_FAILURE() << engine.error().what;
    return std::move(*engine);
}

Request greedy(std::vector<TokenId> prompt, int n) {
    Request request;
    request.prompt = std::move(prompt);
    request.sampling.temperature = 0;
    request.n_predict = n;
    request.ignore_eos = true;
    return request;
}

Reply answer(Session& session, const Request& request) {
    auto reply = session.generate(request);
    if (!reply) ADD_FAILURE() << reply.error().what;
    return std::move(*reply);
}

std::vector<TokenId> encode(const Engine& engine, std::string_view text) {
    return (*engine.tokenizer())->encode(text);
}

TEST(Session, WhatTwoPromptsShareIsComputedOnce) {
    const Engine engine = open("tiny");
    auto session = Session::start(engine);
    ASSERT_TRUE(session);
    auto prompt = encode(engine, "Once upon a time, there was a small mouse");
    const Reply first = answer(*session, greedy(prompt, 12));
    EXPECT_EQ(first.n_cached, 0);
    prompt.insert(prompt.end(), first.ids.begin(), first.ids.begin() + 6);
    const Reply second = answer(*session, greedy(prompt, 6));
    EXPECT_EQ(second.n_cached, second.n_prompt - 1);
    EXPECT_EQ(second.ids, std::vector<TokenId>(first.ids.begin() + 6, first.ids.end()));
    // Another beginning shares BOS alone; the answer is that of a fresh session.
    const auto other = encode(engine, "A fox and a lantern");
    const Reply third = answer(*session, greedy(other, 8));
    EXPECT_EQ(third.n_cached, 1);
    auto fresh = Session::start(engine);
    EXPECT_EQ(answer(*fresh, greedy(other, 8)).ids, third.ids);
}

TEST(Session, APromptThatIsTooLongIsRefusedByHowMuchOrCutAndSaidSo) {
    const Engine engine = open("tiny");
    auto session = Session::start(engine, {.n_ctx = 16});
    ASSERT_TRUE(session);
    Request request = greedy(std::vector<TokenId>(20, 300), 4);
    request.prompt.front() = 1;
    const auto refused = session->generate(request);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::invalid);
    EXPECT_NE(refused.error().what.find("5 more"), std::string::npos) << refused.error().what;
    request.truncate = true;
    const Reply cut = answer(*session, request);
    EXPECT_EQ(cut.ids.size(), 4U);
    EXPECT_EQ(cut.n_prompt, 12);
    ASSERT_EQ(cut.degraded.size(), 1U);
    EXPECT_NE(cut.degraded.front().find("8 of 20"), std::string::npos) << cut.degraded.front();
}

TEST(Session, StopsWhereItShould) {
    const Engine engine = open("tiny");
    auto session = Session::start(engine, {.n_ctx = 40});
    ASSERT_TRUE(session);
    const auto prompt = encode(engine, "Once upon a time, there was a small mouse named Mara");
    EXPECT_EQ(answer(*session, greedy(prompt, 3)).finish, gen::FinishReason::length);
    EXPECT_EQ(answer(*session, greedy(prompt, -1)).finish, gen::FinishReason::context_full);
    EXPECT_TRUE(answer(*session, greedy(prompt, 0)).ids.empty());

    Request stop = greedy(prompt, 20);
    const std::string text = answer(*session, stop).text;
    stop.stop = {text.substr(10, 5)};
    const Reply cut = answer(*session, stop);
    EXPECT_EQ(cut.finish, gen::FinishReason::stop_string);
    EXPECT_EQ(cut.text, text.substr(0, text.find(stop.stop.front())));

    std::atomic<bool> cancel{false};
    Request cancelled = greedy(prompt, 20);
    cancelled.cancel = &cancel;
    cancelled.on_token = [&cancel](std::string_view, TokenId) { cancel = true; };
    const Reply stopped = answer(*session, cancelled);
    EXPECT_EQ(stopped.finish, gen::FinishReason::cancelled);
    EXPECT_LE(stopped.ids.size(), 2U);
}

TEST(Session, WhatIsStreamedIsTheText) {
    const Engine engine = open("tiny");
    auto session = Session::start(engine);
    std::string streamed;
    Request request = greedy(encode(engine, "Once upon a time"), 30);
    request.on_token = [&streamed](std::string_view text, TokenId) { streamed += text; };
    EXPECT_EQ(answer(*session, request).text, streamed);
    EXPECT_FALSE(streamed.empty());
}

TEST(Session, TheSameSeedGivesTheSameText) {
    const Engine engine = open("tiny");
    auto session = Session::start(engine);
    Request request = greedy(encode(engine, "Once upon a time"), 20);
    request.sampling.temperature = 1.5F;
    request.sampling.seed = 7;
    const auto first = answer(*session, request);
    session->reset();
    EXPECT_EQ(answer(*session, request).ids, first.ids);
    EXPECT_EQ(first.seed, 7U);
    request.sampling.seed = 8;
    EXPECT_NE(answer(*session, request).ids, first.ids);
}

// phi3_longrope_long was trained to 32 tokens and stretched: a conversation that grows past them
// is computed again with the other factors, and goes on as if it had been long from the start.
TEST(Session, CrossingTheTrainedLengthOfLongropeRecomputes) {
    auto opened =
        Engine::open(golden("phi3_longrope_long").string(), {.precision = op::Precision::f32});
    ASSERT_TRUE(opened) << opened.error().what;
    std::vector<TokenId> prompt;
    for (int i = 0; i < 20; ++i) prompt.push_back((37 * i + 5) % 320);
    Request request = greedy(prompt, -1);
    request.decode_text = false;
    auto session = Session::start(*opened, {.n_ctx = 44});
    ASSERT_TRUE(session);
    const Reply crossing = answer(*session, request);
    ASSERT_GT(crossing.ids.size(), 20U);

    const auto behind = static_cast<std::ptrdiff_t>(32 + 1 - prompt.size());
    Request later = greedy(prompt, 8);
    later.decode_text = false;
    later.prompt.insert(later.prompt.end(), crossing.ids.begin(), crossing.ids.begin() + behind);
    auto fresh = Session::start(*opened, {.n_ctx = 44});
    const Reply rest = answer(*fresh, later);
    EXPECT_EQ(rest.ids, std::vector<TokenId>(crossing.ids.begin() + behind,
                                             crossing.ids.begin() + behind + 8));
}

TEST(Logits, ChunksAndPositionsAreChecked) {
    const Engine engine = open("tiny");
    const TokenId ids[] = {1, 300, 301};
    const int backwards[] = {2, 1};
    const int outside[] = {3};
    EXPECT_FALSE(logits(engine, ids, backwards));
    EXPECT_FALSE(logits(engine, ids, outside));
    EXPECT_FALSE(logits(engine, {}, {}));
    const TokenId bad[] = {1, 99999};
    const int last[] = {1};
    const auto refused = logits(engine, bad, last);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().what.find("99999"), std::string::npos);
}

TEST(Engine, AFolderWithoutTemplateSaysSo) {
    const Engine engine = open(golden("qwen3").string());
    const auto source = engine.template_source();
    ASSERT_FALSE(source);
    EXPECT_EQ(source.error().code, Code::not_found);
    EXPECT_FALSE(engine.tokenizer());
}

TEST(Engine, ProposedSamplingComesFromTheModel) {
    EXPECT_FLOAT_EQ(open("tiny").sampling_defaults().temperature, 0.6F);
    EXPECT_FLOAT_EQ(open(golden("qwen3").string()).sampling_defaults().temperature, 0.8F);
}

}  // namespace
}  // namespace heft::engine
