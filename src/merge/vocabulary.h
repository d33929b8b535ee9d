// Which token each row of the result's embeddings stands for, and where the row comes from: models
// of one family may number their tokens differently, or have some that others lack.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "merge/model.h"
#include "merge/recipe.h"
#include "text/tokenizer.h"

namespace heft::merge {

struct Vocabulary {
    // A row of a model's matrix; a mean of several where the model at hand lacks the token.
    struct Row {
        int model = 0;
        std::int32_t row = 0;
    };
    // A token that the base's tokenizer lacks.
    struct Added {
        std::string text;
        int id = 0;
        bool is_control = false;  // never part of a text
        bool is_whole = false;    // cut out of texts as it is, where its own model did so
    };

    std::int64_t n_rows = 0;  // of the result's matrices
    bool is_changed = false;  // false: the rows of every model, the first n_rows of them
    int tokenizer_of = 0;     // the model whose tokenizer the result has, with `added`
    std::vector<Added> added;
    // Where is_changed. [model][row]: the model's own row, or -1: the rows of `stand_in`, none for
    // zeros.
    std::vector<std::vector<std::int32_t>> rows;
    std::vector<std::vector<Row>> stand_in;
    std::vector<std::string> notes;
};

// Models of the recipe, the base (or first) one in front. Errors: invalid, where vocabularies
// differ and the recipe does not say what to do about it.
Result<Vocabulary> plan_vocabulary(const Recipe& recipe, const std::vector<Model>& models,
                                   bool allow_differences);

// Reads rows of the result's matrix for one model.
ReadRows by_token(const Vocabulary& vocabulary, int model, std::vector<ReadRows> models,
                  std::int64_t n_columns);

}  // namespace heft::merge
