// Which models are in memory: what fits, what has to go, what is refused.
#include "serve/models.h"

#include <future>

#include <gtest/gtest.h>

namespace heft::serve {
namespace {

constexpr std::int64_t kMiB = 1 << 20;
const Caller kAnyone{"local", 0};

ModelsOptions options_for(std::vector<ModelSource> sources) {
    ModelsOptions options;
    options.sources = std::move(sources);
    options.open = [](const ModelSource& source, bool weights) {
        engine::OpenOptions how;
        how.n_threads = 1;
        how.weights = weights;
        how.lora = source.adapters;
        return engine::Engine::open(source.reference, how);
    };
    options.scheduler.n_ctx = 256;
    options.scheduler.n_sequences = 2;
    return options;
}

struct Served {
    Keys keys;
    Metrics metrics;
    std::unique_ptr<Models> models;

    explicit Served(ModelsOptions options) {
        auto started = Models::start(std::move(options), keys, metrics);
        if (!started) ADD_FAILURE() << started.error().what;
        models = std::move(*started);
    }
    Opened open(const std::string& name) const {
        std::promise<Opened> promise;
        models->open(name, kAnyone, {},
                     [&](Opened opened) { promise.set_value(std::move(opened)); });
        return promise.get_future().get();
    }
    std::vector<std::string> loaded() const {
        std::vector<std::string> names;
        for (const ModelInfo& info : models->models())
            if (info.loaded) names.push_back(info.name);
        return names;
    }
};

// Of the built-in model, with the options above.
std::int64_t planned_bytes() {
    const ModelsOptions options = options_for({{"tiny", "tiny"}});
    const auto engine = options.open(options.sources.front(), false);
    const auto plan = engine::plan_memory(*engine, options.scheduler);
    if (!plan) ADD_FAILURE() << plan.error().what;
    return plan->weights + plan->working + plan->most_cache;
}

TEST(Models, TheOneThatWasUsedLastStaysWhereNotAllFit) {
    ModelsOptions options = options_for({{"a", "tiny"}, {"b", "tiny"}, {"c", "tiny"}});
    const std::int64_t each = planned_bytes();
    // Room for two, and what is kept free.
    options.memory = [each] { return 2 * each + each / 2 + 64 * kMiB; };
    const Served served(std::move(options));
    ASSERT_TRUE(served.open("a").model);
    ASSERT_TRUE(served.open("b").model);
    EXPECT_EQ(served.loaded(), (std::vector<std::string>{"a", "b"}));
    ASSERT_TRUE(served.open("a").model);
    ASSERT_TRUE(served.open("c").model);
    EXPECT_EQ(served.loaded(), (std::vector<std::string>{"a", "c"}));

    // Nothing is taken from those who are at work.
    const Opened a = served.open("a");
    const Opened c = served.open("c");
    const Opened b = served.open("b");
    EXPECT_FALSE(b.model);
    EXPECT_EQ(b.failure.kind, FailureKind::unavailable);
    EXPECT_EQ(b.failure.code, "not_enough_memory");
    EXPECT_GT(b.failure.retry_after_s, 0);
    EXPECT_NE(b.failure.message.find("GiB"), std::string::npos);
    EXPECT_NE(b.failure.message.find("-c"), std::string::npos);
    EXPECT_EQ(served.loaded(), (std::vector<std::string>{"a", "c"}));
}

TEST(Models, TheCacheIsAsLargeAsMemoryAllows) {
    for (const bool is_known : {true, false}) {
        ModelsOptions options = options_for({{"a", "tiny"}});
        options.scheduler.n_sequences = 64;
        const auto engine = options.open(options.sources.front(), false);
        const auto plan = engine::plan_memory(*engine, options.scheduler);
        ASSERT_TRUE(plan);
        EXPECT_GT(plan->most_cache, 4 * plan->least_cache);
        const std::int64_t all = plan->weights + plan->working + 4 * plan->least_cache + 64 * kMiB;
        options.memory = [=] { return is_known ? all : 0; };
        const Served served(std::move(options));
        const Opened opened = served.open("a");
        ASSERT_TRUE(opened.model) << opened.failure.message;
        EXPECT_EQ(opened.model->n_ctx(), 256);
        const auto blocks = opened.model->scheduler().stats().blocks;
        if (is_known) {
            EXPECT_EQ(blocks, 4);  // half of what is left: two contexts of two blocks
        }
        EXPECT_GE(blocks, 2);
    }
}

TEST(Models, NamesAreLookedUpWithAdaptersAndAreToldWhereThereIsNone) {
    const Served served(options_for({{"a", "tiny"}, {"b", "tiny"}}));
    EXPECT_TRUE(served.open("").model);
    EXPECT_TRUE(served.open("b:latest").model);
    for (const char* name : {"c", "a:x", "latest", "a:", ":latest"}) {
        const Opened opened = served.open(name);
        EXPECT_FALSE(opened.model) << name;
        EXPECT_EQ(opened.failure.kind, FailureKind::not_found);
        EXPECT_NE(opened.failure.message.find("a, b"), std::string::npos) << opened.failure.message;
    }
}

}  // namespace
}  // namespace heft::serve
