#include <algorithm>
#include <cmath>

#include "arch/config_document.h"
#include "convert/adapter.h"
#include "convert/adapter_change.h"
#include "convert/source_notes.h"
#include "tensor/quant/quant.h"

namespace heft::convert {

namespace {

using format::GgufWriter;
using format::Kind;

constexpr std::string_view kSite = "https://huggingface.co/";

// "meta-llama/Llama-3.2-1B", or a folder's path.
void set_base(GgufWriter& writer, const std::string& base) {
    if (base.empty()) return;
    const std::filesystem::path path = base;
    const std::string name = (path.has_filename() ? path : path.parent_path()).filename().string();
    const auto slash = base.find('/');
    const bool is_repository = slash != std::string::npos && slash > 0 && slash == base.rfind('/')
                               && slash + 1 < base.size() && base.front() != '.';
    writer.set("general.base_model.count", std::uint32_t{1});
    writer.set_string("general.base_model.0.name", name);
    if (!is_repository) return;
    writer.set_string("general.base_model.0.organization", base.substr(0, slash));
    writer.set_string("general.base_model.0.repo_url", std::string(kSite) + base);
}

// The alpha of the file, which has one for all: most changes are said by it, the b of others is
// multiplied. 0: all count as they are.
float alpha_for(const std::vector<AdapterChange>& changes) {
    const bool is_plain = std::all_of(changes.begin(), changes.end(),
                                      [](const AdapterChange& one) { return one.scale == 1; });
    if (is_plain) return 0;
    return usual<float>(changes,
                        [](const AdapterChange& one) { return static_cast<float>(one.alpha); });
}

// Whether the numbers of b come back from what they are multiplied to.
bool comes_back(const AdapterChange& change, double there, double back) {
    const auto size = static_cast<std::size_t>(dtype_info(change.b_type).block_bytes);
    const Codec& type = *codec(change.b_type);
    std::byte before[sizeof(double)];
    std::byte after[sizeof(double)];
    return std::all_of(change.b.begin(), change.b.end(), [&](float x) {
        const auto far = static_cast<float>(x * there);
        const auto again = static_cast<float>(far * back);
        type.quantise(&x, 1, before);
        type.quantise(&again, 1, after);
        return std::equal(before, before + size, after);
    });
}

void fold_scales(double alpha, std::vector<AdapterChange>& changes, GgufWriter& writer) {
    for (AdapterChange& one : changes) {
        if (alpha == 0 || is_same_alpha(one.alpha, alpha)) continue;
        if (!comes_back(one, one.alpha / alpha, alpha / one.alpha))
            for (const format::LowRankPair* pair : one.made_of) note_exact(writer, pair->b.view);
        multiply_b(one.alpha / alpha, one);
    }
}

void add_matrices(AdapterChange& one, std::optional<DType> type, std::vector<FolderWeight>& to) {
    Shape a = {one.rank, one.in};
    Shape b = {one.out, one.rank};
    const std::string first = one.tensor + ".lora_a";
    const std::string second = one.tensor + ".lora_b";
    const DType a_type = type.value_or(one.a_type);
    const DType b_type = type.value_or(one.b_type);
    // Of the embedding, the first is the one by tokens (llama.cpp, build_inp_embd).
    if (one.role == arch::Role::token_embd) {
        to.push_back(weight_of(first, b, b_type, std::move(one.b)));
        to.push_back(
            weight_of(second, {one.in, one.rank}, a_type, turned(one.a, one.rank, one.in)));
        return;
    }
    if (one.n_stack > 0) {
        a.insert(a.begin(), one.n_stack);
        b.insert(b.begin(), one.n_stack);
    }
    to.push_back(weight_of(first, a, a_type, std::move(one.a)));
    to.push_back(weight_of(second, b, b_type, std::move(one.b)));
}

}  // namespace

Result<AdapterBase> adapter_base(std::string config_json) {
    AdapterBase out;
    const format::Checkpoint none;
    HEFT_TRY(out.config, arch::read_config_document(none, config_json));
    out.document = std::move(config_json);
    return out;
}

Result<AdapterBase> adapter_base(const format::Checkpoint& model) {
    if (model.kind() == Kind::huggingface) {
        HEFT_TRY(const MappedFile file, model.side_file(kConfigFile));
        return adapter_base(std::string(as_text(file.bytes())));
    }
    const Bytes noted = SourceNotes(model.metadata()).file(kConfigFile);
    if (!noted.empty()) return adapter_base(std::string(as_text(noted)));
    AdapterBase out;
    HEFT_TRY(out.config, arch::read_config(model));
    // A relative of the same name in GGUF may be the one meant, which its document tells.
    auto made = arch::config_document(model);
    if (!made) return out;
    out.config = std::move(made->config);
    out.document =
        made->document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    return out;
}

Result<AdapterBase> noted_base(const format::AdapterFiles& adapter) {
    const Bytes noted =
        adapter.gguf ? SourceNotes(adapter.gguf->metadata()).file(kConfigFile) : Bytes{};
    if (noted.empty()) return Error{Code::not_found, "does not say what its base is like"};
    return adapter_base(std::string(as_text(noted)));
}

Result<AdapterGguf> adapter_gguf(const format::AdapterFiles& peft, const AdapterBase& base,
                                 std::optional<DType> type) {
    HEFT_TRY(std::vector<AdapterChange> changes, changes_as(Kind::gguf, peft, base.config));
    AdapterGguf out;
    const float alpha = alpha_for(changes);
    out.writer.set_string("general.architecture", base.config.family->gguf);
    out.writer.set_string("general.type", "adapter");
    out.writer.set_string("adapter.type", "lora");
    out.writer.set("adapter.lora.alpha", alpha);
    const auto folder = peft.folder.has_filename() ? peft.folder : peft.folder.parent_path();
    if (folder.has_filename()) out.writer.set_string("general.name", folder.filename().string());
    set_base(out.writer, peft.base);
    HEFT_OK(note_adapter(out.writer, peft, base.document));
    fold_scales(alpha, changes, out.writer);
    for (AdapterChange& one : changes) add_matrices(one, type, out.weights);
    return out;
}

}  // namespace heft::convert
