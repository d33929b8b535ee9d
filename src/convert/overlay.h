// Tensors of a checkpoint that are to be read otherwise than they are stored, such as weights with
// an adapter merged into them. The checkpoint must live as long.
#pragma once

#include <unordered_map>

#include "tensor/tensor.h"

namespace heft::convert {

class Overlay {
  public:
    void set(const TensorView& stored, TensorView view) { views_[&stored] = std::move(view); }
    const TensorView& of(const TensorView& stored) const {
        const auto found = views_.find(&stored);
        return found == views_.end() ? stored : found->second;
    }
    bool empty() const { return views_.empty(); }

  private:
    std::unordered_map<const TensorView*, TensorView> views_;
};

}  // namespace heft::convert
