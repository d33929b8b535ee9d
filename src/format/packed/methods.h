// The packing methods that heft reads, one file each. A method is a row of the table in packed.cc.
#pragma once

#include <optional>
#include <string_view>

#include "base/json.h"
#include "format/packed/parts.h"

namespace heft::format::packed {

// What config.json (or the method's own file) says of the packing; may be absent.
struct Settings {
    std::optional<JsonElement> json;

    std::optional<JsonElement> find(std::string_view key) const {
        return json ? json_find(*json, key) : std::nullopt;
    }
    std::optional<std::int64_t> integer(std::string_view key) const {
        return json ? json_int(*json, key) : std::nullopt;
    }
    std::optional<std::string_view> string(std::string_view key) const {
        return json ? json_string(*json, key) : std::nullopt;
    }
    bool flag(std::string_view key) const { return json && json_bool(*json, key).value_or(false); }
};

// Each: puts together the weights whose parts it knows, and leaves all other tensors alone.
Status build_fp8(Parts& parts, const Settings& settings);
Status build_gptq(Parts& parts, const Settings& settings);
Status build_awq(Parts& parts, const Settings& settings);
Status build_compressed_tensors(Parts& parts, const Settings& settings);
Status build_bitsandbytes(Parts& parts, const Settings& settings);
Status build_mxfp4(Parts& parts, const Settings& settings);

}  // namespace heft::format::packed
