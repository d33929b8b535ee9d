#include "merge/plan.h"

#include <algorithm>
#include <set>
#include <utility>

namespace heft::merge {

namespace {

std::string numbered_name(const std::string& pattern, int layer) {
    std::string name = pattern;
    name.replace(name.find("{}"), 2, std::to_string(layer));
    return name;
}

// A slice's sources by the models that they are, the base apart where the method wants it so.
struct Sources {
    struct One {
        int model = 0;
        const Source* source = nullptr;  // nullptr: a base that is not among the sources
        int first_layer = 0;
    };
    std::optional<One> base;
    std::vector<One> models;
    int n_layers = 0;

    // The one that says which tensors there are.
    const One& reference() const { return base ? *base : models.front(); }
    std::vector<One> all() const {
        std::vector<One> out = models;
        if (base) out.insert(out.begin(), *base);
        return out;
    }
};

class Planner {
  public:
    Planner(Recipe recipe, const PlanOptions& options) : options_(options) {
        plan_.recipe = std::move(recipe);
    }

    Result<Plan> plan() {
        HEFT_OK(open());
        HEFT_OK(compare_architectures());
        HEFT_TRY(plan_.vocabulary,
                 plan_vocabulary(plan_.recipe, plan_.models, options_.allow_crimes));
        for (const std::string& note : plan_.vocabulary.notes) add_note(note);
        note_unused();
        for (const Slice& slice : plan_.recipe.slices) {
            HEFT_TRY(Sources sources, sources_of(slice));
            slices_.push_back(std::move(sources));
        }
        HEFT_OK(plan_outside(Kind::first));
        for (std::size_t s = 0; s < slices_.size(); ++s)
            for (int i = 0; i < slices_[s].n_layers; ++i) HEFT_OK(plan_layer(s, i));
        HEFT_OK(plan_outside(Kind::last));
        for (std::string& note : plan_.recipe.notes) add_note(std::move(note));
        return std::move(plan_);
    }

  private:
    Status open() {
        for (const std::string& name : plan_.recipe.models()) {
            HEFT_TRY(const auto path, find_model(name, options_.places));
            HEFT_TRY(Model model, open_model(name, path));
            plan_.models.push_back(std::move(model));
        }
        const bool all_gguf = std::all_of(
            plan_.models.begin(), plan_.models.end(),
            [](const Model& model) { return model.checkpoint->kind() == format::Kind::gguf; });
        plan_.layout = all_gguf ? Layout::gguf : Layout::huggingface;
        for (Model& model : plan_.models) HEFT_OK(list_tensors(model, plan_.layout));
        return {};
    }

    Status compare_architectures() {
        const auto kind_of = [this](const Model& model) {
            const bool mixed = plan_.layout == Layout::huggingface && model.config;
            return mixed ? std::string(model.config->family->gguf) : model.architecture;
        };
        const Model& first = plan_.models.front();
        for (const Model& model : plan_.models) {
            if (kind_of(model) == kind_of(first)) continue;
            const std::string what = model.reference + " is of architecture " + model.architecture
                                     + ", and " + first.reference + " of " + first.architecture;
            if (!options_.allow_crimes)
                return Error{Code::invalid, what + "; --allow-crimes tries it all the same"};
            add_note(what);
        }
        return {};
    }

    void add_note(std::string note) { plan_.notes.push_back(std::move(note)); }

    void note_unused() {
        const Method& method = *plan_.recipe.method;
        std::set<Parameter> used = {Parameter::int8_mask};
        for (const Takes& takes : method.takes) used.insert(takes.parameter);
        std::set<Parameter> unused;
        const auto look = [&](const Parameters& parameters) {
            for (const auto& [parameter, setting] : parameters)
                if (!used.contains(parameter)) unused.insert(parameter);
        };
        look(plan_.recipe.parameters);
        look(plan_.recipe.module_parameters);
        for (const Slice& slice : plan_.recipe.slices) {
            look(slice.parameters);
            for (const Source& source : slice.sources) look(source.parameters);
        }
        for (const Parameter parameter : unused)
            add_note(std::string(method.name) + " has no parameter "
                     + std::string(parameter_name(parameter)) + "; it has no effect");
    }

