// Rows of a grouped type (tensor/quant/grouped.h) from the codes, scales and zero points that a
// packed checkpoint keeps apart. Where groups do not fall into blocks of 32, rows are float32.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tensor/quant/grouped.h"
#include "tensor/tensor.h"

namespace heft::format::packed {

using quant::Group;
using InputOrder = std::shared_ptr<const std::vector<std::int32_t>>;

// One weight matrix of a file: w = scale * (level[code] - zero). Reads the mapped file; the sizes
// were checked when it was made. Thread-safe.
class Codes {
  public:
    // `levels` has an entry for every code and lives as long.
    explicit Codes(const float* levels) : levels_(levels) {}
    Codes(const Codes&) = delete;
    Codes& operator=(const Codes&) = delete;
    virtual ~Codes() = default;

    // Codes of rows first … first + count - 1, in the file's order of columns, end to end.
    virtual void codes(std::int64_t first, std::int64_t count, std::uint8_t* to) const = 0;
    virtual Group group(std::int64_t row, std::int64_t column) const = 0;

    float weight(std::uint8_t code, const Group& group) const {
        return group.scale * (levels_[code] - static_cast<float>(group.zero));
    }

  private:
    const float* levels_;
};

// What the codes of each grouped type mean.
const float* integer_levels();  // 0 to 255
const float* e4m3_levels();

struct Grouped {
    std::string name;
    Shape shape;
    DType type = DType::gi4;
    std::unique_ptr<const Codes> codes;
    // Whether the columns of every block of 32, taken in `order`, share a group.
    bool in_blocks = false;
    InputOrder order = nullptr;  // nullptr: as in the file
};

// `whole` as a view of its own type, or of F32 in the file's order when it is not in blocks.
Result<TensorView> grouped_view(Grouped whole);

}  // namespace heft::format::packed
