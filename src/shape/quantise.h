// From a model to what each of its tensors will be stored as in a GGUF file, and that file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "arch/arch.h"
#include "convert/to_gguf.h"
#include "format/checkpoint.h"
#include "format/gguf_writer.h"
#include "shape/encoder.h"
#include "shape/imatrix.h"
#include "shape/mix.h"

namespace heft::shape {

// A model as its GGUF file will have it: metadata and tensors, read from a checkpoint of any
// layout, which (and the overlay) must stay.
struct GgufModel {
    format::GgufWriter writer;  // metadata only
    std::vector<convert::Weight> weights;
    ModelFacts facts;
};
// Errors: what the configuration or the tokenizer cannot say in GGUF.
Result<GgufModel> gguf_model(const format::Checkpoint& checkpoint,
                             const convert::Overlay& overlay = {});

// "blk.0.*=Q8_0": tensors whose names fit the pattern (* and ? as in file names).
struct Override {
    std::string pattern;
    DType type = DType::f32;
};
Result<Override> parse_override(const std::string& text);
// The first that fits; nullptr: none does.
const Override* find_override(const std::vector<Override>& overrides, const std::string& name);

struct QuantiseOptions {
    const MixInfo* mix = nullptr;     // absent: as stored, or the nearest type that GGUF has
    std::vector<Override> overrides;  // the first that fits decides
    bool allow_requantise = false;    // of types that have lost precision already
    const Imatrix* imatrix = nullptr;
};

struct TensorPlan {
    convert::Weight weight;
    DType type = DType::f32;
    std::vector<float> importance;  // empty: none
    std::uint64_t bytes = 0;
};

struct QuantisePlan {
    std::vector<TensorPlan> tensors;
    std::uint64_t bytes = 0;           // of all tensors
    std::uint64_t work = 0;            // numbers to read
    std::vector<std::string> remarks;  // what a person should know: one sentence each
    std::vector<std::string> requantised;
};
// Errors: invalid where it would lose precision a second time without leave, or an override fits no
// tensor; unsupported types.
Result<QuantisePlan> plan_quantising(std::vector<convert::Weight> weights, const ModelFacts& facts,
                                     const QuantiseOptions& options);

// Sets general.file_type and what belongs to it.
void set_quantised(format::GgufWriter& writer, const MixInfo& mix);

// Seconds that encoding will take, from a piece of random numbers in each type.
Result<double> estimate_seconds(const QuantisePlan& plan, ThreadPool& pool);

// Adds the tensors of a plan. Plan and encoder must live until the writer has written.
void add_tensors(format::GgufWriter& writer, const QuantisePlan& plan, Encoder& encoder);

}  // namespace heft::shape
