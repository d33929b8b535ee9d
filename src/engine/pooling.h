// One vector for a text, from the rows of its tokens.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/engine.h"

namespace heft::engine {

enum class Pooling : std::uint8_t { mean, last, cls };  // cls: the first token's

// "mean", "last", "cls"; others are an error.
Result<Pooling> parse_pooling(std::string_view name);

// [n_token, width] to [width]; at least one row.
std::vector<float> pooled(std::span<const float> rows, std::size_t width, Pooling pooling);

void normalise(std::vector<float>& vector);  // to length 1; zero stays as it is

// A text too long for the model is Code::invalid and says by how much.
Result<std::vector<float>> embed(const Engine& engine, std::span<const TokenId> ids,
                                 Pooling pooling, int adapter = 0);

}  // namespace heft::engine
