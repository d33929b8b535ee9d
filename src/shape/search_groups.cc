#include "shape/search_groups.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "shape/candidate.h"

namespace heft::shape {

namespace {

using convert::Weight;

constexpr DType kTypes[] = {DType::q8_0, DType::q6_k, DType::q5_k,
                            DType::q4_k, DType::q3_k, DType::q2_k};
constexpr int kLeastLayers = 8;  // from so many on the ends are apart

// "blk.12.ffn_down.weight" of 32 layers: "ffn_down, middle".
std::string group_of(const std::string& name, int n_layer) {
    constexpr std::string_view kBlock = "blk.";
    if (!name.starts_with(kBlock)) return name;
    int layer = 0;
    const char* end = name.data() + name.size();
    const char* rest = std::from_chars(name.data() + kBlock.size(), end, layer).ptr;
    std::string kind(rest, end);
    if (kind.starts_with('.')) kind.erase(0, 1);
    if (const std::size_t dot = kind.rfind('.'); dot != std::string::npos) kind.erase(dot);
    if (n_layer < kLeastLayers) return kind;
    const bool at_end = layer < n_layer / 8 || layer >= 7 * n_layer / 8;
    return kind + (at_end ? ", first and last" : ", middle");
}

DType kept_type(const Weight& weight) {
    const DType own = Candidates::own_type(weight);
    return weight.copy ? own : DType::f32;
}

Result<std::vector<SearchOption>> options_of(const GgufModel& model,
                                             const std::vector<std::size_t>& members,
                                             std::span<const DType> types) {
    std::vector<SearchOption> out;
    for (const DType wanted : types) {
        const DType type = fitting_type(wanted, model.weights[members.front()].n_cols);
        std::uint64_t bytes = 0;
        for (const std::size_t member : members) {
            HEFT_TRY(const std::uint64_t one, tensor_bytes(type, model.weights[member].shape));
            bytes += one;
        }
        const bool is_there = std::any_of(
            out.begin(), out.end(), [type](const SearchOption& one) { return one.type == type; });
        if (!is_there) out.push_back({type, bytes});
    }
    std::stable_sort(out.begin(), out.end(), [](const SearchOption& a, const SearchOption& b) {
        return a.bytes > b.bytes;
    });
    return out;
}

}  // namespace

std::span<const DType> search_types() {
    return kTypes;
}

Result<SearchSpace> search_space(const GgufModel& model, const std::vector<Override>& overrides,
                                 std::span<const DType> types) {
    SearchSpace out;
    std::map<std::pair<std::string, std::int64_t>, std::size_t> known;  // by name and row length
    for (std::size_t i = 0; i < model.weights.size(); ++i) {
        const Weight& weight = model.weights[i];
        const TensorFacts facts{weight.name, weight.n_cols, static_cast<int>(weight.shape.size())};
        const Override* override = find_override(overrides, weight.name);
        if (override == nullptr && weight.matrix && is_quantised(facts)) {
            const std::string name = group_of(weight.name, model.facts.n_layer);
            const auto [at, is_new] = known.try_emplace({name, weight.n_cols}, out.members.size());
            if (is_new) {
                out.groups.push_back({name, {}});
                out.members.emplace_back();
            }
            out.members[at->second].push_back(i);
            out.own.push_back(Candidates::own_type(weight));
            continue;
        }
        out.own.push_back(override != nullptr ? override->type : kept_type(weight));
        HEFT_TRY(const std::uint64_t bytes, tensor_bytes(out.own.back(), weight.shape));
        out.fixed_bytes += bytes;
    }
    if (out.groups.empty())
        return Error{Code::invalid, "there is no matrix left whose type could be searched"};
    for (std::size_t g = 0; g < out.groups.size(); ++g) {
        HEFT_TRY(out.groups[g].options, options_of(model, out.members[g], types));
    }
    return out;
}

std::vector<DType> types_of(const SearchSpace& space, const Picks& picks) {
    std::vector<DType> out = space.own;
    for (std::size_t g = 0; g < picks.size(); ++g)
        for (const std::size_t member : space.members[g])
            if (picks[g] != kAsItIs)
                out[member] = space.groups[g].options[static_cast<std::size_t>(picks[g])].type;
    return out;
}

}  // namespace heft::shape