    int index_of(const std::string& name) const {
        const auto found =
            std::find_if(plan_.models.begin(), plan_.models.end(),
                         [&name](const Model& model) { return model.reference == name; });
        return static_cast<int>(found - plan_.models.begin());
    }
    const Model& model(int index) const { return plan_.models[static_cast<std::size_t>(index)]; }

    Result<Sources> sources_of(const Slice& slice) {
        Sources out;
        const std::string& base = slice.base.empty() ? plan_.recipe.base : slice.base;
        const bool apart = plan_.recipe.method->base != Base::none && !base.empty();
        const auto line = [&slice](const std::string& what) {
            return Error{Code::invalid, "line " + std::to_string(slice.line) + ": " + what};
        };
        for (const Source& source : slice.sources) {
            Sources::One one{index_of(source.model), &source, 0};
            const LayerRange layers =
                source.layers.value_or(LayerRange{0, model(one.model).n_layers});
            if (layers.end > model(one.model).n_layers)
                return line(source.model + " has " + std::to_string(model(one.model).n_layers)
                            + " layers, and layer_range ends at " + std::to_string(layers.end));
            one.first_layer = layers.begin;
            const int n = layers.end - layers.begin;
            if (&source != &slice.sources.front() && n != out.n_layers)
                return line(source.model + " has " + std::to_string(n) + " layers, and "
                            + slice.sources.front().model + " " + std::to_string(out.n_layers)
                            + "; choose layers with slices");
            out.n_layers = n;
            if (apart && source.model == base)
                out.base = one;
            else
                out.models.push_back(one);
        }
        if (!apart || out.base) return out;
        out.base = Sources::One{index_of(base), nullptr, out.models.front().first_layer};
        const int there = model(out.base->model).n_layers;
        const bool fits = slice.sources.front().layers
                              ? out.base->first_layer + out.n_layers <= there
                              : out.n_layers == there;
        if (!fits)
            return line("the base " + base + " has " + std::to_string(there) + " layers, and the "
                        + "models have " + std::to_string(out.n_layers));
        return out;
    }

    // The tensor of the same place in another model. A model whose output matrix is its embeddings
    // gives these.
    const ModelTensor* counterpart(int m, const ModelTensor& tensor, int layer) const {
        const Model& other = model(m);
        const std::string name =
            tensor.kind == Kind::in_layer ? numbered_name(tensor.in_layer, layer) : tensor.name;
        if (const ModelTensor* found = other.find(name)) return found;
        if (!tensor.is_output) return nullptr;
        for (const ModelTensor& one : other.tensors)
            if (one.by_token && !one.is_output) return &one;
        return nullptr;
    }

    Status plan_outside(Kind kind) {
        const std::size_t s = kind == Kind::first ? 0 : slices_.size() - 1;
        const Sources& sources = slices_[s];
        const double place = kind == Kind::first ? 0 : 1;
        std::set<std::string> done;
        for (const Sources::One& one : sources.all())
            for (const ModelTensor& tensor : model(one.model).tensors) {
                if (tensor.kind != kind || !done.insert(tensor.name).second) continue;
                if (tensor.is_buffer && one.model != sources.reference().model) continue;
                plan_.has_output = plan_.has_output || tensor.is_output;
                HEFT_OK(plan_tensor(s, tensor, -1, tensor.name, place));
            }
        return {};
    }

