// What each weight matrix of a model is multiplied with, summed up: the squares of every column
// over all tokens, of which importance matrices are made (shape/imatrix.h). A model is watched from
// watch() on until the sums are gone. One pass at a time; sums do not depend on threads.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/model.h"

namespace heft::model {

class InputSums final : public op::MatmulObserver {
  public:
    struct Entry {
        std::int64_t n_cols = 0;
        std::vector<double> sums;          // [matrices, n_cols] of squares
        std::vector<std::int64_t> counts;  // [matrices], of tokens
    };

    // The matrices of the blocks, and that of the output if asked. The model outlives the sums.
    InputSums(const Model& model, bool with_output);
    ~InputSums() override;
    InputSums(const InputSums&) = delete;
    InputSums& operator=(const InputSums&) = delete;

    void watch(op::Context& context);  // which outlives the sums
    void see(op::Context& context, std::span<const op::Group> groups) override;

    // By the tensor's name in GGUF files. One that multiplied nothing has counts of zero.
    const std::map<std::string, Entry, std::less<>>& entries() const { return entries_; }

  private:
    struct Place {
        Entry* entry;
        int index;
    };

    void add(op::Context& context, const op::Group& group, std::span<const Place> places) const;

    std::map<std::string, Entry, std::less<>> entries_;
    std::unordered_map<const op::Weight*, Place> places_;
    op::Context* watched_ = nullptr;
};

}  // namespace heft::model
