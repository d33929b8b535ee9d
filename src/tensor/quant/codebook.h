// Searching the codebooks of the IQ types (grids.h): which of some hundred entries of four or eight
// levels is nearest to as many weights. For every way to round the weights to levels one by one,
// the entries around it are listed once, at first use; only those are compared. Thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace heft::quant {

class Codebook {
  public:
    // `entries` of `width` levels, `bits` bits each (an index into `levels`), the first lowest.
    Codebook(std::span<const std::uint16_t> entries, int width, int bits,
             std::span<const int> levels);

    static const Codebook& iq1();
    static const Codebook& iq2_xxs();
    static const Codebook& iq2_xs();
    static const Codebook& iq2_s();
    static const Codebook& iq3_xxs();
    static const Codebook& iq3_s();

    struct Match {
        int entry = 0;
        float error = 0;  // sum of w (x - scale * y)^2, y = level + offset
        float xy = 0;     // sum of w x y
        float yy = 0;     // sum of w y y
    };

    // The nearest entry to `width` weights.
    Match match(const float* x, const float* w, float scale, float offset) const;

    int width() const { return width_; }
    float top() const { return levels_.back(); }

  private:
    void list_near();
    std::size_t rounded(const float* x, float inverse, float offset) const;

    int width_;
    std::size_t n_entries_;
    std::vector<float> levels_;
    std::vector<float> middles_;  // between levels
    std::vector<float> values_;   // [n_entries_][width_]
    std::vector<std::uint16_t> near_;
};

}  // namespace heft::quant
