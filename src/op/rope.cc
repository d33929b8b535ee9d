#include "op/rope.h"

#include <cmath>
#include <cstddef>

namespace heft::op {

void rope_angles(std::span<const double> frequency, double magnitude, int position, float* out) {
    for (const double f : frequency) {
        // In double: at position 100 000 a float angle would be off by a hundredth of a turn.
        const double angle = position * f;
        *out++ = static_cast<float>(std::cos(angle) * magnitude);
        *out++ = static_cast<float>(std::sin(angle) * magnitude);
    }
}

void rope(RopePairs pairs, const float* angles, int n_pairs, int n_head, int d_head, float* heads) {
    const int step = pairs == RopePairs::half ? 1 : 2;
    const int apart = pairs == RopePairs::half ? n_pairs : 1;
    for (int h = 0; h < n_head; ++h) {
        float* head = heads + static_cast<std::ptrdiff_t>(h) * d_head;
        for (int i = 0; i < n_pairs; ++i) {
            const float cos = angles[2 * i];
            const float sin = angles[2 * i + 1];
            float& a = head[i * step];
            float& b = head[i * step + apart];
            const float turned = a * cos - b * sin;
            b = a * sin + b * cos;
            a = turned;
        }
    }
}

}  // namespace heft::op
