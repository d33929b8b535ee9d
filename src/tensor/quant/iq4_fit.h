// Fits to the sixteen levels of IQ4_NL and IQ4_XS: x ~ scale * level.
#pragma once

namespace heft::quant {

// The index of the level nearest to a value.
int iq4_level(float value);

// The scale of least weighted squared error of n weights, among tries with the greatest weight near
// either end of the levels; it may be negative.
float fit_iq4(const float* x, const float* w, int n);

}  // namespace heft::quant
