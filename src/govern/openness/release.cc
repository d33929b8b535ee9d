#include "govern/openness/release.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "format/yaml.h"

namespace heft::openness {

namespace {

using Json = nlohmann::ordered_json;

const Json* member(const Json& object, const char* key) {
    if (!object.is_object()) return nullptr;
    const auto found = object.find(key);
    return found == object.end() || found->is_null() ? nullptr : &*found;
}

// A scalar as text; "" for everything else. Versions and names may look like numbers.
std::string text_of(const Json* value) {
    if (value == nullptr) return {};
    if (value->is_string()) return value->get<std::string>();
    return value->is_primitive() ? value->dump() : std::string();
}

// A licence is written as a name or as {name, path}.
std::string licence_text(const Json* value) {
    if (value != nullptr && value->is_object()) return text_of(member(*value, "name"));
    return text_of(value);
}

// What holds where the component itself says nothing: its type's licence, then the distribution's.
std::string wider_licence(const Json& release, Content content) {
    const Json* licences = member(release, "license");
    if (licences == nullptr) return {};
    std::string name = licence_text(member(*licences, content_name(content)));
    return name.empty() ? licence_text(member(*licences, "distribution")) : name;
}

void take_component(Release& out, const Json& record, const Json& row) {
    const OpennessTables& tables = OpennessTables::embedded();
    const std::string name = text_of(member(row, "name"));
    const auto kind = tables.by_name(name);
    if (!kind) {
        out.notes.push_back(fmt::format("the framework has no component \"{}\"", name));
        return;
    }
    Component& component = out.at(*kind);
    component.listed = true;
    const Json* own = member(row, "license");
    component.licence =
        own != nullptr ? licence_text(own) : wider_licence(record, tables.kinds()[*kind].content);
    component.terms = component.licence.empty() ? Terms::unlicensed
                                                : tables.licences().written(component.licence);
    component.presence =
        tables.licences().says_absent(component.licence) ? Presence::absent : Presence::present;
    component.where = text_of(member(row, "component_path"));
}

Result<Release> read_mof(const Json& record) {
    Release out;
    out.source = "mof_record";
    out.name = text_of(member(record, "name"));
    out.producer = text_of(member(record, "producer"));
    const std::vector<ComponentKind>& kinds = OpennessTables::embedded().kinds();
    for (std::size_t i = 0; i < kinds.size(); ++i)
        if (kinds[i].mof_class > 0) out.at(i).presence = Presence::absent;
    const Json* rows = member(record, "components");
    if (rows == nullptr) return out;
    if (!rows->is_array()) return Error{Code::corrupt, "\"release.components\" is not a list"};
    for (const Json& row : *rows) take_component(out, record, row);
    return out;
}

std::optional<Presence> presence_of(std::string_view word) {
    if (word == "yes" || word == "true") return Presence::present;
    if (word == "no" || word == "false") return Presence::absent;
    if (word == "partial") return Presence::partial;
    if (word == "unknown") return Presence::unknown;
    return std::nullopt;
}

Status take_flag(Release& out, const std::string& name, const std::string& word,
                 const std::string& licence) {
    const std::vector<std::size_t> kinds = OpennessTables::embedded().by_flag(name);
    if (kinds.empty())
        return Error{Code::invalid,
                     fmt::format("\"{}\" is no component; docs/openness.md lists them", name)};
    const auto presence = presence_of(word);
    if (!presence)
        return Error{Code::invalid,
                     fmt::format("{} is \"{}\", not yes, no, partial or unknown", name, word)};
    for (const std::size_t kind : kinds) {
        Component& component = out.at(kind);
        component.presence = *presence;
        component.listed = *presence == Presence::present;
        if (!licence.empty()) set_licence(component, licence);
    }
    return {};
}

Result<Release> read_flags(const Json& record) {
    Release out;
    out.source = "flags";
    out.name = text_of(member(record, "name"));
    out.producer = text_of(member(record, "producer"));
    // Lists of flags know the weights' licence alone; the other parts are taken to share it unless
    // "licences" says more.
    const std::string licence = text_of(member(record, "weights_licence"));
    const Json* own = member(record, "licences");
    const Json* components = member(record, "components");
    for (const auto& row : components->items()) {
        const Json* said = own == nullptr ? nullptr : member(*own, row.key().c_str());
        HEFT_OK(take_flag(out, row.key(), text_of(&row.value()),
                          said != nullptr ? text_of(said) : licence));
    }
    return out;
}

Result<const Json*> chosen(const Json& root, std::string_view id) {
    const Json* list = member(root, "releases");
    if (list == nullptr || !list->is_array()) {
        if (!id.empty())
            return Error{Code::invalid, fmt::format("no list of releases to find \"{}\" in", id)};
        return &root;
    }
    for (const Json& release : *list)
        if (text_of(member(release, "id")) == id) return &release;
    return Error{Code::not_found, id.empty()
                                      ? std::string("has several releases; choose one as FILE#ID")
                                      : fmt::format("has no release \"{}\"", id)};
}

}  // namespace

const char* presence_name(Presence presence) {
    switch (presence) {
        case Presence::absent: return "absent";
        case Presence::partial: return "partial";
        case Presence::present: return "present";
        case Presence::unknown: return "unknown";
    }
    return "";
}

void set_licence(Component& component, std::string_view written) {
    const LicenceLists& lists = OpennessTables::embedded().licences();
    const auto id = lists.spdx(written);
    component.licence = id ? *id : std::string(written);
    component.terms = lists.written(written);
}

Status apply_flag(Release& release, std::string_view flag) {
    const std::size_t equals = flag.find('=');
    if (equals == std::string_view::npos)
        return Error{Code::invalid, fmt::format("\"{}\" is not COMPONENT=STATE[:LICENCE], such as "
                                                "training_code=yes:Apache-2.0",
                                                flag)};
    const std::string_view said = flag.substr(equals + 1);
    const std::size_t colon = said.find(':');
    const std::string licence(colon == std::string_view::npos ? "" : said.substr(colon + 1));
    return take_flag(release, std::string(flag.substr(0, equals)),
                     std::string(said.substr(0, colon)), licence);
}

Result<Release> read_record(std::string_view text, std::string_view id) {
    HEFT_TRY(const Json root, format::read_yaml_or_json(text));
    HEFT_TRY(const Json* document, chosen(root, id));
    if (const Json* record = member(*document, "release")) return read_mof(*record);
    const Json* components = member(*document, "components");
    if (components != nullptr && components->is_object()) return read_flags(*document);
    return Error{Code::invalid,
                 "neither a record of the Model Openness Framework (\"release:\") nor a list of "
                 "flags (\"components:\"); docs/openness.md shows both"};
}

}  // namespace heft::openness