    Status plan_layer(std::size_t s, int i) {
        const Sources& sources = slices_[s];
        const double place =
            sources.n_layers > 1 ? static_cast<double>(i) / (sources.n_layers - 1) : 1.0;
        const int number = static_cast<int>(plan_.layers.size());
        const Sources::One& reference = sources.reference();
        plan_.layers.push_back({reference.model, reference.first_layer + i});
        std::set<std::string> done;
        for (const Sources::One& one : sources.all())
            for (const ModelTensor* tensor : layer_of(one.model, one.first_layer + i)) {
                if (!done.insert(tensor->in_layer).second) continue;
                if (tensor->is_buffer && one.model != reference.model) continue;
                HEFT_OK(plan_tensor(s, *tensor, i, numbered_name(tensor->in_layer, number), place));
            }
        return {};
    }

    const std::vector<const ModelTensor*>& layer_of(int m, int layer) {
        auto& layers = layers_[m];
        if (layers.empty()) {
            layers.resize(static_cast<std::size_t>(model(m).n_layers));
            for (const ModelTensor& tensor : model(m).tensors)
                if (tensor.kind == Kind::in_layer)
                    layers[static_cast<std::size_t>(tensor.layer)].push_back(&tensor);
        }
        return layers[static_cast<std::size_t>(layer)];
    }

    Status plan_tensor(std::size_t s, const ModelTensor& tensor, int i, const std::string& name,
                       double place) {
        const Sources& sources = slices_[s];
        PlannedTensor out;
        out.name = name;
        out.is_buffer = tensor.is_buffer;
        out.by_token = tensor.by_token;
        out.shape = tensor.shape;
        out.type = tensor.is_buffer ? tensor.view->type : type_for(tensor);
        if (out.is_buffer) {
            out.models.push_back({sources.reference().model, &tensor});
            plan_.tensors.push_back(std::move(out));
            return {};
        }
        if (out.by_token && !out.shape.empty()) out.shape.front() = plan_.vocabulary.n_rows;
        for (const Sources::One& one : sources.all()) {
            const ModelTensor* from = counterpart(one.model, tensor, one.first_layer + i);
            if (from == nullptr)
                return Error{Code::invalid, model(one.model).reference + " has no tensor "
                                                + tensor.name + ", which another model has"};
            HEFT_OK(check_shape(one.model, *from, sources.reference().model, tensor));
            HEFT_OK(check_rows(one.model, *from));
            const PlannedTensor::From input{one.model, from};
            if (sources.base && one.model == sources.base->model && !out.base)
                out.base = input;
            else
                out.models.push_back(input);
        }
        HEFT_TRY(out.settings, settings_for(s, tensor, name, place));
        plan_.tensors.push_back(std::move(out));
        return {};
    }

    // The output matrix has a row for each row of the embeddings, by which vocabularies are
    // planned.
    Status check_rows(int m, const ModelTensor& tensor) const {
        const bool is_bias = tensor.is_output && tensor.shape.size() == 1;
        if (!tensor.by_token && !is_bias) return {};
        for (const ModelTensor& one : model(m).tensors)
            if (one.by_token && !one.is_output && one.shape.front() != tensor.shape.front())
                return Error{Code::unsupported, model(m).reference + ": tensor " + tensor.name
                                                    + " has not a row for each embedding"};
        if (is_bias
            && (plan_.vocabulary.is_changed || plan_.vocabulary.n_rows != tensor.shape.front()))
            return Error{Code::unsupported, model(m).reference + ": " + tensor.name
                                                + " cannot be given another vocabulary"};
        return {};
    }

    Status check_shape(int m, const ModelTensor& tensor, int first, const ModelTensor& wanted) {
        Shape a = tensor.shape;
        Shape b = wanted.shape;
        if (wanted.by_token && !a.empty() && !b.empty()) a.front() = b.front();
        if (a == b) return {};
        return Error{Code::invalid, "tensor " + tensor.name + " of " + model(m).reference
                                        + " has shape " + shape_text(tensor.shape)
                                        + ", and that of " + model(first).reference + " "
                                        + shape_text(wanted.shape)};
    }

