#include "app/bench_plan.h"

#include <algorithm>

#include <fmt/format.h>

#include "app/ids.h"

namespace heft::app {

namespace {

// The numbers of a list in ascending order, each once.
Result<std::vector<int>> numbers(const std::string& text, std::string_view flag, int least,
                                 int most) {
    HEFT_TRY(std::vector<int> list, parse_numbers(text, flag));
    if (list.empty())
        return Error{Code::invalid, fmt::format("{}: at least one number is needed", flag)};
    for (const int number : list)
        if (number < least || number > most)
            return Error{Code::invalid,
                         fmt::format("{}: numbers from {} to {} are needed", flag, least, most)};
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
    return list;
}

void add_tests(BenchPlan& plan, BenchKind kind, const std::vector<int>& lengths, int depth,
               int batch) {
    for (const int n_tokens : lengths)
        if (n_tokens > 0) plan.tests.push_back({kind, n_tokens, depth, batch});
}

}  // namespace

Result<BenchPlan> plan_bench(const BenchOptions& o) {
    constexpr int most_tokens = 1 << 24;
    constexpr int most_sequences = 1024;
    HEFT_TRY(const std::vector<int> prompts, numbers(o.prompts, "-p", 0, most_tokens));
    HEFT_TRY(const std::vector<int> predicts, numbers(o.predicts, "-n", 0, most_tokens));
    HEFT_TRY(const std::vector<int> depths, numbers(o.depths, "-d", 0, most_tokens));
    HEFT_TRY(const std::vector<int> batches, numbers(o.batches, "-b", 1, most_sequences));
    if (o.repeats < 1 || o.repeats > 10000)
        return Error{Code::invalid, "-r: a number from 1 to 10000 is needed"};
    BenchPlan plan;
    plan.repeats = o.repeats;
    for (const int depth : depths)
        for (const int batch : batches) {
            add_tests(plan, BenchKind::prefill, prompts, depth, batch);
            add_tests(plan, BenchKind::decode, predicts, depth, batch);
        }
    if (plan.tests.empty())
        return Error{Code::invalid, "with -p 0 and -n 0 there is nothing to measure"};
    return plan;
}

std::int64_t BenchPlan::n_ctx() const {
    std::int64_t most = 0;
    for (const BenchTest& test : tests)
        most = std::max(most, std::int64_t{test.depth} + test.n_tokens);
    return most;
}

int BenchPlan::most_sequences() const {
    int most = 1;
    for (const BenchTest& test : tests) most = std::max(most, test.batch);
    return most;
}

std::string name_of(const BenchTest& test) {
    return (test.kind == BenchKind::prefill ? "pp" : "tg") + std::to_string(test.n_tokens);
}

}  // namespace heft::app
