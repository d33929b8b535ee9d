#include "serve/keys.h"

#include <gtest/gtest.h>

namespace heft::serve {
namespace {

using namespace std::chrono_literals;

Key key(const std::string& name, const std::string& text) {
    Key made;
    made.name = name;
    made.sha256 = *hash_key(text);
    return made;
}

HttpRequest with(const std::string& header, const std::string& value) {
    HttpRequest request;
    request.headers[header] = value;
    return request;
}

TEST(Keys, AreKnownByBearerAndByXApiKey) {
    const Keys keys({key("alice", "secret-a"), key("bob", "secret-b")});
    EXPECT_EQ(keys.identify(with("authorization", "Bearer secret-a")).caller.name, "alice");
    EXPECT_EQ(keys.identify(with("authorization", "bearer  secret-b")).caller.name, "bob");
    EXPECT_EQ(keys.identify(with("x-api-key", "secret-b")).caller.name, "bob");
    for (const char* wrong : {"", "Bearer", "Bearer ", "Bearer secret", "Basic secret-a"}) {
        const auto entry = keys.identify(with("authorization", wrong));
        ASSERT_TRUE(entry.failure) << wrong;
        EXPECT_EQ(entry.failure->kind, FailureKind::unauthorized);
    }
}

TEST(Keys, WithoutAnyEverybodyIsLocal) {
    Keys keys;
    EXPECT_EQ(keys.identify({}).caller.name, "local");
    EXPECT_FALSE(keys.enter({"local", 0}, Clock::time_point{}));
}

TEST(Keys, RequestsPerMinuteComeBackWithTime) {
    Key limited = key("a", "x");
    limited.requests_per_minute = 2;
    Keys keys({limited});
    const Caller caller{"a", 0};
    Clock::time_point now{1h};
    EXPECT_FALSE(keys.enter(caller, now));
    EXPECT_FALSE(keys.enter(caller, now));
    const auto refused = keys.enter(caller, now);
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->kind, FailureKind::rate_limited);
    EXPECT_NEAR(refused->retry_after_s, 30, 1e-6);
    now += 29s;
    EXPECT_TRUE(keys.enter(caller, now));
    now += 2s;
    EXPECT_FALSE(keys.enter(caller, now));
    now += 24h;  // no more than a minute's worth is saved up
    EXPECT_FALSE(keys.enter(caller, now));
    EXPECT_FALSE(keys.enter(caller, now));
    EXPECT_TRUE(keys.enter(caller, now));
}

TEST(Keys, TokensMayBeOverdrawnOnce) {
    Key limited = key("a", "x");
    limited.tokens_per_minute = 60;
    Keys keys({limited});
    const Caller caller{"a", 0};
    Clock::time_point now{1h};
    EXPECT_FALSE(keys.enter(caller, now));
    keys.spend("a", 119, now);
    const auto refused = keys.enter(caller, now);
    ASSERT_TRUE(refused);
    EXPECT_NEAR(refused->retry_after_s, 60, 1e-6);
    EXPECT_FALSE(keys.enter(caller, now + 61s));
}

TEST(Keys, ConcurrentRequestsAreCounted) {
    Key limited = key("a", "x");
    limited.concurrent = 1;
    Keys keys({limited});
    const Caller caller{"a", 0};
    EXPECT_FALSE(keys.enter(caller, {}));
    EXPECT_TRUE(keys.enter(caller, {}));
    keys.leave(caller);
    EXPECT_FALSE(keys.enter(caller, {}));
}

TEST(Keys, ModelsAreAllowedByName) {
    Key limited = key("a", "x");
    limited.models = {"tiny"};
    const Keys keys({limited, key("b", "y")});
    EXPECT_FALSE(keys.permit({"a", 0}, "tiny"));
    EXPECT_EQ(keys.permit({"a", 0}, "large")->kind, FailureKind::forbidden);
    EXPECT_FALSE(keys.permit({"b", 0}, "large"));
}

TEST(Keys, TheFileSurvivesWritingAndReading) {
    Key one = key("a: \"odd\" name", "x");
    one.requests_per_minute = 1.5;
    one.tokens_per_minute = 20000;
    one.concurrent = 4;
    one.priority = -2;
    one.models = {"no", "a,b"};
    const auto read = parse_keys(write_keys({one, key("b", "y")}), "keys.yaml");
    ASSERT_TRUE(read) << read.error().what;
    ASSERT_EQ(read->size(), 2U);
    const Key& back = read->front();
    EXPECT_EQ(back.name, one.name);
    EXPECT_EQ(back.sha256, one.sha256);
    EXPECT_EQ(back.requests_per_minute, 1.5);
    EXPECT_EQ(back.tokens_per_minute, 20000);
    EXPECT_EQ(back.concurrent, 4);
    EXPECT_EQ(back.priority, -2);
    EXPECT_EQ(back.models, one.models);
}

TEST(Keys, WrongFilesAreRefused) {
    const std::string hash = *hash_key("x");
    for (const std::string& text :
         {std::string("keys: 3"), std::string("- a"), std::string("keys:\n  - name: a"),
          "keys:\n  - name: a\n    sha256: \"" + hash.substr(1) + "\"",
          "keys:\n  - name: local\n    sha256: \"" + hash + "\"",
          "keys:\n  - name: a\n    sha256: \"" + hash + "\"\n    requests_per_minute: -1",
          "keys:\n  - name: a\n    sha256: \"" + hash + "\"\n    colour: red",
          "keys:\n  - name: a\n    sha256: \"" + hash + "\"\n  - name: a\n    sha256: \"" + hash
              + "\""})
        EXPECT_FALSE(parse_keys(text, "f")) << text;
}

TEST(Keys, MadeOnesDiffer) {
    const auto one = make_key(), other = make_key();
    ASSERT_TRUE(one && other);
    EXPECT_NE(*one, *other);
    EXPECT_EQ(one->size(), 5U + 64U);
}

}  // namespace
}  // namespace heft::serve
