#include "merge/recipe.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>

#include "merge/recipe_values.h"

namespace heft::merge {

namespace {

constexpr format::YamlLimits kLimits{1U << 18, 20'000, 1U << 20, 16};
constexpr std::size_t kMostModels = 100;
constexpr std::size_t kMostSlices = 1000;
constexpr int kMostLayers = 100'000;

class Reader {
  public:
    Status read(const Node& root) {
        std::size_t bodies = 0;
        const auto body = [&bodies](auto read) {
            return [&bodies, read](const Node& node) -> Status {
                if (++bodies > 1)
                    return node.error("only one of models, slices and modules can be there");
                return read(node);
            };
        };
        HEFT_OK(read_keys(
            root, "a recipe",
            {{"merge_method", [this](const Node& node) { return read_method(node); }},
             {"models", body([this](const Node& node) { return read_models(node); })},
             {"slices", body([this](const Node& node) { return read_slices(node); })},
             {"modules", body([this](const Node& node) { return read_modules(node); })},
             {"base_model", [this](const Node& node) { return take(model_of(node), out.base); }},
             {"parameters",
              [this](const Node& node) { return read_parameters(node, out.parameters); }},
             {"dtype", [this](const Node& node) { return take_type(node, out.dtype); }},
             {"out_dtype", [this](const Node& node) { return take_type(node, out.out_dtype); }},
             {"tokenizer_source", [this](const Node& node) { return read_source(node); }},
             {"tokenizer", [this](const Node& node) { return read_tokenizer(node); }},
             {"chat_template", [this](const Node& node) {
                  return take(node.text("chat_template"), out.chat_template);
              }}}));
        if (out.method == nullptr) return root.error("a recipe needs a merge_method");
        if (out.slices.empty()) return root.error("a recipe needs models, slices or modules");
        return check();
    }

    Recipe out;

  private:
    template <class T>
    static Status take(Result<T> from, T& to) {
        if (!from) return std::move(from.error());
        to = std::move(*from);
        return {};
    }
    static Status take_type(const Node& node, std::optional<DType>& to) {
        HEFT_TRY(to, dtype_of(node));
        return {};
    }

    Status read_method(const Node& node) {
        HEFT_TRY(const std::string name, node.text("merge_method"));
        out.method = find_method(name);
        if (out.method != nullptr) return {};
        std::string names;
        for (const Method& method : methods())
            names += (names.empty() ? "" : ", ") + std::string(method.name);
        return node.error("no merge_method \"" + name.substr(0, 40) + "\"; there are " + names);
    }

    Status read_parameters(const Node& node, Parameters& to) {
        if (!node.value().is_object())
            return node.error("parameters have to be a mapping of names to values");
        for (std::size_t i = 0; i < node.size(); ++i) {
            const std::string name = node.key(i);
            if (node.item(i).value().is_null()) continue;
            const auto parameter = parameter_of(name);
            if (!parameter) {
                if (out.notes.size() < 100)
                    out.notes.push_back("line " + std::to_string(node.item(i).line())
                                        + ": no method knows a parameter \"" + name.substr(0, 60)
                                        + "\"; it has no effect");
                continue;
            }
            HEFT_TRY(to[*parameter], setting_of(node.item(i)));
        }
        return {};
    }

    Status read_layers(const Node& node, Source& source) {
        const Node::Json& value = node.value();
        const bool pair = value.is_array() && value.size() == 2 && value[0].is_number_integer()
                          && value[1].is_number_integer();
        const auto in_bounds = [](const Node::Json& number) {
            return number >= 0 && number <= kMostLayers;
        };
        if (!pair || !in_bounds(value[0]) || !in_bounds(value[1]) || value[0] >= value[1])
            return node.error(
                "layer_range is [first, end), two numbers of which the second is "
                "larger");
        source.layers = {value[0].get<int>(), value[1].get<int>()};
        return {};
    }

    Status read_source_model(const Node& node, bool with_layers, Slice& slice) {
        Source source;
        source.line = node.line();
        std::vector<Key> keys = {
            {"model", [&](const Node& at) { return take(model_of(at), source.model); }},
            {"parameters", [&](const Node& at) { return read_parameters(at, source.parameters); }}};
        if (with_layers)
            keys.push_back(
                {"layer_range", [&](const Node& at) { return read_layers(at, source); }});
        HEFT_OK(read_keys(node, "an entry", keys));
        if (source.model.empty()) return node.error("an entry without a model");
        if (with_layers && !source.layers) return node.error("an entry without a layer_range");
        slice.sources.push_back(std::move(source));
        return {};
    }

    Status read_list(const Node& node, const char* what, std::size_t most,
                     const std::function<Status(const Node&)>& read) {
        if (!node.value().is_array() || node.size() == 0)
            return node.error(std::string(what) + " has to be a list");
        if (node.size() > most)
            return node.error(std::string(what) + " has more than " + std::to_string(most)
                              + " entries");
        for (std::size_t i = 0; i < node.size(); ++i) HEFT_OK(read(node.item(i)));
        return {};
    }

    Status read_models(const Node& node) {
        Slice slice;
        slice.line = node.line();
        HEFT_OK(read_list(node, "models", kMostModels,
                          [&](const Node& at) { return read_source_model(at, false, slice); }));
        out.slices.push_back(std::move(slice));
        return {};
    }

    Status read_slices(const Node& node) {
        out.stacks = true;
        return read_list(node, "slices", kMostSlices, [this](const Node& at) -> Status {
            Slice slice;
            slice.line = at.line();
            const auto sources = [&](const Node& list) {
                return read_list(list, "sources", kMostModels, [&](const Node& one) {
                    return read_source_model(one, true, slice);
                });
            };
            HEFT_OK(read_keys(
                at, "a slice",
                {{"sources", sources},
                 {"base_model", [&](const Node& one) { return take(model_of(one), slice.base); }},
                 {"parameters",
                  [&](const Node& one) { return read_parameters(one, slice.parameters); }}}));
            if (slice.sources.empty()) return at.error("a slice without sources");
            out.slices.push_back(std::move(slice));
            return {};
        });
    }

    Status read_modules(const Node& node) {
        if (!node.value().is_object() || node.size() != 1)
            return node.error(
                "modules with other than one part are not merged; text models have "
                "one");
        return read_keys(node.item(0), "a module",
                         {{"models", [this](const Node& at) { return read_models(at); }},
                          {"slices", [this](const Node& at) { return read_slices(at); }},
                          {"parameters", [this](const Node& at) {
                               return read_parameters(at, out.module_parameters);
                           }}});
    }

    Status read_source(const Node& node) {
        if (out.tokenizer.chosen)
            return node.error("only one of tokenizer and tokenizer_source can be there");
        out.tokenizer.chosen = true;
        out.tokenizer.line = node.line();
        return take(model_of(node), out.tokenizer.source);
    }

    Status read_tokenizer(const Node& node) {
        if (out.tokenizer.chosen)
            return node.error("only one of tokenizer and tokenizer_source can be there");
        out.tokenizer.chosen = true;
        out.tokenizer.line = node.line();
        out.tokenizer.source = "union";
        return read_keys(
            node, "a tokenizer",
            {{"source",
              [this](const Node& at) { return take(model_of(at), out.tokenizer.source); }},
             {"tokens", [this](const Node& at) { return read_tokens(at); }},
             {"pad_to_multiple_of", [this](const Node& at) -> Status {
                  const Node::Json& value = at.value();
                  if (!value.is_number_integer() || value < 1 || value > 1'000'000)
                      return at.error("pad_to_multiple_of is a number from 1 to 1000000");
                  out.tokenizer.pad_to_multiple_of = value.get<int>();
                  return {};
              }}});
    }

    Status read_tokens(const Node& node) {
        if (!node.value().is_object()) return node.error("tokens have to be a mapping");
        for (std::size_t i = 0; i < node.size(); ++i) {
            TokenChoice choice;
            HEFT_OK(read_keys(
                node.item(i), "a token",
                {{"source", [&](const Node& at) { return read_token_source(at, choice); }},
                 {"force", [&](const Node& at) -> Status {
                      if (!at.value().is_boolean()) return at.error("force is true or false");
                      choice.force = at.value().get<bool>();
                      return {};
                  }}}));
            out.tokenizer.tokens.emplace(node.key(i), std::move(choice));
        }
        return {};
    }

    Status read_token_source(const Node& node, TokenChoice& choice) {
        if (!node.value().is_object()) return take(model_of(node), choice.model);
        std::string kind;
        HEFT_OK(read_keys(
            node, "a token's source",
            {{"kind", [&](const Node& at) { return take(at.text("kind"), kind); }},
             {"model", [&](const Node& at) { return take(model_of(at), choice.model); }},
             {"token", [&](const Node& at) { return take(at.text("token"), choice.token); }},
             {"token_id", [&](const Node& at) -> Status {
                  if (!at.value().is_number_integer() || at.value() < 0 || at.value() > 100'000'000)
                      return at.error("token_id is a token's number");
                  choice.token_id = at.value().get<int>();
                  return {};
              }}}));
        choice.zero = kind == "zero";
        if (!choice.zero && choice.model.empty())
            return node.error(
                "a token's source is a model, {kind: zero} or {kind: model_token, "
                "model: …}");
        return {};
    }

    // What the method wants of how many models, and of a base.
    Status check() const {
        for (const Slice& slice : out.slices) {
            const std::string& base = slice.base.empty() ? out.base : slice.base;
            const auto at = [&slice](const std::string& what) {
                return Error{Code::invalid, "line " + std::to_string(slice.line) + ": " + what};
            };
            const std::string name(out.method->name);
            if (out.method->base == Base::required && base.empty())
                return at(name + " needs a base_model");
            int others = 0;
            for (const Source& source : slice.sources)
                others += out.method->base == Base::none || source.model != base;
            if (others < out.method->least || others > out.method->most) {
                const std::string besides =
                    out.method->base == Base::none ? "" : " beside the base";
                const std::string wanted =
                    out.method->least == out.method->most ? "exactly" : "at least";
                return at(fmt::format("{} takes {} {} model{}{}, and here {} {}", name, wanted,
                                      out.method->least, out.method->least == 1 ? "" : "s", besides,
                                      others == 1 ? "is" : "are", others));
            }
            for (const Source& source : slice.sources)
                if (source.layers && slice.sources[0].layers
                    && source.layers->end - source.layers->begin
                           != slice.sources[0].layers->end - slice.sources[0].layers->begin)
                    return Error{Code::invalid, "line " + std::to_string(source.line)
                                                    + ": all sources of a slice have to have the "
                                                      "same number of layers"};
        }
        return {};
    }
};

std::optional<double> find(const Parameters& parameters, Parameter parameter,
                           std::string_view tensor, double place) {
    const auto found = parameters.find(parameter);
    return found == parameters.end() ? std::nullopt : found->second.at(tensor, place);
}

}  // namespace

std::optional<double> Setting::at(std::string_view tensor, double place) const {
    for (const Case& one : cases_) {
        if (!one.filter.empty() && tensor.find(one.filter) == std::string_view::npos) continue;
        const auto last = one.points.size() - 1;
        const double scaled = std::clamp(place, 0.0, 1.0) * static_cast<double>(last);
        const auto before = static_cast<std::size_t>(scaled);
        const std::size_t after = std::min(last, before + 1);
        const double share = scaled - static_cast<double>(before);
        return (1 - share) * one.points[before] + share * one.points[after];
    }
    return {};
}

std::vector<std::string> Recipe::models() const {
    std::vector<std::string> names;
    const auto add = [&names](const std::string& name) {
        if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end())
            names.push_back(name);
    };
    add(base);
    for (const Slice& slice : slices) {
        add(slice.base);
        for (const Source& source : slice.sources) add(source.model);
    }
    return names;
}

std::optional<double> Recipe::value(Parameter parameter, const Slice& slice, const Source* source,
                                    std::string_view tensor, double place) const {
    std::optional<double> found;
    if (source != nullptr) found = find(source->parameters, parameter, tensor, place);
    if (!found) found = find(slice.parameters, parameter, tensor, place);
    if (!found) found = find(module_parameters, parameter, tensor, place);
    if (!found) found = find(parameters, parameter, tensor, place);
    return found;
}

Result<Recipe> read_recipe(std::string_view text) {
    format::YamlLines lines;
    HEFT_TRY(const Node::Json tree, format::read_yaml(text, lines, kLimits));
    Reader reader;
    HEFT_OK(reader.read(Node(tree, lines)));
    reader.out.text = text;
    return std::move(reader.out);
}

}  // namespace heft::merge
