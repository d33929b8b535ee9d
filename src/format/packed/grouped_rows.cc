#include "format/packed/grouped_rows.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "tensor/half.h"
#include "tensor/quant/gf8.h"
#include "tensor/quant/gfp4.h"
#include "tensor/quant/gi4.h"
#include "tensor/quant/gi8.h"
#include "tensor/quant/gnf4.h"

namespace heft::format::packed {

namespace {

// Packed files often keep a matrix by columns: so many rows at once are one cache line of 32-bit
// words.
constexpr std::int64_t kRowsAtOnce = 16;

using Pack = void (*)(const std::uint8_t* codes, Group group, void* to);

struct Packer {
    DType type;
    Pack pack;
};
constexpr Packer kPackers[] = {
    {DType::gi4, quant::gi4::pack},   {DType::gi8, quant::gi8::pack},
    {DType::gf8, quant::gf8::pack},   {DType::gnf4, quant::gnf4::pack},
    {DType::gfp4, quant::gfp4::pack},
};

Pack packer_of(DType type) {
    for (const Packer& row : kPackers)
        if (row.type == type) return row.pack;
    check_failed("a grouped type", __FILE__, __LINE__);
}

// Calls each(row, codes of the row) for the rows.
template <class Each>
void each_row(const Codes& source, std::int64_t columns, std::int64_t first, std::int64_t count,
              Each each) {
    const auto width = static_cast<std::size_t>(columns);
    std::vector<std::uint8_t> codes(width * static_cast<std::size_t>(std::min(count, kRowsAtOnce)));
    for (std::int64_t begin = 0; begin < count; begin += kRowsAtOnce) {
        const std::int64_t n = std::min(kRowsAtOnce, count - begin);
        source.codes(first + begin, n, codes.data());
        for (std::int64_t r = 0; r < n; ++r) each(first + begin + r, codes.data() + r * columns);
    }
}

class BlockRows final : public Repack {
  public:
    BlockRows(std::unique_ptr<const Codes> source, std::int64_t columns, DType type,
              InputOrder order)
        : source_(std::move(source)),
          columns_(columns),
          pack_(packer_of(type)),
          block_bytes_(dtype_info(type).block_bytes),
          order_(std::move(order)) {}

    void rows(std::int64_t first, std::int64_t count, std::byte* to) const override {
        std::vector<std::uint8_t> ordered(order_ ? static_cast<std::size_t>(columns_) : 0);
        each_row(*source_, columns_, first, count,
                 [&](std::int64_t row, const std::uint8_t* codes) {
                     for (std::size_t k = 0; k < ordered.size(); ++k)
                         ordered[k] = codes[(*order_)[k]];
                     to = write(row, order_ ? ordered.data() : codes, to);
                 });
    }

  private:
    std::byte* write(std::int64_t row, const std::uint8_t* codes, std::byte* to) const {
        for (std::int64_t k = 0; k < columns_; k += quant::kGroupedWeights) {
            const std::int64_t column = order_ ? (*order_)[static_cast<std::size_t>(k)] : k;
            pack_(codes + k, source_->group(row, column), to);
            to += block_bytes_;
        }
        return to;
    }

    std::unique_ptr<const Codes> source_;
    std::int64_t columns_;
    Pack pack_;
    int block_bytes_;
    InputOrder order_;
};

class FloatRows final : public Repack {
  public:
    FloatRows(std::unique_ptr<const Codes> source, std::int64_t columns)
        : source_(std::move(source)), columns_(columns) {}

    void rows(std::int64_t first, std::int64_t count, std::byte* to) const override {
        each_row(*source_, columns_, first, count,
                 [&](std::int64_t row, const std::uint8_t* codes) {
                     for (std::int64_t k = 0; k < columns_; ++k, to += sizeof(float)) {
                         const float w = source_->weight(codes[k], source_->group(row, k));
                         std::memcpy(to, &w, sizeof w);
                     }
                 });
    }

  private:
    std::unique_ptr<const Codes> source_;
    std::int64_t columns_;
};

template <class Level>
std::array<float, 256> levels(Level level) {
    std::array<float, 256> out{};
    for (std::size_t code = 0; code < out.size(); ++code)
        out[code] = level(static_cast<std::uint8_t>(code));
    return out;
}

}  // namespace

const float* integer_levels() {
    static const auto kLevels = levels([](std::uint8_t code) { return static_cast<float>(code); });
    return kLevels.data();
}

const float* e4m3_levels() {
    static const auto kLevels = levels([](std::uint8_t code) { return from_f8_e4m3(code); });
    return kLevels.data();
}

Result<TensorView> grouped_view(Grouped whole) {
    TensorView out;
    out.name = std::move(whole.name);
    out.shape = std::move(whole.shape);
    out.type = whole.in_blocks ? whole.type : DType::f32;
    const std::int64_t columns = out.shape.back();
    HEFT_TRY([[maybe_unused]] const std::uint64_t bytes, tensor_bytes(out.type, out.shape));
    if (whole.in_blocks) {
        out.input_order = whole.order;
        out.repack = std::make_shared<BlockRows>(std::move(whole.codes), columns, out.type,
                                                 std::move(whole.order));
    } else {
        out.repack = std::make_shared<FloatRows>(std::move(whole.codes), columns);
    }
    return out;
}

}  // namespace heft::format::packed
