#include "app/mix_choice.h"

#include <map>

#include <fmt/format.h>

#include "shape/candidate.h"
#include "shape/search_groups.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;

// The mix whose base most of the weights have.
const shape::MixInfo* nearest_mix(const shape::SearchSpace& space, const shape::Picks& picks) {
    std::map<DType, std::uint64_t> bytes;
    for (std::size_t g = 0; g < picks.size(); ++g) {
        const auto& option = space.groups[g].options[static_cast<std::size_t>(picks[g])];
        bytes[option.type] += option.bytes;
    }
    const auto most =
        std::max_element(bytes.begin(), bytes.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    for (const shape::MixInfo& mix : shape::mixes())
        if (mix.base == most->first) return &mix;
    return shape::find_mix("F16");
}

Json record_of(const shape::MixSearch& search, const shape::FoundMix& found) {
    Json groups = Json::array();
    for (std::size_t g = 0; g < search.groups().size(); ++g) {
        const auto& group = search.groups()[g];
        const auto& option = group.options[static_cast<std::size_t>(found.picks[g])];
        groups.push_back({{"group", group.name},
                          {"type", dtype_info(option.type).name},
                          {"kl_alone", in_four_digits(search.alone(g, found.picks[g]))}});
    }
    return {{"kl", in_four_digits(found.far)},
            {"measured_mixes", search.n_measured()},
            {"groups", std::move(groups)}};
}

}  // namespace

Result<ChosenMix> choose_mix(const shape::GgufModel& model, const MixTarget& target,
                             const Yardstick& yardstick, const MixChoosing& choosing) {
    HEFT_TRY(const shape::SearchSpace space, shape::search_space(model, choosing.given.overrides));
    const auto go_on = [&](std::uint64_t) { return choosing.line.show_count(0, 0); };
    shape::Candidates candidates(model, choosing.given.imatrix, choosing.pool, go_on);
    int tried = 0;
    shape::MixSearch search(space.groups, [&](const shape::Picks& picks) -> Result<double> {
        const std::string doing = fmt::format("mix {}", ++tried);
        HEFT_TRY(auto checkpoint, candidates.checkpoint(shape::types_of(space, picks)));
        HEFT_TRY(const auto far, yardstick.measure(std::move(checkpoint), doing, choosing.line));
        return far.kl().value;
    });
    HEFT_OK(search.measure_groups());
    const std::uint64_t besides = space.fixed_bytes + choosing.overhead;
    Result<shape::FoundMix> found = Error{Code::invalid, "there is nothing to search for"};
    if (target.kl)
        found = search.smallest_within(*target.kl);
    else if (target.bytes && *target.bytes > besides)
        found = search.nearest_within(*target.bytes - besides);
    else
        found = Error{Code::invalid,
                      fmt::format("what is not quantised alone takes {} bytes", besides)};
    if (!found) return within("searching a mix", std::move(found.error()));
    ChosenMix out;
    out.mix = nearest_mix(space, found->picks);
    const std::vector<DType> types = shape::types_of(space, found->picks);
    for (const auto& members : space.members)
        for (const std::size_t member : members)
            out.overrides.push_back({model.weights[member].name, types[member]});
    out.record = record_of(search, *found);
    return out;
}

Result<std::uint64_t> overhead_bytes(const shape::GgufModel& model, std::uint64_t record) {
    constexpr std::uint64_t kTensor = 128;  // its entry, its mark in the record, and padding
    HEFT_TRY(const auto metadata, model.writer.to_memory());
    std::uint64_t bytes = metadata.size() + record;
    for (const convert::Weight& weight : model.weights) bytes += kTensor + weight.name.size();
    return bytes;
}

}  // namespace heft::app
