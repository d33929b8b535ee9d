#include <algorithm>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/console.h"
#include "app/exit_code.h"
#include "app/help.h"
#include "app/server_commands.h"

namespace heft::app {

namespace {

int report(const Error& error) {
    if (!error.what.empty()) say("heft: " + error.what);
    return exit_code(error.code);
}

// The arguments after the program's name, last first, as CLI11 wants them, with llama.cpp's short
// options of several letters spelled out. --version, which people try first, is the verb.
std::vector<std::string> arguments(int argc, char** argv) {
    std::vector<std::string> words(argv + 1, argv + argc);
    if (!words.empty() && words.front() == "--version") words.front() = "version";
    for (std::string& word : words) {
        if (word == "--") break;
        if (word == "-ctk") word = "--cache-type-k";
        if (word == "-ctv") word = "--cache-type-v";
        if (word == "-np") word = "--parallel";
    }
    std::reverse(words.begin(), words.end());
    return words;
}

int run_program(int argc, char** argv) {
    CLI::App app("heft runs open-weight language models on your own machine.", "heft");
    app.formatter(std::make_shared<HelpFormatter>());
    app.set_help_flag("-h,--help", "this text");
    app.require_subcommand(1);
    app.footer(
        "MODEL is a folder, a .gguf or .safetensors file, or \"tiny\", the built-in toy.\n"
        "`heft VERB --help` tells a verb's options. Example: heft run model.gguf \"Why is it "
        "so?\"");
    Action action;
    add_run(app, action);
    add_chat(app, action);
    add_inspect(app, action);
    add_tokenize(app, action);
    add_detokenize(app, action);
    add_template(app, action);
    add_logits(app, action);
    add_embed(app, action);
    add_bench(app, action);
    add_license(app, action);
    add_openness(app, action);
    add_compare(app, action);
    add_bom(app, action);
    add_verify(app, action);
    add_diff(app, action);
    add_eval(app, action);
    add_imatrix(app, action);
    add_convert(app, action);
    add_quantize(app, action);
    add_merge(app, action);
    add_serve(app, action);
    add_ps(app, action);
    add_stop(app, action);
    add_keys(app, action);
    add_doctor(app, action);
    add_conform(app, action);
    add_supported(app, action);
    add_version(app, action);
    try {
        app.parse(arguments(argc, argv));
    } catch (const CLI::ParseError& e) {
        if (e.get_exit_code() == 0) {  // --help
            app.exit(e);
            return 0;
        }
        say(fmt::format(
            "heft: {}. Try `heft{} --help`.", e.what(),
            app.get_subcommands().empty() ? "" : " " + app.get_subcommands().front()->get_name()));
        return kExitUsage;
    }
    const Status done = action();
    // What was written before an error is still the user's.
    const Status written = finish_output();
    if (!done) return report(done.error());
    if (!written) return report(written.error());
    return answered_no() ? kExitNo : 0;
}

}  // namespace

}  // namespace heft::app

// Nothing of ours throws, but the standard library may.
int main(int argc, char** argv) {
    try {
        return heft::app::run_program(argc, argv);
    } catch (const std::bad_alloc&) {
        heft::app::say("heft: out of memory");
        return heft::app::exit_code(heft::Code::exhausted);
    } catch (const std::exception& e) {
        heft::app::say(fmt::format("heft: internal error: {}", e.what()));
        return heft::app::kExitInternal;
    }
}
