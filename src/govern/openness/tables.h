// What a release can consist of, which licences count as open, and the checklists, read from the
// YAML files beside this header, which are linked into the program. A component, a licence or a
// checklist item is a row there. Immutable; thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace heft::openness {

enum class Content { code, data, document };

struct ComponentKind {
    std::string key;   // heft's: "training_code"
    std::string name;  // the Model Openness Framework's: "Training code"
    Content content = Content::code;
    int mof_class = 0;  // the class that asks for it: 3 (the lowest), 2, 1; 0: not of the framework
    bool required = false;
};

// Which terms an item of the OSAID checklist asks for.
enum class AskedTerms { osi, open };

struct ChecklistItem {
    std::string id, part, asks;
    std::vector<std::size_t> any_of;  // kinds; one that is there is enough
    std::vector<std::size_t> weak;    // kinds that may do, or not: their presence does not tell
    AskedTerms terms = AskedTerms::open;
    bool partly = false;      // a part is enough
    bool changeable = false;  // OSI counted its absence as a matter of terms
};

// What shows that a component is in a folder of files.
struct Sign {
    std::size_t kind = 0;
    std::vector<std::string> files, headings, fields, links;
    bool partial = false;
};

// What a licence is worth for openness.
enum class Terms {
    osi,         // approved by the Open Source Initiative
    open,        // open otherwise: free by the FSF, or an open data licence
    not_open,    // known, and neither
    unlicensed,  // the component is published without a licence
    unknown,     // nothing known: no licence found, not disclosed, or a name that no list has
};

class LicenceLists {
  public:
    // By the exact SPDX id alone, as the Model Openness Tool does.
    Terms exact(std::string_view spdx) const;
    // As people and hubs write it: any case, aliases, "apache-2.0 (since 2023)".
    Terms written(std::string_view text) const;
    // The SPDX id of what was written; absent when it is none.
    std::optional<std::string> spdx(std::string_view text) const;
    // Whether the framework suggests this licence for that type of content.
    bool suits(std::string_view spdx, Content content) const;
    // Records write into the licence that the component is not there.
    bool says_absent(std::string_view text) const;

  private:
    friend class OpennessTables;
    std::map<std::string, Terms, std::less<>> by_id_;        // exact
    std::map<std::string, std::string, std::less<>> to_id_;  // lower case
    std::set<std::string, std::less<>> not_open_;            // lower case
    std::vector<std::string> unlicensed_, absent_;           // prefixes, lower case
    std::set<std::string, std::less<>> suits_[3];
};

class OpennessTables {
  public:
    static const OpennessTables& embedded();

    const std::vector<ComponentKind>& kinds() const { return kinds_; }
    std::optional<std::size_t> by_key(std::string_view key) const;
    std::optional<std::size_t> by_name(std::string_view name) const;
    // What a name in a list of flags says something about; empty for an unknown one.
    std::vector<std::size_t> by_flag(std::string_view flag) const;
    const std::vector<ChecklistItem>& checklist() const { return checklist_; }
    const std::vector<Sign>& signs() const { return signs_; }
    const LicenceLists& licences() const { return licences_; }
    std::size_t report() const { return report_; }  // kinds: the technical report,
    std::size_t paper() const { return paper_; }    // and what may take its place

  private:
    OpennessTables();
    void read_components();
    void read_licences();

    std::vector<ComponentKind> kinds_;
    std::map<std::string, std::vector<std::size_t>, std::less<>> stands_for_;
    std::vector<ChecklistItem> checklist_;
    std::vector<Sign> signs_;
    LicenceLists licences_;
    std::size_t report_ = 0, paper_ = 0;
};

const char* content_name(Content content);
const char* terms_name(Terms terms);

// Lower case (ASCII), without blanks around.
std::string folded(std::string_view text);

}  // namespace heft::openness
