#include "govern/licence.h"

#include <algorithm>
#include <cstdint>

#include "govern/condition.h"
#include "govern/tree.h"

namespace heft::govern {

namespace {

// What may stand in `verification`, from the strongest to the weakest; `by_user` is for folders of
// one's own.
constexpr std::string_view kVerifications[] = {"text_verified", "text_verified_copy",
                                               "partially_verified", "recalled", "by_user"};

std::shared_ptr<const Json> condition_of(const Json& row) {
    const Json* condition = member(row, "if");
    return condition == nullptr ? nullptr : std::make_shared<const Json>(*condition);
}

bool is_flag_set(const Json& tree, const char* key) {
    const Json* value = member(tree, key);
    return value != nullptr && value->is_boolean() && value->get<bool>();
}

Status check_acts(const Json& row, const Vocabulary& vocabulary) {
    if (texts_of(row, "acts").empty()) return Error{Code::corrupt, "acts are missing"};
    if (const Json* condition = member(row, "if")) HEFT_OK(check_condition(*condition, vocabulary));
    for (const std::string& fact : texts_of(row, "when_stated"))
        if (vocabulary.fact(fact) == nullptr)
            return Error{Code::corrupt, "when_stated: \"" + fact + "\" is no fact"};
    return {};
}

Result<Rule> read_rule(const Json& row, const Vocabulary& vocabulary) {
    HEFT_OK(check_acts(row, vocabulary));
    const auto verdict = verdict_of(text_of(row, "verdict"));
    if (!verdict) return Error{Code::corrupt, "no such verdict: " + text_of(row, "verdict")};
    if (is_allowed(*verdict))
        return Error{Code::corrupt, "a rule restricts; what is allowed stands in permissions"};
    Rule rule{texts_of(row, "acts"),  condition_of(row),  texts_of(row, "when_stated"), *verdict,
              text_of(row, "clause"), text_of(row, "why")};
    if (rule.clause.empty() || rule.why.empty())
        return Error{Code::corrupt, "clause or why is missing"};
    return rule;
}

Result<DutyRule> read_duty(const Json& row, const Vocabulary& vocabulary) {
    HEFT_OK(check_acts(row, vocabulary));
    DutyRule duty{text_of(row, "kind"),         texts_of(row, "acts"), condition_of(row),
                  texts_of(row, "when_stated"), text_of(row, "text"),  text_of(row, "literal"),
                  text_of(row, "clause")};
    if (duty.kind.empty() || duty.text.empty())
        return Error{Code::corrupt, "kind or text is missing"};
    return duty;
}

// Of `key`, a list: each row by `read`, its errors with the row's number.
template <class Row, class Read>
Status read_rows(const Json& tree, const char* key, const Read& read, std::vector<Row>& rows) {
    const Json* list = member(tree, key);
    if (list == nullptr) return {};
    if (!list->is_array()) return Error{Code::corrupt, std::string(key) + ": not a list"};
    for (std::size_t i = 0; i < list->size(); ++i) {
        auto row = read((*list)[i]);
        if (!row)
            return within(std::string(key) + " " + std::to_string(i + 1), std::move(row.error()));
        rows.push_back(std::move(*row));
    }
    return {};
}

Status read_permissions(const Json& tree, Licence& licence) {
    const Json* permissions = member(tree, "permissions");
    if (permissions == nullptr || !permissions->is_object())
        return Error{Code::corrupt, "permissions are missing"};
    for (const auto& [act, value] : permissions->items()) {
        const std::string word = value.is_string() ? value.get<std::string>() : std::string();
        if (word != "yes" && word != "no" && word != "unknown")
            return Error{Code::corrupt, "permissions: " + act + " is yes, no or unknown"};
        licence.permissions[act] = word == "yes"  ? Permission::yes
                                   : word == "no" ? Permission::no
                                                  : Permission::unknown;
    }
    if (const Json* refusals = member(tree, "refusals"))
        for (const auto& [act, value] : refusals->items()) {
            const auto verdict = verdict_of(text_of(*refusals, act));
            if (!verdict || !is_no(*verdict))
                return Error{Code::corrupt, "refusals: " + act + " is one of the verdicts of no"};
            licence.refusals[act] = *verdict;
        }
    if (const Json* clauses = member(tree, "clauses"))
        for (const auto& [act, clause] : clauses->items())
            licence.clauses[act] = text_of(*clauses, act);
    return {};
}

void read_texts(const Json& tree, Licence& licence) {
    const Json* text = member(tree, "text");
    if (text == nullptr) return;
    licence.phrases = texts_of(*text, "phrases");
    for (const char* part : {"whole", "body"}) {
        const Json* list = member(*text, part);
        if (list == nullptr || !list->is_array()) continue;
        for (const Json& row : *list) {
            const Json* words = member(row, "tokens");
            licence.texts.push_back(
                {text_of(row, "sha256"),
                 words != nullptr && words->is_number_integer() && words->get<std::int64_t>() > 0
                     ? words->get<std::size_t>()
                     : 0,
                 text_of(row, "begins"), text_of(row, "from")});
        }
    }
}

void read_naming(const Json& tree, Licence& licence) {
    if (const Json* naming = member(tree, "naming")) {
        licence.notice_text = text_of(*naming, "notice_text");
        licence.display_text = text_of(*naming, "display_text");
        licence.name_prefix = text_of(*naming, "name_prefix");
    }
    const Json* policy = member(tree, "use_policy");
    if (policy == nullptr) return;
    licence.has_use_policy = is_flag_set(*policy, "present");
    licence.use_policy = text_of(*policy, "where");
    const std::string summary = text_of(*policy, "summary");
    if (!summary.empty()) licence.use_policy += (licence.use_policy.empty() ? "" : ": ") + summary;
}

Status read_fields(const Json& tree, const Vocabulary& vocabulary, Licence& licence) {
    licence.name = text_of(tree, "name");
    licence.date = text_of(tree, "date");
    licence.licensor = text_of(tree, "licensor");
    licence.kind = text_of(tree, "kind");
    licence.summary = text_of(tree, "summary");
    licence.spdx = text_of(tree, "spdx");
    if (const Json* hub = member(tree, "hub")) {
        licence.hub_tags = texts_of(*hub, "tags");
        licence.hub_names = texts_of(*hub, "names");
    }
    licence.aliases = texts_of(tree, "aliases");
    licence.models = texts_of(tree, "models");
    licence.notes = texts_of(tree, "notes");
    licence.sources = texts_of(tree, "sources");
    licence.verification = text_of(tree, "verification");
    licence.confidence = text_of(tree, "confidence");
    if (licence.name.empty()) return Error{Code::corrupt, "the name is missing"};
    if (licence.sources.empty()) return Error{Code::corrupt, "sources are missing"};
    if (std::find(std::begin(kVerifications), std::end(kVerifications), licence.verification)
        == std::end(kVerifications))
        return Error{Code::corrupt,
                     "verification is text_verified, text_verified_copy, partially_verified, "
                     "recalled or by_user"};
    read_texts(tree, licence);
    read_naming(tree, licence);
    HEFT_OK(read_permissions(tree, licence));
    HEFT_OK(read_rows(
        tree, "rules", [&](const Json& row) { return read_rule(row, vocabulary); }, licence.rules));
    return read_rows(
        tree, "duties", [&](const Json& row) { return read_duty(row, vocabulary); },
        licence.duties);
}

}  // namespace

Result<Licence> read_licence(Json tree, const Vocabulary& vocabulary) {
    if (text_of(tree, "schema") != "heft.licence/1")
        return Error{Code::corrupt, "a licence's schema is heft.licence/1"};
    Licence licence;
    licence.id = text_of(tree, "id");
    if (licence.id.empty()) return Error{Code::corrupt, "a licence has to have an id"};
    const Status read = read_fields(tree, vocabulary, licence);
    if (!read) return within("licence " + licence.id, read.error());
    licence.data = std::make_shared<const Json>(std::move(tree));
    return licence;
}

}  // namespace heft::govern
