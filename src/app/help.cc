#include "app/help.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "app/server_commands.h"

namespace heft::app {

namespace {

constexpr std::size_t kColumns = 98;
constexpr std::size_t kHalf = kColumns / 2;

std::string spelling(const CLI::Option& option) {
    std::string names;
    for (const std::string& name : option.get_snames())
        names += (names.empty() ? "-" : ",-") + name;
    for (const std::string& name : option.get_lnames())
        names += (names.empty() ? "--" : ",--") + name;
    if (option.get_positional()) names = option.get_name(true);
    if (option.get_positional() || option.get_items_expected_max() == 0) return names;
    return names + " " + option.get_type_name();
}

// Two to a line where both are short enough.
std::string in_columns(const std::vector<std::string>& items) {
    std::string text, line;
    const auto flush = [&] {
        if (!line.empty()) text += "  " + line + "\n";
        line.clear();
    };
    for (const std::string& item : items) {
        if (line.empty() && item.size() < kHalf) {
            line = item;
        } else if (!line.empty() && item.size() < kHalf) {
            line = fmt::format("{:<{}}{}", line, kHalf, item);
            flush();
        } else {
            flush();
            line = item;
            flush();
        }
    }
    flush();
    return text;
}

std::string wrapped(const std::vector<std::string>& items) {
    std::string text, line;
    for (const std::string& item : items) {
        if (!line.empty() && line.size() + item.size() + 3 > kColumns) {
            text += "  " + line + "\n";
            line.clear();
        }
        line += (line.empty() ? "" : "  ") + item;
    }
    return line.empty() ? text : text + "  " + line + "\n";
}

std::string options_help(const CLI::App& app) {
    std::vector<std::string> items, dense;
    std::size_t width = 0;
    const auto options =
        app.get_options([](const CLI::Option* o) { return !o->get_group().empty(); });
    for (const CLI::Option* option : options)
        if (option->get_group() != kDense) width = std::max(width, spelling(*option).size());
    width = std::min<std::size_t>(width, 17);
    for (const CLI::Option* option : options) {
        if (option->get_group() == kDense)
            dense.push_back(spelling(*option));
        else
            items.push_back(
                fmt::format("{:<{}}  {}", spelling(*option), width, option->get_description()));
    }
    std::string text = in_columns(items);
    if (!dense.empty())
        text += std::string(kDense) + " (docs/cli.md says what each does):\n" + wrapped(dense);
    return text;
}

// A verb in a line, and a line for each group of verbs: the program has many, and its help still
// fits a screen.
std::string program_help(const CLI::App& app) {
    std::string text = app.get_description() + "\nUsage: heft VERB [options]\n\n";
    std::vector<std::pair<std::string, std::string>> groups;  // in the order of their first verbs
    for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
        const std::string& group = verb->get_group();
        if (group != kPart && group != kShape && group != kBesideServe) {
            text += fmt::format("  {:<12}{}\n", verb->get_name(), verb->get_description());
            continue;
        }
        const auto known = std::find_if(groups.begin(), groups.end(),
                                        [&group](const auto& one) { return one.first == group; });
        if (known == groups.end())
            groups.emplace_back(group, verb->get_name());
        else
            known->second += ", " + verb->get_name();
    }
    for (const auto& [group, names] : groups) text += fmt::format("  {}: {}\n", group, names);
    return text + "\n" + app.get_footer() + "\n";
}

}  // namespace

CLI::App* add_verb(CLI::App& app, const std::string& name, const std::string& what,
                   const std::string& example) {
    CLI::App* verb = app.add_subcommand(name, what);
    verb->footer(example);
    return verb;
}

std::string HelpFormatter::make_help(const CLI::App* app, std::string /*name*/,
                                     CLI::AppFormatMode /*mode*/) const {
    if (app->get_parent() == nullptr) return program_help(*app);
    std::string positionals;
    for (const CLI::Option* option :
         app->get_options([](const CLI::Option* o) { return o->get_positional(); })) {
        const std::string shown = option->get_name(true);
        positionals += option->get_required() ? " " + shown : " [" + shown + "]";
    }
    std::string names = app->get_name();
    for (const CLI::App* in = app->get_parent(); in->get_parent() != nullptr; in = in->get_parent())
        names.insert(0, in->get_name() + " ");
    return fmt::format("{}\nUsage:   heft {}{} [options]\nExample: {}\n{}", app->get_description(),
                       names, positionals, app->get_footer(), options_help(*app));
}

}  // namespace heft::app
