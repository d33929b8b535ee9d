#include "app/use_flags.h"

#include <cmath>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/console.h"
#include "format/yaml.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostBytes = 1U << 20;

struct Pair {
    std::string key, value;
};

Result<Pair> split(const char* option, const std::string& text, const char* like) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
        return Error{Code::invalid, fmt::format("{} {}: write it like {}", option, text, like)};
    return Pair{text.substr(0, equals), text.substr(equals + 1)};
}

// A value as YAML understands it: true, 5e6, text.
Result<Json> value_of(const std::string& text) {
    return format::read_yaml(text);
}

Status take_months(const UseFlags& flags, Json& tree) {
    for (const std::string& argument : flags.users_at) {
        HEFT_TRY(const Pair pair, split("--users-at", argument, "2024-06=5000000"));
        HEFT_TRY(tree["mau_at"][pair.key], value_of(pair.value));
    }
    return {};
}

Status take_facts(const UseFlags& flags, Json& tree) {
    for (const std::string& argument : flags.facts) {
        HEFT_TRY(const Pair pair, split("--fact", argument, "modality=text-only"));
        HEFT_TRY(tree[pair.key], value_of(pair.value));
    }
    return {};
}

}  // namespace

void add_use_flags(CLI::App& verb, UseFlags& flags) {
    verb.add_option("--use", flags.file, "the use, in YAML or JSON")->type_name("F");
    verb.add_flag("--commercial", flags.commercial, "use it commercially");
    verb.add_flag("--private", flags.private_use, "the use is not commercial");
    verb.add_flag("--modify", flags.modify, "fine-tune, merge, quantise");
    verb.add_flag("--distribute", flags.distribute, "hand copies on");
    verb.add_flag("--host-api", flags.host_api, "offer it as a service");
    verb.add_flag("--embed", flags.embed, "ship it inside a product");
    verb.add_flag("--train-on-outputs", flags.train_on_outputs, "train another model on outputs");
    verb.add_option("--users-monthly", flags.users_monthly, "monthly users now")->type_name("N");
    verb.add_option("--users-at", flags.users_at, "users in a month: 2024-06=N")->type_name("M=N");
    verb.add_option("--revenue", flags.revenue, "annual revenue in USD")->type_name("N");
    verb.add_option("--country", flags.country, "where you are: DE, US, EU")->type_name("C");
    verb.add_option("--name", flags.name, "of the model you publish")->type_name("S");
    verb.add_option("--fact", flags.facts, "any fact of docs/licences.md")->type_name("K=V");
}

Result<govern::Use> use_of(const UseFlags& flags, const govern::Vocabulary& vocabulary) {
    Json tree = Json::object();
    if (!flags.file.empty()) {
        HEFT_TRY(const std::string text, read_input(flags.file, kMostBytes));
        auto read = format::read_yaml_or_json(text);
        if (!read) return within(flags.file, std::move(read.error()));
        if (!read->is_null()) tree = std::move(*read);
        if (!tree.is_object())
            return Error{Code::invalid, flags.file + ": a use is a mapping of facts"};
    }
    if (flags.commercial && flags.private_use)
        return Error{Code::invalid, "--commercial and --private exclude each other"};
    if (flags.commercial || flags.private_use) tree["commercial"] = flags.commercial;
    const std::pair<bool, const char*> switches[] = {
        {flags.modify, "modify"},
        {flags.distribute, "publish_model"},
        {flags.host_api, "host_api"},
        {flags.embed, "embed_in_product"},
        {flags.train_on_outputs, "train_other_model_on_outputs"}};
    for (const auto& [is_set, fact] : switches)
        if (is_set) tree[fact] = true;
    // What is both changed and handed on is a changed model that is published.
    if (flags.modify && flags.distribute) tree["publish_finetune"] = true;
    if (flags.users_monthly) tree["mau_now"] = *flags.users_monthly;
    if (flags.revenue) tree["annual_revenue_usd"] = *flags.revenue;
    if (!flags.country.empty()) tree["region"] = flags.country;
    if (!flags.name.empty()) tree["name"] = flags.name;
    HEFT_OK(take_months(flags, tree));
    HEFT_OK(take_facts(flags, tree));
    return govern::Use::from_tree(tree, vocabulary);
}

}  // namespace heft::app
