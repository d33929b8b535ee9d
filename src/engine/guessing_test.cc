// Guessing changes the speed and never the text.
#include <algorithm>

#include <gtest/gtest.h>

#include "engine/engine.h"

namespace heft::engine {
namespace {

std::string golden(const char* name) {
    return (std::filesystem::path(HEFT_SOURCE_DIR) / "tests" / "golden" / name).string();
}

Engine open(const std::string& reference, const OpenOptions& options = {}) {
    auto engine = Engine::open(reference, options);
    if (!engine) ADD_FAILURE() << engine.error().what;
    return std::move(*engine);
}

gen::SpeculationOptions guessing(gen::Guesser guesser, int n_max = 8) {
    return {.guesser = guesser, .n_max = n_max, .p_min = 0, .always = true};
}

Reply answer(Session& session, const Request& request) {
    session.reset();
    auto reply = session.generate(request);
    if (!reply) ADD_FAILURE() << reply.error().what;
    return std::move(*reply);
}

Request story(const Engine& engine, int n) {
    Request request;
    request.prompt =
        (*engine.tokenizer())
            ->encode(
                "The fox said: good night, moon. The owl said: good night, moon. The cat said");
    request.sampling.temperature = 0;
    request.n_predict = n;
    request.ignore_eos = true;
    return request;
}

void expect_same(const Reply& got, const Reply& want) {
    EXPECT_EQ(got.ids, want.ids);
    EXPECT_EQ(got.text, want.text);
    EXPECT_EQ(got.finish, want.finish);
    ASSERT_EQ(got.choices.size(), want.choices.size());
    for (std::size_t i = 0; i < want.choices.size(); ++i) {
        EXPECT_EQ(got.choices[i].logprob, want.choices[i].logprob);
        ASSERT_EQ(got.choices[i].top.size(), want.choices[i].top.size());
        for (std::size_t k = 0; k < want.choices[i].top.size(); ++k)
            EXPECT_EQ(got.choices[i].top[k].logprob, want.choices[i].top[k].logprob);
    }
}

// With every kind of guess, the request is answered as without. Answers how many were right.
int expect_no_difference(Session& session, Request request) {
    request.speculation = {};
    const Reply plain = answer(session, request);
    EXPECT_EQ(plain.guessed.n_checked, 0);
    int n_right = 0;
    for (const gen::Guesser guesser : {gen::Guesser::ngram, gen::Guesser::draft})
        for (const int n_max : {1, 3, 8}) {
            SCOPED_TRACE(std::string(gen::to_string(guesser)) + " " + std::to_string(n_max));
            request.speculation = guessing(guesser, n_max);
            const Reply reply = answer(session, request);
            expect_same(reply, plain);
            EXPECT_LE(reply.guessed.n_right, reply.guessed.n_checked);
            n_right += reply.guessed.n_right;
        }
    return n_right;
}

struct Tiny {
    Engine engine = open("tiny", {.n_threads = 1});
    Engine draft = open("tiny", {.precision = op::Precision::f32, .threads_of = &engine});

