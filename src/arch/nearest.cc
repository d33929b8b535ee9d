#include "arch/nearest.h"

#include <algorithm>

#include "arch/tensors.h"

namespace heft::arch {

namespace {

constexpr std::size_t kMostNamed = 6;

std::string known_families(bool gguf) {
    std::vector<std::string> names;
    for (const Family* family : families()) names.emplace_back(gguf ? family->gguf : family->name);
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
    return list;
}

std::string few(const std::vector<std::string>& names) {
    std::string list;
    for (std::size_t i = 0; i < names.size() && i < kMostNamed; ++i)
        list += (list.empty() ? "" : ", ") + names[i].substr(0, 80);
    if (names.size() > kMostNamed)
        list += " and " + std::to_string(names.size() - kMostNamed) + " more";
    return list;
}

struct Candidate {
    const Family* family = nullptr;
    std::vector<std::string> tensors;  // that have no place in it
    std::vector<std::string> fields;   // that it does not ask for

    // Of tensors, every layer's copy counts; a field counts once.
    std::size_t distance() const { return tensors.size() + fields.size(); }
};

// Of the layers' copies of a tensor, the first is enough to say.
std::vector<std::string> without_copies(std::vector<std::string> names) {
    const auto is_copy = [](const std::string& name) {
        const auto at = name.find_first_of("0123456789");
        return at != std::string::npos && at > 0 && name[at - 1] == '.'
               && name.compare(at, 2, "0.") != 0;
    };
    const bool all = std::all_of(names.begin(), names.end(), is_copy);
    if (!all) names.erase(std::remove_if(names.begin(), names.end(), is_copy), names.end());
    return names;
}

}  // namespace

Error unknown_family(const format::Checkpoint& checkpoint, const std::string& name,
                     const std::string& nested) {
    const bool gguf = checkpoint.kind() == format::Kind::gguf;
    Candidate best;
    for (const Family* family : families()) {
        // GGUF keys begin with the architecture's own name.
        const ConfigSource source(checkpoint, gguf ? name : family->gguf, nested, family->defaults);
        const auto config = read_config_as(source, *family);
        if (!config) continue;
        Candidate candidate{family, unplaced(checkpoint, *config), source.unheeded()};
        if (best.family == nullptr || candidate.distance() < best.distance())
            best = std::move(candidate);
    }
    std::string text = "architecture \"" + name.substr(0, 80) + "\" is not supported";
    if (best.family != nullptr) {
        text +=
            "; the nearest known is " + std::string(gguf ? best.family->gguf : best.family->name);
        if (!best.fields.empty()) text += ", which has no field " + few(best.fields);
        if (!best.tensors.empty())
            text += (best.fields.empty() ? ", which has no tensor " : " and no tensor ")
                    + few(without_copies(best.tensors));
    }
    return {Code::unsupported, text + "; heft knows " + known_families(gguf)};
}

}  // namespace heft::arch
