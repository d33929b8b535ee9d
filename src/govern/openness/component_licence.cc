#include "govern/openness/component_licence.h"

#include <algorithm>

#include <fmt/format.h>

#include "govern/tree.h"

namespace heft::openness {

namespace {

using govern::Certainty;
using govern::Licence;

// How the lists of open licences call it: an SPDX id, else the catalogue's own.
std::string name_of(const Licence& licence) {
    const LicenceLists& lists = OpennessTables::embedded().licences();
    const std::string& name = licence.spdx.empty() ? licence.id : licence.spdx;
    return lists.spdx(name).value_or(name);
}

// By the lists, else by what the catalogue's entry says; an entry that calls it open in no sense is
// of a licence that is not.
Terms terms_of(const Licence& licence) {
    const Terms listed = OpennessTables::embedded().licences().written(name_of(licence));
    if (listed != Terms::unknown) return listed;
    const auto* const open = govern::member(*licence.data, "open");
    const auto says = [open](const char* key) {
        const auto* const value = open == nullptr ? nullptr : govern::member(*open, key);
        return value != nullptr && value->is_boolean() && value->get<bool>();
    };
    if (says("osi_approved")) return Terms::osi;
    return says("fsf_libre") || says("osaid_terms_ok") ? Terms::open : Terms::not_open;
}

// `Terms` has the less open of the known ones later.
FoundLicence one_of(const std::vector<const Licence*>& licences) {
    FoundLicence out;
    for (const Licence* licence : licences) {
        const Terms terms = terms_of(*licence);
        out.terms = out.name.empty() ? terms : std::max(out.terms, terms);
        out.name += (out.name.empty() ? "" : " or ") + name_of(*licence);
    }
    return out;
}

// As declared, of what the catalogue does not know.
FoundLicence as_written(const govern::Identification& found) {
    const LicenceLists& lists = OpennessTables::embedded().licences();
    if (found.declared.empty())
        return {found.text.empty() ? "" : "a licence of its own", Terms::unknown};
    return {lists.spdx(found.declared).value_or(found.declared), lists.written(found.declared)};
}

FoundLicence code_licence(const govern::Identification& found) {
    std::vector<const Licence*> own;
    for (const govern::Evidence& evidence : found.evidence)
        if (evidence.role == govern::Role::code)
            own.insert(own.end(), evidence.licences.begin(), evidence.licences.end());
    return own.empty() ? weights_licence(found) : one_of(own);
}

}  // namespace

FoundLicence weights_licence(const govern::Identification& found) {
    if (found.licences.empty()) return as_written(found);
    FoundLicence licence = one_of(found.licences);
    if (found.certainty == Certainty::modified)
        return {fmt::format("like {}, but changed", licence.name),
                licence.terms == Terms::not_open ? Terms::not_open : Terms::unknown};
    if (found.certainty == Certainty::weak)
        return {fmt::format("perhaps {}", licence.name), Terms::unknown};
    return licence;
}

LicenceOf identified_licence(const govern::Identification& found) {
    return [&found](const ComponentKind& kind) {
        return kind.content == Content::code ? code_licence(found) : weights_licence(found);
    };
}

}  // namespace heft::openness
