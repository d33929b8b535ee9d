// The family of a model, as its record of lineage has it: what it was made of, what that was made
// of, and so on, the steps being put together by the hashes of files. A stranger may have written
// the record: nothing of it is taken for granted, and its size is all that the tree can grow to.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace heft::govern {

// A node: `model`, `relation` to what was made of it (null of the first), `licences` (ids),
// `sha256` of its first file (null: unknown), `verb`, `made_by` and `how` (its type, its method) of
// how it was made itself, and `parents`, the same again; null where nobody says. A node with
// `repeated` is shown with its parents elsewhere. The first has `unlinked`, too: steps that the
// record tells of and that lead to none of its files, and `is_cut`, where older steps were left
// out.
nlohmann::ordered_json family_of(const nlohmann::ordered_json& record, const std::string& model);

}  // namespace heft::govern
