// Help that fits a screen: one line on what the verb does, an example, and its options in as few
// lines as they need. Options of the group kDense are listed by name and value only.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace heft::app {

inline constexpr const char* kDense = "Sampling";

// Groups of verbs that share a line of the program's help.
inline constexpr const char* kPart = "What a model says at each step";
inline constexpr const char* kShape = "Make a model of another, measure it";

// A verb with its example; its own help comes out of the formatter below.
CLI::App* add_verb(CLI::App& app, const std::string& name, const std::string& what,
                   const std::string& example);

class HelpFormatter : public CLI::Formatter {
  public:
    std::string make_help(const CLI::App* app, std::string name,
                          CLI::AppFormatMode mode) const override;
};

}  // namespace heft::app
