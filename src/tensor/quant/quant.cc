#include "tensor/quant/quant.h"

#include "base/check.h"
#include "tensor/quant/gf8.h"
#include "tensor/quant/gfp4.h"
#include "tensor/quant/gi4.h"
#include "tensor/quant/gi8.h"
#include "tensor/quant/gnf4.h"
#include "tensor/quant/iq1_m.h"
#include "tensor/quant/iq1_s.h"
#include "tensor/quant/iq2_s.h"
#include "tensor/quant/iq2_xs.h"
#include "tensor/quant/iq2_xxs.h"
#include "tensor/quant/iq3_s.h"
#include "tensor/quant/iq3_xxs.h"
#include "tensor/quant/iq4_nl.h"
#include "tensor/quant/iq4_xs.h"
#include "tensor/quant/mxfp4.h"
#include "tensor/quant/nvfp4.h"
#include "tensor/quant/plain.h"
#include "tensor/quant/q1_0.h"
#include "tensor/quant/q2_0.h"
#include "tensor/quant/q2_k.h"
#include "tensor/quant/q3_k.h"
#include "tensor/quant/q4_0.h"
#include "tensor/quant/q4_1.h"
#include "tensor/quant/q4_k.h"
#include "tensor/quant/q5_0.h"
#include "tensor/quant/q5_1.h"
#include "tensor/quant/q5_k.h"
#include "tensor/quant/q6_k.h"
#include "tensor/quant/q8_0.h"
#include "tensor/quant/tq1_0.h"
#include "tensor/quant/tq2_0.h"

namespace heft {

namespace {

template <auto with>
void by_values(const float* from, std::int64_t n, void* to) {
    with(from, {}, n, to);
}

void encode_q8_0(const float* from, const quant::Encoding& how, std::int64_t n, void* to) {
    how.make_q8_0(from, n, to);
}

constexpr Codec kCodecs[] = {
    {DType::f64, quant::plain::dequantise_f64, nullptr},
    {DType::f32, quant::plain::dequantise_f32, quant::plain::quantise_f32},
    {DType::f16, quant::plain::dequantise_f16, quant::plain::quantise_f16},
    {DType::bf16, quant::plain::dequantise_bf16, quant::plain::quantise_bf16},
    {DType::f8_e4m3, quant::plain::dequantise_f8_e4m3, nullptr},
    {DType::f8_e5m2, quant::plain::dequantise_f8_e5m2, nullptr},
    {DType::i64, quant::plain::dequantise_i64, nullptr},
    {DType::i32, quant::plain::dequantise_i32, nullptr},
    {DType::i16, quant::plain::dequantise_i16, nullptr},
    {DType::i8, quant::plain::dequantise_i8, nullptr},
    {DType::u64, quant::plain::dequantise_u64, nullptr},
    {DType::u32, quant::plain::dequantise_u32, nullptr},
    {DType::u16, quant::plain::dequantise_u16, nullptr},
    {DType::u8, quant::plain::dequantise_u8, nullptr},
    {DType::boolean, quant::plain::dequantise_boolean, nullptr},
    {DType::q4_0, quant::q4_0::dequantise, quant::q4_0::quantise, quant::q4_0::encode},
    {DType::q4_1, quant::q4_1::dequantise, quant::q4_1::quantise, quant::q4_1::encode},
    {DType::q5_0, quant::q5_0::dequantise, quant::q5_0::quantise, quant::q5_0::encode},
    {DType::q5_1, quant::q5_1::dequantise, quant::q5_1::quantise, quant::q5_1::encode},
    {DType::q8_0, quant::q8_0::dequantise, quant::q8_0::quantise, encode_q8_0, true},
    {DType::q2_k, quant::q2_k::dequantise, by_values<quant::q2_k::encode>, quant::q2_k::encode},
    {DType::q3_k, quant::q3_k::dequantise, by_values<quant::q3_k::encode>, quant::q3_k::encode},
    {DType::q4_k, quant::q4_k::dequantise, by_values<quant::q4_k::encode>, quant::q4_k::encode},
    {DType::q5_k, quant::q5_k::dequantise, by_values<quant::q5_k::encode>, quant::q5_k::encode},
    {DType::q6_k, quant::q6_k::dequantise, by_values<quant::q6_k::encode>, quant::q6_k::encode},
    {DType::iq2_xxs, quant::iq2_xxs::dequantise, by_values<quant::iq2_xxs::encode>,
     quant::iq2_xxs::encode},
    {DType::iq2_xs, quant::iq2_xs::dequantise, by_values<quant::iq2_xs::encode>,
     quant::iq2_xs::encode},
    {DType::iq2_s, quant::iq2_s::dequantise, by_values<quant::iq2_s::encode>, quant::iq2_s::encode},
    {DType::iq3_xxs, quant::iq3_xxs::dequantise, by_values<quant::iq3_xxs::encode>,
     quant::iq3_xxs::encode},
    {DType::iq3_s, quant::iq3_s::dequantise, by_values<quant::iq3_s::encode>, quant::iq3_s::encode},
    {DType::iq1_s, quant::iq1_s::dequantise, by_values<quant::iq1_s::encode>, quant::iq1_s::encode},
    {DType::iq1_m, quant::iq1_m::dequantise, by_values<quant::iq1_m::encode>, quant::iq1_m::encode},
    {DType::iq4_nl, quant::iq4_nl::dequantise, by_values<quant::iq4_nl::encode>,
     quant::iq4_nl::encode},
    {DType::iq4_xs, quant::iq4_xs::dequantise, by_values<quant::iq4_xs::encode>,
     quant::iq4_xs::encode},
    {DType::tq1_0, quant::tq1_0::dequantise, quant::tq1_0::quantise},
    {DType::tq2_0, quant::tq2_0::dequantise, quant::tq2_0::quantise},
    {DType::mxfp4, quant::mxfp4::dequantise, quant::mxfp4::quantise},
    {DType::nvfp4, quant::nvfp4::dequantise, nullptr},
    {DType::q1_0, quant::q1_0::dequantise, nullptr},
    {DType::q2_0, quant::q2_0::dequantise, nullptr},
    {DType::gi4, quant::gi4::dequantise, nullptr},
    {DType::gi8, quant::gi8::dequantise, nullptr},
    {DType::gf8, quant::gf8::dequantise, nullptr},
    {DType::gnf4, quant::gnf4::dequantise, nullptr},
    {DType::gfp4, quant::gfp4::dequantise, nullptr},
};

}  // namespace

const Codec* codec(DType type) {
    for (const Codec& row : kCodecs)
        if (row.type == type) return &row;
    return nullptr;
}

void encode(DType type, const float* from, const quant::Encoding& how, std::int64_t n, void* to) {
    const Codec* by = codec(type);
    HEFT_CHECK(by != nullptr && by->quantise != nullptr);
    if (by->encode != nullptr) return by->encode(from, how, n, to);
    by->quantise(from, n, to);
}

}  // namespace heft
