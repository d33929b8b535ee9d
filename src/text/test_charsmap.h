// A precompiled character map built in memory, for tests: a double array of darts-clone's units,
// placed by trying every base.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace heft::text::testing {

class CharsmapBuilder {
  public:
    using Keys = std::map<std::string, std::string>;

    explicit CharsmapBuilder(const Keys& keys) {
        for (const auto& [key, value] : keys) {
            values_[key] = static_cast<std::uint32_t>(replacements_.size());
            replacements_.append(value).append(1, '\0');
        }
        used(0);
        place("", 0, 0);
    }

    std::string blob() const {
        const auto bytes = static_cast<std::uint32_t>(units_.size() * 4);
        std::string out(4 + bytes, '\0');
        std::memcpy(out.data(), &bytes, 4);
        std::memcpy(out.data() + 4, units_.data(), bytes);
        return out + replacements_;
    }

  private:
    void used(std::size_t at) {
        if (at >= units_.size()) {
            units_.resize(at + 1);
            taken_.resize(at + 1);
        }
        taken_[at] = true;
    }

    // The unit at `at` is the node of the keys that begin with `prefix`; `label` leads to it.
    void place(const std::string& prefix, std::uint32_t at, std::uint32_t label) {
        std::vector<std::uint32_t> labels;  // 0: the key ends here
        for (auto it = values_.lower_bound(prefix);
             it != values_.end() && it->first.starts_with(prefix); ++it) {
            const bool ends = it->first.size() == prefix.size();
            const std::uint32_t next =
                ends ? 0 : static_cast<std::uint8_t>(it->first[prefix.size()]);
            if (labels.empty() || labels.back() != next) labels.push_back(next);
        }
        std::uint32_t base = 1;
        const auto free = [this, &base](std::uint32_t l) {
            return (base ^ l) >= taken_.size() || !taken_[base ^ l];
        };
        // Only the label tells a child, so no two nodes may share a base.
        const auto fits = [&] {
            if (bases_.count(base) != 0) return false;
            for (const auto l : labels)
                if (!free(l)) return false;
            return true;
        };
        while (!fits()) ++base;
        bases_.insert(base);
        for (const auto l : labels) used(base ^ l);
        const bool leaf = labels.front() == 0;
        units_[at] = label | (leaf ? 0x100U : 0U) | (at ^ base) << 10;
        for (const auto l : labels) {
            if (l == 0)
                units_[base] = 0x80000000U | values_.at(prefix);
            else
                place(prefix + static_cast<char>(l), base ^ l, l);
        }
    }

    std::map<std::string, std::uint32_t> values_;
    std::string replacements_;
    std::vector<std::uint32_t> units_;
    std::vector<bool> taken_;
    std::set<std::uint32_t> bases_;
};

inline std::string charsmap_blob(const CharsmapBuilder::Keys& keys) {
    return CharsmapBuilder(keys).blob();
}

}  // namespace heft::text::testing
