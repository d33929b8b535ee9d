#include "govern/identify.h"

#include <algorithm>

#include <fmt/format.h>

#include "govern/declared.h"
#include "govern/words.h"

namespace heft::govern {

namespace {

constexpr std::string_view kCertainties[] = {"text",   "named", "title",    "declared",
                                             "listed", "weak",  "modified", "unknown"};
constexpr std::string_view kRoles[] = {"weights", "code",     "policy", "notice",
                                       "card",    "metadata", "name"};

// Which part of a release the text of a file of this name speaks for; the first row that fits.
struct RolePattern {
    std::string_view pattern;
    Role role;
};
constexpr RolePattern kRolePatterns[] = {
    {"*license*code*", Role::code},
    {"*code*license*", Role::code},
    {"*licence*code*", Role::code},
    {"*use-policy*", Role::policy},
    {"*usage-policy*", Role::policy},
    {"*prohibited-use*", Role::policy},
    {"*.json", Role::metadata},
    {"readme.md", Role::card},
    {"*card*.md", Role::card},
    {"notice*", Role::notice},
    {"*", Role::weights},
};

Role role_of(const std::string& file) {
    const std::string name = repository_name(file);
    for (const auto& [pattern, role] : kRolePatterns)
        if (matches(pattern, name)) return role;
    return Role::weights;
}

bool holds(const std::vector<const Licence*>& list, const Licence* licence) {
    return std::find(list.begin(), list.end(), licence) != list.end();
}

void add_all(std::vector<const Licence*>& list, const std::vector<const Licence*>& more) {
    for (const Licence* licence : more)
        if (!holds(list, licence)) list.push_back(licence);
}

std::string told(const TextFinding& finding) {
    switch (finding.match) {
        case TextMatch::none: return "a text that is not in the catalogue";
        case TextMatch::whole: return "the text of " + finding.licence->id;
        case TextMatch::body: return "the text of " + finding.licence->id + ", with its own header";
        case TextMatch::phrases: return finding.licence->id + ", by its title only";
        case TextMatch::modified: return "resembles " + finding.licence->id + ": " + finding.note;
    }
    return {};
}

class Identifier {
  public:
    Identifier(const Catalogue& catalogue, const ReleaseFiles& files)
        : catalogue_(catalogue), files_(files), declared_(declared_by(files)) {}

    Result<Identification> run() {
        out_.name = files_.metadata.name.empty() ? files_.name : files_.metadata.name;
        out_.base_models = declared_.base_models;
        out_.is_multimodal = declared_.is_multimodal;
        out_.problems = declared_.problems;
        HEFT_OK(read_texts());
        read_names();
        if (!names_.empty()) out_.declared = names_.front();
        out_.release = catalogue_.release(files_.name);
        if (has_text_)
            settle_by_text();
        else if (!names_.empty())
            settle_by_names();
        else
            settle_by_hints();
        check_release();
        return std::move(out_);
    }

  private:
    Status read_texts() {
        for (const auto& file : files_.texts) {
            const Role role = role_of(file.name);
            if (role == Role::policy) add_policy(file);
            if (role == Role::weights) HEFT_OK(add_text(file));
            if (role == Role::code) HEFT_OK(add_code(file));
        }
        return {};
    }

    void add_policy(const ReleaseFiles::Text& file) {
        const Licence* licence = policy_of(catalogue_, file.text);
        Evidence evidence{file.name, Role::policy, "a use policy", {}, {}};
        if (licence != nullptr) {
            evidence.says = "the use policy of " + licence->id;
            evidence.licences = {licence};
            policies_.push_back(licence);
        }
        out_.evidence.push_back(std::move(evidence));
    }

    Status add_code(const ReleaseFiles::Text& file) {
        HEFT_TRY(const TextFinding finding, identify_text(catalogue_, file.text));
        Evidence evidence{file.name, Role::code, told(finding), {}, finding.sha256};
        if (finding.licence != nullptr) evidence.licences = {finding.licence};
        out_.evidence.push_back(std::move(evidence));
        return {};
    }

