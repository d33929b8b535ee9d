// What a base model says at a text, kept in a file, so that many models are compared with it and it
// runs once. Distributions are kept to a few parts in 10000 of the divergences made of them: ids of
// probability 1/4096 or more, and the token that came, exactly; the others in a byte each, their
// logarithms in equal steps. docs/decisions/0024 says why. Little endian:
//
//   "HEFTBASE", u32 version 1, u32 n_vocab, u32 n_ctx, u32 first position whose row is kept,
//   u32 n_windows, u32 length of the base's name, the name, i32 ids [n_windows, n_ctx]; then for
//   each window a row for each position from the first up to n_ctx - 2:
//   f32 lowest logarithm, f32 step, u32 n_exact, n_exact times (u32 id, f32 logarithm), ids
//   ascending, u8 steps above the lowest [n_vocab].
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "eval/windows.h"

namespace heft::eval {

// Whether bytes begin as such a file does.
bool is_base_logits(Bytes bytes);

// The file's beginning, for windows as cut() makes them (all of one length and with the same
// positions), and a row of it: of the logits before `token`.
std::string base_header(std::string_view model, int n_vocab, std::span<const Window> windows);
void append_base_row(std::span<const float> logits, std::int32_t token, std::string& to);

// Reads one; the bytes outlive it.
class BaseLogits {
  public:
    // Errors: corrupt, unsupported.
    static Result<BaseLogits> parse(Bytes bytes);

    const std::string& model() const { return model_; }
    int n_vocab() const { return n_vocab_; }
    const std::vector<Window>& windows() const { return windows_; }

    // The next row, as natural logarithms of probabilities that sum to nearly 1; row[n_vocab]. They
    // come window by window, by position. Errors: corrupt.
    Status next(std::vector<float>& row);

  private:
    explicit BaseLogits(ByteReader rows) : rows_(rows) {}

    ByteReader rows_;
    std::string model_;
    int n_vocab_ = 0;
    std::vector<Window> windows_;
};

}  // namespace heft::eval
