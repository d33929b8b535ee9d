#include "govern/judge.h"

#include <algorithm>

#include "govern/condition.h"
#include "govern/tree.h"

namespace heft::govern {

namespace {

bool contains(const std::vector<std::string>& list, std::string_view item) {
    return std::find(list.begin(), list.end(), item) != list.end();
}

// A restriction under consideration for an act.
struct Finding {
    Verdict verdict = Verdict::allowed;
    std::string clause, why;
    std::vector<std::string> missing;
};

class Judge {
  public:
    Judge(const Licence& licence, const Use& use, const Vocabulary& vocabulary)
        : licence_(licence), use_(use), vocabulary_(vocabulary) {}

    Judgement run() {
        Judgement result;
        for (const Act& act : intended_acts(use_, vocabulary_)) {
            ActAnswer answer = judge_act(act, result);
            // No act can be better off than using the model at all.
            if (!result.acts.empty() && stricter(result.acts.front().verdict, answer.verdict)) {
                ActAnswer use = result.acts.front();
                use.act = answer.act;
                use.says = answer.says;
                answer = std::move(use);
            }
            result.verdict = strictest(result.verdict, answer.verdict);
            result.acts.push_back(std::move(answer));
        }
        return result;
    }

  private:
    bool is_asked(const std::vector<std::string>& when_stated) const {
        return when_stated.empty()
               || std::any_of(when_stated.begin(), when_stated.end(),
                              [this](const std::string& fact) { return use_.is_stated(fact); });
    }

    Outcome outcome_of(const std::shared_ptr<const Json>& condition) const {
        return condition ? evaluate(*condition, use_, vocabulary_) : Outcome{Tri::yes, {}};
    }

    std::string clause_of(const std::string& act) const {
        const auto found = licence_.clauses.find(act);
        return found == licence_.clauses.end() ? "grant" : found->second;
    }

    // What the licence permits before any rule; `definite` is what holds, `possible` what a missing
    // fact could make of it.
    void start(const Act& act, Finding& definite, Finding& possible) const {
        const bool has_own = licence_.permissions.contains(act.name);
        const std::string& name = has_own || act.rests_on.empty() ? act.name : act.rests_on;
        const auto found = licence_.permissions.find(name);
        const Permission permission =
            found == licence_.permissions.end() ? Permission::unknown : found->second;
        definite.clause = clause_of(name);
        definite.why = licence_.summary;
        if (permission == Permission::no) {
            const auto refusal = licence_.refusals.find(name);
            definite.verdict =
                refusal == licence_.refusals.end() ? Verdict::forbidden : refusal->second;
            definite.why = "the licence does not permit to " + act.says;
        } else if (permission == Permission::unknown) {
            possible = {Verdict::forbidden,
                        definite.clause,
                        "what the licence says to this is not known: its text was not read",
                        {std::string(kLicenceText)}};
        } else if (!has_own && licence_.has_use_policy
                   && (is_purpose(act) || act.rests_on == "modify")) {
            possible = {Verdict::forbidden,
                        "use policy",
                        "whether the use policy bars this is not on record: " + licence_.use_policy,
                        {std::string(kLicenceText)}};
        }
    }

    bool is_purpose(const Act& act) const {
        const auto& acts = vocabulary_.acts();
        return std::none_of(acts.begin(), acts.end(),
                            [&act](const Act& row) { return row.name == act.name; });
    }

    ActAnswer judge_act(const Act& act, Judgement& result) const {
        Finding definite, possible;
        start(act, definite, possible);
        for (const Rule& rule : licence_.rules) {
            if (!contains(rule.acts, act.name)) continue;
            if (!is_asked(rule.when_stated)) {
                add_dependence(rule.when_stated, rule.clause, rule.why, result);
                continue;
            }
            Outcome outcome = outcome_of(rule.condition);
            if (outcome.value == Tri::no) continue;
            Finding& finding = outcome.value == Tri::yes ? definite : possible;
            if (!stricter(finding.verdict, rule.verdict))  // a rule says more than a permission
                finding = {rule.verdict, rule.clause, rule.why, std::move(outcome.missing)};
        }
        add_duties(act.name, definite, possible, result);
        return conclude(act, definite, possible);
    }

    void add_duties(const std::string& act, Finding& definite, Finding& possible,
                    Judgement& result) const {
        for (const DutyRule& duty : licence_.duties) {
            if (!contains(duty.acts, act)) continue;
            if (!is_asked(duty.when_stated)) {
                add_dependence(duty.when_stated, duty.clause, duty.text, result);
                continue;
            }
            Outcome outcome = outcome_of(duty.condition);
            if (outcome.value == Tri::no) continue;
            Finding& finding = outcome.value == Tri::yes ? definite : possible;
            if (stricter(Verdict::allowed_with_duty, finding.verdict))
                finding = {Verdict::allowed_with_duty, duty.clause, duty.text,
                           std::move(outcome.missing)};
            if (outcome.value == Tri::yes) add_duty(duty, act, result);
        }
    }

    void add_duty(const DutyRule& duty, const std::string& act, Judgement& result) const {
        for (Duty& known : result.duties)
            if (known.kind == duty.kind && known.text == duty.text
                && known.literal == duty.literal) {
                known.acts.push_back(act);
                return;
            }
        result.duties.push_back(
            {duty.kind, duty.text, duty.literal, duty.clause, licence_.id, {act}});
    }

    void add_dependence(const std::vector<std::string>& facts, const std::string& clause,
                        const std::string& why, Judgement& result) const {
        result.depends_on.push_back({facts, clause, why, licence_.id});
    }

    // A no, or texts that conflict, stand whatever else is missing; below that, a missing fact that
    // could make the answer stricter makes it unknown.
    ActAnswer conclude(const Act& act, Finding& definite, Finding& possible) const {
        const bool is_open = definite.verdict < Verdict::unknown_need_input
                             && stricter(possible.verdict, definite.verdict);
        Finding& decides = is_open ? possible : definite;
        ActAnswer answer{act.name,
                         act.says,
                         is_open ? Verdict::unknown_need_input : definite.verdict,
                         std::move(decides.clause),
                         std::move(decides.why),
                         licence_.id,
                         licence_.sources.front(),
                         licence_.verification,
                         {}};
        if (is_open) answer.missing = std::move(decides.missing);
        return answer;
    }

    const Licence& licence_;
    const Use& use_;
    const Vocabulary& vocabulary_;
};

}  // namespace

std::vector<Act> intended_acts(const Use& use, const Vocabulary& vocabulary) {
    std::vector<Act> acts;
    const auto is_true = [&use](const std::string& fact) { return use.is_true(fact); };
    for (const Act& act : vocabulary.acts()) {
        const bool intended =
            act.facts.empty() || std::any_of(act.facts.begin(), act.facts.end(), is_true);
        if (intended && std::none_of(act.unless.begin(), act.unless.end(), is_true))
            acts.push_back(act);
    }
    for (const auto& [name, fact] : use.facts()) {
        if (vocabulary.fact(name) != nullptr || !use.is_true(name)) continue;
        std::string says = "use it for " + name;
        std::replace(says.begin(), says.end(), '_', ' ');
        acts.push_back({name, {name}, {}, "use", std::move(says)});
    }
    return acts;
}

Judgement judge(const Licence& licence, const Use& use, const Vocabulary& vocabulary) {
    return Judge(licence, use, vocabulary).run();
}

}  // namespace heft::govern
