// Sums of task vectors, what a model's numbers are away from the base's (Ilharco et al. 2022), of
// which some are left out: the small ones (TIES: Yadav et al. 2023), the smallest and the largest
// (Breadcrumbs: Davari and Belilovsky 2023), some by chance (DARE: Yu et al. 2023), or by chance
// that favours the large ones of a row (DELLA: Deep et al. 2024). Optionally only those that agree
// with the sign that the sum of all has (TIES, section 4).
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "merge/method.h"
#include "merge/ranks.h"

namespace heft::merge {

namespace {

// What a model's numbers have to be to be kept, by magnitude.
struct Range {
    float least = 0;
    float most = std::numeric_limits<float>::infinity();
    bool nothing = false;
};

void differences(const Block& block, std::size_t model, std::vector<float>& to) {
    const float* values = block.models[model];
    for (std::size_t i = 0; i < to.size(); ++i) to[i] = values[i] - block.base[i];
}

// How many of the n smallest magnitudes and of the n largest go.
struct Cut {
    std::int64_t small = 0, large = 0;
};

Cut cut_of(Trim trim, const Values& model, std::int64_t n) {
    const double density = model[Parameter::density];
    const auto share = [n](double of) {
        return static_cast<std::int64_t>(of * static_cast<double>(n));
    };
    Cut cut{n - share(density), 0};
    if (trim != Trim::outliers) return cut;
    cut.large = share(model[Parameter::gamma]);
    cut.small -= cut.large;
    if (cut.small >= 0) return cut;
    return {0, cut.large + cut.small};  // the wanted density comes first
}

// Equal magnitudes are treated alike, so that the choice does not depend on their order.
Result<std::vector<Range>> ranges(Trim trim, const Inputs& inputs, const Settings& settings,
                                  Scanner& scanner) {
    const std::int64_t n = inputs.size();
    std::vector<Range> out(inputs.models.size());
    std::vector<std::vector<std::int64_t>> ranks(out.size());
    std::vector<Cut> cuts;
    for (std::size_t m = 0; m < out.size(); ++m) {
        const Cut cut = cut_of(trim, settings.models[m], n);
        cuts.push_back(cut);
        out[m].nothing = cut.small + cut.large >= n;
        if (out[m].nothing) continue;
        if (cut.small > 0) ranks[m].push_back(cut.small);
        if (cut.large > 0) ranks[m].push_back(n - cut.large - 1);
    }
    HEFT_TRY(const auto values, values_at_ranks(
                                    inputs, scanner,
                                    [](const Block& block, std::vector<std::vector<float>>& to) {
                                        for (std::size_t m = 0; m < to.size(); ++m)
                                            differences(block, m, to[m]);
                                    },
                                    ranks));
    for (std::size_t m = 0; m < out.size(); ++m) {
        std::size_t next = 0;
        if (out[m].nothing) continue;
        if (cuts[m].small > 0) out[m].least = values[m][next++];
        if (cuts[m].large > 0) out[m].most = values[m][next];
    }
    return out;
}

void keep_in_range(const Range& range, std::vector<float>& deltas) {
    if (range.nothing) return std::fill(deltas.begin(), deltas.end(), 0.0F);
    const float least = range.least;
    const float most = range.most;
    for (float& delta : deltas) {
        const float size = std::abs(delta);
        const bool is_kept = (size >= least) & (size <= most);
        delta = is_kept ? delta : 0.0F;
    }
}

void keep_by_chance(const Values& model, bool rescale, std::uint64_t key, std::uint64_t first,
                    std::vector<float>& deltas) {
    const double density = model[Parameter::density];
    if (density >= 1) return;
    const auto factor = static_cast<float>(rescale && density > 0 ? 1 / density : 1.0);
    for (std::size_t i = 0; i < deltas.size(); ++i)
        deltas[i] = random_at(key, first + i) < density ? deltas[i] * factor : 0.0F;
}

// Of a row, the number with rank r of n is kept with a chance between density - epsilon (the
// smallest) and density + epsilon (the largest).
void keep_by_rank(const Values& model, bool rescale, std::uint64_t key, const Block& block,
                  std::vector<float>& deltas) {
    const double density = model[Parameter::density];
    const double epsilon = model[Parameter::epsilon];
    if (density >= 1) return;
    const auto columns = static_cast<std::size_t>(block.n_columns);
    std::vector<std::uint32_t> order(columns);
    for (std::size_t begin = 0; begin < deltas.size(); begin += columns) {
        float* row = deltas.data() + begin;
        std::iota(order.begin(), order.end(), 0U);
        std::sort(order.begin(), order.end(), [row](std::uint32_t a, std::uint32_t b) {
            const float x = std::abs(row[a]);
            const float y = std::abs(row[b]);
            return x != y ? x < y : a < b;
        });
        for (std::size_t rank = 0; rank < columns; ++rank) {
            const double place =
                columns > 1 ? static_cast<double>(rank) / static_cast<double>(columns - 1) : 0.5;
            const double chance = density <= 0 ? 0 : density + epsilon * (2 * place - 1);
            const std::uint64_t index = block.first() + begin + order[rank];
            float& delta = row[order[rank]];
            const bool kept = random_at(key, index) < chance;
            delta = kept ? delta * static_cast<float>(rescale ? 1 / chance : 1.0) : 0.0F;
        }
    }
}

Status check(Trim trim, const Settings& settings) {
    if (trim != Trim::ranked) return {};
    for (const Values& model : settings.models) {
        const double density = model[Parameter::density];
        const double epsilon = model[Parameter::epsilon];
        if (density > 0 && density < 1 && (density + epsilon >= 1 || density - epsilon <= 0))
            return Error{Code::invalid,
                         "density - epsilon and density + epsilon have to be between 0 and 1; make "
                         "epsilon smaller"};
    }
    return {};
}

// What all of it leads to at each place.
struct Sums {
    std::vector<float> deltas;          // the model's at hand
    std::vector<float> weighted;        // of all models, one after the other
    std::vector<float> total, divisor;  // of the kept
};

void add_to(std::vector<float>& sums, const float* numbers) {
    float* to = sums.data();
    for (std::size_t i = 0; i < sums.size(); ++i) to[i] += numbers[i];
}

// Of the models that agree with the sign of the sum. A sum of zero counts as positive. Loops
// without branches, of which compilers make vectors: half of all numbers agree.
void elect(const std::vector<Values>& models, std::size_t n, Sums& sums) {
    std::vector<float> direction(n);
    for (std::size_t m = 0; m < models.size(); ++m) add_to(direction, sums.weighted.data() + m * n);
    for (float& sign : direction) sign = sign >= 0 ? 1.0F : -1.0F;
    const float* towards = direction.data();
    float* total = sums.total.data();
    float* divisor = sums.divisor.data();
    for (std::size_t m = 0; m < models.size(); ++m) {
        const auto weight = static_cast<float>(models[m][Parameter::weight]);
        const float* weighted = sums.weighted.data() + m * n;
        for (std::size_t i = 0; i < n; ++i) {
            const bool agrees = towards[i] * weighted[i] > 0;
            total[i] += agrees ? weighted[i] : 0.0F;
            divisor[i] += agrees ? weight : 0.0F;
        }
    }
}

struct Plan {
    Trim trim;
    bool elect;
    std::vector<Range> ranges;
};

void trim_block(const Plan& plan, const Settings& settings, std::size_t m, const Block& block,
                std::vector<float>& deltas) {
    const Values& model = settings.models[m];
    const bool rescale = settings.all.is_on(Parameter::rescale);
    const std::uint64_t key = random_key(settings.seed, m);
    switch (plan.trim) {
        case Trim::none: break;
        case Trim::magnitude:
        case Trim::outliers: keep_in_range(plan.ranges[m], deltas); break;
        case Trim::random: keep_by_chance(model, rescale, key, block.first(), deltas); break;
        case Trim::ranked: keep_by_rank(model, rescale, key, block, deltas); break;
    }
}

void make_block(const Plan& plan, const Settings& settings, const Block& block, float* to) {
    const std::size_t n = block.size();
    Sums sums{std::vector<float>(n), std::vector<float>(n * block.models.size()),
              std::vector<float>(n), std::vector<float>(n)};
    float all_weights = 0;
    for (std::size_t m = 0; m < block.models.size(); ++m) {
        differences(block, m, sums.deltas);
        trim_block(plan, settings, m, block, sums.deltas);
        const auto weight = static_cast<float>(settings.models[m][Parameter::weight]);
        all_weights += weight;
        float* weighted = sums.weighted.data() + m * n;
        for (std::size_t i = 0; i < n; ++i) weighted[i] = weight * sums.deltas[i];
        if (!plan.elect) add_to(sums.total, weighted);
    }
    if (plan.elect)
        elect(settings.models, n, sums);
    else
        std::fill(sums.divisor.begin(), sums.divisor.end(), all_weights);
    const auto lambda = static_cast<float>(settings.all[Parameter::lambda]);
    // Nothing to divide by, or not asked to: by one.
    const float least =
        settings.all.is_on(Parameter::normalize) ? 1e-8F : std::numeric_limits<float>::infinity();
    const float* total = sums.total.data();
    const float* divisors = sums.divisor.data();
    for (std::size_t i = 0; i < n; ++i) {
        const float divisor = std::abs(divisors[i]) > least ? divisors[i] : 1.0F;
        to[i] = block.base[i] + lambda * (total[i] / divisor);
    }
}

}  // namespace

template <Trim trim, bool elect>
Result<Rule> prepare_task_vectors(const Inputs& inputs, const Settings& settings,
                                  Scanner& scanner) {
    HEFT_OK(check(trim, settings));
    Plan plan{trim, elect, {}};
    if (trim == Trim::magnitude || trim == Trim::outliers) {
        HEFT_TRY(plan.ranges, ranges(trim, inputs, settings, scanner));
    }
    return Rule([plan = std::move(plan), &settings](const Block& block, float* to) {
        make_block(plan, settings, block, to);
    });
}

template Result<Rule> prepare_task_vectors<Trim::none, false>(const Inputs&, const Settings&,
                                                              Scanner&);
template Result<Rule> prepare_task_vectors<Trim::magnitude, true>(const Inputs&, const Settings&,
                                                                  Scanner&);
template Result<Rule> prepare_task_vectors<Trim::random, false>(const Inputs&, const Settings&,
                                                                Scanner&);
template Result<Rule> prepare_task_vectors<Trim::random, true>(const Inputs&, const Settings&,
                                                               Scanner&);
template Result<Rule> prepare_task_vectors<Trim::ranked, false>(const Inputs&, const Settings&,
                                                                Scanner&);
template Result<Rule> prepare_task_vectors<Trim::ranked, true>(const Inputs&, const Settings&,
                                                               Scanner&);
template Result<Rule> prepare_task_vectors<Trim::outliers, false>(const Inputs&, const Settings&,
                                                                  Scanner&);
template Result<Rule> prepare_task_vectors<Trim::outliers, true>(const Inputs&, const Settings&,
                                                                 Scanner&);

}  // namespace heft::merge
