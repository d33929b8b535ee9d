#include "govern/lineage.h"

#include <algorithm>
#include <set>

#include "govern/tree.h"
#include "govern/words.h"

namespace heft::govern {

namespace {

constexpr std::size_t kMostModels = 16;

// Walks bases breadth first; a model is looked at once.
class Walk {
  public:
    Walk(const Catalogue& catalogue, const std::filesystem::path& near)
        : catalogue_(catalogue), near_(near) {}

    Chain run(const Identification& model, const std::string& relation) {
        add(model, relation);
        for (std::size_t i = 0; i < waiting_.size(); ++i) {
            const std::string base = waiting_[i];
            if (chain_.terms.size() >= kMostModels || !visit(base)) chain_.unseen.push_back(base);
        }
        return std::move(chain_);
    }

  private:
    void add(const Identification& model, const std::string& relation) {
        chain_.terms.push_back(
            {model.name, relation, model.licences, model.certainty, model.why, model.conflict});
        for (const std::string& base : model.base_models) wait(base);
        if (model.release == nullptr || model.release->also.empty()) return;
        const ReleaseRow& row = *model.release;
        if (row.base.empty() || !seen_.contains(repository_name(row.base)))
            chain_.terms.push_back(
                {row.base.empty() ? joined_ids(catalogue_.find_all(row.also), ", ") : row.base,
                 "base model", catalogue_.find_all(row.also), Certainty::listed, row.why, false});
    }

    // Of more bases than are looked at, one that is not seen says enough.
    void wait(const std::string& base) {
        if (waiting_.size() <= kMostModels && seen_.insert(repository_name(base)).second)
            waiting_.push_back(base);
    }

    bool visit(const std::string& base) {
        std::error_code ignored;
        for (const std::filesystem::path& folder : {near_ / base, std::filesystem::path(base)}) {
            if (folder.empty() || !std::filesystem::is_directory(folder, ignored)) continue;
            const auto files = read_release(folder);
            if (!files) continue;
            const auto found = identify(catalogue_, *files);
            if (!found) continue;
            add(*found, "base model");
            return true;
        }
        const Identification found = identify_name(catalogue_, base);
        if (found.certainty != Certainty::listed) return false;
        add(found, "base model");
        return true;
    }

    const Catalogue& catalogue_;
    const std::filesystem::path near_;
    Chain chain_;
    std::set<std::string> seen_;
    std::vector<std::string> waiting_;
};

// Makes every answer of `judgement` at least as strict as one that does not come from a rule.
void raise(Judgement& judgement, Verdict verdict, const std::string& clause, const std::string& why,
           const std::vector<std::string>& missing) {
    for (ActAnswer& answer : judgement.acts) {
        if (!stricter(verdict, answer.verdict)) continue;
        answer.verdict = verdict;
        answer.clause = clause;
        answer.why = why;
        answer.missing = missing;
    }
    judgement.verdict = strictest(judgement.verdict, verdict);
}

// The answers that nothing is known for.
Judgement unknown_terms(const Terms& terms, const Use& use, const Vocabulary& vocabulary) {
    Judgement judgement;
    for (const Act& act : intended_acts(use, vocabulary))
        judgement.acts.push_back({act.name,
                                  act.says,
                                  Verdict::unknown_need_input,
                                  "no licence",
                                  terms.of + ": " + terms.why,
                                  "unknown",
                                  "none",
                                  "none",
                                  {std::string(kLicenceText)}});
    judgement.verdict = Verdict::unknown_need_input;
    return judgement;
}

Judgement judge_terms(const Terms& terms, const Use& use, const Vocabulary& vocabulary) {
    if (terms.licences.empty()) return unknown_terms(terms, use, vocabulary);
    Judgement judgement = judge(*terms.licences.front(), use, vocabulary);
    for (std::size_t i = 1; i < terms.licences.size(); ++i)
        join(judgement, judge(*terms.licences[i], use, vocabulary));
    if (terms.certainty == Certainty::modified)
        raise(judgement, Verdict::review, "text", terms.of + ": " + terms.why, {});
    if (terms.certainty == Certainty::weak)
        raise(judgement, Verdict::unknown_need_input, "no text, no declaration",
              terms.of + ": " + terms.why, {std::string(kLicenceText)});
    if (terms.conflict)
        raise(judgement, Verdict::review, "which licence it is",
              terms.of + ": texts or declarations contradict each other", {});
    return judgement;
}

// What a model was made from binds it, whatever its own licence allows.
void doubt_unseen(Assessment& out) {
    for (const std::string& base : out.unseen)
        raise(out.judgement, Verdict::unknown_need_input, "terms of the base model",
              "it was made from " + base + ", whose terms cannot be seen from here",
              {std::string(kBaseModel) + "." + base});
}

// A month that is not after `until`, by its text ("2023-05-31" and "2023-05" are the same month).
bool is_until(const std::string& obtained, const std::string& until) {
    return obtained.substr(0, until.size()) <= until;
}

// What is known about the release that a use names, against the licence that was asked about.
class NamedRelease {
  public:
    NamedRelease(const Catalogue& catalogue, const Use& use, Assessment& out)
        : catalogue_(catalogue), use_(use), out_(out) {}

    void check(const std::vector<const Licence*>& asked) {
        check_tag(asked);
        const ReleaseRow* row = catalogue_.release(use_.text("model"));
        if (row == nullptr) return;
        if (row->conflict) review(row->why, row->licences);
        if (!shares(asked, row->licences) && !check_earlier(asked, *row))
            review(use_.text("model") + " is known to have "
                       + joined_ids(catalogue_.find_all(row->licences), ", ") + ": " + row->why,
                   row->licences);
        if (!row->harmless && !row->also.empty() && !shares(asked, row->also))
            review(row->why, row->also);
    }

