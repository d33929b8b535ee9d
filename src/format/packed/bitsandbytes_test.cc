#include "format/packed/test_folder.h"

namespace heft::format::packed {
namespace {

using test::Folder;

// The levels as bitsandbytes saves them in quant_map.
const std::vector<float> kNf4 = {
    -1.0F,
    -0.6961928009986877F,
    -0.5250730514526367F,
    -0.39491748809814453F,
    -0.28444138169288635F,
    -0.18477343022823334F,
    -0.09105003625154495F,
    0.0F,
    0.07958029955625534F,
    0.16093020141124725F,
    0.24611230194568634F,
    0.33791524171829224F,
    0.44070982933044434F,
    0.5626170039176941F,
    0.7229568362236023F,
    1.0F,
};

std::vector<float> fp4_levels() {
    std::vector<float> out;
    for (const float sign : {1.0F, -1.0F})
        for (const float twelfths : {0.0F, 0.0625F, 8.0F, 12.0F, 4.0F, 6.0F, 2.0F, 3.0F})
            out.push_back(sign * twelfths / 12.0F);
    return out;
}

struct Case {
    const char* kind;
    Shape shape;
    int block;
    bool nested;
    bool other_levels;
    DType type;
};

const Case kCases[] = {
    {"nf4", {24, 128}, 64, false, false, DType::gnf4},
    {"nf4", {24, 128}, 64, true, false, DType::gnf4},
    {"nf4", {300, 96}, 64, true, false, DType::gnf4},  // blocks cross rows; several nested ones
    {"nf4", {3, 32}, 4096, true, false, DType::gnf4},
    {"nf4", {5, 33}, 64, false, false, DType::f32},  // an odd number of codes
    {"nf4", {4, 64}, 16, true, false, DType::f32},
    {"nf4", {4, 64}, 64, true, true, DType::f32},
    {"fp4", {24, 128}, 64, false, false, DType::gfp4},
    {"fp4", {7, 160}, 128, true, false, DType::gfp4},
    {"fp4", {3, 40}, 64, true, false, DType::f32},
};

struct Layer {
    Case c;
    std::vector<int> codes;
    std::vector<float> levels;
    std::vector<float> peaks;  // of every block
    std::vector<std::uint8_t> peak_codes;
    std::vector<float> map = std::vector<float>(256);
    std::vector<float> nested;
    double offset = 0.046875;

    Layer(const Case& of, Rng& rng) : c(of) {
        const auto n = static_cast<std::size_t>(c.shape[0] * c.shape[1]);
        codes = test::random_codes(n, 16, rng);
        levels = c.kind == std::string("nf4") ? kNf4 : fp4_levels();
        if (c.other_levels) levels[3] += 0.25F;
        const std::size_t blocks =
            (n + static_cast<std::size_t>(c.block) - 1) / static_cast<std::size_t>(c.block);
        const auto real = [&rng] { return static_cast<float>(rng.uniform() * 2 - 1); };
        for (float& level : map) level = real();
        for (std::size_t b = 0; b < (blocks + 255) / 256; ++b) nested.push_back(real() / 16);
        for (std::size_t b = 0; b < blocks; ++b) {
            peak_codes.push_back(static_cast<std::uint8_t>(rng.next()));
            const float product = map[peak_codes[b]] * nested[b / 256];
            peaks.push_back(c.nested ? product + static_cast<float>(offset) : real() / 16);
        }
    }

    std::vector<float> weights() const {
        std::vector<float> out;
        for (std::size_t i = 0; i < codes.size(); ++i)
            out.push_back(peaks[i / static_cast<std::size_t>(c.block)]
                          * levels[static_cast<std::size_t>(codes[i])]);
        return out;
    }

    std::string state() const {
        std::string json = R"({"quant_type":")" + std::string(c.kind) + R"(","blocksize":)"
                           + std::to_string(c.block) + R"(,"dtype":"bfloat16","shape":)"
                           + shape_text(c.shape);
        if (c.nested)
            json += R"(,"nested_blocksize":256,"nested_dtype":"float32","nested_offset":)"
                    + std::to_string(offset);
        return json + "}";
    }

