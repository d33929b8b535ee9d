// adapter_config.json: what a PEFT adapter says of itself. Only plain LoRA is read; whatever would
// change the results otherwise is refused by name. Source: the PEFT library's LoraConfig.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace heft::format {

class PeftConfig {
  public:
    std::string base;  // the model that the adapter was trained on; may be empty
    std::int64_t rank = 0;
    double alpha = 0;
    bool rank_stabilised = false;  // rsLoRA: alpha / sqrt(rank) in place of alpha / rank
    bool has_rank_pattern = false;

    // Modules with an alpha of their own, by the end of their name, or by all of it after a "^".
    // Of several that fit, the first of the file counts.
    struct Own {
        std::size_t order = 0;
        double alpha = 0;
    };
    std::map<std::string, Own, std::less<>> alpha_pattern;

    // The factor on B A for a module ("model.layers.0.mlp.up_proj") of this rank.
    double scale(std::string_view module, std::int64_t module_rank) const;
    // That times the rank, with no rounding where it is the alpha.
    double scale_times_rank(std::string_view module, std::int64_t module_rank) const;

    bool may_have(std::int64_t module_rank) const {
        return module_rank == rank || has_rank_pattern;
    }

  private:
    double alpha_of(std::string_view module) const;
};

Result<PeftConfig> parse_peft_config(std::string_view json);

}  // namespace heft::format
