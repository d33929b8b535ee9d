// Answers that are held to a form have it, alone and together, however they are computed.
#include <cctype>

#include <nlohmann/json.hpp>

#include "engine/test_client.h"
#include "grammar/test_schemas.h"

namespace heft::engine {
namespace {

using grammar::Grammar;

Request held(const Engine& engine, const Grammar& grammar, int n) {
    Request request = story({}, n);
    const text::Tokenizer& words = **engine.tokenizer();
    request.prompt = words.encode("Once upon a time", {.add_special = true});
    request.decode_text = true;
    request.ignore_eos = false;
    request.form.constraint = grammar::Constraint::make(grammar, *engine.vocabulary());
    return request;
}

// A whole text, or the beginning of one that had no room.
void expect_form(const Grammar& grammar, const Reply& reply) {
    if (reply.finish == gen::FinishReason::stop_token)
        EXPECT_TRUE(grammar.matches(reply.text)) << reply.text;
    else
        EXPECT_TRUE(grammar.begins(text::to_valid_utf8(reply.text))) << reply.text;
}

TEST(Form, RandomSchemasAreKeptAtAnyTemperatureAndWithGuesses) {
    const Engine engine = open("tiny", {.n_threads = 1, .deterministic = true});
    grammar::testing::RandomSchemas schemas(21);
    int n_whole = 0;
    for (int i = 0; i < 40; ++i) {
        const grammar::testing::Json schema = schemas.next();
        SCOPED_TRACE(schema.dump());
        const auto grammar = Grammar::from_json_schema(schema);
        ASSERT_TRUE(grammar) << grammar.error().what;
        Request request = held(engine, *grammar, 120);
        request.sampling.temperature = i % 4 == 0 ? 0.0F : 1.5F;
        request.sampling.seed = i;
        const Reply reply = alone(engine, request, 256);
        EXPECT_TRUE(reply.degraded.empty());
        expect_form(*grammar, reply);
        if (reply.finish == gen::FinishReason::stop_token) {
            ++n_whole;
            EXPECT_TRUE(nlohmann::json::accept(reply.text)) << reply.text;
        }
        request.speculation = {.guesser = gen::Guesser::ngram, .always = true};
        EXPECT_EQ(alone(engine, request, 256).ids, reply.ids);
    }
    EXPECT_GT(n_whole, 5);
}

TEST(Form, AnswersMadeTogetherAreThoseMadeAlone) {
    const Engine engine = open("tiny", {.deterministic = true});
    const Grammar grammars[] = {*Grammar::from_regex("[0-9]{3}-[a-z]{2,9}"),
                                Grammar::any_json_object(),
                                *Grammar::from_gbnf("root ::= (\"yes\" | \"no\") \"!\"*")};
    std::vector<Request> requests;
    for (int i = 0; i < 12; ++i) {
        const Grammar& grammar = grammars[i % 3];
        requests.push_back(held(engine, grammar, 40));
        // Those of one grammar share what is known of it.
        if (i >= 3) requests.back().form = requests[static_cast<std::size_t>(i % 3)].form;
        requests.back().sampling.temperature = 1;
        requests.back().sampling.seed = i;
    }
    std::vector<Reply> wanted;
    for (const Request& request : requests) wanted.push_back(alone(engine, request, 128));
    const auto scheduler = start(engine, {.n_ctx = 128});
    Client client(*scheduler);
    for (const Request& request : requests) client.submit({.request = request});
    client.wait();
    for (std::size_t i = 0; i < requests.size(); ++i) {
        ASSERT_TRUE(client.reply(i));
        EXPECT_EQ(client.reply(i)->ids, wanted[i].ids) << i;
        expect_form(grammars[i % 3], *client.reply(i));
    }
}

TEST(Form, EndsTheAnswerWhereItEnds) {
    const Engine engine = open("tiny", {.n_threads = 1});
    for (const bool ignore_eos : {false, true})
        for (const bool decode : {false, true}) {
            Request request = held(engine, *Grammar::from_regex("(cat|dog) and fox"), 64);
            request.ignore_eos = ignore_eos;
            request.decode_text = decode;
            const Reply reply = alone(engine, request, 128);
            EXPECT_EQ(reply.finish, gen::FinishReason::stop_token);
            EXPECT_LT(reply.ids.size(), 20U);
            if (decode) {
                EXPECT_TRUE(reply.text == "cat and fox" || reply.text == "dog and fox");
            }
        }
}

TEST(Form, HoldsFromATriggerOn) {
    const Engine engine = open("tiny", {.n_threads = 1});
    Request request = held(engine, *Grammar::from_regex("[^.]*"), 80);
    Request plain = request;
    plain.form = {};
    const std::string text = alone(engine, plain, 256).text;
    const std::size_t at = text.find(" the ");
    ASSERT_NE(at, std::string::npos) << text;
    const auto grammar = *Grammar::from_regex(" the [0-9]{4} foxes");
    request.form.constraint = grammar::Constraint::make(grammar, *engine.vocabulary());
    request.form.triggers = {"never to be seen", " the"};
    const Reply reply = alone(engine, request, 256);
    if (reply.degraded.empty()) {
        const std::size_t begin = reply.text.find(" the");
        ASSERT_NE(begin, std::string::npos);
        EXPECT_TRUE(grammar.matches(reply.text.substr(begin))) << reply.text;
        EXPECT_EQ(reply.text.substr(0, begin), text.substr(0, begin));
    } else {
        EXPECT_EQ(reply.text, text);
    }
    // What cannot go on from the trigger is let go, and that is told.
    request.form.triggers = {text.substr(0, 1)};
    const Reply let_go = alone(engine, request, 256);
    EXPECT_EQ(let_go.text, text);
    ASSERT_EQ(let_go.degraded.size(), 1U);
    EXPECT_NE(let_go.degraded[0].find("grammar"), std::string::npos);
}

TEST(Form, BeginsBehindAThought) {
    const Engine engine = open("tiny", {.n_threads = 1});
    Request request = held(engine, *Grammar::from_regex("[0-9]{4}"), 200);
    request.form.aside_close = ".";
    request.form.in_aside = true;
    const Reply reply = alone(engine, request, 256);
    EXPECT_EQ(reply.finish, gen::FinishReason::stop_token);
    const std::size_t dot = reply.text.find('.');
    ASSERT_NE(dot, std::string::npos) << reply.text;
    ASSERT_GT(dot, 0U);
    const std::string rest = reply.text.substr(reply.text.size() - 4);
    for (const char c : rest)
        EXPECT_TRUE(std::isdigit(static_cast<unsigned char>(c))) << reply.text;
    EXPECT_LE(reply.text.size(), dot + 8);
}

}  // namespace
}  // namespace heft::engine
