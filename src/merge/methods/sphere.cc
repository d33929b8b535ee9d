// Methods on the sphere: interpolation along the great circle (Shoemake 1985), and the barycentre
// of several points, in one step (multislerp) or to convergence (Karcher 1977). All give sums of
// the inputs, whose factors follow from the inner products.
#include <algorithm>
#include <cmath>

#include "merge/combine.h"

namespace heft::merge {

namespace {

constexpr double kSmall = 1e-8;
// Nearer to parallel or opposite than this, no circle through both points can be told from others.
constexpr double kMostCosine = 1 - 1e-9;

// sin((1 - t) a) / sin a and sin(t a) / sin a for the angle a between two vectors; 1 - t and t
// where they are nearly parallel, opposite, or zero.
Factors great_circle(double dot, double norm_a, double norm_b, double t, double most_cosine) {
    if (norm_a <= kSmall || norm_b <= kSmall) return {1 - t, t};
    const double cosine = std::clamp(dot / norm_a / norm_b, -1.0, 1.0);
    const double angle = std::acos(cosine);
    const double sine = std::sin(angle);
    if (std::abs(cosine) > most_cosine) return {1 - t, t};
    return {std::sin((1 - t) * angle) / sine, std::sin(t * angle) / sine};
}

// A unit vector in the plane of the inputs, as factors of them.
struct Direction {
    Factors factors;
    double norm = 0;  // before it was made a unit vector
};
Direction unit(const Gram& gram, Factors factors) {
    Direction out{std::move(factors), 0};
    out.norm = gram.norm_of(out.factors);
    if (out.norm > 0)
        for (double& factor : out.factors) factor /= out.norm;
    return out;
}

Factors on_circle(const Factors& at, double cosine, const Factors& tangent, double sine) {
    Factors out(at.size());
    for (std::size_t i = 0; i < at.size(); ++i) out[i] = at[i] * cosine + tangent[i] * sine;
    return out;
}

// Columns as vectors: a small sum for each, kept for the whole tensor.
struct ColumnDots {
    std::vector<double> aa, bb, ab;
    void add(const ColumnDots& more) {
        const std::size_t n = more.aa.size();
        aa.resize(n), bb.resize(n), ab.resize(n);
        for (std::size_t c = 0; c < n; ++c)
            aa[c] += more.aa[c], bb[c] += more.bb[c], ab[c] += more.ab[c];
    }
};

ColumnDots column_dots(const Block& block) {
    const auto n = static_cast<std::size_t>(block.n_columns);
    ColumnDots out{std::vector<double>(n), std::vector<double>(n), std::vector<double>(n)};
    for (std::size_t i = 0; i < block.size(); ++i) {
        const double origin = block.base != nullptr ? block.base[i] : 0.0;
        const double a = block.models[0][i] - origin;
        const double b = block.models[1][i] - origin;
        out.aa[i % n] += a * a;
        out.bb[i % n] += b * b;
        out.ab[i % n] += a * b;
    }
    return out;
}

Result<Rule> nuslerp_columns(const Inputs& inputs, double t, Scanner& scanner) {
    ColumnDots dots;
    HEFT_OK(scanner.fold<ColumnDots>(inputs, column_dots,
                                     [&dots](const ColumnDots& part) { dots.add(part); }));
    std::vector<Factors> factors;
    for (std::size_t c = 0; c < dots.aa.size(); ++c)
        factors.push_back(
            great_circle(dots.ab[c], std::sqrt(dots.aa[c]), std::sqrt(dots.bb[c]), t, kMostCosine));
    return Rule([factors = std::move(factors)](const Block& block, float* to) {
        for (std::size_t i = 0; i < block.size(); ++i) {
            const Factors& f = factors[i % factors.size()];
            const double origin = block.base != nullptr ? block.base[i] : 0.0;
            to[i] = static_cast<float>(origin + f[0] * (block.models[0][i] - origin)
                                       + f[1] * (block.models[1][i] - origin));
        }
    });
}

// One step from the normalised mean along the mean of the points' tangents.
Result<Factors> multislerp_factors(const Gram& gram, const Factors& weights, double eps) {
    const std::size_t n = gram.size();
    Factors units(n);  // 1 / norm: what makes a unit vector of each
    Factors mean(n);
    double length = 0;
    for (std::size_t i = 0; i < n; ++i) {
        units[i] = 1 / (gram.norm(i) + eps);
        mean[i] = weights[i] * units[i];
        length += weights[i] * gram.norm(i);
    }
    const Direction middle = unit(gram, mean);
    if (middle.norm < eps) {
        // Two that cancel out leave the straight line; zeros leave nothing to turn.
        if (n == 2 || length == 0) return weights;
        return Error{Code::invalid,
                     "the models cancel each other out; multislerp needs other weights"};
    }
    Factors tangent(n);
    for (std::size_t i = 0; i < n; ++i) {
        const double along = gram.dot_with(middle.factors, i) * units[i];
        tangent[i] += weights[i] * units[i];
        for (std::size_t j = 0; j < n; ++j) tangent[j] -= weights[i] * along * middle.factors[j];
    }
    const double step = gram.norm_of(tangent) + eps;
    Factors out = on_circle(middle.factors, std::cos(step), tangent, std::sin(step) / step);
    for (double& factor : out) factor *= length;
    return out;
}

struct KarcherOptions {
    int max_iter;
    double tol;
};

// The mean of the logarithms of all points as seen from `mean`.
Factors mean_of_logarithms(const Gram& gram, const Factors& mean,
                           const std::vector<std::size_t>& of, double tol) {
    Factors out(gram.size());
    const double share = 1 / static_cast<double>(of.size());
    for (const std::size_t i : of) {
        const double cosine = std::clamp(gram.dot_with(mean, i) / gram.norm(i), -1.0, 1.0);
        const double angle = std::acos(cosine);
        const double sine = std::sin(angle);
        // Seen from the opposite point every direction is as good: it pulls nowhere.
        if (angle < tol || cosine < -kMostCosine) continue;
        const double pull = share * angle / sine;
        out[i] += pull / gram.norm(i);
        for (std::size_t j = 0; j < mean.size(); ++j) out[j] -= pull * cosine * mean[j];
    }
    return out;
}

Factors karcher_factors(const Gram& gram, const KarcherOptions& options) {
    const std::size_t n = gram.size();
    std::vector<std::size_t> points;
    double length = 0;
    for (std::size_t i = 0; i < n; ++i) {
        if (gram.norm(i) > options.tol) points.push_back(i);
        length += gram.norm(i) / static_cast<double>(n);
    }
    if (points.empty()) return Factors(n);
    Factors sum(n);
    for (const std::size_t i : points)
        sum[i] = 1 / gram.norm(i) / static_cast<double>(points.size());
    Direction mean = unit(gram, sum);
    if (mean.norm < options.tol) {
        mean.factors.assign(n, 0);
        mean.factors[points.front()] = 1 / gram.norm(points.front());
    }
    for (int i = 0; i < options.max_iter; ++i) {
        const Factors step = mean_of_logarithms(gram, mean.factors, points, options.tol);
        const double size = gram.norm_of(step);
        if (size < options.tol) break;
        mean = unit(gram, on_circle(mean.factors, std::cos(size), step, std::sin(size) / size));
    }
    for (double& factor : mean.factors) factor *= length;
    return mean.factors;
}

}  // namespace

// From the base (t = 0) to the other model (t = 1).
Result<Rule> prepare_slerp(const Inputs& inputs, const Settings& settings, Scanner& scanner) {
    constexpr double most_cosine = 0.9995;  // beyond it, the straight line is as good
    Inputs both = inputs;
    both.models.insert(both.models.begin(), *both.base);
    both.base.reset();
    Gram gram;
    HEFT_OK(scanner.fold<Gram>(
        both, [](const Block& block) { return gram_of(block, 0, block.size()); },
        [&gram](const Gram& part) { gram.add(part); }));
    if (gram.size() == 0) gram = Gram(2);
    const Factors f = great_circle(gram.dot(0, 1), gram.norm(0), gram.norm(1),
                                   settings.all[Parameter::t], most_cosine);
    return Rule([f](const Block& block, float* to) {
        for (std::size_t i = 0; i < block.size(); ++i)
            to[i] = static_cast<float>(f[0] * block.base[i] + f[1] * block.models[0][i]);
    });
}

Result<Rule> prepare_nuslerp(const Inputs& inputs, const Settings& settings, Scanner& scanner) {
    const double a = settings.models[0][Parameter::weight];
    const double b = settings.models[1][Parameter::weight];
    const double t = std::abs(a + b) < 1e-6 ? 0.5 : b / (a + b);
    const auto factors = [t](const Gram& gram) {
        return great_circle(gram.dot(0, 1), gram.norm(0), gram.norm(1), t, kMostCosine);
    };
    if (settings.all.is_on(Parameter::nuslerp_flatten))
        return combine_whole(inputs, scanner, factors);
    if (settings.all.is_on(Parameter::nuslerp_row_wise)) return combine_rows(factors);
    return nuslerp_columns(inputs, t, scanner);
}

Result<Rule> prepare_multislerp(const Inputs& inputs, const Settings& settings, Scanner& scanner) {
    Factors weights;
    double sum = 0;
    for (const Values& model : settings.models) {
        weights.push_back(model[Parameter::weight]);
        sum += weights.back();
    }
    if (settings.all.is_on(Parameter::normalize_weights)) {
        if (std::abs(sum) < 1e-12) return Error{Code::invalid, "the weights add up to zero"};
        for (double& weight : weights) weight /= sum;
    }
    Gram gram(inputs.models.size());
    HEFT_OK(scanner.fold<Gram>(
        inputs, [](const Block& block) { return gram_of(block, 0, block.size()); },
        [&gram](const Gram& part) { gram.add(part); }));
    HEFT_TRY(Factors factors, multislerp_factors(gram, weights, settings.all[Parameter::eps]));
    return combine(std::move(factors));
}

Result<Rule> prepare_karcher(const Inputs& inputs, const Settings& settings, Scanner& scanner) {
    if (inputs.models.size() == 1) return combine({1});
    const KarcherOptions options{static_cast<int>(settings.all[Parameter::max_iter]),
                                 settings.all[Parameter::tol]};
    return combine_whole(inputs, scanner,
                         [options](const Gram& gram) { return karcher_factors(gram, options); });
}

}  // namespace heft::merge
