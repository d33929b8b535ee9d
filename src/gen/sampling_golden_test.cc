// Stored results of other implementations for the single stages, and for chains of cuts.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "../../tests/shared_data.h"
#include "base/json.h"
#include "gen/penalties.h"
#include "gen/test_lists.h"
#include "gen/truncate.h"

namespace heft::gen {
namespace {

using Json = nlohmann::ordered_json;
using testing::from_probabilities;

// The stored numbers have five to six digits.
constexpr float kExact = 1e-5F;
constexpr float kRough = 1e-3F;

void expect_same(const Candidates& list, const Json& expected, float tolerance) {
    ASSERT_EQ(list.size(), expected.size());
    for (std::size_t i = 0; i < list.size(); ++i) {
        EXPECT_NEAR(list.items[i].p, expected[i].get<float>(), tolerance) << "place " << i;
    }
}

void check_penalties(const Json& args) {
    auto list = from_probabilities(args[0].get<std::vector<float>>());
    const auto last = args[1].get<std::vector<TokenId>>();
    PenaltyOptions options;
    options.repeat = args[3];
    options.frequency = args[4];
    options.presence = args[5];
    penalise(list, count_tokens(last), options);
    sort(list);
    softmax(list);
    expect_same(list, args[2], kRough);
}

// Tokens 0 … n-1 with probability in proportion to their id, cut by several stages in turn. What
// each has to leave is known in whole numbers.
struct Queue {
    int n_vocab = 0;
    int lowest = 0;  // the least probable token still there
    Candidates list;

    explicit Queue(int n) : n_vocab(n) {
        std::vector<float> logits;
        logits.reserve(static_cast<std::size_t>(n));
        for (int id = 0; id < n; ++id) logits.push_back(std::log(static_cast<float>(id)));
        assign(list, logits);
    }

    void expect(int size) {
        sort(list);
        ASSERT_EQ(list.size(), static_cast<std::size_t>(size));
        EXPECT_EQ(list.items.front().id, n_vocab - 1);
        EXPECT_EQ(list.items.back().id, lowest);
    }

    void k(int top) {
        const int before = static_cast<int>(list.size());
        top_k(list, top);
        lowest = std::max(lowest, n_vocab - top);
        expect(std::min(before, top));
    }

    void p(float share) {
        top_p(list, share);
        const auto sum_below = [](std::int64_t n) { return n * (n - 1) / 2; };
        const auto all = static_cast<float>(sum_below(n_vocab) - sum_below(lowest));
        const auto target = static_cast<std::int64_t>(std::ceil(share * all));
        std::int64_t sum = 0;
        lowest = n_vocab;
        do sum += --lowest;
        while (sum < target);
        if (lowest == 1) lowest = 0;  // token 0 is impossible, but is cut by nothing here
        expect(n_vocab - lowest);
    }

    void m(float share) {
        min_p(list, share);
        const auto n = static_cast<float>(n_vocab);
        const int size = static_cast<int>(list.size());
        const int expected = std::max(static_cast<int>(std::ceil((1.0F - share) * n)), 1);
        lowest = std::max({static_cast<int>(std::floor(share * n)), 1, n_vocab - size});
        lowest = std::min(lowest, n_vocab - 1);
        expect(std::min(expected, size));
    }
};

void check_queue(const Json& args) {
    Queue queue(args[0].get<int>());
    for (const char stage : args[1].get<std::string>()) {
        switch (stage) {
            case 'k': queue.k(args[2].get<int>()); break;
            case 'p': queue.p(args[3].get<float>()); break;
            case 'm': queue.m(args[4].get<float>()); break;
            default: FAIL() << "no such stage: " << stage;
        }
    }
}

// Answers whether the case is about a stage that heft has.
bool check(const std::string& test, const Json& args) {
    if (test == "repetition_penalties") {
        check_penalties(args);
        return true;
    }
    if (test == "sampler_queue") {
        check_queue(args);
        return true;
    }
    auto list = from_probabilities(args[0].get<std::vector<float>>());
    if (test == "top_k") {
        top_k(list, args[2].get<int>());
        sort(list);
        expect_same(list, args[1], kExact);
    } else if (test == "top_p") {
        top_p(list, args[2].get<float>());
        sort(list);
        expect_same(list, args[1], kRough);
    } else if (test == "min_p") {
        min_p(list, args[2].get<float>());
        sort(list);
        softmax(list);
        expect_same(list, args[1], kRough);
    } else if (test == "typical") {
        typical(list, args[2].get<float>());
        expect_same(list, args[1], kRough);
    } else {
        return false;
    }
    return true;
}

TEST(SamplingGoldens, EveryStageThatHeftHas) {
    const auto path = heft::testing::shared_data() / "real" / "goldens" / "sampling-goldens.json";
    HEFT_NEED_SHARED(path);
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    auto parsed = parse_json_tree(text.str());
    ASSERT_TRUE(parsed) << parsed.error().what;
    const Json& tree = *parsed;

    int n_checked = 0;
    for (const auto& entry : tree["cases"]) {
        SCOPED_TRACE(entry.dump());
        const auto test = entry["test"].get<std::string>();
        if (check(test, entry["args"])) {
            ++n_checked;
        } else {
            EXPECT_EQ(test, "tfs") << "a stage that nobody has decided to leave out";
        }
    }
    EXPECT_GE(n_checked, 40);
}

}  // namespace
}  // namespace heft::gen
