// Every method against stored results of an independent implementation in float64
// (scripts/merge_vectors.py), and what has to hold for all of them.
#include "merge/method.h"

#include <cmath>
#include <fstream>
#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/rng.h"
#include "merge/merged_rows.h"
#include "merge/ranks.h"
#include "merge/test_inputs.h"

namespace heft::merge {
namespace {

using Json = nlohmann::json;
using testing::inputs_of;

using Numbers = std::vector<float>;

Numbers flat(const Json& rows) {
    Numbers out;
    for (const Json& row : rows)
        for (const Json& number : row) out.push_back(number.get<float>());
    return out;
}

Values usual(const Method& method) {
    Values values;
    for (const Takes& takes : method.takes) values.set(takes.parameter, takes.usual);
    return values;
}

void put(const Json& given, Values& values) {
    for (const auto& [name, value] : given.items()) {
        const auto parameter = parameter_of(name);
        ASSERT_TRUE(parameter) << name;
        values.set(*parameter, value.get<double>());
    }
}

// In pieces of so many rows.
Result<Numbers> merged(const Method& method, const Inputs& inputs, const Settings& settings,
                       int n_threads, int wave = 3, std::int64_t piece = 64) {
    ThreadPool pool(n_threads);
    Scanner scanner(pool, {}, wave);
    HEFT_TRY(const Rule rule, method.prepare(inputs, settings, scanner));
    BlockReader reader(inputs);
    Numbers out, rows;
    for (std::int64_t first = 0; first < inputs.n_rows; first += piece) {
        make_rows(reader, rule, first, std::min(piece, inputs.n_rows - first), rows);
        out.insert(out.end(), rows.begin(), rows.end());
    }
    return out;
}

const Json& golden() {
    static const Json document =
        Json::parse(std::ifstream(HEFT_SOURCE_DIR "/tests/golden/merge.json"));
    return document;
}

Settings settings_of(const Json& one, const Method& method) {
    Settings settings;
    settings.all = usual(method);
    put(one["all"], settings.all);
    for (const Json& each : one["each"]) {
        settings.models.push_back(usual(method));
        put(each, settings.models.back());
    }
    settings.seed =
        random_key(golden()["seed"].get<std::uint64_t>(), golden()["tensor"].get<std::string>());
    return settings;
}

TEST(Method, GivesWhatAnIndependentImplementationGives) {
    std::set<std::string> seen;
    for (const Json& one : golden()["cases"]) {
        const Json& input = golden()["inputs"][one["input"].get<std::size_t>()];
        const auto name = one["method"].get<std::string>();
        const Method* method = find_method(name);
        ASSERT_NE(method, nullptr) << name;
        seen.insert(name);
        const Settings settings = settings_of(one, *method);
        const Numbers base = flat(input["base"]);
        std::vector<Numbers> models;
        for (std::size_t m = 0; m < settings.models.size(); ++m)
            models.push_back(flat(input["models"][m]));
        const auto rows = static_cast<std::int64_t>(input["base"].size());
        const auto columns = static_cast<std::int64_t>(input["base"][0].size());
        const Inputs inputs =
            inputs_of(one["base"].get<bool>() ? &base : nullptr, models, rows, columns);
        const auto result = merged(*method, inputs, settings, 1);
        const std::string where = name + " " + one["all"].dump() + one["each"].dump() + ", "
                                  + input["name"].get<std::string>();
        ASSERT_TRUE(result) << where << ": " << result.error().what;
        const auto wanted = one["result"].get<std::vector<double>>();
        ASSERT_EQ(result->size(), wanted.size()) << where;
        for (std::size_t i = 0; i < wanted.size(); ++i)
            EXPECT_NEAR((*result)[i], wanted[i], 2e-6 * (1 + std::abs(wanted[i]))) << where << i;
    }
    for (const Method& method : methods()) EXPECT_TRUE(seen.contains(std::string(method.name)));
}

struct Large {
    std::int64_t rows = 300, columns = 257;
    Numbers base;
    std::vector<Numbers> models;

