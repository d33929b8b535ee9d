#include "merge/ranks.h"

#include <algorithm>
#include <bit>

namespace heft::merge {

namespace {

// A float without its sign has 31 bits; numbers in order are bits in order.
constexpr int kLowBits = 15;
constexpr std::size_t kUpper = 1U << 16;
constexpr std::size_t kLower = 1U << kLowBits;

using Counts = std::vector<std::uint32_t>;  // of one share: no share sees 2^32 numbers of one bin

std::uint32_t bits_of(float value) {
    return std::bit_cast<std::uint32_t>(value) & 0x7fffffffU;
}

struct Wanted {
    std::size_t series;
    std::int64_t rank;
    std::uint32_t upper = 0;      // the bits of its bin
    std::int64_t left = 0;        // its rank within the bin
    std::vector<Counts> lower{};  // by share
};

// The bin that holds the rank, and what is left of the rank within it.
std::uint32_t find_bin(const std::vector<const Counts*>& shares, std::int64_t& rank) {
    for (std::size_t bin = 0;; ++bin) {
        std::int64_t count = 0;
        for (const Counts* counts : shares) count += (*counts)[bin];
        if (rank < count) return static_cast<std::uint32_t>(bin);
        rank -= count;
    }
}

class Counter {
  public:
    Counter(const Inputs& inputs, Scanner& scanner, const Series& series,
            const std::vector<std::vector<std::int64_t>>& ranks)
        : inputs_(inputs), scanner_(scanner), series_(series), n_series_(ranks.size()) {
        for (std::size_t s = 0; s < ranks.size(); ++s)
            for (const std::int64_t rank : ranks[s]) wanted_.push_back({s, rank});
    }

    Status count_upper() {
        const auto n_shares = static_cast<std::size_t>(scanner_.shares());
        std::vector<std::vector<Counts>> counts(n_shares);  // [share][series]
        for (auto& share : counts)
            for (std::size_t s = 0; s < n_series_; ++s)
                share.emplace_back(is_wanted(s) ? kUpper : 0);
        HEFT_OK(scan([&](std::size_t share, std::size_t s, const std::vector<float>& numbers) {
            Counts& bins = counts[share][s];
            for (const float number : numbers) ++bins[bits_of(number) >> kLowBits];
        }));
        for (Wanted& one : wanted_) {
            one.left = one.rank;
            std::vector<const Counts*> shares;
            shares.reserve(counts.size());
            for (const auto& share : counts) shares.push_back(&share[one.series]);
            one.upper = find_bin(shares, one.left);
            one.lower.assign(n_shares, Counts(kLower));
        }
        return {};
    }

    Status count_lower() {
        return scan([&](std::size_t share, std::size_t s, const std::vector<float>& numbers) {
            for (Wanted& one : wanted_) {
                if (one.series != s) continue;
                Counts& bins = one.lower[share];
                for (const float number : numbers)
                    if (bits_of(number) >> kLowBits == one.upper)
                        ++bins[bits_of(number) & (kLower - 1)];
            }
        });
    }

    std::vector<std::vector<float>> values() {
        std::vector<std::vector<float>> out(n_series_);
        for (Wanted& one : wanted_) {
            std::vector<const Counts*> shares;
            for (const Counts& share : one.lower) shares.push_back(&share);
            std::int64_t left = one.left;
            const std::uint32_t low = find_bin(shares, left);
            out[one.series].push_back(std::bit_cast<float>(one.upper << kLowBits | low));
        }
        return out;
    }

  private:
    bool is_wanted(std::size_t series) const {
        return std::any_of(wanted_.begin(), wanted_.end(),
                           [series](const Wanted& one) { return one.series == series; });
    }

    Status scan(
        const std::function<void(std::size_t, std::size_t, const std::vector<float>&)>& count) {
        std::vector<std::vector<std::vector<float>>> numbers(
            static_cast<std::size_t>(scanner_.shares()));
        return scanner_.each(inputs_, [&](int share, const Block& block) {
            auto& lists = numbers[static_cast<std::size_t>(share)];
            lists.resize(n_series_);
            for (auto& list : lists) list.resize(block.size());
            series_(block, lists);
            for (std::size_t s = 0; s < n_series_; ++s)
                if (is_wanted(s)) count(static_cast<std::size_t>(share), s, lists[s]);
        });
    }

    const Inputs& inputs_;
    Scanner& scanner_;
    const Series& series_;
    std::size_t n_series_;
    std::vector<Wanted> wanted_;
};

}  // namespace

Result<std::vector<std::vector<float>>> values_at_ranks(
    const Inputs& inputs, Scanner& scanner, const Series& series,
    const std::vector<std::vector<std::int64_t>>& ranks) {
    const bool any =
        std::any_of(ranks.begin(), ranks.end(), [](const auto& list) { return !list.empty(); });
    if (!any || inputs.size() == 0) return std::vector<std::vector<float>>(ranks.size());
    Counter counter(inputs, scanner, series, ranks);
    HEFT_OK(counter.count_upper());
    HEFT_OK(counter.count_lower());
    return counter.values();
}

}  // namespace heft::merge