    // The first text that is recognised speaks; of several, disagreement is a conflict.
    Status add_text(const ReleaseFiles::Text& file) {
        HEFT_TRY(const TextFinding finding, identify_text(catalogue_, file.text));
        if (finding.match == TextMatch::none && policy_of(catalogue_, file.text) != nullptr) {
            add_policy(file);
            return {};
        }
        Evidence evidence{file.name, Role::weights, told(finding), {}, finding.sha256};
        if (finding.licence != nullptr) evidence.licences = {finding.licence};
        out_.evidence.push_back(std::move(evidence));
        const bool first = !has_text_ || text_.licence == nullptr;
        if (!first && finding.licence != nullptr && finding.licence != text_.licence) {
            conflict("the texts disagree: " + text_file_ + " is " + text_.licence->id + ", "
                     + file.name + " is " + finding.licence->id);
            out_.licences.push_back(finding.licence);
        }
        if (first) {
            text_ = finding;
            text_file_ = file.name;
            raw_text_ = &file.text;
        }
        has_text_ = true;
        return {};
    }

    void read_names() {
        for (const auto& [where, value] : declared_.names) {
            const auto licences = catalogue_.named(value);
            const bool is_metadata = where.starts_with("general.");
            const bool is_placeholder = value == "other" || value == "unknown";
            out_.evidence.push_back({where,
                                     is_metadata ? Role::metadata : Role::card,
                                     licences.empty() ? value + " (not in the catalogue)" : value,
                                     licences,
                                     {}});
            if (is_placeholder && licences.empty()) continue;
            names_.push_back(value);
            if (licences.empty()) continue;
            const bool agrees = named_.empty()
                                || std::any_of(licences.begin(), licences.end(),
                                               [this](auto* l) { return holds(named_, l); });
            if (!agrees)
                conflict(fmt::format("the declarations disagree: {}, and {} says {}",
                                     joined_ids(named_, " or "), where, value));
            add_all(named_, licences);
        }
    }

    void settle(const std::vector<const Licence*>& licences, Certainty certainty,
                const std::string& why) {
        std::vector<const Licence*> all = licences;
        add_all(all, out_.licences);
        out_.licences = std::move(all);
        out_.certainty = certainty;
        out_.why = why;
    }

    void settle_by_text() {
        out_.text_file = text_file_;
        if (text_.licence == nullptr) return settle_by_unknown_text();
        const bool is_known = text_.match == TextMatch::whole || text_.match == TextMatch::body;
        const Certainty certainty = is_known                            ? Certainty::text
                                    : text_.match == TextMatch::phrases ? Certainty::title
                                                                        : Certainty::modified;
        settle({text_.licence}, certainty, text_file_ + ": " + told(text_));
        if (certainty == Certainty::modified) {
            out_.problems.push_back(text_file_ + ": " + told(text_));
            out_.text = *raw_text_;
        }
        if (is_policy_variant()) return add_all(out_.licences, policies_);
        const auto fits = [this](const std::string& name) {
            return Catalogue::goes_by(*text_.licence, name);
        };
        if (names_.empty() || holds(named_, text_.licence)
            || std::any_of(names_.begin(), names_.end(), fits))
            return;
        // Such as a licence of its own for the weights, beside the text of the code's.
        conflict("the card declares "
                 + (named_.empty() ? names_.front() : joined_ids(named_, " or ")) + ", but "
                 + text_file_ + " is " + text_.licence->id);
        add_all(out_.licences, named_);
    }

    // A use policy beside the text of a common licence makes it another: gpt-oss.
    bool is_policy_variant() const {
        return std::any_of(policies_.begin(), policies_.end(), [this](const Licence* policy) {
            return policy != text_.licence
                   && std::find(policy->hub_tags.begin(), policy->hub_tags.end(), text_.licence->id)
                          != policy->hub_tags.end();
        });
    }

    void settle_by_unknown_text() {
        out_.text = *raw_text_;
        out_.problems.push_back(text_file_ + ": a text that is not in the catalogue: read it");
        if (named_.empty()) {
            const std::string name =
                names_.empty() ? "" : ", which its card calls " + names_.front();
            settle({}, Certainty::unknown, text_file_ + " is a licence of its own" + name);
            return;
        }
        const bool comparable = std::any_of(named_.begin(), named_.end(),
                                            [](const Licence* l) { return !l->texts.empty(); });
        settle(named_, comparable ? Certainty::modified : Certainty::declared,
               "the card declares " + joined_ids(named_, " or "));
        if (comparable)
            conflict("the card declares " + joined_ids(named_, " or ") + ", but " + text_file_
                     + " is another text");
    }

