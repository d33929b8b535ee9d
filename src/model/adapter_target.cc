#include "model/adapter_target.h"

#include <array>
#include <charconv>
#include <string>

#include "arch/tensors.h"
#include "format/names.h"

namespace heft::model {

namespace {

using format::Kind;

// What bare decoders and models with a language-model head write, or not, before the same names.
constexpr std::string_view kPrefixes[] = {"model.", "transformer.", "gpt_neox."};

template <class Try>
auto with_prefixes(std::string_view name, Try attempt) {
    auto found = attempt(name);
    for (const std::string_view prefix : kPrefixes) {
        if (!found) found = attempt(std::string(prefix) + std::string(name));
        if (!found && name.starts_with(prefix)) found = attempt(name.substr(prefix.size()));
    }
    return found;
}

const TensorView* find(const format::Checkpoint& base, std::string_view name) {
    if (base.kind() == Kind::gguf) return base.find(name);
    return with_prefixes(name, [&](std::string_view spelt) { return base.find(spelt); });
}

std::string made_for(const AdapterFiles& adapter) {
    return adapter.base.empty() ? "another base"
                                : format::in_quotes(std::string_view(adapter.base).substr(0, 200));
}

Error no_such_weight(const AdapterFiles& adapter, std::string_view tensor) {
    return {Code::invalid, "changes " + std::string(tensor)
                               + ", which this model does not have; the adapter was made for "
                               + made_for(adapter)};
}

bool is_rotated(arch::Role role) {
    return role == arch::Role::attn_q || role == arch::Role::attn_k;
}

// Rows of the family's table that the adapter's name fits, with the layer.
struct Match {
    const arch::Tensor* tensor = nullptr;
    std::vector<int> numbers;
};

std::vector<Match> matches(const AdapterFiles& adapter, std::string_view name,
                           const arch::Family& family) {
    std::vector<Match> out;
    for (const arch::Tensor& tensor : family.tensors) {
        const char* pattern = adapter.kind == Kind::gguf ? tensor.gguf : tensor.hf;
        if (pattern == nullptr) continue;
        const auto fit = [pattern](std::string_view spelt) { return numbers_in(pattern, spelt); };
        const auto numbers = adapter.kind == Kind::gguf ? fit(name) : with_prefixes(name, fit);
        if (numbers) out.push_back({&tensor, *numbers});
    }
    return out;
}

// The adapter is in one form and the base in the other.
Result<Target> translate(const AdapterFiles& adapter, std::string_view name,
                         const format::Checkpoint& base, const arch::Config& config) {
    const std::vector<Match> found = matches(adapter, name, *config.family);
    if (found.empty()) return no_such_weight(adapter, name);
    const Match& match = found.front();
    const char* pattern = base.kind() == Kind::gguf ? match.tensor->gguf : match.tensor->hf;
    if (found.size() > 1 || match.numbers.size() > 1 || pattern == nullptr)
        return Error{Code::unsupported,
                     "changes " + std::string(name)
                         + ", which Hugging Face and GGUF files store in different ways; use the "
                           "adapter with a model in its own form"};
    const int layer = match.numbers.empty() ? 0 : match.numbers.front();
    Target out;
    out.view = find(base, arch::tensor_name(pattern, layer));
    if (out.view == nullptr) return no_such_weight(adapter, name);
    if (config.family->gguf_interleaves_qk && is_rotated(match.tensor->role))
        out.order = base.kind() == Kind::gguf ? RowOrder::interleave : RowOrder::separate;
    return out;
}

}  // namespace

std::optional<std::vector<int>> numbers_in(std::string_view pattern, std::string_view name) {
    constexpr std::string_view kHole = "{}";
    constexpr std::size_t kMaxDigits = 6;
    std::vector<int> out;
    for (;;) {
        const std::size_t hole = pattern.find(kHole);
        const std::string_view literal = pattern.substr(0, hole);
        if (!name.starts_with(literal)) return {};
        name.remove_prefix(literal.size());
        if (hole == pattern.npos) break;
        pattern.remove_prefix(hole + kHole.size());
        int number = 0;
        const std::string_view digits = name.substr(0, name.find_first_not_of("0123456789"));
        if (digits.empty() || digits.size() > kMaxDigits) return {};
        std::from_chars(digits.data(), digits.data() + digits.size(), number);
        name.remove_prefix(digits.size());
        out.push_back(number);
    }
    if (!name.empty()) return {};
    return out;
}

Result<Target> find_target(const AdapterFiles& adapter, std::string_view tensor,
                           const format::Checkpoint& base, const arch::Config& config) {
    if (adapter.kind == Kind::gguf && adapter.architecture != config.family->gguf)
        return Error{Code::invalid,
                     "was made for architecture "
                         + format::in_quotes(std::string_view(adapter.architecture).substr(0, 64))
                         + ", but this model is " + config.family->gguf};
    Target out;
    if (adapter.kind == base.kind()) {
        out.view = find(base, tensor);
        if (out.view == nullptr) return no_such_weight(adapter, tensor);
    } else {
        HEFT_TRY(out, translate(adapter, tensor, base, config));
    }
    out.transposed = adapter.transposed && base.kind() == Kind::huggingface;
    return out;
}

std::int64_t source_row(RowOrder order, std::int64_t row, std::int64_t d_head) {
    const std::int64_t within = row % d_head;
    const std::int64_t half = d_head / 2;
    switch (order) {
        case RowOrder::same: break;
        case RowOrder::interleave: return row - within + within / 2 + within % 2 * half;
        case RowOrder::separate: return row - within + within % half * 2 + within / half;
    }
    return row;
}

}  // namespace heft::model
