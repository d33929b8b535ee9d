// Which type each group of matrices should get: the smallest mix that is near enough to the model,
// or the nearest one that is small enough. Groups are measured one at a time, what they do is taken
// to add up, and of all mixes those are found that no other beats in both size and sum. Along these
// the search measures whole mixes, for the sum is only a guide; what it answers was measured.
// Deterministic: the same measurements give the same mix.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "tensor/dtype.h"

namespace heft::shape {

struct SearchOption {
    DType type = DType::f32;
    std::uint64_t bytes = 0;
};

struct SearchGroup {
    std::string name;
    std::vector<SearchOption> options;  // at least one, in descending order of bytes
};

// For each group the number of its option, or kAsItIs.
using Picks = std::vector<int>;
inline constexpr int kAsItIs = -1;

// How far a mix is from the model. Errors end the search.
using MeasureMix = std::function<Result<double>(const Picks& picks)>;

struct FoundMix {
    Picks picks;
    std::uint64_t bytes = 0;
    double far = 0;  // measured
};

class MixSearch {
  public:
    MixSearch(std::vector<SearchGroup> groups, MeasureMix measure);

    // Measures each option of each group by itself. Before anything else.
    Status measure_groups();
    double alone(std::size_t group, int option) const {
        return alone_[group][static_cast<std::size_t>(option)];
    }

    // Errors: invalid where even the largest or the smallest mix will not do, with what it has.
    Result<FoundMix> smallest_within(double far);
    Result<FoundMix> nearest_within(std::uint64_t bytes);

    const std::vector<SearchGroup>& groups() const { return groups_; }
    std::uint64_t bytes_of(const Picks& picks) const;
    int n_measured() const { return n_measured_; }  // mixes, single groups included

  private:
    // A mix that no other beats by the sum.
    struct Guess {
        std::uint64_t bytes = 0;
        double sum = 0;
        Picks picks;
    };

    Result<double> measured(const Picks& picks);
    std::vector<Guess> guesses() const;  // in ascending order of bytes
    Result<FoundMix> improved(FoundMix mix, const std::vector<Guess>& guesses, double far);
    double sum_of(const Picks& picks) const;
    bool is_hopeless(double sum, const FoundMix& like, double far) const;
    Result<bool> step_down(FoundMix& mix, double far);

    std::vector<SearchGroup> groups_;
    MeasureMix measure_;
    std::vector<std::vector<double>> alone_;
    std::vector<std::pair<Picks, double>> known_;
    int n_measured_ = 0;
};

}  // namespace heft::shape
