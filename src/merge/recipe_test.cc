// Recipes as text, and what is planned of them, with models made for the purpose.
#include "merge/recipe.h"

#include <map>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "../../tests/shared_data.h"
#include "../../tests/temp_folder.h"
#include "base/mapped_file.h"
#include "format/safetensors_writer.h"
#include "format/yaml.h"
#include "merge/card.h"
#include "merge/plan.h"

namespace heft::merge {
namespace {

using heft::testing::TempFolder;

std::string error_of(std::string_view text) {
    const auto recipe = read_recipe(text);
    return recipe ? "" : recipe.error().what;
}

TEST(Recipe, ErrorsNameTheLine) {
    const std::pair<const char*, const char*> cases[] = {
        {"models:\n- model: a\nmerge_method: lineer\n", "line 3: no merge_method \"lineer\""},
        {"merge_method: linear\nmodels:\n- model: a\n  parameter: {}\n",
         "line 4: an entry has no \"parameter\""},
        {"merge_method: linear\nmodels:\n- model: a\n  parameters:\n    weight: heavy\n",
         "line 5: a number"},
        {"merge_method: ties\nmodels:\n- model: a\n", "line 2: ties needs a base_model"},
        {"merge_method: slerp\nbase_model: a\nmodels:\n- model: a\n- model: b\n- model: c\n",
         "line 3: slerp takes exactly 1 model beside the base, and here are 2"},
        {"merge_method: linear\nmodels:\n- model: a\nslices: []\n", "line 4: only one of"},
        {"merge_method: passthrough\nslices:\n- sources:\n  - model: a\n    layer_range: [4, 2]\n",
         "line 5: layer_range"},
        {"merge_method: linear\ndtype: int4\nmodels:\n- model: a\n", "line 2: type \"int4\""},
        {"merge_method: linear\nmodels:\n- model: a+adapter\n", "line 3: an adapter"},
        {"merge_method: slerp\nbase_model: a\nslices:\n- sources:\n  - {model: a, layer_range: [0, "
         "2]}\n  - {model: b, layer_range: [0, 3]}\n",
         "line 6: all sources"},
        {"merge_method: linear\nmodels:\n- model: a\n  parameters:\n    weight:\n    - value: []\n",
         "line 6: a gradient without numbers"},
        {"- a\n", "line 1: a recipe has to be a mapping"},
        {"", "a recipe has to be a mapping"},
        {"models: [{model: a}]\n", "needs a merge_method"},
        {"merge_method: linear\n", "needs models"},
    };
    for (const auto& [text, wanted] : cases)
        EXPECT_NE(error_of(text).find(wanted), std::string::npos) << text << error_of(text);
}

TEST(Recipe, ParametersAreFoundByPrecedenceFilterAndPlace) {
    const auto recipe = read_recipe(R"(
merge_method: ties
base_model: base
slices:
- sources:
  - model: a
    layer_range: [0, 5]
    parameters: {weight: [0, 1]}
  - model: b
    layer_range: [0, 5]
  - model: base
    layer_range: [0, 5]
  parameters:
    density:
    - {filter: mlp, value: [0.1, 0.2, 0.4]}
    - {filter: q_proj, value: 0.9}
parameters: {weight: 0.5, density: 0.3, normalize: true, densty: 1}
)");
    ASSERT_TRUE(recipe) << recipe.error().what;
    const Slice& slice = recipe->slices[0];
    const auto value = [&](Parameter parameter, std::size_t source, const char* tensor,
                           double place) {
        return *recipe->value(parameter, slice, &slice.sources[source], tensor, place);
    };
    EXPECT_DOUBLE_EQ(value(Parameter::weight, 0, "x", 0.25), 0.25);
    EXPECT_DOUBLE_EQ(value(Parameter::weight, 1, "x", 0.25), 0.5);
    EXPECT_DOUBLE_EQ(value(Parameter::density, 0, "layers.1.mlp.up", 0.75), 0.3);
    EXPECT_DOUBLE_EQ(value(Parameter::density, 0, "layers.1.mlp.up", 1), 0.4);
    EXPECT_DOUBLE_EQ(value(Parameter::density, 0, "q_proj.weight", 0), 0.9);
    EXPECT_DOUBLE_EQ(value(Parameter::density, 0, "v_proj.weight", 0), 0.3);
    EXPECT_DOUBLE_EQ(value(Parameter::normalize, 0, "", 0), 1);
    EXPECT_FALSE(recipe->value(Parameter::lambda, slice, nullptr, "", 0));
    ASSERT_EQ(recipe->notes.size(), 1U);
    EXPECT_NE(recipe->notes[0].find("densty"), std::string::npos);
    EXPECT_EQ(recipe->models(), (std::vector<std::string>{"base", "a", "b"}));
}

// ---- plans

struct Shape1 {
    int layers = 3, width = 4, vocabulary = 6;
    bool output = true;
    float value = 1;
};

// A folder with a model whose numbers are all the same.
void make_model(const std::filesystem::path& folder, const Shape1& shape,
                const std::string& type = "a_family_of_its_own") {
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "config.json")
        << nlohmann::json{{"model_type", type}, {"num_hidden_layers", shape.layers}}.dump();
    std::map<std::string, Shape> tensors = {
        {"model.embed_tokens.weight", {shape.vocabulary, shape.width}},
        {"model.norm.weight", {shape.width}}};
    if (shape.output) tensors["lm_head.weight"] = {shape.vocabulary, shape.width};
    for (int layer = 0; layer < shape.layers; ++layer)
        for (const char* part : {"self_attn.q_proj", "mlp.up_proj"})
            tensors["model.layers." + std::to_string(layer) + "." + part + ".weight"] = {
                shape.width, shape.width};
    format::SafetensorsWriter writer;
    for (const auto& [name, extents] : tensors) {
        std::int64_t n = 1;
        for (const std::int64_t extent : extents) n *= extent;
        const std::vector<float> values(static_cast<std::size_t>(n), shape.value);
        writer.add({name, DType::f32, extents, [values](const format::ByteSink& sink) {
                        return sink(std::as_bytes(std::span(values)));
                    }});
    }
    ASSERT_TRUE(writer.write(folder / "model.safetensors"));
}

Result<Plan> plan_of(const std::string& text, const std::filesystem::path& models) {
    HEFT_TRY(Recipe recipe, read_recipe(text));
    PlanOptions options;
    options.places.models = models;
    return make_plan(std::move(recipe), options);
}

const PlannedTensor& tensor_of(const Plan& plan, const std::string& name) {
    for (const PlannedTensor& tensor : plan.tensors)
        if (tensor.name == name) return tensor;
    ADD_FAILURE() << "no tensor " << name;
    return plan.tensors.front();
}

TEST(Plan, RecipesOfMergekitAreAcceptedAsTheyAre) {
    const auto folder = heft::testing::shared_data() / "real" / "merge-recipes";
    HEFT_NEED_SHARED(folder);
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        const auto text = read_text(entry.path());
        ASSERT_TRUE(text);
        const auto recipe = read_recipe(*text);
        ASSERT_TRUE(recipe) << entry.path() << ": " << recipe.error().what;
        EXPECT_TRUE(recipe->notes.empty()) << recipe->notes.front();
        const TempFolder models;
        for (const std::string& name : recipe->models())
            make_model(models.path() / name, {.layers = 40});
        const auto plan = plan_of(*text, models.path());
        ASSERT_TRUE(plan) << entry.path() << ": " << plan.error().what;
        EXPECT_EQ(plan->layers.size(), recipe->stacks && recipe->slices.size() > 1 ? 44U : 40U);
        ++count;
    }
    EXPECT_GE(count, 6U);
}

