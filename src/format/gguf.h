// Reader of GGUF v2 and v3 files. Source: the GGUF specification of the ggml project; our notes are
// in docs/formats/gguf.md. Everything is checked before use; nothing is copied but names.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "format/metadata.h"
#include "tensor/tensor.h"

namespace heft::format {

// One file's contents; views into `bytes`, which must outlive it.
struct Gguf {
    std::uint32_t version = 3;
    std::uint64_t alignment = 32;
    Metadata metadata;
    std::vector<TensorView> tensors;
};

// Errors: corrupt, unsupported (v1, big-endian, newer versions, unknown tensor types). The sentence
// says what and where; the caller adds the file's name.
Result<Gguf> parse_gguf(Bytes bytes);

// What parts that heft writes say of the whole that they belong to, all of them the same: parts of
// different models under one name must not open together. Not in files that others split.
inline constexpr std::string_view kWholeKey = "split.whole";

// The name of a part, counted from 1: "stem-00001-of-00003.gguf".
std::string gguf_part_name(const std::string& stem, int part, int parts);

// The files of a split model, in order, from the path of any of them ("x-00001-of-00003.gguf"); of
// an unsplit file, itself.
Result<std::vector<std::filesystem::path>> gguf_parts(const std::filesystem::path& path);

}  // namespace heft::format
