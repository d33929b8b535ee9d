// Importance matrices: for each weight matrix the mean square of what each of its columns is
// multiplied by, over a text. Reads and writes llama.cpp's two formats: GGUF (general.type
// "imatrix", a pair of tensors NAME.in_sum2 and NAME.counts for each matrix) and the older ".dat".
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace heft::shape {

struct Imatrix {
    struct Entry {
        std::vector<float> sums;  // of squares, by column; of stacked matrices one after the other
        std::vector<float> counts;  // how many inputs each of the matrices has seen
    };
    std::map<std::string, Entry, std::less<>> entries;  // by the weight's name in GGUF files
    std::vector<std::string> datasets;
    int chunks = 0;
    int chunk_size = 0;  // tokens; 0: unknown

    // Means for a matrix, by column (of stacked ones, one after the other); a stacked matrix that
    // saw nothing gets ones. Empty where there is no entry of this name and size.
    std::vector<float> importance(std::string_view name, std::int64_t n_cols) const;
};

// Either format, told by its first bytes. Errors: corrupt, unsupported, those of the file.
Result<Imatrix> read_imatrix(const std::filesystem::path& path);
Result<Imatrix> parse_imatrix(Bytes bytes);

// The older format where the path ends in ".dat". It has no counts for each of stacked matrices:
// one that saw nothing gets ones.
Status write_imatrix(const Imatrix& imatrix, const std::filesystem::path& path);

}  // namespace heft::shape
