#include "merge/recipe_values.h"

#include <algorithm>
#include <utility>

namespace heft::merge {

namespace {

Result<double> number_of(const Node& node) {
    if (node.value().is_boolean()) return node.value().get<bool>() ? 1.0 : 0.0;
    if (!node.value().is_number()) return node.error("a number, true or false is expected here");
    return node.value().get<double>();
}

// A number, or a list of them.
Result<std::vector<double>> points_of(const Node& node) {
    std::vector<double> points;
    if (!node.value().is_array()) {
        HEFT_TRY(const double number, number_of(node));
        return std::vector<double>{number};
    }
    for (std::size_t i = 0; i < node.size(); ++i) {
        HEFT_TRY(const double number, number_of(node.item(i)));
        points.push_back(number);
    }
    if (points.empty()) return node.error("a gradient without numbers");
    return points;
}

Result<Setting::Case> case_of(const Node& node) {
    Setting::Case out;
    HEFT_OK(read_keys(node, "a value for some tensors",
                      {{"filter",
                        [&](const Node& at) -> Status {
                            HEFT_TRY(out.filter, at.text("filter"));
                            if (out.filter == "*") out.filter.clear();
                            return {};
                        }},
                       {"value", [&](const Node& at) -> Status {
                            HEFT_TRY(out.points, points_of(at));
                            return {};
                        }}}));
    if (out.points.empty()) return node.error("a filter without a value");
    return out;
}

}  // namespace

Status read_keys(const Node& node, const char* what, const std::vector<Key>& keys) {
    if (!node.value().is_object())
        return node.error(std::string(what) + " has to be a mapping of names to values");
    for (std::size_t i = 0; i < node.size(); ++i) {
        const std::string name = node.key(i);
        const auto known = std::find_if(keys.begin(), keys.end(),
                                        [&name](const Key& key) { return key.name == name; });
        if (known == keys.end()) {
            std::string names;
            for (const Key& key : keys) names += std::string(names.empty() ? "" : ", ") + key.name;
            return node.item(i).error(std::string(what) + " has no \"" + name.substr(0, 60)
                                      + "\"; it may have " + names);
        }
        if (!node.item(i).value().is_null()) HEFT_OK(known->read(node.item(i)));
    }
    return {};
}

Result<Setting> setting_of(const Node& node) {
    std::vector<Setting::Case> cases;
    if (node.value().is_object()) {
        HEFT_TRY(Setting::Case one, case_of(node));
        cases.push_back(std::move(one));
    } else if (node.value().is_array() && node.size() > 0 && node.item(0).value().is_object()) {
        for (std::size_t i = 0; i < node.size(); ++i) {
            HEFT_TRY(Setting::Case one, case_of(node.item(i)));
            cases.push_back(std::move(one));
        }
    } else {
        HEFT_TRY(std::vector<double> points, points_of(node));
        cases.push_back({"", std::move(points)});
    }
    return Setting(std::move(cases));
}

Result<DType> dtype_of(const Node& node) {
    constexpr std::pair<std::string_view, DType> names[] = {
        {"float32", DType::f32}, {"float16", DType::f16}, {"bfloat16", DType::bf16},
        {"fp32", DType::f32},    {"fp16", DType::f16},    {"bf16", DType::bf16},
        {"float", DType::f32},   {"half", DType::f16},
    };
    HEFT_TRY(std::string name, node.text("a type"));
    if (name.starts_with("torch.")) name.erase(0, 6);
    for (const auto& [known, type] : names)
        if (known == name) return type;
    return node.error("type \"" + name.substr(0, 40)
                      + "\" is not one of float32, float16 and bfloat16");
}

// "org/name", or {model: {path: org/name}}.
Result<std::string> model_of(const Node& node) {
    if (!node.value().is_object()) {
        HEFT_TRY(std::string name, node.text("a model"));
        if (name.find('+') != std::string::npos)
            return node.error(
                "an adapter (\"model+adapter\") cannot be part of a merge; make a "
                "model of it first");
        return name;
    }
    std::string name;
    HEFT_OK(read_keys(node, "a model",
                      {{"model",
                        [&](const Node& at) -> Status {
                            HEFT_TRY(name, model_of(at));
                            return {};
                        }},
                       {"path",
                        [&](const Node& at) -> Status {
                            HEFT_TRY(name, at.text("path"));
                            return {};
                        }},
                       {"revision",
                        [&](const Node& at) -> Status {
                            HEFT_TRY(const std::string revision, at.text("revision"));
                            name += "@" + revision;
                            return {};
                        }},
                       {"lora", [](const Node& at) -> Status {
                            return at.error(
                                "an adapter cannot be part of a merge; make a model of "
                                "it first");
                        }}}));
    if (name.empty()) return node.error("a model without a path");
    return name;
}

}  // namespace heft::merge
