// LoRA adapters from one form into the other: a PEFT folder, a GGUF file. Names, orders of rows,
// parts and stacks as the base's own conversion has them, by the family's tensor table; of the base
// nothing but its configuration is needed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "arch/arch.h"
#include "convert/folder_files.h"
#include "format/adapter_files.h"
#include "format/gguf_writer.h"

namespace heft::convert {

// What an adapter was made for.
struct AdapterBase {
    arch::Config config;
    std::string document;  // its config.json; empty: there are no words for it
};
Result<AdapterBase> adapter_base(const format::Checkpoint& model);
Result<AdapterBase> adapter_base(std::string config_json);
// As a GGUF file of heft's says. Errors: not_found, where it does not.
Result<AdapterBase> noted_base(const format::AdapterFiles& adapter);

struct AdapterGguf {
    format::GgufWriter writer;  // metadata only
    std::vector<FolderWeight> weights;
};

// `type`: of all matrices; absent: as stored, quantised ones in F32. What the two forms say alike
// comes back bit for bit: the GGUF file notes what GGUF has no words for (decision 23). Memory: the
// adapter's weights as float. Errors: invalid (another base), unsupported (what the other form
// cannot say).
Result<AdapterGguf> adapter_gguf(const format::AdapterFiles& peft, const AdapterBase& base,
                                 std::optional<DType> type);
Result<FolderModel> adapter_folder(const format::AdapterFiles& gguf, const AdapterBase& base,
                                   std::optional<DType> type);

}  // namespace heft::convert
