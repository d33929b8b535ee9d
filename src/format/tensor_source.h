// A tensor on its way into a file: what it is, and who gives its bytes when they are wanted.
#pragma once

#include <functional>
#include <string>

#include "base/bytes.h"
#include "tensor/tensor.h"

namespace heft::format {

using ByteSink = std::function<Status(Bytes)>;

struct TensorSource {
    std::string name;
    DType type = DType::f32;
    Shape shape;  // outermost first
    // Hands the tensor's bytes to the sink, in order, in one piece or many. Called once per write;
    // only then need the bytes exist.
    std::function<Status(const ByteSink&)> produce;
};

// The same tensor again; the view's bytes must live until it is written.
TensorSource source_of(const TensorView& tensor);

// Runs the producer and checks that it gives exactly `bytes` bytes.
Status produce_exactly(const TensorSource& source, std::uint64_t bytes, const ByteSink& out);

// A sink that hands `zeros` zero bytes on.
Status pad(std::uint64_t zeros, const ByteSink& out);

}  // namespace heft::format
