// What llama.cpp (October 2026) stores the tensors of three small models as, told by its quantiser
// as it went: 16 layers with four query heads to a key head and an output matrix; 10 layers with
// one and none; 9 layers with 8 experts. "attn_v:0-3,7=Q6_K": of those layers.
#pragma once

namespace heft::shape::test {

struct MixVector {
    const char* model;
    const char* mix;
    const char* types;
};

// clang-format off
inline constexpr MixVector kMixVectors[] = {
    {"gqa4", "Q4_0",
     "output=Q6_K token_embd=Q4_0 attn_k:0-15=Q4_0 attn_output:0-15=Q4_0 attn_q:0-15=Q4_0 "
     "attn_v:0-15=Q4_0 ffn_down:0-15=Q4_0 ffn_gate:0-15=Q4_0 ffn_up:0-15=Q4_0"},
    {"gqa4", "Q4_1",
     "output=Q6_K token_embd=Q4_1 attn_k:0-15=Q4_1 attn_output:0-15=Q4_1 attn_q:0-15=Q4_1 "
     "attn_v:0-15=Q4_1 ffn_down:0-15=Q4_1 ffn_gate:0-15=Q4_1 ffn_up:0-15=Q4_1"},
    {"gqa4", "Q8_0",
     "output=Q8_0 token_embd=Q8_0 attn_k:0-15=Q8_0 attn_output:0-15=Q8_0 attn_q:0-15=Q8_0 "
     "attn_v:0-15=Q8_0 ffn_down:0-15=Q8_0 ffn_gate:0-15=Q8_0 ffn_up:0-15=Q8_0"},
    {"gqa4", "Q5_0",
     "output=Q6_K token_embd=Q5_0 attn_k:0-15=Q5_0 attn_output:0-15=Q5_0 attn_q:0-15=Q5_0 "
     "attn_v:0-15=Q5_0 ffn_down:0-15=Q5_0 ffn_gate:0-15=Q5_0 ffn_up:0-15=Q5_0"},
    {"gqa4", "Q5_1",
     "output=Q6_K token_embd=Q5_1 attn_k:0-15=Q5_1 attn_output:0-15=Q5_1 attn_q:0-15=Q5_1 "
     "attn_v:0-15=Q5_1 ffn_down:0-15=Q5_1 ffn_gate:0-15=Q5_1 ffn_up:0-15=Q5_1"},
    {"gqa4", "Q2_K",
     "output=Q6_K token_embd=Q2_K attn_k:0-15=Q2_K attn_output:0-15=Q3_K attn_q:0-15=Q2_K "
     "attn_v:0-15=Q4_K ffn_down:0-15=Q3_K ffn_gate:0-15=Q2_K ffn_up:0-15=Q2_K"},
    {"gqa4", "Q3_K_S",
     "output=Q6_K token_embd=Q3_K attn_k:0-15=Q3_K attn_output:0-15=Q3_K attn_q:0-15=Q3_K "
     "attn_v:0-15=Q3_K ffn_down:0-15=Q3_K ffn_gate:0-15=Q3_K ffn_up:0-15=Q3_K"},
    {"gqa4", "Q3_K_M",
     "output=Q6_K token_embd=Q3_K attn_k:0-15=Q3_K attn_output:0-15=Q4_K attn_q:0-15=Q3_K "
     "attn_v:0-1=Q5_K ffn_down:0=Q5_K ffn_gate:0-15=Q3_K ffn_up:0-15=Q3_K ffn_down:1-15=Q4_K "
     "attn_v:2-15=Q4_K"},
    {"gqa4", "Q3_K_L",
     "output=Q6_K token_embd=Q3_K attn_k:0-15=Q3_K attn_output:0-15=Q5_K attn_q:0-15=Q3_K "
     "attn_v:0-15=Q5_K ffn_down:0-15=Q5_K ffn_gate:0-15=Q3_K ffn_up:0-15=Q3_K"},
    {"gqa4", "Q4_K_S",
     "output=Q6_K token_embd=Q4_K attn_k:0-15=Q4_K attn_output:0-15=Q4_K attn_q:0-15=Q4_K "
     "attn_v:0-3=Q5_K ffn_down:0-1=Q5_K ffn_gate:0-15=Q4_K ffn_up:0-15=Q4_K ffn_down:2-15=Q4_K "
     "attn_v:4-15=Q4_K"},
    {"gqa4", "Q4_K_M",
     "output=Q6_K token_embd=Q4_K attn_k:0-15=Q4_K attn_output:0-15=Q4_K attn_q:0-15=Q4_K "
     "attn_v:0-1,4,7,10,13-15=Q6_K ffn_down:0-1,4,7,10,13-15=Q6_K ffn_gate:0-15=Q4_K "
     "ffn_up:0-15=Q4_K attn_v:2-3,5-6,8-9,11-12=Q4_K ffn_down:2-3,5-6,8-9,11-12=Q4_K"},
    {"gqa4", "Q5_K_S",
     "output=Q6_K token_embd=Q5_K attn_k:0-15=Q5_K attn_output:0-15=Q5_K attn_q:0-15=Q5_K "
     "attn_v:0-15=Q5_K ffn_down:0-15=Q5_K ffn_gate:0-15=Q5_K ffn_up:0-15=Q5_K"},
    {"gqa4", "Q5_K_M",
     "output=Q6_K token_embd=Q5_K attn_k:0-15=Q5_K attn_output:0-15=Q5_K attn_q:0-15=Q5_K "
     "attn_v:0-1,4,7,10,13-15=Q6_K ffn_down:0-1,4,7,10,13-15=Q6_K ffn_gate:0-15=Q5_K "
     "ffn_up:0-15=Q5_K attn_v:2-3,5-6,8-9,11-12=Q5_K ffn_down:2-3,5-6,8-9,11-12=Q5_K"},
    {"gqa4", "Q6_K",
     "output=Q6_K token_embd=Q6_K attn_k:0-15=Q6_K attn_output:0-15=Q6_K attn_q:0-15=Q6_K "
     "attn_v:0-15=Q6_K ffn_down:0-15=Q6_K ffn_gate:0-15=Q6_K ffn_up:0-15=Q6_K"},
    {"gqa4", "IQ4_NL",
     "output=Q6_K token_embd=IQ4_NL attn_k:0-15=IQ4_NL attn_output:0-15=IQ4_NL "
     "attn_q:0-15=IQ4_NL attn_v:0-15=Q5_K ffn_down:0-1=Q5_K ffn_gate:0-15=IQ4_NL "
     "ffn_up:0-15=IQ4_NL ffn_down:2-15=IQ4_NL"},
    {"gqa4", "IQ3_S",
     "output=Q6_K token_embd=IQ3_S attn_k:0-15=IQ3_S attn_output:0-15=IQ3_S attn_q:0-15=IQ3_S "
     "attn_v:0-15=Q4_K ffn_down:0-15=IQ3_S ffn_gate:0-15=IQ3_S ffn_up:0-15=IQ3_S"},
    {"gqa4", "IQ3_M",
     "output=Q6_K token_embd=IQ3_S attn_k:0-15=IQ3_S attn_output:0-15=Q4_K attn_q:0-15=IQ3_S "
     "attn_v:0-15=Q4_K ffn_down:0-1=Q4_K ffn_gate:0-15=IQ3_S ffn_up:0-15=IQ3_S "
     "ffn_down:2-15=IQ3_S"},
    {"gqa4", "IQ4_XS",
     "output=Q6_K token_embd=IQ4_XS attn_k:0-15=IQ4_XS attn_output:0-15=IQ4_XS "
     "attn_q:0-15=IQ4_XS attn_v:0-15=Q5_K ffn_down:0-1=Q5_K ffn_gate:0-15=IQ4_XS "
     "ffn_up:0-15=IQ4_XS ffn_down:2-15=IQ4_XS"},
    {"gqa4", "TQ1_0",
     "output=Q6_K token_embd=Q4_K attn_k:0-15=TQ1_0 attn_output:0-15=TQ1_0 attn_q:0-15=TQ1_0 "
     "attn_v:0-15=TQ1_0 ffn_down:0-15=TQ1_0 ffn_gate:0-15=TQ1_0 ffn_up:0-15=TQ1_0"},
    {"gqa4", "TQ2_0",
     "output=Q6_K token_embd=Q4_K attn_k:0-15=TQ2_0 attn_output:0-15=TQ2_0 attn_q:0-15=TQ2_0 "
     "attn_v:0-15=TQ2_0 ffn_down:0-15=TQ2_0 ffn_gate:0-15=TQ2_0 ffn_up:0-15=TQ2_0"},
    {"gqa4", "MXFP4_MOE",
     "output=Q8_0 token_embd=Q8_0 attn_k:0-15=Q8_0 attn_output:0-15=Q8_0 attn_q:0-15=Q8_0 "
     "attn_v:0-15=Q8_0 ffn_down:0-15=Q8_0 ffn_gate:0-15=Q8_0 ffn_up:0-15=Q8_0"},
    {"tied", "Q4_0",
     "token_embd=Q6_K attn_k:0-9=Q4_0 attn_output:0-9=Q4_0 attn_q:0-9=Q4_0 attn_v:0-9=Q4_0 "
     "ffn_down:0-9=Q4_0 ffn_gate:0-9=Q4_0 ffn_up:0-9=Q4_0"},
    {"tied", "Q4_1",
     "token_embd=Q6_K attn_k:0-9=Q4_1 attn_output:0-9=Q4_1 attn_q:0-9=Q4_1 attn_v:0-9=Q4_1 "
     "ffn_down:0-9=Q4_1 ffn_gate:0-9=Q4_1 ffn_up:0-9=Q4_1"},
    {"tied", "Q8_0",
     "token_embd=Q8_0 attn_k:0-9=Q8_0 attn_output:0-9=Q8_0 attn_q:0-9=Q8_0 attn_v:0-9=Q8_0 "
     "ffn_down:0-9=Q8_0 ffn_gate:0-9=Q8_0 ffn_up:0-9=Q8_0"},
    {"tied", "Q5_0",
     "token_embd=Q6_K attn_k:0-9=Q5_0 attn_output:0-9=Q5_0 attn_q:0-9=Q5_0 attn_v:0-9=Q5_0 "
     "ffn_down:0-9=Q5_0 ffn_gate:0-9=Q5_0 ffn_up:0-9=Q5_0"},
    {"tied", "Q5_1",
     "token_embd=Q6_K attn_k:0-9=Q5_1 attn_output:0-9=Q5_1 attn_q:0-9=Q5_1 attn_v:0-9=Q5_1 "
     "ffn_down:0-9=Q5_1 ffn_gate:0-9=Q5_1 ffn_up:0-9=Q5_1"},
    {"tied", "Q2_K",
     "token_embd=Q6_K attn_k:0-9=Q2_K attn_output:0-9=Q3_K attn_q:0-9=Q2_K attn_v:0-9=Q3_K "
     "ffn_down:0-9=Q3_K ffn_gate:0-9=Q2_K ffn_up:0-9=Q2_K"},
    {"tied", "Q3_K_S",
     "token_embd=Q6_K attn_k:0-9=Q3_K attn_output:0-9=Q3_K attn_q:0-9=Q3_K attn_v:0-9=Q3_K "
     "ffn_down:0-9=Q3_K ffn_gate:0-9=Q3_K ffn_up:0-9=Q3_K"},
    {"tied", "Q3_K_M",
     "token_embd=Q6_K attn_k:0-9=Q3_K attn_output:0-9=Q4_K attn_q:0-9=Q3_K attn_v:0-1=Q5_K "
     "ffn_down:0-9=Q4_K ffn_gate:0-9=Q3_K ffn_up:0-9=Q3_K attn_v:2-9=Q4_K"},
    {"tied", "Q3_K_L",
     "token_embd=Q6_K attn_k:0-9=Q3_K attn_output:0-9=Q5_K attn_q:0-9=Q3_K attn_v:0-9=Q5_K "
     "ffn_down:0-9=Q5_K ffn_gate:0-9=Q3_K ffn_up:0-9=Q3_K"},
    {"tied", "Q4_K_S",
     "token_embd=Q6_K attn_k:0-9=Q4_K attn_output:0-9=Q4_K attn_q:0-9=Q4_K attn_v:0-3=Q5_K "
     "ffn_down:0=Q5_K ffn_gate:0-9=Q4_K ffn_up:0-9=Q4_K ffn_down:1-9=Q4_K attn_v:4-9=Q4_K"},
    {"tied", "Q4_K_M",
     "token_embd=Q6_K attn_k:0-9=Q4_K attn_output:0-9=Q4_K attn_q:0-9=Q4_K "
     "attn_v:0,3,6,8-9=Q6_K ffn_down:0,3,6,8-9=Q6_K ffn_gate:0-9=Q4_K ffn_up:0-9=Q4_K "
     "attn_v:1-2,4-5,7=Q4_K ffn_down:1-2,4-5,7=Q4_K"},
    {"tied", "Q5_K_S",
     "token_embd=Q6_K attn_k:0-9=Q5_K attn_output:0-9=Q5_K attn_q:0-9=Q5_K attn_v:0-9=Q5_K "
     "ffn_down:0-9=Q5_K ffn_gate:0-9=Q5_K ffn_up:0-9=Q5_K"},
    {"tied", "Q5_K_M",
     "token_embd=Q6_K attn_k:0-9=Q5_K attn_output:0-9=Q5_K attn_q:0-9=Q5_K "
     "attn_v:0,3,6,8-9=Q6_K ffn_down:0,3,6,8-9=Q6_K ffn_gate:0-9=Q5_K ffn_up:0-9=Q5_K "
     "attn_v:1-2,4-5,7=Q5_K ffn_down:1-2,4-5,7=Q5_K"},
    {"tied", "Q6_K",
     "token_embd=Q6_K attn_k:0-9=Q6_K attn_output:0-9=Q6_K attn_q:0-9=Q6_K attn_v:0-9=Q6_K "
     "ffn_down:0-9=Q6_K ffn_gate:0-9=Q6_K ffn_up:0-9=Q6_K"},
    {"tied", "IQ4_NL",
     "token_embd=Q6_K attn_k:0-9=IQ4_NL attn_output:0-9=IQ4_NL attn_q:0-9=IQ4_NL "
     "attn_v:0-9=IQ4_NL ffn_down:0=Q5_K ffn_gate:0-9=IQ4_NL ffn_up:0-9=IQ4_NL "
     "ffn_down:1-9=IQ4_NL"},
    {"tied", "IQ3_S",
     "token_embd=Q6_K attn_k:0-9=IQ3_S attn_output:0-9=IQ3_S attn_q:0-9=IQ3_S attn_v:0-9=IQ3_S "
     "ffn_down:0-9=IQ3_S ffn_gate:0-9=IQ3_S ffn_up:0-9=IQ3_S"},
    {"tied", "IQ3_M",
     "token_embd=Q6_K attn_k:0-9=IQ3_S attn_output:0-9=Q4_K attn_q:0-9=IQ3_S attn_v:0-9=Q4_K "
     "ffn_down:0=Q4_K ffn_gate:0-9=IQ3_S ffn_up:0-9=IQ3_S ffn_down:1-9=IQ3_S"},
    {"tied", "IQ4_XS",
     "token_embd=Q6_K attn_k:0-9=IQ4_XS attn_output:0-9=IQ4_XS attn_q:0-9=IQ4_XS "
     "attn_v:0-9=IQ4_XS ffn_down:0=Q5_K ffn_gate:0-9=IQ4_XS ffn_up:0-9=IQ4_XS "
     "ffn_down:1-9=IQ4_XS"},
    {"tied", "TQ1_0",
     "token_embd=Q6_K attn_k:0-9=TQ1_0 attn_output:0-9=TQ1_0 attn_q:0-9=TQ1_0 attn_v:0-9=TQ1_0 "
     "ffn_down:0-9=TQ1_0 ffn_gate:0-9=TQ1_0 ffn_up:0-9=TQ1_0"},
    {"tied", "TQ2_0",
     "token_embd=Q6_K attn_k:0-9=TQ2_0 attn_output:0-9=TQ2_0 attn_q:0-9=TQ2_0 attn_v:0-9=TQ2_0 "
     "ffn_down:0-9=TQ2_0 ffn_gate:0-9=TQ2_0 ffn_up:0-9=TQ2_0"},
    {"tied", "MXFP4_MOE",
     "token_embd=Q8_0 attn_k:0-9=Q8_0 attn_output:0-9=Q8_0 attn_q:0-9=Q8_0 attn_v:0-9=Q8_0 "
     "ffn_down:0-9=Q8_0 ffn_gate:0-9=Q8_0 ffn_up:0-9=Q8_0"},
    {"moe", "Q4_0",
     "output=Q6_K token_embd=Q4_0 attn_k:0-8=Q8_0 attn_output:0-8=Q4_0 attn_q:0-8=Q4_0 "
     "attn_v:0-8=Q8_0 ffn_down_exps:0-8=Q4_0 ffn_gate_exps:0-8=Q4_0 ffn_up_exps:0-8=Q4_0"},
    {"moe", "Q4_1",
     "output=Q6_K token_embd=Q4_1 attn_k:0-8=Q8_0 attn_output:0-8=Q4_1 attn_q:0-8=Q4_1 "
     "attn_v:0-8=Q8_0 ffn_down_exps:0-8=Q4_1 ffn_gate_exps:0-8=Q4_1 ffn_up_exps:0-8=Q4_1"},
    {"moe", "Q8_0",
     "output=Q8_0 token_embd=Q8_0 attn_k:0-8=Q8_0 attn_output:0-8=Q8_0 attn_q:0-8=Q8_0 "
     "attn_v:0-8=Q8_0 ffn_down_exps:0-8=Q8_0 ffn_gate_exps:0-8=Q8_0 ffn_up_exps:0-8=Q8_0"},
    {"moe", "Q5_0",
     "output=Q6_K token_embd=Q5_0 attn_k:0-8=Q8_0 attn_output:0-8=Q5_0 attn_q:0-8=Q5_0 "
     "attn_v:0-8=Q8_0 ffn_down_exps:0-8=Q5_0 ffn_gate_exps:0-8=Q5_0 ffn_up_exps:0-8=Q5_0"},
    {"moe", "Q5_1",
     "output=Q6_K token_embd=Q5_1 attn_k:0-8=Q8_0 attn_output:0-8=Q5_1 attn_q:0-8=Q5_1 "
     "attn_v:0-8=Q8_0 ffn_down_exps:0-8=Q5_1 ffn_gate_exps:0-8=Q5_1 ffn_up_exps:0-8=Q5_1"},
    {"moe", "Q2_K",
     "output=Q6_K token_embd=Q2_K attn_k:0-8=Q8_0 attn_output:0-8=Q5_K attn_q:0-8=Q2_K "
     "attn_v:0-8=Q8_0 ffn_down_exps:0-8=Q3_K ffn_gate_exps:0-8=Q2_K ffn_up_exps:0-8=Q2_K"},
    {"moe", "Q3_K_S",
     "output=Q6_K token_embd=Q3_K attn_k:0-8=Q8_0 attn_output:0-8=Q5_K attn_q:0-8=Q3_K "
     "attn_v:0-8=Q8_0 ffn_down_exps:0-8=Q3_K ffn_gate_exps:0-8=Q3_K ffn_up_exps:0-8=Q3_K"},
    {"moe", "Q3_K_M",
     "output=Q6_K token_embd=Q3_K attn_k:0-8=Q8_0 attn_output:0-8=Q5_K attn_q:0-8=Q3_K "
     "attn_v:0-8=Q8_0 ffn_down_exps:0-8=Q4_K ffn_gate_exps:0-8=Q3_K ffn_up_exps:0-8=Q3_K"},
    {"moe", "Q3_K_L",
     "output=Q6_K token_embd=Q3_K attn_k:0-8=Q8_0 attn_output:0-8=Q3_K attn_q:0-8=Q3_K "
     "attn_v:0-8=Q8_0 ffn_down_exps:0-8=Q5_K ffn_gate_exps:0-8=Q3_K ffn_up_exps:0-8=Q3_K"},
    {"moe", "Q4_K_S",
     "output=Q6_K token_embd=Q4_K attn_k:0-8=Q8_0 attn_output:0-8=Q5_K attn_q:0-8=Q4_K "
     "attn_v:0-8=Q8_0 ffn_down_exps:0=Q5_K ffn_gate_exps:0-8=Q4_K ffn_up_exps:0-8=Q4_K "
     "ffn_down_exps:1-8=Q4_K"},
    {"moe", "Q4_K_M",
     "output=Q6_K token_embd=Q4_K attn_k:0-8=Q8_0 attn_output:0-8=Q5_K attn_q:0-8=Q4_K "
     "attn_v:0-8=Q8_0 ffn_down_exps:0,3,6-8=Q6_K ffn_gate_exps:0-8=Q4_K ffn_up_exps:0-8=Q4_K "
     "ffn_down_exps:1-2,4-5=Q4_K"},
    {"moe", "Q5_K_S",
     "output=Q6_K token_embd=Q5_K attn_k:0-8=Q8_0 attn_output:0-8=Q5_K attn_q:0-8=Q5_K "
     "attn_v:0-8=Q8_0 ffn_down_exps:0-8=Q5_K ffn_gate_exps:0-8=Q5_K ffn_up_exps:0-8=Q5_K"},
    {"moe", "Q5_K_M",
     "output=Q6_K token_embd=Q5_K attn_k:0-8=Q8_0 attn_output:0-8=Q5_K attn_q:0-8=Q5_K "
     "attn_v:0-8=Q8_0 ffn_down_exps:0,3,6-8=Q6_K ffn_gate_exps:0-8=Q5_K ffn_up_exps:0-8=Q5_K "
     "ffn_down_exps:1-2,4-5=Q5_K"},
    {"moe", "Q6_K",
     "output=Q6_K token_embd=Q6_K attn_k:0-8=Q8_0 attn_output:0-8=Q6_K attn_q:0-8=Q6_K "
     "attn_v:0-8=Q8_0 ffn_down_exps:0-8=Q6_K ffn_gate_exps:0-8=Q6_K ffn_up_exps:0-8=Q6_K"},
    {"moe", "IQ4_NL",
     "output=Q6_K token_embd=IQ4_NL attn_k:0-8=Q8_0 attn_output:0-8=Q5_K attn_q:0-8=IQ4_NL "
     "attn_v:0-8=Q8_0 ffn_down_exps:0=Q5_K ffn_gate_exps:0-8=IQ4_NL ffn_up_exps:0-8=IQ4_NL "
     "ffn_down_exps:1-8=IQ4_NL"},
    {"moe", "IQ3_S",
     "output=Q6_K token_embd=IQ3_S attn_k:0-8=Q8_0 attn_output:0-8=Q5_K attn_q:0-8=IQ3_S "
     "attn_v:0-8=Q8_0 ffn_down_exps:0-8=IQ3_S ffn_gate_exps:0-8=IQ3_S ffn_up_exps:0-8=IQ3_S"},
    {"moe", "IQ3_M",
     "output=Q6_K token_embd=IQ3_S attn_k:0-8=Q8_0 attn_output:0-8=Q5_K attn_q:0-8=IQ3_S "
     "attn_v:0-8=Q8_0 ffn_down_exps:0,3,6-8=Q4_K ffn_gate_exps:0-8=IQ3_S ffn_up_exps:0-8=IQ3_S "
     "ffn_down_exps:1-2,4-5=IQ3_S"},
    {"moe", "IQ4_XS",
     "output=Q6_K token_embd=IQ4_XS attn_k:0-8=Q8_0 attn_output:0-8=Q5_K attn_q:0-8=IQ4_XS "
     "attn_v:0-8=Q8_0 ffn_down_exps:0=Q5_K ffn_gate_exps:0-8=IQ4_XS ffn_up_exps:0-8=IQ4_XS "
     "ffn_down_exps:1-8=IQ4_XS"},
    {"moe", "TQ1_0",
     "output=Q6_K token_embd=Q4_K attn_k:0-8=Q8_0 attn_output:0-8=TQ1_0 attn_q:0-8=TQ1_0 "
     "attn_v:0-8=Q8_0 ffn_down_exps:0-8=TQ1_0 ffn_gate_exps:0-8=TQ1_0 ffn_up_exps:0-8=TQ1_0"},
    {"moe", "TQ2_0",
     "output=Q6_K token_embd=Q4_K attn_k:0-8=Q8_0 attn_output:0-8=TQ2_0 attn_q:0-8=TQ2_0 "
     "attn_v:0-8=Q8_0 ffn_down_exps:0-8=TQ2_0 ffn_gate_exps:0-8=TQ2_0 ffn_up_exps:0-8=TQ2_0"},
    {"moe", "MXFP4_MOE",
     "output=Q8_0 token_embd=Q8_0 attn_k:0-8=Q8_0 attn_output:0-8=Q8_0 attn_q:0-8=Q8_0 "
     "attn_v:0-8=Q8_0 ffn_down_exps:0-8=MXFP4 ffn_gate_exps:0-8=MXFP4 ffn_up_exps:0-8=MXFP4"},
};
// clang-format on

}  // namespace heft::shape::test
