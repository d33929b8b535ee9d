// What a merge will do, worked out and checked before the first byte is written: which models,
// which tensor of the result comes from which inputs with which parameters, which vocabulary.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "merge/model.h"
#include "merge/recipe.h"
#include "merge/settings.h"
#include "merge/vocabulary.h"

namespace heft::merge {

struct PlannedTensor {
    struct From {
        int model = 0;
        const ModelTensor* tensor = nullptr;
    };
    std::string name;
    Shape shape;
    DType type = DType::f32;  // as it is written
    std::optional<From> base;
    std::vector<From> models;
    Settings settings;
    bool by_token = false;
    bool is_buffer = false;  // copied from models[0]

    std::int64_t size() const { return rows_of(shape) * columns_of(shape); }
};

// Whose layer each layer of the result is, first of all: for settings that are listed by layer.
struct LayerOrigin {
    int model = 0, layer = 0;
};

// Not copyable: the tensors point into the models. Movable.
struct Plan {
    Recipe recipe;
    std::vector<Model> models;  // the base, or the first model of the recipe, in front
    Layout layout = Layout::huggingface;
    Vocabulary vocabulary;
    std::vector<PlannedTensor> tensors;
    std::vector<LayerOrigin> layers;
    bool has_output = false;  // an output matrix of its own: not tied to the embeddings
    std::vector<std::string> notes;

    // How many passes over its inputs a tensor takes.
    int passes(const PlannedTensor& tensor) const;
};

struct PlanOptions {
    Places places;
    std::uint64_t seed = 0;
    bool allow_crimes = false;  // other architectures, other vocabularies
};

// Errors: those of files; invalid, where inputs do not fit together or the recipe lacks something.
Result<Plan> make_plan(Recipe recipe, const PlanOptions& options);

// The tensor's inputs. The plan must live, and stay where it is, as long as they are used.
Inputs inputs_of(const Plan& plan, const PlannedTensor& tensor);

}  // namespace heft::merge
