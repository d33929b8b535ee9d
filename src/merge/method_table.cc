#include "merge/method.h"

namespace heft::merge {

namespace {

using P = Parameter;

constexpr Takes kWeight{P::weight, true, true};
constexpr Takes kLambda{P::lambda, false, false, 1.0};
constexpr Takes kDensity{P::density, true, false, 1.0, 0, 1};
constexpr Takes kInt8Mask{P::int8_mask, false, false, 0, 0, 1};  // a hint about memory
constexpr Takes flag(P parameter, bool usual) {
    return {parameter, false, false, usual ? 1.0 : 0.0, 0, 1};
}

constexpr Takes kLinear[] = {kWeight, flag(P::normalize, true)};
constexpr Takes kPassthrough[] = {{P::scale, true, false, 1.0}};
constexpr Takes kNearswap[] = {{P::t, false, true, 0, 0}};
constexpr Takes kSlerp[] = {{P::t, false, true}};
constexpr Takes kNuslerp[] = {kWeight, flag(P::nuslerp_flatten, true),
                              flag(P::nuslerp_row_wise, false)};
constexpr Takes kMultislerp[] = {
    kWeight, flag(P::normalize_weights, true), {P::eps, false, false, 1e-8, 0, 1}};
constexpr Takes kKarcher[] = {{P::max_iter, false, false, 10, 0, 10000},
                              {P::tol, false, false, 1e-5, 0, 1}};
constexpr Takes kTaskArithmetic[] = {kWeight, kLambda, flag(P::normalize, false), kInt8Mask};
constexpr Takes kTies[] = {kWeight, kDensity, kLambda, flag(P::normalize, true), kInt8Mask};
constexpr Takes kDare[] = {
    kWeight, kDensity, kLambda, flag(P::normalize, false), flag(P::rescale, true), kInt8Mask};
constexpr Takes kEpsilon{P::epsilon, true, false, 0.15, 0, 1};
constexpr Takes kDella[] = {
    kWeight,  kDensity, kEpsilon, kLambda, flag(P::normalize, true), flag(P::rescale, true),
    kInt8Mask};
constexpr Takes kDellaLinear[] = {
    kWeight,  kDensity, kEpsilon, kLambda, flag(P::normalize, false), flag(P::rescale, true),
    kInt8Mask};
constexpr Takes kBreadcrumbs[] = {
    kWeight,  kDensity, {P::gamma, true, false, 0.01, 0, 1}, kLambda, flag(P::normalize, false),
    kInt8Mask};
constexpr Takes kSce[] = {{P::select_topk, false, false, 1.0, 0, 1}, kInt8Mask};
constexpr Takes kModelStock[] = {flag(P::filter_wise, false)};
constexpr Takes kRam[] = {{P::epsilon, false, false, 1e-5, 0}};
constexpr Takes kRamplus[] = {{P::epsilon, false, false, 1e-5, 0},
                              {P::r, false, false, 0.1, 0},
                              {P::alpha, false, false, 0.2, 0}};

constexpr std::string_view kTiesPaper = "Yadav et al. 2023, arXiv:2306.01708";
constexpr std::string_view kDarePaper = "Yu et al. 2023, arXiv:2311.03099";
constexpr std::string_view kDellaPaper = "Deep et al. 2024, arXiv:2406.11617";
constexpr std::string_view kCrumbsPaper = "Davari and Belilovsky 2023, arXiv:2312.06795";
constexpr std::string_view kRamPaper = "Reinforced Agent Merging 2026, arXiv:2601.13572";

const Method kMethods[] = {
    {"linear", "weighted mean", "Wortsman et al. 2022, arXiv:2203.05482", Base::none, 1, 1000, 0,
     kLinear, prepare_linear},
    {"slerp", "spherical interpolation", "Shoemake 1985, doi:10.1145/325334.325242", Base::required,
     1, 1, 1, kSlerp, prepare_slerp},
    {"nuslerp", "spherical interpolation of models or task vectors",
     "Shoemake 1985; Goddard 2024 (mergekit)", Base::optional, 2, 2, 1, kNuslerp, prepare_nuslerp},
    {"multislerp", "spherical barycentre, one step", "Goddard 2025, goddard.blog/posts/multislerp",
     Base::optional, 2, 1000, 1, kMultislerp, prepare_multislerp},
    {"karcher", "spherical barycentre, to convergence", "Karcher 1977, doi:10.1002/cpa.3160300502",
     Base::none, 1, 1000, 1, kKarcher, prepare_karcher},
    {"task_arithmetic", "base plus weighted task vectors", "Ilharco et al. 2022, arXiv:2212.04089",
     Base::required, 1, 1000, 0, kTaskArithmetic, prepare_task_vectors<Trim::none, false>},
    {"ties", "trimmed task vectors that agree in sign", kTiesPaper, Base::required, 1, 1000, 2,
     kTies, prepare_task_vectors<Trim::magnitude, true>},
    {"dare_linear", "randomly thinned task vectors", kDarePaper, Base::required, 1, 1000, 0, kDare,
     prepare_task_vectors<Trim::random, false>},
    {"dare_ties", "randomly thinned task vectors that agree in sign", kDarePaper, Base::required, 1,
     1000, 0, kDare, prepare_task_vectors<Trim::random, true>},
    {"della", "task vectors thinned by rank that agree in sign", kDellaPaper, Base::required, 1,
     1000, 0, kDella, prepare_task_vectors<Trim::ranked, true>},
    {"della_linear", "task vectors thinned by rank", kDellaPaper, Base::required, 1, 1000, 0,
     kDellaLinear, prepare_task_vectors<Trim::ranked, false>},
    {"breadcrumbs", "task vectors without the largest and smallest", kCrumbsPaper, Base::required,
     1, 1000, 2, kBreadcrumbs, prepare_task_vectors<Trim::outliers, false>},
    {"breadcrumbs_ties", "the same that agree in sign", kCrumbsPaper, Base::required, 1, 1000, 2,
     kBreadcrumbs, prepare_task_vectors<Trim::outliers, true>},
    {"sce", "where models differ most, weighted by how far they went",
     "Wan et al. 2024, arXiv:2408.07990", Base::required, 1, 1000, 4, kSce, prepare_sce},
    {"model_stock", "towards the centre of fine-tuned models, by their angle",
     "Jang et al. 2024, arXiv:2403.19522", Base::required, 2, 1000, 1, kModelStock,
     prepare_model_stock},
    {"nearswap", "the other model where it is near", "alchemonaut 2024, QuartetAnemoi-70B-t0.0001",
     Base::required, 1, 1, 0, kNearswap, prepare_nearswap},
    {"arcee_fusion",
     "the other model where it matters",
     "Arcee 2025 (mergekit)",
     Base::required,
     1,
     1,
     2,
     {},
     prepare_arcee_fusion},
    {"ram", "changes of one model summed, of several averaged", kRamPaper, Base::required, 1, 1000,
     0, kRam, prepare_ram},
    {"ramplus_tl", "the same, with unique changes made larger", kRamPaper, Base::required, 1, 1000,
     1, kRamplus, prepare_ramplus},
    {"passthrough", "layers of several models, stacked", "layer stacking, no paper", Base::none, 1,
     1, 0, kPassthrough, prepare_passthrough},
};

}  // namespace

std::span<const Method> methods() {
    return kMethods;
}

const Method* find_method(std::string_view name) {
    for (const Method& method : kMethods)
        if (method.name == name) return &method;
    return nullptr;
}

}  // namespace heft::merge
