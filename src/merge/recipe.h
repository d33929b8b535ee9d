// A recipe of a merge, in mergekit's YAML. What it says is checked as far as it can be without the
// models: names, numbers, how many models a method takes. Errors name the line.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "merge/method.h"
#include "tensor/dtype.h"

namespace heft::merge {

// A parameter's value, which may depend on the tensor's name and on the layer's place.
class Setting {
  public:
    struct Case {
        std::string filter;          // part of a tensor's name; empty: any
        std::vector<double> points;  // one: a number; several: a gradient over the layers
    };
    explicit Setting(std::vector<Case> cases = {}) : cases_(std::move(cases)) {}

    // The first case that fits the name; absent: none does. `place`: 0 at the first layer of the
    // slice, 1 at the last; between two points of a gradient the value lies on the line.
    std::optional<double> at(std::string_view tensor, double place) const;
    const std::vector<Case>& cases() const { return cases_; }

  private:
    std::vector<Case> cases_;
};

using Parameters = std::map<Parameter, Setting>;

struct LayerRange {
    int begin = 0, end = 0;  // [begin, end)
};

struct Source {
    std::string model;                 // as it is written: a path, or a repository's name
    std::optional<LayerRange> layers;  // absent: all
    Parameters parameters;
    int line = 0;
};

struct Slice {
    std::vector<Source> sources;  // the base among them, or not
    std::string base;             // empty: the recipe's
    Parameters parameters;
    int line = 0;
};

// Where a token's embedding comes from, where models have different vocabularies.
struct TokenChoice {
    std::string model;  // empty: see `zero`
    bool zero = false;  // zeros rather than a model's
    std::string token;  // of the model: another token's embedding; empty: the same
    std::optional<int> token_id;
    bool force = false;  // also for models that have the token
};

struct TokenizerChoice {
    bool chosen = false;  // false: the base's files as they are
    std::string source;   // "union", "base", or a model
    std::map<std::string, TokenChoice> tokens;
    int pad_to_multiple_of = 0;
    int line = 0;
};

struct Recipe {
    const Method* method = nullptr;
    std::vector<Slice> slices;  // `models` are one slice of whole models
    bool stacks = false;        // written as slices: layers may be chosen and counted anew
    std::string base;           // empty: none
    Parameters parameters, module_parameters;
    std::optional<DType> dtype, out_dtype;
    TokenizerChoice tokenizer;
    std::string chat_template;       // empty: the base's
    std::vector<std::string> notes;  // what is read and has no effect
    std::string text;

    // Every model that is named, the base first, each once.
    std::vector<std::string> models() const;

    // A parameter's value by mergekit's precedence: the source's, the slice's, the module's, the
    // recipe's. `source` may be null. Absent: nowhere.
    std::optional<double> value(Parameter parameter, const Slice& slice, const Source* source,
                                std::string_view tensor, double place) const;
};

Result<Recipe> read_recipe(std::string_view text);

}  // namespace heft::merge
