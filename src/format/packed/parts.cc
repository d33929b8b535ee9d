#include "format/packed/parts.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"
#include "format/names.h"
#include "tensor/half.h"

namespace heft::format::packed {

Result<Parts> Parts::of(std::vector<TensorView> tensors) {
    std::vector<std::string_view> names;
    names.reserve(tensors.size());
    for (const TensorView& tensor : tensors) names.emplace_back(tensor.name);
    HEFT_OK(check_unique("tensor", std::move(names)));
    Parts out;
    out.tensors_ = std::move(tensors);
    out.used_.resize(out.tensors_.size());
    out.by_name_.resize(out.tensors_.size());
    std::iota(out.by_name_.begin(), out.by_name_.end(), std::size_t{0});
    std::sort(out.by_name_.begin(), out.by_name_.end(), [&out](std::size_t a, std::size_t b) {
        return out.tensors_[a].name < out.tensors_[b].name;
    });
    return out;
}

const TensorView* Parts::find(std::string_view name) const {
    const auto before = [this](std::size_t i, std::string_view wanted) {
        return tensors_[i].name < wanted;
    };
    const auto place = std::lower_bound(by_name_.begin(), by_name_.end(), name, before);
    if (place == by_name_.end() || tensors_[*place].name != name) return nullptr;
    return &tensors_[*place];
}

Result<const TensorView*> Parts::need(const TensorView& beside, const std::string& name) const {
    const TensorView* found = find(name);
    if (found == nullptr)
        return wrong(beside, "needs " + in_quotes(name)
                                 + ", which the checkpoint lacks; was the download complete?");
    return found;
}

bool Parts::any_ends_with(std::string_view suffix) const {
    return std::any_of(tensors_.begin(), tensors_.end(), [suffix](const TensorView& tensor) {
        return tensor.name.ends_with(suffix);
    });
}

void Parts::use_if_present(const std::string& name) {
    if (const TensorView* part = find(name)) use(*part);
}

void Parts::replace(const TensorView& part, TensorView whole) {
    use(part);
    made_.emplace_back(index(part), std::move(whole));
}

std::vector<TensorView> Parts::finish() && {
    std::stable_sort(made_.begin(), made_.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<TensorView> out;
    auto next = made_.begin();
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
        for (; next != made_.end() && next->first == i; ++next)
            out.push_back(std::move(next->second));
        if (!used_[i]) out.push_back(std::move(tensors_[i]));
    }
    return out;
}

Error wrong(const TensorView& part, const std::string& what) {
    return {Code::corrupt, "tensor " + in_quotes(part.name) + " " + what};
}

Status expect_type(const TensorView& part, std::initializer_list<DType> types) {
    if (std::find(types.begin(), types.end(), part.type) == types.end()) {
        std::string names;
        for (const DType type : types)
            names += (names.empty() ? "" : " or ") + std::string(dtype_info(type).name);
        return wrong(part, std::string("is of type ") + dtype_info(part.type).name + ", where "
                               + names + " is needed");
    }
    if (std::find(part.shape.begin(), part.shape.end(), 0) != part.shape.end())
        return wrong(part, "is empty");
    if (part.repack)
        return wrong(part,
                     "is stored with gaps between its numbers; save the checkpoint again "
                     "with contiguous tensors");
    return {};
}

Status expect_shape(const TensorView& part, const Shape& wanted) {
    if (part.shape == wanted) return {};
    return wrong(part, "has the shape " + shape_text(part.shape) + ", where " + shape_text(wanted)
                           + " is needed");
}

std::string stem_of(const TensorView& part, std::string_view suffix) {
    HEFT_CHECK(part.name.ends_with(suffix));
    return part.name.substr(0, part.name.size() - suffix.size());
}

float Floats::operator[](std::int64_t i) const {
    if (type == DType::f32) return load<float>(data + i * 4);
    const auto bits = load<std::uint16_t>(data + i * 2);
    return type == DType::f16 ? from_f16(bits) : from_bf16(bits);
}

Result<Floats> floats_of(const TensorView& part) {
    HEFT_OK(expect_type(part, {DType::f32, DType::f16, DType::bf16}));
    const auto size = static_cast<std::size_t>(dtype_info(part.type).block_bytes);
    return Floats{part.type, part.data.data(), static_cast<std::int64_t>(part.data.size() / size)};
}

}  // namespace heft::format::packed