TEST(Plan, GradientsRunFromTheFirstLayerToTheLast) {
    const TempFolder models;
    for (const char* name : {"base", "a"}) make_model(models.path() / name, {});
    const auto plan = plan_of(
        "merge_method: task_arithmetic\nbase_model: base\nmodels:\n- model: a\n"
        "  parameters: {weight: [0, 0.5, 2]}\n",
        models.path());
    ASSERT_TRUE(plan) << plan.error().what;
    const auto weight = [&](const std::string& name) {
        return tensor_of(*plan, name).settings.models[0][Parameter::weight];
    };
    EXPECT_DOUBLE_EQ(weight("model.embed_tokens.weight"), 0);
    EXPECT_DOUBLE_EQ(weight("model.layers.0.mlp.up_proj.weight"), 0);
    EXPECT_DOUBLE_EQ(weight("model.layers.1.mlp.up_proj.weight"), 0.5);
    EXPECT_DOUBLE_EQ(weight("model.layers.2.mlp.up_proj.weight"), 2);
    EXPECT_DOUBLE_EQ(weight("lm_head.weight"), 2);
}

TEST(Plan, StackedLayersAreCountedAnewAndRemember) {
    const TempFolder models;
    make_model(models.path() / "a", {.layers = 4});
    make_model(models.path() / "b", {.layers = 4});
    const auto plan = plan_of(
        "merge_method: passthrough\nslices:\n- sources: [{model: a, layer_range: [0, 3]}]\n"
        "- sources: [{model: b, layer_range: [1, 4]}]\n",
        models.path());
    ASSERT_TRUE(plan) << plan.error().what;
    ASSERT_EQ(plan->layers.size(), 6U);
    EXPECT_EQ(plan->layers[3].layer, 1);
    const auto& from = tensor_of(*plan, "model.layers.3.mlp.up_proj.weight").models[0];
    EXPECT_EQ(plan->models[static_cast<std::size_t>(from.model)].reference, "b");
    EXPECT_EQ(from.tensor->name, "model.layers.1.mlp.up_proj.weight");
}

