// A tensor on its way into a file: what it is, and who gives its bytes when they are wanted.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

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

// How a file comes into being: at once, with nothing left of a failure (output_file.h), or over a
// long time, so that a program that was stopped can go on with it (resumable_file.h).
enum class Writing { at_once, resumable };

// The same tensor again; the view's bytes must live until it is written.
TensorSource source_of(const TensorView& tensor);

// Runs the producer and checks that it gives exactly `bytes` bytes.
Status produce_exactly(const TensorSource& source, std::uint64_t bytes, const ByteSink& out);

// A tensor and the room it takes in a file: its bytes, then zeros.
struct Piece {
    const TensorSource* tensor = nullptr;
    std::uint64_t bytes = 0;
    std::uint64_t padded = 0;
};

// What is known of a file only when all of it is written, before it takes its name: called with its
// bytes, answers the beginning that it gets in place of the header, of the same length.
using Finish = std::function<Result<std::string>(Bytes file)>;

// What is made of a file: its beginning, and the tensors after it.
struct Pieces {
    std::string header;
    std::vector<Piece> tensors;
};

class TensorHashes;

// Writes a file. What an earlier attempt left is used. Cancelled, it leaves what there is; after
// another error nothing. A complete file of the same beginning and size stays as it is, unless it
// is to be finished. `hashes` (may be nullptr) has those of all tensors then.
Status write_resumably(const std::filesystem::path& path, const Pieces& pieces,
                       const Finish& finish = {}, TensorHashes* hashes = nullptr);

// All of that but giving the file its name and finishing it: write_resumably() goes on there.
Status prepare_resumably(const std::filesystem::path& path, const Pieces& pieces,
                         TensorHashes* hashes = nullptr);

// A sink that hands `zeros` zero bytes on.
Status pad(std::uint64_t zeros, const ByteSink& out);

}  // namespace heft::format
