// The tensors of a checkpoint while packed weights are put together: each is a part of one, or
// stays as it is. Errors are corrupt and name the tensor.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tensor/tensor.h"

namespace heft::format::packed {

class Parts {
  public:
    static Result<Parts> of(std::vector<TensorView> tensors);  // names must be unique

    // As in the checkpoint, used or not. The tensors stay where they are until finish().
    const std::vector<TensorView>& all() const { return tensors_; }
    const TensorView* find(std::string_view name) const;
    // The part `name` of the weight that `beside` belongs to.
    Result<const TensorView*> need(const TensorView& beside, const std::string& name) const;
    bool any_ends_with(std::string_view suffix) const;

    void use(const TensorView& part) { used_[index(part)] = true; }
    void use_if_present(const std::string& name);
    // `whole` takes the place of `part` in the list.
    void replace(const TensorView& part, TensorView whole);

    std::vector<TensorView> finish() &&;

  private:
    std::size_t index(const TensorView& part) const {
        return static_cast<std::size_t>(&part - tensors_.data());
    }

    std::vector<TensorView> tensors_;
    std::vector<std::size_t> by_name_;
    std::vector<bool> used_;
    std::vector<std::pair<std::size_t, TensorView>> made_;  // by place of the part they replace
};

// "tensor 'x.scales' has the shape [3], where [4] is needed"
Error wrong(const TensorView& part, const std::string& what);

// Of one of the types, its bytes in the file as they are, and no extent of 0.
Status expect_type(const TensorView& part, std::initializer_list<DType> types);
Status expect_shape(const TensorView& part, const Shape& wanted);

// `name` without the suffix that it ends in.
std::string stem_of(const TensorView& part, std::string_view suffix);

// Numbers of type F32, F16 or BF16.
struct Floats {
    DType type = DType::f32;
    const std::byte* data = nullptr;
    std::int64_t count = 0;

    float operator[](std::int64_t i) const;
};
Result<Floats> floats_of(const TensorView& part);

}  // namespace heft::format::packed
