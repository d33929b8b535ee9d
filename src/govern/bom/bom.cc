#include "govern/bom/bom.h"

#include <nlohmann/json.hpp>

#include "base/check.h"
#include "base/sha256.h"

namespace heft::bom {

std::string identity(const Facts& facts) {
    std::string all = facts.name;
    for (const File& file : facts.files) all += "\n" + file.sha256 + "  " + file.name;
    const auto hash = sha256({reinterpret_cast<const std::byte*>(all.data()), all.size()});
    HEFT_CHECK(static_cast<bool>(hash));
    return hash->substr(0, 32);
}

}  // namespace heft::bom
