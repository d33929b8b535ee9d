#include "kv/store.h"

#include <cstring>

#include <gtest/gtest.h>

#include "base/rng.h"

namespace heft::kv {
namespace {

using Text = std::vector<std::int32_t>;

Shape shape_of(std::int64_t n_ctx, int value_row = 3) {
    Shape shape;
    shape.n_layer = 2;
    shape.n_ctx = n_ctx;
    shape.key_row = 2;
    shape.value_row = value_row;
    shape.types = {DType::f32, DType::f32};
    return shape;
}

std::unique_ptr<Store> make_store(std::int64_t n_blocks, int value_row = 3) {
    auto store = Store::make(shape_of(8 * kBlock, value_row), n_blocks);
    if (!store) ADD_FAILURE() << store.error().what;
    return std::move(*store);
}

// What a row holds: a number that the whole text up to it decides, as keys and values are.
float number(std::span<const std::int32_t> text, int layer, const Basis& basis) {
    std::uint32_t hash =
        (basis.long_context ? 7U : 3U) + 11U * static_cast<unsigned>(basis.adapter);
    for (const std::int32_t token : text) hash = hash * 31 + static_cast<std::uint32_t>(token);
    return static_cast<float>((hash + static_cast<std::uint32_t>(layer) * 17) % 100003);
}

template <class Body>
void each_row(const Cache& cache, const Text& text, std::int64_t from, const Body& body) {
    for (std::int64_t at = from; at < static_cast<std::int64_t>(text.size()); ++at)
        for (int layer = 0; layer < 2; ++layer) {
            const float value =
                number(std::span(text).first(static_cast<std::size_t>(at) + 1), layer, cache.basis);
            body(cache.key(layer, at), value);
            if (cache.shape().value_row > 0) body(cache.value(layer, at), -value);
        }
}

// As a model would: the tokens behind those that the cache has.
void compute(Cache& cache, const Text& text) {
    each_row(cache, text, cache.length(),
             [](std::byte* row, float value) { std::memcpy(row, &value, sizeof value); });
    cache.set_length(static_cast<std::int64_t>(text.size()));
}

bool holds(const Cache& cache, const Text& text) {
    bool is_right = true;
    each_row(cache, text, 0, [&is_right](std::byte* row, float value) {
        is_right = is_right && std::memcmp(row, &value, sizeof value) == 0;
    });
    return is_right;
}

Text count(int n, int first = 0) {
    Text text;
    for (int i = 0; i < n; ++i) text.push_back(first + i);
    return text;
}

// A cache that has read a text.
Cache read(Store& store, const Text& text) {
    Cache cache = store.make_cache();
    cache.find(text);
    EXPECT_TRUE(cache.make_room(static_cast<std::int64_t>(text.size())));
    compute(cache, text);
    cache.keep(text);
    return cache;
}

TEST(Store, TextsThatBeginAlikeShareTheirBlocks) {
    const auto store = make_store(16);
    Text one = count(300);
    Text two = one;
    two[290] = -1;
    const Cache first = read(*store, one);
    EXPECT_EQ(store->n_used(), 3);
    const Cache second = read(*store, two);
    EXPECT_EQ(store->n_used(), 4);
    EXPECT_EQ(first.key(1, 255), second.key(1, 255));
    EXPECT_NE(first.key(1, 256), second.key(1, 256));
    EXPECT_TRUE(holds(first, one));
    EXPECT_TRUE(holds(second, two));
}

TEST(Store, WhatNobodyUsesIsFoundAgainToTheToken) {
    for (const int value_row : {0, 3}) {
        const auto store = make_store(16, value_row);
        {
            Cache cache = read(*store, count(300));
            cache.keep_all(count(300));
        }
        EXPECT_EQ(store->n_used(), 0);
        EXPECT_EQ(store->n_kept(), 3);
        for (const int n : {1, 100, 128, 200, 256, 290, 300}) {
            Text text = count(n);
            text.push_back(-5);
            Cache cache = store->make_cache();
            EXPECT_EQ(cache.find(text), n < 8 ? 0 : n);
            if (n < 8) continue;  // not worth it
            EXPECT_TRUE(holds(cache, count(n)));
        }
        for (const Basis& basis : {Basis{true, 0}, Basis{false, 1}}) {
            Cache other = store->make_cache();
            other.basis = basis;
            EXPECT_EQ(other.find(count(300)), 0);
        }
    }
}

TEST(Store, TheSameTextReadTwiceAtOnceIsKeptOnce) {
    const auto store = make_store(16);
    Cache one = store->make_cache();
    Cache two = store->make_cache();
    for (Cache* cache : {&one, &two}) {
        ASSERT_TRUE(cache->make_room(256));
        compute(*cache, count(256));
    }
    EXPECT_EQ(store->n_used(), 4);
    one.keep(count(256));
    two.keep(count(256));
    EXPECT_EQ(store->n_used(), 2);
    EXPECT_EQ(one.key(0, 0), two.key(0, 0));
}

TEST(Store, WhatWasUsedLastStaysLongest) {
    const auto store = make_store(4);
    const Text a = count(256), b = count(256, 1000);
    read(*store, a);
    read(*store, b);
    read(*store, a);
    read(*store, count(128, 5000));
    EXPECT_EQ(store->n_evicted(), 1U);
    Cache cache = store->make_cache();
    EXPECT_EQ(cache.find(a), 256);
    cache = store->make_cache();
    EXPECT_EQ(cache.find(b), 128);  // its end went first
    EXPECT_EQ(store->n_needed(b, 1, {}), 2 + 1 - 1);
}

TEST(Store, ThereIsNoRoomBeyondWhatIsUsed) {
    const auto store = make_store(3);
    Cache one = store->make_cache();
    EXPECT_TRUE(one.make_room(2 * kBlock));
    Cache two = store->make_cache();
    EXPECT_FALSE(two.make_room(kBlock + 1));
    EXPECT_TRUE(two.make_room(kBlock));
    one.set_length(0);
    one = store->make_cache();
    EXPECT_TRUE(two.make_room(3 * kBlock));
}

// Random texts over few tokens, so that they share and part anywhere, in a store that is too small.
TEST(Store, WhateverHappensCachesHoldTheirTexts) {
    const auto store = make_store(12);
    Rng rng(5);
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(rng.next() % n); };
    struct Reader {
        Cache cache;
        Text text;
    };
    std::vector<Reader> readers;
    std::vector<Text> texts;
    std::int64_t n_found = 0;
    for (int step = 0; step < 3000; ++step) {
        if (readers.size() < 4 && below(2) == 0) {
            Text text = texts.empty() || below(4) == 0 ? Text() : texts[below(texts.size())];
            text.resize(below(text.size() + 1));
            const std::size_t more = below(200);
            for (std::size_t i = 0; i <= more; ++i)
                text.push_back(static_cast<std::int32_t>(below(3)));
            text.resize(std::min<std::size_t>(text.size(), 8 * kBlock));
            texts.push_back(text);
            readers.push_back({store->make_cache(), {}});
            readers.back().cache.basis = {below(5) == 0, below(5) == 0 ? 2 : 0};
        }
        if (readers.empty()) continue;
        const std::size_t r = below(readers.size());
        Reader& reader = readers[r];
        const Text& whole = texts[texts.size() - 1 - below(std::min<std::size_t>(texts.size(), 4))];
        if (reader.text.empty()) reader.text = whole;
        const auto before = reader.cache.length();
        const std::int64_t found = reader.cache.find(reader.text);
        n_found += found - before;
        Text now(reader.text.begin(), reader.text.begin() + found);
        ASSERT_TRUE(holds(reader.cache, now)) << step;
        const auto to = std::min<std::size_t>(reader.text.size(), now.size() + below(150));
        now.assign(reader.text.begin(), reader.text.begin() + static_cast<std::ptrdiff_t>(to));
        const bool has_room = reader.cache.make_room(static_cast<std::int64_t>(to));
        if (has_room) {
            compute(reader.cache, now);
            reader.cache.keep(now);
            ASSERT_TRUE(holds(reader.cache, now)) << step;
        }
        if (!has_room || to == reader.text.size()) {
            if (has_room && below(2) == 0) reader.cache.keep_all(now);
            readers.erase(readers.begin() + static_cast<std::ptrdiff_t>(r));
        }
        ASSERT_LE(store->n_used() + store->n_kept(), store->n_blocks());
    }
    readers.clear();
    EXPECT_EQ(store->n_used(), 0);
    EXPECT_GT(store->n_evicted(), 100U);
    EXPECT_GT(n_found, 10000);
}

}  // namespace
}  // namespace heft::kv
