// The verbs that stand beside `heft serve`, registered as those of app/commands.h are; the
// program's help lists them in one line.
#pragma once

#include "app/commands.h"

namespace heft::app {

inline constexpr const char* kBesideServe = "beside serve";  // their group

void add_ps(CLI::App& app, Action& action);
void add_stop(CLI::App& app, Action& action);
void add_doctor(CLI::App& app, Action& action);
void add_conform(CLI::App& app, Action& action);

}  // namespace heft::app
