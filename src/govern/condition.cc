#include "govern/condition.h"

#include <algorithm>

#include "govern/tree.h"
#include "govern/words.h"

namespace heft::govern {

namespace {

Tri of(bool value) {
    return value ? Tri::yes : Tri::no;
}

// What a stated fact answers. Tri::unknown where the fact does not settle it.
using Ask = Tri (*)(const Fact& fact, const Json& operand, const Vocabulary& vocabulary);

const std::string* as_text(const Fact& fact) {
    return std::get_if<std::string>(&fact);
}

Tri ask_is(const Fact& fact, const Json& operand, const Vocabulary&) {
    if (operand.is_boolean()) {
        const bool* flag = std::get_if<bool>(&fact);
        return flag == nullptr ? Tri::unknown : of(*flag == operand.get<bool>());
    }
    const std::string* text = as_text(fact);
    return text == nullptr ? Tri::unknown
                           : of(words_of(*text) == words_of(operand.get<std::string>()));
}

Tri ask_over(const Fact& fact, const Json& operand, const Vocabulary&) {
    const double* number = std::get_if<double>(&fact);
    return number == nullptr ? Tri::unknown : of(*number > operand.get<double>());
}

Tri ask_at_least(const Fact& fact, const Json& operand, const Vocabulary&) {
    const double* number = std::get_if<double>(&fact);
    return number == nullptr ? Tri::unknown : of(*number >= operand.get<double>());
}

Tri ask_within(const Fact& fact, const Json& operand, const Vocabulary& vocabulary) {
    const std::string* text = as_text(fact);
    if (text == nullptr) return Tri::unknown;
    std::vector<std::string> areas;
    for (const Json& area : operand) areas.push_back(area.get<std::string>());
    return vocabulary.is_within(*text, areas);
}

Tri ask_begins(const Fact& fact, const Json& operand, const Vocabulary&) {
    const std::string* text = as_text(fact);
    return text == nullptr ? Tri::unknown
                           : of(begins_with(words_of(*text), words_of(operand.get<std::string>())));
}

Tri ask_names(const Fact& fact, const Json& operand, const Vocabulary&) {
    const std::string* text = as_text(fact);
    if (text == nullptr) return Tri::unknown;
    const std::string words = words_of(*text);
    for (const Json& phrase : operand)
        if (has_phrase(words, words_of(phrase.get<std::string>()))) return Tri::yes;
    return Tri::no;
}

Tri ask_kind(const Fact& fact, const Json& operand, const Vocabulary& vocabulary) {
    const std::string* text = as_text(fact);
    const Kind* kind = vocabulary.kind(operand.get<std::string>());
    return text == nullptr || kind == nullptr ? Tri::unknown : vocabulary.is_of_kind(*kind, *text);
}

bool is_texts(const Json& operand) {
    return operand.is_array() && !operand.empty()
           && std::all_of(operand.begin(), operand.end(),
                          [](const Json& item) { return item.is_string(); });
}

struct Test {
    std::string_view name;
    bool (*accepts)(const Json& operand);
    Ask ask;
};

constexpr Test kTests[] = {
    {"is", [](const Json& o) { return o.is_boolean() || o.is_string(); }, ask_is},
    {"over", [](const Json& o) { return o.is_number(); }, ask_over},
    {"at_least", [](const Json& o) { return o.is_number(); }, ask_at_least},
    {"within", is_texts, ask_within},
    {"begins", [](const Json& o) { return o.is_string(); }, ask_begins},
    {"names", is_texts, ask_names},
    {"kind", [](const Json& o) { return o.is_string(); }, ask_kind},
};

struct Asked {
    const Test* test = nullptr;
    const Json* operand = nullptr;
};

Asked test_in(const Json& condition) {
    for (const Test& test : kTests)
        if (const Json* operand = member(condition, test.name)) return {&test, operand};
    return {};
}

Outcome evaluate_fact(const Json& condition, const Use& use, const Vocabulary& vocabulary) {
    const std::string name = text_of(condition, "fact");
    const Fact* fact = use.find(name);
    if (const Json* given = member(condition, "given"))
        return {of((fact != nullptr) == given->get<bool>()), {}};
    if (fact == nullptr) {
        const std::string absent = text_of(condition, "absent");
        if (!absent.empty()) return {of(absent == "yes"), {}};
        return {Tri::unknown, {name}};
    }
    const Asked asked = test_in(condition);
    const Tri value = asked.test->ask(*fact, *asked.operand, vocabulary);
    if (value != Tri::unknown) return {value, {}};
    return {value, {name}};
}

// `decides`: the value that settles a list on its own (no for all, yes for any).
Outcome evaluate_list(const Json& list, Tri decides, const Use& use, const Vocabulary& vocabulary) {
    Outcome sum{decides == Tri::no ? Tri::yes : Tri::no, {}};
    for (const Json& item : list) {
        Outcome one = evaluate(item, use, vocabulary);
        if (one.value == decides) return {decides, {}};
        if (one.value != Tri::unknown) continue;
        sum.value = Tri::unknown;
        for (std::string& fact : one.missing)
            if (std::find(sum.missing.begin(), sum.missing.end(), fact) == sum.missing.end())
                sum.missing.push_back(std::move(fact));
    }
    return sum;
}

Status check_fact(const Json& condition, const Vocabulary& vocabulary) {
    const std::string name = text_of(condition, "fact");
    if (vocabulary.fact(name.substr(0, name.find('.'))) == nullptr)
        return Error{Code::corrupt, "condition: \"" + name + "\" is no fact of the vocabulary"};
    const std::string absent = text_of(condition, "absent");
    if (member(condition, "absent") != nullptr && absent != "yes" && absent != "no")
        return Error{Code::corrupt, "condition on " + name + ": absent is yes or no"};
    if (const Json* given = member(condition, "given")) {
        if (given->is_boolean()) return {};
        return Error{Code::corrupt, "condition on " + name + ": given is true or false"};
    }
    const Asked asked = test_in(condition);
    if (asked.test == nullptr || !asked.test->accepts(*asked.operand))
        return Error{Code::corrupt, "condition on " + name + ": no test that heft knows"};
    if (asked.test->name == "kind" && vocabulary.kind(text_of(condition, "kind")) == nullptr)
        return Error{Code::corrupt, "condition on " + name + ": no such kind"};
    return {};
}

}  // namespace

Outcome evaluate(const Json& condition, const Use& use, const Vocabulary& vocabulary) {
    if (const Json* list = member(condition, "all"))
        return evaluate_list(*list, Tri::no, use, vocabulary);
    if (const Json* list = member(condition, "any"))
        return evaluate_list(*list, Tri::yes, use, vocabulary);
    if (const Json* inner = member(condition, "not")) {
        Outcome outcome = evaluate(*inner, use, vocabulary);
        if (outcome.value != Tri::unknown) outcome.value = of(outcome.value == Tri::no);
        return outcome;
    }
    return evaluate_fact(condition, use, vocabulary);
}

Status check_condition(const Json& condition, const Vocabulary& vocabulary) {
    for (const char* join : {"all", "any"}) {
        const Json* list = member(condition, join);
        if (list == nullptr) continue;
        if (!list->is_array() || list->empty())
            return Error{Code::corrupt, std::string("condition: ") + join + " takes a list"};
        for (const Json& item : *list) HEFT_OK(check_condition(item, vocabulary));
        return {};
    }
    if (const Json* inner = member(condition, "not")) return check_condition(*inner, vocabulary);
    return check_fact(condition, vocabulary);
}

}  // namespace heft::govern
