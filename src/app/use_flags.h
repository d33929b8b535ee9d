// The options that describe a use, for verbs that ask what a licence says to it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "govern/use.h"

namespace CLI {
class App;
}

namespace heft::app {

struct UseFlags {
    std::string file;  // --use
    bool commercial = false, private_use = false, modify = false, distribute = false;
    bool host_api = false, embed = false, train_on_outputs = false;
    std::optional<double> users_monthly, revenue;
    std::vector<std::string> users_at;
    std::string country, name;
    std::vector<std::string> facts;  // KEY=VALUE of the vocabulary
};

void add_use_flags(CLI::App& verb, UseFlags& flags);

// What the file says, then what the flags say over it.
Result<govern::Use> use_of(const UseFlags& flags, const govern::Vocabulary& vocabulary);

}  // namespace heft::app
