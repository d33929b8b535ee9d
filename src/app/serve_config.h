// The configuration file of `heft serve`: YAML, with every flag's name as a key ("ctx_size" for
// --ctx-size) and a list of models, each with settings of its own:
//
//   port: 8080
//   ctx_size: 8192            # of every model that says nothing else
//   models:
//     - name: coder
//       path: coder.gguf      # relative to the file's folder
//       aliases: [gpt-4o-mini]
//       ctx_size: 32768
#pragma once

#include <string>

#include "app/serve_settings.h"
#include "base/result.h"

namespace heft::app {

// Changes `settings` where the file says something. An error tells everything that is wrong with
// the file, each with its line.
Status read_serve_config(const std::string& file, ServeSettings& settings);
// `folder`: what relative paths are relative to; `file`: for errors.
Status parse_serve_config(const std::string& yaml, const std::string& file,
                          const std::string& folder, ServeSettings& settings);

// Every key, what it means and when a change takes effect: a table in Markdown.
std::string serve_config_document();

}  // namespace heft::app
