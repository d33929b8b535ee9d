// The verbs of the program. Each function registers one with its options; when the user chose it,
// parsing stores what to do in `action`, and main() does it.
#pragma once

#include <functional>

#include "base/result.h"

namespace CLI {
class App;
}

namespace heft::app {

using Action = std::function<Status()>;

void add_run(CLI::App& app, Action& action);
void add_chat(CLI::App& app, Action& action);
void add_inspect(CLI::App& app, Action& action);
void add_tokenize(CLI::App& app, Action& action);
void add_detokenize(CLI::App& app, Action& action);
void add_template(CLI::App& app, Action& action);
void add_logits(CLI::App& app, Action& action);
void add_embed(CLI::App& app, Action& action);
void add_bench(CLI::App& app, Action& action);
void add_license(CLI::App& app, Action& action);
void add_openness(CLI::App& app, Action& action);
void add_compare(CLI::App& app, Action& action);
void add_bom(CLI::App& app, Action& action);
void add_verify(CLI::App& app, Action& action);
void add_diff(CLI::App& app, Action& action);
void add_eval(CLI::App& app, Action& action);
void add_imatrix(CLI::App& app, Action& action);
void add_convert(CLI::App& app, Action& action);
void add_quantize(CLI::App& app, Action& action);
void add_merge(CLI::App& app, Action& action);
void add_supported(CLI::App& app, Action& action);
void add_serve(CLI::App& app, Action& action);
void add_keys(CLI::App& app, Action& action);
void add_version(CLI::App& app, Action& action);

}  // namespace heft::app