  private:
    // A hub's tag that is no name of the licence asked about.
    void check_tag(const std::vector<const Licence*>& asked) {
        const std::string tag = use_.text("tag");
        const bool fits = std::any_of(asked.begin(), asked.end(), [&tag](const Licence* licence) {
            return Catalogue::goes_by(*licence, tag);
        });
        const auto tagged = catalogue_.named(tag);
        if (!fits && !tagged.empty())
            raise(out_.judgement, Verdict::review, "which licence it is",
                  "the hub's tag is " + tag + ", which is another licence", {});
    }

    bool shares(const std::vector<const Licence*>& asked, const std::vector<std::string>& ids) {
        return std::any_of(asked.begin(), asked.end(), [&ids](const Licence* licence) {
            return std::find(ids.begin(), ids.end(), licence->id) != ids.end();
        });
    }

    // Whether the licence asked about is an earlier one, which binds copies of its time.
    bool check_earlier(const std::vector<const Licence*>& asked, const ReleaseRow& row) {
        for (const auto& earlier : row.changed) {
            if (!shares(asked, {earlier.licence})) continue;
            const std::string obtained = use_.text("obtained");
            if (obtained.empty()) {
                raise(out_.judgement, Verdict::unknown_need_input, "change of licence", row.why,
                      {"obtained"});
            } else if (!is_until(obtained, earlier.until)) {
                review(row.why, row.licences);
            }
            return true;
        }
        return false;
    }

    void review(const std::string& why, const std::vector<std::string>& ids) {
        Terms terms{use_.text("model"),
                    "known release",
                    catalogue_.find_all(ids),
                    Certainty::listed,
                    why,
                    false};
        if (!terms.licences.empty())
            join(out_.judgement, judge_terms(terms, use_, catalogue_.vocabulary()));
        out_.terms.push_back(std::move(terms));
        raise(out_.judgement, Verdict::review, "which licence it is", why, {});
    }

    const Catalogue& catalogue_;
    const Use& use_;
    Assessment& out_;
};

bool is_set(const Licence& licence, const char* key) {
    const Json* propagation = member(*licence.data, "propagation");
    const Json* value = propagation == nullptr ? nullptr : member(*propagation, key);
    return value != nullptr && value->is_boolean() && value->get<bool>();
}

// Terms that cannot both be kept when a work made from both is handed on: share-alike forbids
// further restrictions, and other terms have to be passed on.
void find_conflicts(Assessment& out) {
    const auto ships = [](const ActAnswer& answer) {
        return answer.act == "distribute" || answer.act == "publish_finetune"
               || answer.act == "embed_in_product";
    };
    for (const Terms& a : out.terms)
        for (const Terms& b : out.terms)
            for (const Licence* alike : a.licences)
                for (const Licence* other : b.licences) {
                    if (&a == &b || !is_set(*alike, "share_alike") || alike == other) continue;
                    if (!is_set(*other, "must_pass_restrictions") && !is_set(*other, "share_alike"))
                        continue;
                    const std::string what = alike->id + " (" + a.of + ") allows no further "
                                             "restrictions, " + other->id + " (" + b.of
                                             + ") has to be passed on: a work of both cannot "
                                               "be handed on under either";
                    out.conflicts.push_back(what);
                    for (ActAnswer& answer : out.judgement.acts)
                        if (ships(answer) && stricter(Verdict::review, answer.verdict)) {
                            answer.verdict = Verdict::review;
                            answer.clause = "conflict of terms";
                            answer.why = what;
                            out.judgement.verdict =
                                strictest(out.judgement.verdict, Verdict::review);
                        }
                }
    std::sort(out.conflicts.begin(), out.conflicts.end());
    out.conflicts.erase(std::unique(out.conflicts.begin(), out.conflicts.end()),
                        out.conflicts.end());
}

}  // namespace

void join(Judgement& into, Judgement more) {
    for (ActAnswer& answer : more.acts) {
        const auto same =
            std::find_if(into.acts.begin(), into.acts.end(),
                         [&answer](const ActAnswer& a) { return a.act == answer.act; });
        if (same == into.acts.end())
            into.acts.push_back(std::move(answer));
        else if (stricter(answer.verdict, same->verdict))
            *same = std::move(answer);
    }
    for (Duty& duty : more.duties) {
        const bool known =
            std::any_of(into.duties.begin(), into.duties.end(), [&duty](const Duty& d) {
                return d.kind == duty.kind && d.text == duty.text && d.literal == duty.literal
                       && d.licence == duty.licence;
            });
        if (!known) into.duties.push_back(std::move(duty));
    }
    std::move(more.depends_on.begin(), more.depends_on.end(), std::back_inserter(into.depends_on));
    into.verdict = strictest(into.verdict, more.verdict);
}

Chain chain_of(const Catalogue& catalogue, const Identification& model, const std::string& relation,
               const std::filesystem::path& near) {
    return Walk(catalogue, near).run(model, relation);
}

Assessment assess(const Catalogue& catalogue, Chain chain, const Use& use) {
    Assessment out;
    out.terms = std::move(chain.terms);
    out.unseen = std::move(chain.unseen);
    std::vector<const Licence*> asked;
    for (const Terms& terms : out.terms) {
        asked.insert(asked.end(), terms.licences.begin(), terms.licences.end());
        join(out.judgement, judge_terms(terms, use, catalogue.vocabulary()));
    }
    NamedRelease(catalogue, use, out).check(asked);
    find_conflicts(out);
    doubt_unseen(out);
    return out;
}

}  // namespace heft::govern
