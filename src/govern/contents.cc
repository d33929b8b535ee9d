#include "govern/contents.h"

#include <algorithm>
#include <set>

#include "base/json_text.h"
#include "base/sha256.h"
#include "format/gguf_writer.h"
#include "govern/passport.h"
#include "govern/tree.h"
#include "govern/words.h"

namespace heft::govern {

namespace {

constexpr std::size_t kMarkDigits = 8, kHashDigits = 64;
constexpr std::size_t kMostMarks = 32768;  // a quarter of a record

// Files whose presence changes what programs make of a folder.
constexpr std::string_view kRead[] = {"*.json", "*.jinja", "*.model",    "*.txt", "*.safetensors",
                                      "*.gguf", "*.bin",   "*.tiktoken", "*.py"};

bool is_layout(std::string_view key) {
    return key == kLineageKey || key == "general.alignment" || key.starts_with("split.");
}

bool is_read(const std::string& file) {
    const std::string own = std::filesystem::path(file).filename().string();
    return std::any_of(std::begin(kRead), std::end(kRead),
                       [&own](std::string_view pattern) { return matches(pattern, own); });
}

std::size_t number_of(const Json& field, const char* key) {
    const Json* value = member(field, key);
    return value != nullptr && value->is_number_unsigned() ? value->get<std::size_t>() : 0;
}

}  // namespace

const char* Contents::name_of(Kind kind) {
    switch (kind) {
        case Kind::tensor: return "tensor";
        case Kind::key: return "key";
        case Kind::file: return "file";
    }
    return "";
}

Status Contents::add(Kind kind, std::string_view name, Json line, std::string_view sha256_of_it) {
    Item item;
    item.kind = kind;
    item.name = name;
    line.push_back(sha256_of_it);
    item.line = json_text(line);
    HEFT_TRY(item.mark, sha256(as_bytes(item.line)));
    item.mark.resize(kMarkDigits);
    if (kind == Kind::file) item.sha256 = sha256_of_it;
    items_.push_back(std::move(item));
    return {};
}

Status Contents::add(const format::HashedTensor& tensor) {
    return add(Kind::tensor, tensor.name,
               {name_of(Kind::tensor), tensor.name, dtype_info(tensor.type).name, tensor.shape},
               tensor.sha256);
}

Status Contents::add_key(std::string_view name, std::string_view hash) {
    return add(Kind::key, name, {name_of(Kind::key), name}, hash);
}

Status Contents::add_file(std::string_view name, std::string_view hash) {
    return add(Kind::file, name, {name_of(Kind::file), name}, hash);
}

Status Contents::add(const format::Metadata& metadata) {
    for (const format::MetaEntry& entry : metadata.entries()) {
        if (is_layout(entry.key)) continue;
        HEFT_TRY(const std::string hash, sha256(as_bytes(format::encoded(entry.value))));
        HEFT_OK(add_key(entry.key, hash));
    }
    return {};
}

std::size_t Contents::count(Kind kind) const {
    const Items items = sorted();
    return static_cast<std::size_t>(std::count_if(
        items.begin(), items.end(), [kind](const Item* item) { return item->kind == kind; }));
}

Contents::Items Contents::sorted() const {
    Items out;
    out.reserve(items_.size());
    for (const Item& item : items_) out.push_back(&item);
    std::sort(out.begin(), out.end(),
              [](const Item* a, const Item* b) { return a->line < b->line; });
    out.erase(std::unique(out.begin(), out.end(),
                          [](const Item* a, const Item* b) { return a->line == b->line; }),
              out.end());
    return out;
}

Result<std::string> Contents::digest(const Items& items) {
    Sha256 hash;
    for (const Item* item : items) hash.add(as_bytes(item->line + "\n"));
    return hash.hex();
}

Result<Json> Contents::field() const {
    Json out;
    HEFT_TRY(out["sha256"], digest(sorted()));
    out["tensors"] = n_tensors();
    out["keys"] = n_keys();
    for (const Item& item : items_)
        if (item.kind == Kind::file) out["files"][item.name] = item.sha256;
    std::string marks;
    if (items_.size() <= kMostMarks)
        for (const Item* item : sorted()) marks += item->mark;
    out["marks"] = std::move(marks);
    return out;
}

Json Contents::placeholder(std::size_t n_tensors, std::size_t n_keys) {
    const std::size_t n = n_tensors + n_keys;
    return {{"sha256", std::string(kHashDigits, '0')},
            {"tensors", n_tensors},
            {"keys", n_keys},
            {"marks", std::string(n <= kMostMarks ? n * kMarkDigits : 0, '0')}};
}

Contents::Items Contents::compare_files(const Json& field, std::vector<Change>& changes) const {
    const Json* files = member(field, "files");
    std::set<std::string_view> here;
    Items items;
    for (const Item* item : sorted()) {
        const std::string said =
            item->kind == Kind::file && files != nullptr ? text_of(*files, item->name) : "";
        if (item->kind != Kind::file || !said.empty()) items.push_back(item);
        if (item->kind != Kind::file) continue;
        here.insert(item->name);
        if (said.empty())
            changes.push_back(
                {item->name, "was not there when heft wrote the folder", is_read(item->name)});
        else if (said != item->sha256)
            changes.push_back({item->name, "is not as heft wrote it"});
    }
    if (files == nullptr || !files->is_object()) return items;
    for (const auto& [name, said] : files->items())
        if (!here.contains(name)) changes.push_back({name, "is gone"});
    return items;
}

void Contents::compare_marks(const Json& field, const Items& items,
                             std::vector<Change>& changes) const {
    const std::string marks = text_of(field, "marks");
    std::multiset<std::string> said;
    for (std::size_t i = 0; i + kMarkDigits <= marks.size(); i += kMarkDigits)
        said.insert(marks.substr(i, kMarkDigits));
    for (const Item* item : items) {
        const auto found = said.find(item->mark);
        if (found != said.end())
            said.erase(found);
        else if (item->kind == Kind::tensor)
            changes.push_back({item->name,
                               "is not a tensor that heft wrote: its numbers, type, "
                               "shape or name are others"});
        else if (item->kind == Kind::key)
            changes.push_back({item->name,
                               "is not a key that heft wrote: its value, type or name "
                               "is another"});
    }
    for (const auto& [kind, key] : {std::pair(Kind::tensor, "tensors"), {Kind::key, "keys"}}) {
        const std::size_t before = number_of(field, key), now = count(kind);
        if (before > now)
            changes.push_back(
                {{},
                 std::to_string(before - now) + " of the " + key + " that heft wrote are gone"});
    }
}

Result<std::vector<Contents::Change>> Contents::changes_from(const Json& field) const {
    std::vector<Change> changes;
    const Items items = compare_files(field, changes);
    HEFT_TRY(const std::string now, digest(items));
    if (now == text_of(field, "sha256")) return changes;
    if (!text_of(field, "marks").empty()) compare_marks(field, items, changes);
    if (std::none_of(changes.begin(), changes.end(), [](const Change& c) { return c.matters; }))
        changes.push_back({{}, "the tensors, the metadata or the files are not what heft wrote"});
    return changes;
}

}  // namespace heft::govern
