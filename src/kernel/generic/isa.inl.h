// All kernels of one instruction set, from its lanes.
#pragma once

#include "kernel/generic/attention.inl.h"
#include "kernel/generic/elementwise.inl.h"
#include "kernel/generic/float_dot.inl.h"
#include "kernel/generic/gemm.inl.h"
#include "kernel/generic/grouped.inl.h"
#include "kernel/generic/int_dot.inl.h"
#include "kernel/generic/int_panel.inl.h"
#include "kernel/generic/k_formats.inl.h"
#include "kernel/generic/make_blocks.inl.h"
#include "kernel/generic/sum_levels.inl.h"
#include "kernel/isa.h"

namespace heft::kernel {
namespace {

template <class L, class Stored>
constexpr FormatKernels float_kernels() {
    return {unpack_floats<L, Stored>, dot<L, Stored>, dot_rows<L, Stored>, nullptr, nullptr};
}

template <class L, class Quantised>
constexpr FormatKernels int_kernels() {
    return {unpack<L, Quantised>, nullptr, nullptr, dot_int<L, Quantised>, int_panel<L, Quantised>};
}

template <class L, class Grouped>
constexpr FormatKernels grouped_kernels() {
    return {unpack_grouped<L, Grouped>, nullptr, nullptr, nullptr, nullptr};
}

template <class L, class Row>
constexpr KvKernels kv_kernels() {
    return {pack_keys<L, Row>, pack_values<L, Row>, attend_stored<L, Row>};
}

template <class L>
constexpr Isa make_isa(const char* name) {
    Isa isa{};
    isa.name = name;
    const auto set = [&isa](Format format, FormatKernels kernels) {
        isa.formats[static_cast<int>(format)] = kernels;
    };
    set(Format::f32, float_kernels<L, Float32<L>>());
    set(Format::f16, float_kernels<L, Float16<L>>());
    set(Format::bf16, float_kernels<L, BFloat16<L>>());
    set(Format::f8_e4m3, float_kernels<L, Float8<L>>());
    set(Format::gf8, grouped_kernels<L, GroupedFloat8<L>>());
    set(Format::gi8, grouped_kernels<L, GroupedInt8<L>>());
    set(Format::gi4, grouped_kernels<L, GroupedInt4<L>>());
    set(Format::q4_0, int_kernels<L, Q40<L>>());
    set(Format::q4_1, int_kernels<L, Q41<L>>());
    set(Format::q5_0, int_kernels<L, Q50<L>>());
    set(Format::q5_1, int_kernels<L, Q51<L>>());
    set(Format::q8_0, int_kernels<L, Q80<L>>());
    set(Format::q2_k, int_kernels<L, Q2K<L>>());
    set(Format::q3_k, int_kernels<L, Q3K<L>>());
    set(Format::q4_k, int_kernels<L, Q4K<L>>());
    set(Format::q5_k, int_kernels<L, Q5K<L>>());
    set(Format::q6_k, int_kernels<L, Q6K<L>>());
    set(Format::iq4_nl, int_kernels<L, Iq4Nl<L>>());
    set(Format::iq4_xs, int_kernels<L, Iq4Xs<L>>());
    set(Format::mxfp4, int_kernels<L, Mxfp4<L>>());
    isa.kv_f32 = kv_kernels<L, KvFloats<L, Float32<L>>>();
    isa.kv_f16 = kv_kernels<L, KvFloats<L, Float16<L>>>();
    isa.kv_bf16 = kv_kernels<L, KvFloats<L, BFloat16<L>>>();
    isa.kv_q8_0 = kv_kernels<L, KvQ80<L>>();
    isa.attend = attend<L>;
    isa.quantise_row = quantise_row<L>;
    isa.turn_row = turn_row<L>;
    isa.pack_bytes = pack_bytes<L>;
    isa.put_tile = put_tile<L>;
    isa.panel = panel<L>;
    isa.rms_norm = rms_norm<L>;
    isa.silu_mul = apply_and_multiply<L, Silu>;
    isa.gelu_tanh_mul = apply_and_multiply<L, GeluTanh>;
    isa.gelu_erf_mul = apply_and_multiply<L, GeluErf>;
    isa.swiglu_clamped = swiglu_clamped<L>;
    isa.soft_cap = soft_cap<L>;
    isa.softmax_sum = softmax_sum<L>;
    isa.layer_norm = layer_norm<L>;
    isa.add = add<L>;
    isa.to_bf16 = to_bf16<L>;
    isa.to_f16 = to_f16<L>;
    isa.sum_levels = sum_levels<L>;
    isa.make_q8_0 = make_q8_0<L>;
    return isa;
}

}  // namespace
}  // namespace heft::kernel