    void settle_by_names() {
        if (named_.empty()) {
            settle(
                {}, Certainty::unknown,
                "the card declares \"" + names_.front() + "\", which the catalogue does not know");
        } else {
            settle(named_, Certainty::declared, "declared: " + joined_ids(named_, " or "));
            if (named_.size() > 1 && !out_.conflict)
                out_.problems.push_back(
                    "the declared name stands for several texts; the strictest answer is given");
        }
        std::string missing = "the text of the licence is missing";
        if (!declared_.links.empty()) missing += "; the card points to " + declared_.links.front();
        out_.problems.push_back(missing);
    }

    void settle_by_hints() {
        out_.problems.push_back("no licence is declared, and there is no text of one");
        if (!policies_.empty()) {
            settle({policies_.front()}, Certainty::weak,
                   "only a use policy, of " + policies_.front()->id + ", is there");
            return;
        }
        if (const Licence* licence = mentioned_in(catalogue_, declared_.card)) {
            out_.evidence.push_back({"card", Role::card, "mentions " + licence->id, {licence}, {}});
            settle({licence}, Certainty::weak, "the card mentions " + licence->id);
            return;
        }
        if (out_.release != nullptr) {
            settle(catalogue_.find_all(out_.release->licences), Certainty::weak,
                   "only the name \"" + files_.name + "\" hints at it: " + out_.release->why);
            return;
        }
        settle({}, Certainty::unknown, "no licence is declared, and there is no text of one");
    }

    // What is known about a release of this name, against what was found.
    void check_release() {
        if (out_.release == nullptr || out_.certainty == Certainty::weak
            || out_.certainty == Certainty::unknown)
            return;
        const auto known = catalogue_.find_all(out_.release->licences);
        const bool agrees = std::any_of(known.begin(), known.end(), [this](const Licence* l) {
            return holds(out_.licences, l);
        });
        const auto& changed = out_.release->changed;
        const bool is_earlier =
            std::any_of(changed.begin(), changed.end(), [this](const ReleaseRow::Earlier& earlier) {
                return holds(out_.licences, catalogue_.find(earlier.licence));
            });
        if (known.empty() || agrees || is_earlier) return;
        conflict("a release of the name " + files_.name + " is known to have "
                 + joined_ids(known, " or ") + ": " + out_.release->why);
        add_all(out_.licences, known);
    }

    void conflict(const std::string& what) {
        out_.conflict = true;
        out_.problems.push_back(what);
    }

    const Catalogue& catalogue_;
    const ReleaseFiles& files_;
    const Declared declared_;
    Identification out_;
    TextFinding text_;
    bool has_text_ = false;
    std::string text_file_;
    const std::string* raw_text_ = nullptr;
    std::vector<const Licence*> policies_;
    std::vector<std::string> names_;     // as declared, placeholders aside
    std::vector<const Licence*> named_;  // what they may mean
};

}  // namespace

std::string_view word(Certainty certainty) {
    return kCertainties[static_cast<std::size_t>(certainty)];
}
std::string_view word(Role role) {
    return kRoles[static_cast<std::size_t>(role)];
}

Result<Identification> identify(const Catalogue& catalogue, const ReleaseFiles& files) {
    return Identifier(catalogue, files).run();
}

Identification identify_name(const Catalogue& catalogue, const std::string& name) {
    Identification out;
    out.name = name;
    out.licences = catalogue.named(name);
    if (!out.licences.empty()) {
        out.certainty = Certainty::named;
        out.why = "asked for by name";
        if (out.licences.size() > 1)
            out.problems.emplace_back(
                "the name stands for several texts; the strictest answer is given");
        return out;
    }
    out.release = catalogue.release(name);
    if (out.release == nullptr) {
        out.why = "neither a licence nor a release that the catalogue knows";
        return out;
    }
    out.licences = catalogue.find_all(out.release->licences);
    out.certainty = Certainty::listed;
    out.why = out.release->why;
    out.conflict = out.release->conflict;
    if (out.conflict) out.problems.push_back(out.release->why);
    out.evidence.push_back(
        {"catalogue of releases", Role::name, out.release->why, out.licences, {}});
    return out;
}

}  // namespace heft::govern
