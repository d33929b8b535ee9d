#include "tensor/quant/gnf4.h"

namespace heft::quant::gnf4 {

void dequantise(const void* from, std::int64_t n, float* to) {
    dequantise_levels(kLevels, from, n, to);
}

void pack(const std::uint8_t* codes, Group group, void* to) {
    pack_levels(codes, group, to);
}

}  // namespace heft::quant::gnf4