    DType type_for(const ModelTensor& tensor) const {
        if (plan_.layout == Layout::gguf && tensor.shape.size() < 2) return DType::f32;
        if (plan_.recipe.out_dtype) return *plan_.recipe.out_dtype;
        if (plan_.recipe.dtype) return *plan_.recipe.dtype;
        const DType stored = tensor.view->type;
        const bool is_plain = stored == DType::f32 || stored == DType::f16 || stored == DType::bf16;
        return is_plain ? stored : DType::bf16;
    }

    Result<Settings> settings_for(std::size_t s, const ModelTensor& tensor, const std::string& name,
                                  double place) const {
        const Recipe& recipe = plan_.recipe;
        const Slice& slice = recipe.slices[s];
        const std::string& known_as = tensor.alias.empty() ? tensor.name : tensor.alias;
        Settings out;
        out.seed = random_key(options_.seed, name);
        const auto take = [&](const Takes& takes, const Source* source, Values& values) -> Status {
            auto value = recipe.value(takes.parameter, slice, source, known_as, place);
            const std::string what(parameter_name(takes.parameter));
            const std::string of = source != nullptr ? " of " + source->model : "";
            if (!value && takes.required)
                return Error{Code::invalid, std::string(recipe.method->name)
                                                + " needs the parameter " + what + of
                                                + " for tensor " + known_as};
            if (!value) value = takes.usual;
            if (!(*value >= takes.least && *value <= takes.most))
                return Error{Code::invalid, "the parameter " + what + of + " is "
                                                + std::to_string(*value) + " for tensor " + known_as
                                                + ", which is out of range"};
            values.set(takes.parameter, *value);
            return {};
        };
        for (const Takes& takes : recipe.method->takes)
            if (!takes.per_model) HEFT_OK(take(takes, nullptr, out.all));
        for (const Sources::One& one : slices_[s].models) {
            out.models.emplace_back();
            for (const Takes& takes : recipe.method->takes)
                if (takes.per_model) HEFT_OK(take(takes, one.source, out.models.back()));
        }
        return out;
    }

    const PlanOptions& options_;
    Plan plan_;
    std::vector<Sources> slices_;
    std::map<int, std::vector<std::vector<const ModelTensor*>>> layers_;
};

}  // namespace

int Plan::passes(const PlannedTensor& tensor) const {
    return tensor.is_buffer ? 0 : 1 + recipe.method->scans;
}

Result<Plan> make_plan(Recipe recipe, const PlanOptions& options) {
    return Planner(std::move(recipe), options).plan();
}

Inputs inputs_of(const Plan& plan, const PlannedTensor& tensor) {
    Inputs out;
    out.shape = tensor.shape;
    out.n_rows = rows_of(tensor.shape);
    out.n_columns = columns_of(tensor.shape);
    const bool renumbered = tensor.by_token && plan.vocabulary.is_changed;
    std::vector<ReadRows> by_model(plan.models.size());
    const auto remember = [&by_model](const PlannedTensor::From& from) {
        by_model[static_cast<std::size_t>(from.model)] = reader_of(*from.tensor);
    };
    if (tensor.base) remember(*tensor.base);
    for (const PlannedTensor::From& from : tensor.models) remember(from);
    // A token may stand in from a model that is no source of this slice.
    for (std::size_t m = 0; renumbered && m < by_model.size(); ++m)
        if (!by_model[m])
            if (const ModelTensor* found = plan.models[m].find(tensor.name))
                by_model[m] = reader_of(*found);
    const auto input = [&](const PlannedTensor::From& from) {
        Input one = input_of(plan.models[static_cast<std::size_t>(from.model)], *from.tensor);
        if (renumbered) one.read = by_token(plan.vocabulary, from.model, by_model, out.n_columns);
        // Rows of the result are not the file's, one for one.
        if (from.tensor->shape != tensor.shape || renumbered)
            one.mapped_anywhere = std::exchange(one.mapped, {});
        return one;
    };
    if (tensor.base) out.base = input(*tensor.base);
    for (const PlannedTensor::From& from : tensor.models) out.models.push_back(input(from));
    return out;
}

}  // namespace heft::merge