    explicit Large(std::size_t n_models) : models(n_models) {
        Rng rng(7);
        const auto draw = [&] { return static_cast<float>(rng.uniform() - 0.5); };
        for (std::int64_t i = 0; i < rows * columns; ++i) {
            base.push_back(draw());
            for (Numbers& model : models) model.push_back(base.back() + draw() * 0.1F);
        }
    }
};

Settings plain(const Method& method, std::size_t n_models) {
    Settings settings;
    settings.all = usual(method);
    settings.all.set(Parameter::t, 0.4);
    settings.all.set(Parameter::select_topk, 0.5);
    settings.models.assign(n_models, usual(method));
    for (Values& model : settings.models) {
        model.set(Parameter::weight, 0.6);
        model.set(Parameter::density, 0.5);
    }
    settings.seed = 5;
    return settings;
}

TEST(Method, GivesTheSameBitsOnAnyNumberOfThreadsAndInAnyPieces) {
    for (const Method& method : methods()) {
        const auto n = static_cast<std::size_t>(std::min(method.most, 3));
        const Large large(n);
        const Settings settings = plain(method, n);
        const Inputs inputs = inputs_of(method.base == Base::none ? nullptr : &large.base,
                                        large.models, large.rows, large.columns);
        ASSERT_GT(inputs.n_blocks(), 3);
        const auto one = merged(method, inputs, settings, 1, 64);
        ASSERT_TRUE(one) << method.name;
        EXPECT_EQ(*one, *merged(method, inputs, settings, 4, 2)) << method.name;
        for (const std::int64_t piece : {1, 7, 300})
            EXPECT_EQ(*one, *merged(method, inputs, settings, 2, 64, piece)) << method.name;
    }
}

TEST(Method, AnotherSeedDrawsOtherNumbers) {
    const Method& dare = *find_method("dare_linear");
    const Large large(1);
    const Inputs inputs = inputs_of(&large.base, large.models, large.rows, large.columns);
    Settings settings = plain(dare, 1);
    const auto first = merged(dare, inputs, settings, 1);
    settings.seed = 6;
    EXPECT_NE(*first, *merged(dare, inputs, settings, 1));
}

// Half of the numbers, and these doubled: the mean stays.
TEST(Method, DareKeepsTheShareThatItIsTold) {
    const Method& dare = *find_method("dare_linear");
    const Large large(1);
    const Inputs inputs = inputs_of(&large.base, large.models, large.rows, large.columns);
    const auto result = merged(dare, inputs, plain(dare, 1), 1);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < large.base.size(); ++i) kept += (*result)[i] != large.base[i];
    EXPECT_NEAR(static_cast<double>(kept) / static_cast<double>(large.base.size()), 0.5, 0.01);
}

TEST(Method, WeightsThatCancelAreToldApart) {
    const Method& linear = *find_method("linear");
    const Large large(2);
    Settings settings = plain(linear, 2);
    settings.models[1].set(Parameter::weight, -0.6);
    const Inputs inputs = inputs_of(nullptr, large.models, large.rows, large.columns);
    const auto result = merged(linear, inputs, settings, 1);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::invalid);
}

TEST(Method, EmptyTensorsStayEmpty) {
    for (const Method& method : methods()) {
        const auto n = static_cast<std::size_t>(std::min(method.most, 3));
        const Numbers base;
        const std::vector<Numbers> models(n);
        const Inputs inputs = inputs_of(method.base == Base::none ? nullptr : &base, models, 0, 4);
        const auto result = merged(method, inputs, plain(method, n), 2);
        ASSERT_TRUE(result) << method.name << ": " << result.error().what;
        EXPECT_TRUE(result->empty());
    }
}

TEST(Ranks, AreThoseOfTheSortedNumbers) {
    Large large(2);
    // Many equal ones, as the differences of 16-bit numbers are.
    for (float& number : large.models[0]) number = std::round(number * 64) / 64;
    const Inputs inputs = inputs_of(nullptr, large.models, large.rows, large.columns);
    const std::int64_t n = inputs.size();
    const std::vector<std::vector<std::int64_t>> ranks = {{0, 1, n / 2, n - 1}, {n / 3, 17}};
    ThreadPool pool(3);
    Scanner scanner(pool, {}, 2);
    const auto values = values_at_ranks(
        inputs, scanner,
        [](const Block& block, std::vector<std::vector<float>>& to) {
            for (std::size_t m = 0; m < 2; ++m)
                for (std::size_t i = 0; i < block.size(); ++i)
                    to[m][i] = std::abs(block.models[m][i]);
        },
        ranks);
    ASSERT_TRUE(values);
    for (std::size_t m = 0; m < 2; ++m) {
        Numbers sorted = large.models[m];
        for (float& number : sorted) number = std::abs(number);
        std::sort(sorted.begin(), sorted.end());
        for (std::size_t r = 0; r < ranks[m].size(); ++r)
            EXPECT_EQ((*values)[m][r], sorted[static_cast<std::size_t>(ranks[m][r])]);
    }
}

}  // namespace
}  // namespace heft::merge
