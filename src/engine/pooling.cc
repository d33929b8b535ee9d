#include "engine/pooling.h"

#include <cmath>

#include <fmt/format.h>

namespace heft::engine {

namespace {

using Pool = std::vector<float> (*)(std::span<const float> rows, std::size_t width);

std::vector<float> mean_of(std::span<const float> rows, std::size_t width) {
    std::vector<double> sums(width);
    for (std::size_t i = 0; i < rows.size(); ++i) sums[i % width] += static_cast<double>(rows[i]);
    const std::size_t n_token = rows.size() / width;
    std::vector<float> out(width);
    for (std::size_t i = 0; i < width; ++i)
        out[i] = static_cast<float>(sums[i] / static_cast<double>(n_token));
    return out;
}

std::vector<float> last_of(std::span<const float> rows, std::size_t width) {
    const auto last = rows.last(width);
    return {last.begin(), last.end()};
}

std::vector<float> first_of(std::span<const float> rows, std::size_t width) {
    const auto first = rows.first(width);
    return {first.begin(), first.end()};
}

struct Row {
    Pooling pooling;
    std::string_view name;
    Pool pool;
};
// In the order of the enumeration.
constexpr Row kRows[] = {
    {Pooling::mean, "mean", mean_of},
    {Pooling::last, "last", last_of},
    {Pooling::cls, "cls", first_of},
};

}  // namespace

Result<Pooling> parse_pooling(std::string_view name) {
    for (const Row& row : kRows)
        if (name == row.name) return row.pooling;
    return Error{Code::invalid, fmt::format("\"{}\" is not mean, last or cls", name)};
}

std::vector<float> pooled(std::span<const float> rows, std::size_t width, Pooling pooling) {
    return kRows[static_cast<std::size_t>(pooling)].pool(rows, width);
}

void normalise(std::vector<float>& vector) {
    double squares = 0;
    for (const float value : vector) squares += static_cast<double>(value) * value;
    if (squares <= 0) return;
    const double scale = 1 / std::sqrt(squares);
    for (float& value : vector) value = static_cast<float>(value * scale);
}

Result<std::vector<float>> embed(const Engine& engine, std::span<const TokenId> ids,
                                 Pooling pooling, int adapter) {
    HEFT_TRY(const arch::Config* config, engine.config());
    const auto length = static_cast<std::int64_t>(ids.size());
    if (length > config->n_ctx)
        return Error{Code::invalid,
                     fmt::format("the text has {} tokens, {} more than the model's context of {}",
                                 length, length - config->n_ctx, config->n_ctx)};
    HEFT_TRY(const std::vector<float> rows, hidden_states(engine, ids, adapter));
    return pooled(rows, static_cast<std::size_t>(config->d_model), pooling);
}

}  // namespace heft::engine