    Session session(std::int64_t n_ctx = 0) const {
        auto started = Session::start(engine, {.n_ctx = n_ctx, .draft = &draft});
        if (!started) ADD_FAILURE() << started.error().what;
        return std::move(*started);
    }
};

TEST(Guessing, GreedyTextIsTheSame) {
    const Tiny tiny;
    Session session = tiny.session();
    EXPECT_GT(expect_no_difference(session, story(tiny.engine, 60)), 0);
}

TEST(Guessing, SampledTextIsTheSameWhateverTheSamplerRemembers) {
    const Tiny tiny;
    Session session = tiny.session();
    Request request = story(tiny.engine, 40);
    request.sampling.temperature = 0.9F;
    request.sampling.logprobs = true;
    request.sampling.top_logprobs = 3;
    std::vector<gen::SamplingOptions> all(5, request.sampling);
    all[1].penalties.repeat = 1.3F;
    all[1].penalties.frequency = 0.2F;
    all[2].dry.multiplier = 0.8F;
    all[3].mirostat.on = true;
    all[4].xtc.probability = 0.5F;
    all[4].top_k = 0;
    for (std::size_t i = 0; i < all.size(); ++i)
        for (const int seed : {1, 2}) {
            SCOPED_TRACE(i);
            request.sampling = all[i];
            request.sampling.seed = seed;
            EXPECT_GT(expect_no_difference(session, request), 0);
        }
}

TEST(Guessing, TextsEndWhereTheyWould) {
    const Tiny tiny;
    Session session = tiny.session(48);
    const std::string text = answer(session, story(tiny.engine, 20)).text;
    for (const int n : {0, 1, 2, 3, 5, 17}) expect_no_difference(session, story(tiny.engine, n));
    expect_no_difference(session, story(tiny.engine, -1));  // the context is full
    for (const std::size_t at : {3U, 9U, 20U}) {
        Request request = story(tiny.engine, 30);
        request.stop = {text.substr(at, 4)};
        expect_no_difference(session, request);
    }
    Request ends = story(tiny.engine, 40);
    ends.ignore_eos = false;
    ends.sampling.temperature = 1.5F;
    for (ends.sampling.seed = 0; ends.sampling.seed < 4; ++ends.sampling.seed)
        expect_no_difference(session, ends);
}

TEST(Guessing, TheNextAnswerOfAConversationIsTheSame) {
    const Tiny tiny;
    std::vector<Reply> second;
    for (const gen::Guesser guesser :
         {gen::Guesser::off, gen::Guesser::ngram, gen::Guesser::draft}) {
        Session session = tiny.session();
        Request request = story(tiny.engine, 30);
        request.speculation = guessing(guesser);
        const Reply first = answer(session, request);
        request.prompt.insert(request.prompt.end(), first.ids.begin(), first.ids.end());
        auto reply = session.generate(request);
        ASSERT_TRUE(reply);
        second.push_back(*reply);
        EXPECT_EQ(second.back().n_cached, second.front().n_cached);
        expect_same(second.back(), second.front());
    }
}

TEST(Guessing, AModelForesaysItself) {
    const Tiny tiny;
    auto session = Session::start(tiny.engine, {.draft = &tiny.engine});
    ASSERT_TRUE(session);
    Request request = story(tiny.engine, 41);
    request.speculation = guessing(gen::Guesser::draft, 3);
    const Reply reply = answer(*session, request);
    EXPECT_EQ(reply.guessed.n_right, reply.guessed.n_checked);
    EXPECT_EQ(reply.guessed.n_passes, 10);  // four tokens each, and the first comes of the prompt
}

TEST(Guessing, WhereItDoesNotPayItIsLeft) {
    const Tiny tiny;
    auto session = Session::start(tiny.engine);
    Request request = story(tiny.engine, 60);
    request.sampling.temperature = 5;
    request.sampling.seed = 3;
    request.sampling.top_k = 0;
    request.sampling.top_p = 1;
    request.sampling.min_p = 0;
    request.speculation.guesser = gen::Guesser::ngram;
    EXPECT_LT(answer(*session, request).guessed.n_checked, 8);
}

// Reference checkpoints of every kind of cache and block, with guesses that are nearly all wrong
// and with guesses that are all right.
TEST(Guessing, TextIsTheSameForEveryKindOfModel) {
    const Engine stranger = open(golden("llama2"), {.n_threads = 1});
    const int n_vocab = (*stranger.config())->n_vocab;
    int n_models = 0;
    for (const auto& folder : std::filesystem::directory_iterator(
             std::filesystem::path(HEFT_SOURCE_DIR) / "tests" / "golden")) {
        if (!std::filesystem::exists(folder.path() / "config.json")) continue;
        SCOPED_TRACE(folder.path().filename().string());
        const Engine engine = open(folder.path().string(), {.threads_of = &stranger});
        const auto config = engine.config();
        if (!config || (*config)->n_vocab != n_vocab) continue;
        ++n_models;
        Request request;
        for (int i = 0; i < 18; ++i) request.prompt.push_back((37 * i + 5) % 31 + 5);
        request.n_predict = 30;
        request.decode_text = false;
        request.sampling.seed = 1;
        for (const float temperature : {0.0F, 0.4F}) {
            request.sampling.temperature = temperature;
            for (const Engine* draft : {&stranger, &engine}) {
                auto session = Session::start(engine, {.n_ctx = 60, .draft = draft});
                ASSERT_TRUE(session) << session.error().what;
                const int n_right = expect_no_difference(*session, request);
                if (draft == &engine && temperature == 0) {
                    EXPECT_GT(n_right, 0);
                }
            }
        }
    }
    EXPECT_GT(n_models, 20);
}

TEST(Guessing, AModelOfAnotherVocabularyIsRefused) {
    const Tiny tiny;
    const Engine other = open(golden("qwen3"), {.threads_of = &tiny.engine});
    for (const bool turned : {false, true}) {
        const Engine& target = turned ? other : tiny.engine;
        const auto refused = Session::start(target, {.draft = turned ? &tiny.engine : &other});
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, Code::invalid);
        EXPECT_NE(refused.error().what.find("same tokenizer"), std::string::npos);
    }
}

TEST(Guessing, GuessesOfADraftModelNeedOne) {
    const Engine engine = open("tiny");
    auto session = Session::start(engine);
    Request request = story(engine, 4);
    request.speculation.guesser = gen::Guesser::draft;
    EXPECT_FALSE(session->generate(request));
    request.speculation = {.guesser = gen::Guesser::ngram, .n_max = 0};
    EXPECT_FALSE(session->generate(request));
}

}  // namespace
}  // namespace heft::engine
