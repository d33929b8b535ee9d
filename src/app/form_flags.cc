#include "app/form_flags.h"

#include <algorithm>
#include <span>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "app/console.h"
#include "app/help.h"
#include "base/json.h"
#include "text/reply_format.h"

namespace heft::app {

namespace {

Status check_one(const FormFlags& flags) {
    const std::string* all[] = {&flags.grammar, &flags.grammar_file, &flags.schema,
                                &flags.schema_file};
    const auto n = std::count_if(std::begin(all), std::end(all),
                                 [](const std::string* flag) { return !flag->empty(); });
    if (n <= 1) return {};
    return Error{Code::invalid,
                 "an answer has one form: give one of --grammar, --grammar-file, --json-schema and "
                 "--json-schema-file"};
}

Result<grammar::Grammar> compile(const FormFlags& flags) {
    if (!flags.grammar.empty() || !flags.grammar_file.empty()) {
        std::string source = flags.grammar;
        if (source.empty()) {
            HEFT_TRY(source, read_input(flags.grammar_file));
        }
        auto grammar = grammar::Grammar::from_gbnf(source);
        if (!grammar) return within("--grammar", grammar.error());
        return grammar;
    }
    std::string source = flags.schema;
    if (source.empty()) {
        HEFT_TRY(source, read_input(flags.schema_file));
    }
    const auto schema = parse_json_tree(source);
    if (!schema) return Error{Code::invalid, "--json-schema: " + schema.error().what};
    auto grammar = grammar::Grammar::from_json_schema(*schema);
    if (!grammar) return within("--json-schema", grammar.error());
    return grammar;
}

}  // namespace

void add_form(CLI::App& verb, FormFlags& flags) {
    const auto add = [&verb](const char* names, std::string& target, const char* value,
                             const char* meaning) {
        verb.add_option(names, target, meaning)->type_name(value)->group(kDense);
    };
    add("--grammar", flags.grammar, "G", "hold the answer to a GBNF grammar");
    add("--grammar-file", flags.grammar_file, "F", "the same, from a file");
    add("-j,--json-schema", flags.schema, "S", "hold the answer to a JSON schema");
    add("--json-schema-file", flags.schema_file, "F", "the same, from a file");
}

Result<std::shared_ptr<grammar::Constraint>> make_constraint(const FormFlags& flags,
                                                             const engine::Engine& engine) {
    HEFT_OK(check_one(flags));
    if (flags.grammar.empty() && flags.grammar_file.empty() && flags.schema.empty()
        && flags.schema_file.empty())
        return std::shared_ptr<grammar::Constraint>();
    HEFT_TRY(grammar::Grammar grammar, compile(flags));
    HEFT_TRY(auto words, engine.vocabulary(true));
    return grammar::Constraint::make(std::move(grammar), std::move(words));
}

void hold_to(const std::shared_ptr<grammar::Constraint>& constraint, const engine::Engine& engine,
             engine::Request& request) {
    if (constraint == nullptr) return;
    request.form.constraint = constraint;
    const auto source = engine.template_source();
    const auto words = engine.tokenizer();
    if (!source || !words) return;
    const text::ReplyFormat& format = text::reply_format_of_template(*source);
    constexpr std::size_t kTail = 64;  // tokens; more than any template's opening of a thought
    const std::span<const engine::TokenId> prompt = request.prompt;
    const auto tail = (*words)->decode(prompt.last(std::min(kTail, prompt.size())), true);
    request.form.aside_open = text::bare(format.reasoning[0].open);
    request.form.aside_close = text::bare(format.reasoning[0].close);
    request.form.in_aside = tail && text::opens_reasoning(format, *tail);
}

}  // namespace heft::app
