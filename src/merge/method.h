// The ways of merging, as rows of a table: what each needs, which parameters it takes, and the
// function that learns from a tensor's numbers and says how its blocks are made. Each row names its
// source; docs/merge.md has the formulas.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "merge/block.h"
#include "merge/scan.h"
#include "merge/settings.h"

namespace heft::merge {

// Makes a block of the result: as many numbers as the block has. The numbers of a row do not depend
// on the block that it is in. Thread-safe.
using Rule = std::function<void(const Block& block, float* to)>;

// Reads the tensor as often as it has to. `inputs` and `settings` live as long as the rule is used.
using Prepare = Result<Rule> (*)(const Inputs& inputs, const Settings& settings, Scanner& scanner);

enum class Base : std::uint8_t {
    none,      // a base_model is a model like the others, or only gives configuration and tokenizer
    optional,  // models count relative to it where it is named
    required,
};

// A parameter as a method takes it.
struct Takes {
    Parameter parameter;
    bool per_model = false;
    bool required = false;  // otherwise `usual`
    double usual = 0;
    double least = -1e30, most = 1e30;
};

struct Method {
    std::string_view name;
    std::string_view title;
    std::string_view source;
    Base base = Base::none;
    int least = 1, most = 1000;  // models, the base not counted
    int scans = 0;               // how often a tensor is read before its result is written
    std::span<const Takes> takes;
    Prepare prepare = nullptr;
};

std::span<const Method> methods();
const Method* find_method(std::string_view name);

// ---- the families of methods, one file each under methods/

Result<Rule> prepare_linear(const Inputs&, const Settings&, Scanner&);
Result<Rule> prepare_passthrough(const Inputs&, const Settings&, Scanner&);
Result<Rule> prepare_nearswap(const Inputs&, const Settings&, Scanner&);

Result<Rule> prepare_slerp(const Inputs&, const Settings&, Scanner&);
Result<Rule> prepare_nuslerp(const Inputs&, const Settings&, Scanner&);
Result<Rule> prepare_multislerp(const Inputs&, const Settings&, Scanner&);
Result<Rule> prepare_karcher(const Inputs&, const Settings&, Scanner&);

// What of a task vector is kept, and whether signs are elected.
enum class Trim : std::uint8_t { none, magnitude, random, outliers, ranked };
template <Trim trim, bool elect>
Result<Rule> prepare_task_vectors(const Inputs&, const Settings&, Scanner&);

Result<Rule> prepare_sce(const Inputs&, const Settings&, Scanner&);
Result<Rule> prepare_model_stock(const Inputs&, const Settings&, Scanner&);
Result<Rule> prepare_arcee_fusion(const Inputs&, const Settings&, Scanner&);
Result<Rule> prepare_ram(const Inputs&, const Settings&, Scanner&);
Result<Rule> prepare_ramplus(const Inputs&, const Settings&, Scanner&);

}  // namespace heft::merge
