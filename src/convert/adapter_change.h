// The changes of an adapter as another form of adapters has them: under its names, in its order of
// rows, of its fused and stacked weights.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "arch/tensors.h"
#include "convert/to_folder.h"
#include "format/adapter_files.h"

namespace heft::convert {

// The weight changes by scale * b a; of a stack, each of its matrices by its own pair.
struct AdapterChange {
    std::string tensor;  // of the form that it was made for
    arch::Role role = arch::Role::token_embd;
    bool is_transposed = false;  // in Hugging Face files
    std::int64_t n_stack = 0;    // 0: a single matrix
    std::int64_t out = 0, in = 0, rank = 0;
    std::vector<float> a, b;  // [n_stack, rank, in], [n_stack, out, rank]
    double scale = 1, alpha = 1;
    DType a_type = DType::f32, b_type = DType::f32;  // that hold their numbers
    std::vector<const format::LowRankPair*> made_of;
};

// In the order of the adapter, which must stay. Errors: invalid (not of this base), unsupported
// (what the form cannot say), corrupt (a weight that changes twice).
Result<std::vector<AdapterChange>> changes_as(format::Kind form,
                                              const format::AdapterFiles& adapter,
                                              const arch::Config& config);

// GGUF has the alpha as a float.
inline bool is_same_alpha(double a, double b) {
    return static_cast<float>(a) == static_cast<float>(b);
}

// b times a number, in float32.
void multiply_b(double factor, AdapterChange& change);

// A matrix that is held in memory.
FolderWeight weight_of(std::string name, Shape shape, DType type, std::vector<float> values);

std::vector<float> turned(const std::vector<float>& matrix, std::int64_t rows, std::int64_t cols);

// That of most changes; of several, the first.
template <class T, class Of>
T usual(const std::vector<AdapterChange>& changes, const Of& of) {
    std::map<T, std::size_t> counts;
    for (const AdapterChange& one : changes) ++counts[of(one)];
    T best = {};
    std::size_t most = 0;
    for (const AdapterChange& one : changes)
        if (const std::size_t n = counts[of(one)]; n > most) {
            most = n;
            best = of(one);
        }
    return best;
}

}  // namespace heft::convert