    void add_to(Folder& folder, const std::string& without = "", DType storage = DType::u8) const {
        const auto add = [&](const std::string& part, DType type, const auto& values) {
            if (part == without) return;
            folder.add("m.weight" + part, type, {static_cast<std::int64_t>(values.size())}, values);
        };
        std::vector<std::uint8_t> pairs((codes.size() + 1) / 2);
        for (std::size_t i = 0; i < codes.size(); ++i)
            pairs[i / 2] =
                static_cast<std::uint8_t>(pairs[i / 2] | codes[i] << (i % 2 == 0 ? 4 : 0));
        const auto size = static_cast<std::int64_t>(dtype_info(storage).block_bytes);
        folder.add("m.weight", storage, {static_cast<std::int64_t>(pairs.size()) / size, 1}, pairs);
        add(".quant_map", DType::f32, levels);
        const std::string json = state();
        add(".quant_state.bitsandbytes__" + std::string(c.kind), DType::u8,
            std::vector<std::uint8_t>(json.begin(), json.end()));
        if (!c.nested) return add(".absmax", DType::f32, peaks);
        add(".absmax", DType::u8, peak_codes);
        add(".nested_absmax", DType::f32, nested);
        add(".nested_quant_map", DType::f32, map);
    }
};

constexpr const char* kConfig = R"({"quant_method":"bitsandbytes","load_in_4bit":true})";

TEST(Bitsandbytes, FourBitsReadBackToTheBit) {
    Rng rng(39);
    for (const Case& c : kCases) {
        const Layer layer(c, rng);
        for (const char* config : {kConfig, ""}) {
            Folder folder{std::string(config)};
            layer.add_to(folder);
            test::expect_weights(folder, {"m.weight", c.type, c.shape, layer.weights()});
        }
    }
}

TEST(Bitsandbytes, AnyTypeMayHoldTheCodes) {
    Rng rng(46);
    const Layer layer({"nf4", {24, 128}, 64, true, false, DType::gnf4}, rng);
    for (const DType storage : {DType::bf16, DType::f32}) {
        Folder folder{std::string(kConfig)};
        layer.add_to(folder, "", storage);
        test::expect_weights(folder, {"m.weight", DType::gnf4, {24, 128}, layer.weights()});
    }
}

TEST(Bitsandbytes, EightBitsReadBackToTheBit) {
    Rng rng(40);
    for (const Shape& shape : {Shape{24, 64}, Shape{5, 33}}) {
        for (const char* config :
             {R"({"quant_method":"bitsandbytes"})", R"({"load_in_8bit":true})"}) {
            std::vector<std::int8_t> q;
            std::vector<float> scb;
            std::vector<float> want;
            for (std::int64_t r = 0; r < shape[0]; ++r) {
                scb.push_back(static_cast<float>(rng.uniform()));
                for (std::int64_t k = 0; k < shape[1]; ++k) {
                    q.push_back(static_cast<std::int8_t>(rng.next()));
                    want.push_back(static_cast<float>(q.back()) * (scb.back() / 127));
                }
            }
            Folder folder{std::string(config)};
            folder.add("m.weight", DType::i8, shape, q);
            folder.add("m.SCB", DType::f32, {shape[0]}, scb);
            folder.add("m.weight_format", DType::u8, {}, std::vector<std::uint8_t>{0});
            const DType type = shape[1] % 32 == 0 ? DType::gi8 : DType::f32;
            test::expect_weights(folder, {"m.weight", type, shape, want});
        }
    }
}

TEST(Bitsandbytes, WhatDoesNotFitIsNamed) {
    Rng rng(41);
    const Layer layer({"nf4", {24, 128}, 64, true, false, DType::gnf4}, rng);
    for (const char* part :
         {".quant_map", ".nested_absmax", ".nested_quant_map", ".quant_state.bitsandbytes__nf4"}) {
        Folder folder{std::string(kConfig)};
        layer.add_to(folder, part);
        folder.expect_error(Code::corrupt, "m.weight" + std::string(part) + "'");
    }
    const std::pair<const char*, const char*> states[] = {
        {"{", "valid JSON"},
        {R"({"blocksize":64})", "shape"},
        {R"({"blocksize":64,"shape":[]})", "shape"},
        {R"({"blocksize":64,"shape":[-1,4]})", "shape"},
        {R"({"blocksize":0,"shape":[24,128]})", "blocks of 0"},
        {R"({"blocksize":64,"shape":[24,256]})", "'m.weight' has 1536 bytes"},
        {R"({"blocksize":32,"shape":[24,128]})", "'m.weight.absmax' has 48 numbers"},
        {R"({"blocksize":64,"nested_blocksize":8,"shape":[24,128]})", "nested_absmax"},
        {R"({"blocksize":64,"shape":[4294967296,4294967296,4294967296]})",
         "larger than any memory"},
    };
    for (const auto& [json, message] : states) {
        Folder folder{std::string(kConfig)};
        layer.add_to(folder, ".quant_state.bitsandbytes__nf4");
        const std::string text = json;
        folder.add("m.weight.quant_state.bitsandbytes__nf4", DType::u8,
                   {static_cast<std::int64_t>(text.size())},
                   std::vector<std::uint8_t>(text.begin(), text.end()));
        folder.expect_error(Code::corrupt, message);
    }
    Folder tiled(R"({"quant_method":"bitsandbytes"})");
    tiled.add("m.weight", DType::i8, {1, 32}, std::vector<std::int8_t>(32));
    tiled.add("m.SCB", DType::f32, {1}, std::vector<float>{1});
    tiled.add("m.weight_format", DType::u8, {}, std::vector<std::uint8_t>{3});
    tiled.expect_error(Code::unsupported, "other than rows");
}

}  // namespace
}  // namespace heft::format::packed