TEST(Plan, WhatDoesNotFitIsToldBeforeAnythingIsWritten) {
    const TempFolder models;
    make_model(models.path() / "a", {});
    make_model(models.path() / "wide", {.width = 8});
    make_model(models.path() / "deep", {.layers = 4});
    make_model(models.path() / "other", {}, "another_family");
    const auto fails = [&](const std::string& other, const std::string& wanted) {
        const auto plan = plan_of(
            "merge_method: linear\nmodels:\n"
            "- {model: a, parameters: {weight: 1}}\n- {model: "
                + other + ", parameters: {weight: 1}}\n",
            models.path());
        ASSERT_FALSE(plan);
        EXPECT_NE(plan.error().what.find(wanted), std::string::npos) << plan.error().what;
    };
    fails("wide", "shape [6, 8]");
    fails("deep", "has 4 layers");
    fails("other", "another_family");
    fails("nowhere", "model nowhere: no such file");
    const auto plan =
        plan_of("merge_method: linear\nmodels:\n- model: a\n- model: a\n", models.path());
    ASSERT_FALSE(plan);
    EXPECT_NE(plan.error().what.find("needs the parameter weight of a"), std::string::npos);
}

TEST(Plan, AModelWithoutAnOutputMatrixGivesItsEmbeddings) {
    const TempFolder models;
    make_model(models.path() / "a", {.output = false});
    make_model(models.path() / "b", {});
    const auto plan = plan_of(
        "merge_method: linear\nmodels:\n- model: a\n- model: b\n"
        "parameters: {weight: 1}\n",
        models.path());
    ASSERT_TRUE(plan) << plan.error().what;
    EXPECT_TRUE(plan->has_output);
    EXPECT_EQ(tensor_of(*plan, "lm_head.weight").models[0].tensor->name,
              "model.embed_tokens.weight");
}

TEST(Plan, RowsThatAreOnlyPaddingAreLeftOut) {
    const TempFolder models;
    make_model(models.path() / "a", {.vocabulary = 8});
    make_model(models.path() / "b", {.vocabulary = 6});
    const auto plan = plan_of(
        "merge_method: linear\nmodels:\n- model: a\n- model: b\n"
        "parameters: {weight: 1}\n",
        models.path());
    ASSERT_TRUE(plan) << plan.error().what;
    EXPECT_EQ(tensor_of(*plan, "lm_head.weight").shape, (Shape{6, 4}));
}

TEST(Card, HasFrontMatterThatHubsRead) {
    const TempFolder models;
    for (const char* name : {"org/base", "org/a"}) make_model(models.path() / name, {});
    const auto plan = plan_of(
        "merge_method: ties\nbase_model: org/base\nmodels:\n- model: org/a\n"
        "parameters: {weight: 1} # ``` and more\n",
        models.path());
    ASSERT_TRUE(plan) << plan.error().what;
    const std::string card = model_card(*plan, "merged", {});
    const auto split = format::split_card(card);
    ASSERT_TRUE(split.front_matter);
    const auto matter = format::read_yaml(*split.front_matter);
    ASSERT_TRUE(matter);
    EXPECT_EQ((*matter)["base_model"], (nlohmann::ordered_json{"org/base", "org/a"}));
    EXPECT_EQ((*matter)["tags"][0], "merge");
    EXPECT_TRUE(matter->contains("license"));
    EXPECT_NE(card.find("````yaml\nmerge_method: ties"), std::string::npos);
}

}  // namespace
}  // namespace heft::merge
