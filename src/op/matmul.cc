#include "op/matmul.h"

#include <algorithm>
#include <deque>
#include <limits>

#include "base/check.h"
#include "op/matmul_call.h"

namespace heft::op {

namespace {

// Of a call that is held to have few.
bool has_few_tokens(const Call& call) {
    if (call.context->deterministic) return false;
    if (call.context->as_alone && call.n_tokens <= kMostTokensAsAlone) return true;
    const Tuning& tuning = call.context->tuning;
    return call.n_tokens <= (takes(call, Route::floats) ? tuning.few_tokens_in_float
                                                        : tuning.few_tokens_in_integer);
}

// Whether integers are faster even where there are tiles. A token's bits then depend on how many
// are beside it.
bool goes_in_integers(const Call& call) {
    return !call.context->deterministic && call.n_tokens <= call.context->tuning.tokens_in_integers;
}

// x with its columns in the order in which a matrix stores its own.
std::vector<float> gather(const Group& group, std::int64_t cols, const std::int32_t* order) {
    std::vector<float> out(static_cast<std::size_t>(cols)
                           * static_cast<std::size_t>(group.n_tokens));
    float* to = out.data();
    for (int t = 0; t < group.n_tokens; ++t, to += cols)
        for (std::int64_t k = 0; k < cols; ++k) to[k] = group.x[t * group.x_stride + order[k]];
    return out;
}

// The calls that groups come to: one each, and one more for every further order of the input.
class Calls {
  public:
    Calls(Context& context, std::span<const Group> groups) {
        for (const Group& group : groups)
            if (!group.products.empty() && group.n_tokens > 0) add(context, group);
        for (Call& call : calls_) {
            call.few = has_few_tokens(call);
            call.in_integers = goes_in_integers(call);
        }
        middle_ = std::stable_partition(calls_.begin(), calls_.end(),
                                        [](const Call& call) { return call.few; });
    }

    std::span<Call> few() { return {calls_.begin(), middle_}; }
    std::span<Call> many() { return {middle_, calls_.end()}; }

  private:
    void add(Context& context, const Group& group) {
        const std::int64_t cols = group.products.front().weight->cols;
        bool ordered = false;
        for (const Product& product : group.products) {
            HEFT_CHECK(product.weight->cols == cols);
            ordered = ordered || product.weight->input_order != nullptr;
        }
        const Call call{&context, group.products, group.x, group.x_stride, group.n_tokens, cols};
        if (ordered)
            add_by_order(call, group);
        else
            calls_.push_back(call);
    }

    void add_by_order(const Call& call, const Group& group) {
        auto& products = products_.emplace_back(group.products.begin(), group.products.end());
        for (auto begin = products.begin(); begin != products.end();) {
            const std::int32_t* const common = begin->weight->input_order;
            const auto end = std::stable_partition(begin, products.end(), [&](const Product& p) {
                return p.weight->input_order == common;
            });
            Call part = call;
            part.products = {begin, end};
            if (common != nullptr) {
                part.x = gathered_.emplace_back(gather(group, call.cols, common)).data();
                part.x_stride = call.cols;
            }
            calls_.push_back(std::move(part));
            begin = end;
        }
    }

    std::vector<Call> calls_;
    std::vector<Call>::iterator middle_;
    std::deque<std::vector<Product>> products_;
    std::deque<std::vector<float>> gathered_;
};

}  // namespace

int tokens_with_equal_bits(const Context& context) {
    if (context.deterministic) return std::numeric_limits<int>::max();
    if (context.as_alone) return kMostTokensAsAlone;
    return std::min(context.tuning.few_tokens_in_float, context.tuning.few_tokens_in_integer);
}

void matmul(Context& context, std::span<const Group> groups) {
    if (context.observer != nullptr) context.observer->see(context, groups);
    Calls calls(context, groups);
    if (!calls.few().empty()) by_rows(context, calls.few());
    if (!calls.many().empty()) by_panels(context, calls.many());
}

void matmul(Context& context, std::span<const Product> products, const float* x,
            std::int64_t x_stride, int n_tokens) {
    const Group group{products, x, x_stride, n_tokens};
    matmul(context, {&group, 1});
}

}  // namespace heft::op
