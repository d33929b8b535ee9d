#include "engine/tuning.h"

#include <algorithm>
#include <cstring>

#include "base/clock.h"
#include "base/rng.h"
#include "op/matmul.h"
#include "tensor/quant/quant.h"

namespace heft::engine {

namespace {

// A setting is kept unless another one is faster by more than a measurement errs.
constexpr double kWorthChanging = 0.97;

// Seconds after which defaults must do: the machine is too busy to tell settings apart.
constexpr double kBudget = 0.8;

std::int64_t stored_bytes(DType type, std::int64_t cols) {
    const DTypeInfo& info = dtype_info(type);
    return cols / info.block * info.block_bytes;
}

// One row again and again: speed does not depend on values.
std::vector<std::byte> some_rows(DType type, std::int64_t rows, std::int64_t cols) {
    Rng rng(1);
    std::vector<float> row(static_cast<std::size_t>(cols));
    for (float& value : row) value = static_cast<float>(rng.uniform() - 0.5);
    const auto size = static_cast<std::size_t>(stored_bytes(type, cols));
    std::vector<std::byte> stored(size * static_cast<std::size_t>(rows));
    codec(type)->quantise(row.data(), cols, stored.data());
    for (std::size_t at = size; at < stored.size(); at += size)
        std::memcpy(stored.data() + at, stored.data(), size);
    return stored;
}

// A matrix of one type, to be multiplied under different settings.
class Matrix {
  public:
    // `stored` outlives it; whole rows of it are taken.
    Matrix(DType type, std::int64_t cols, Bytes stored, int most_tokens) {
        weight_.type = type;
        weight_.data = stored.data();
        weight_.cols = cols;
        weight_.row_stride = stored_bytes(type, cols);
        weight_.rows = static_cast<std::int64_t>(stored.size()) / weight_.row_stride;
        x_.assign(static_cast<std::size_t>(cols * most_tokens), 0.5F);
        out_.resize(static_cast<std::size_t>(weight_.rows * most_tokens));
    }

    void multiply(op::Context& context, int n_tokens) {
        const op::Product product{&weight_, out_.data(), weight_.rows};
        op::matmul(context, {&product, 1}, x_.data(), weight_.cols, n_tokens);
    }

  private:
    op::Weight weight_;
    std::vector<float> x_, out_;
};

class Tuner {
  public:
    Tuner(ThreadPool& pool, const kernel::Table& kernels, Bytes weights,
          std::vector<TuningTrial>* trials)
        : context_{pool, kernels}, weights_(weights), trials_(trials) {}

    op::Tuning run() {
        op::Tuning out = reading();
        const std::vector<int> few = {2, 3, 4, 6, 8, 12, 16, 24, 32, 48};
        out.few_tokens_in_float = up_to(kFloatSetting, DType::bf16, few);
        if (context_.kernels.has_tiles(DType::q4_k))
            out.tokens_in_integers =
                up_to(kTilesSetting, DType::q4_k, {4, 8, 16, 32, 48, 64, 96, 128});
        out.few_tokens_in_integer = up_to(kIntegerSetting, DType::q4_k, few);
        return out;
    }

  private:
    void note(const TuningTrial& trial) {
        if (trials_ != nullptr) trials_->push_back(trial);
    }

    // Candidates of one setting, by turns, so that what disturbs the machine disturbs all of them.
    // The shortest time of each.
    std::vector<double> compare(Matrix& matrix, int n_tokens,
                                const std::vector<op::Tuning>& candidates, int turns) {
        std::vector<double> best(candidates.size(), 1e30);
        for (int turn = 0; turn <= turns && (turn <= 1 || !late()); ++turn)
            for (std::size_t i = 0; i < candidates.size(); ++i) {
                context_.tuning = candidates[i];
                const auto begin = Clock::now();
                matrix.multiply(context_, n_tokens);
                const double seconds = seconds_since(begin);
                if (turn > 0) best[i] = std::min(best[i], seconds);  // the first one warms up
            }
        return best;
    }

    bool late() const { return seconds_since(began_) > kBudget; }

    // How the memory is read best: one token on a matrix that no cache holds. What was given for
    // it is read as if it were of one type: as fast as what it is, whatever comes out.
    op::Tuning reading() {
        constexpr std::int64_t cols = 2048;
        constexpr std::size_t bytes = std::size_t{256} << 20;
        constexpr std::size_t least = bytes / 4;
        constexpr int turns = 5;
        const auto rows = static_cast<std::int64_t>(bytes) / stored_bytes(DType::q4_k, cols);
        std::vector<std::byte> made;
        Bytes stored = weights_.first(std::min(bytes, weights_.size()));
        if (stored.size() < least) stored = made = some_rows(DType::q4_k, rows, cols);
        Matrix matrix(DType::q4_k, cols, stored, 1);
        began_ = Clock::now();  // what making memory takes says nothing of how busy the machine is
        const op::Tuning usual;
        std::vector<op::Tuning> candidates = {usual};
        for (const int prefetch : {0, 2048, 4096})
            candidates.push_back({.streams = usual.streams, .prefetch = prefetch});
        candidates.push_back({.streams = 1});
        const std::vector<double> seconds = compare(matrix, 1, candidates, turns);
        for (std::size_t i = 0; i < candidates.size(); ++i)
            note({kStreamsSetting.name, 1, candidates[i].streams, candidates[i].prefetch, nullptr,
                  seconds[i]});
        const auto fastest = std::min_element(seconds.begin(), seconds.end());
        const bool is_faster = *fastest < kWorthChanging * seconds[0];
        return is_faster && !late()
                   ? candidates[static_cast<std::size_t>(fastest - seconds.begin())]
                   : usual;
    }

    // The number of tokens up to which a setting's first way serves best, all counts tried taken
    // together: a single one may have been disturbed.
    int up_to(const Setting& setting, DType type, const std::vector<int>& counts) {
        constexpr int turns = 4;
        constexpr std::int64_t cols = 2048;
        const std::vector<std::byte> rows = some_rows(type, 4096, cols);
        Matrix matrix(type, cols, rows, op::kMostTokensInIntegers);
        op::Tuning until;
        until.*setting.value = setting.most;
        op::Tuning beyond;
        beyond.*setting.value = 0;
        const int usual = op::Tuning{}.*setting.value;
        int best = setting.least;
        double gained = 0;  // by the first way for all up to there; relative to each count's time
        double at_best = 0;
        double at_usual = 0;
        for (const int n_tokens : counts) {
            if (n_tokens > counts.front() && late()) return usual;
            const std::vector<double> seconds = compare(matrix, n_tokens, {until, beyond}, turns);
            note({setting.name, n_tokens, 0, 0, setting.until, seconds[0]});
            note({setting.name, n_tokens, 0, 0, setting.beyond, seconds[1]});
            gained += 1 - seconds[0] / seconds[1];
            if (n_tokens <= usual) at_usual = gained;
            if (gained > at_best) {
                at_best = gained;
                best = n_tokens;
            }
            if (seconds[0] > 2 * seconds[1] && n_tokens > usual) break;  // it will not come back
        }
        return at_best > at_usual + (1 - kWorthChanging) ? best : usual;
    }

    Clock::time_point began_ = Clock::now();
    op::Context context_;
    Bytes weights_;
    std::vector<TuningTrial>* trials_;
};

}  // namespace

op::Tuning measure_tuning(ThreadPool& pool, const kernel::Table& kernels, Bytes weights,
                          std::vector<TuningTrial>* trials) {
    return Tuner(pool, kernels, weights, trials).run();
}

}  // namespace heft::engine
