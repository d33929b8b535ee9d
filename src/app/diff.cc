// heft diff: how far a model is from another one, weight by weight and as a whole.
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/compared_models.h"
#include "app/console.h"
#include "app/file_progress.h"
#include "app/help.h"
#include "app/interrupt.h"
#include "app/model_flags.h"
#include "app/yardstick.h"
#include "shape/difference.h"
#include "shape/quantise.h"
#include "shape/spectral.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;

struct DiffOptions {
    std::string first, second, text;
    int n_threads = 0;
    bool json = false, no_measure = false;
};

struct Row {
    std::string name;
    DType first, second;
    shape::Difference difference;
    std::optional<double> spectral;    // of matrices
    std::optional<std::int64_t> rows;  // that were compared, where one has more
};

struct OtherShape {
    std::string name;
    Shape first, second;
    std::int64_t rows;  // that were compared
};

struct Outcome {
    std::vector<Row> rows;
    std::vector<OtherShape> other_shapes;
    std::vector<std::string> only_first, only_second;

    bool identical() const {
        return only_first.empty() && only_second.empty() && other_shapes.empty()
               && std::all_of(rows.begin(), rows.end(),
                              [](const Row& row) { return row.difference.identical; });
    }
};

// Rows that two matrices of different shapes have both: those of vocabularies of which one is
// longer.
std::int64_t common_rows(const convert::Weight& a, const convert::Weight& b) {
    const auto is_rows = [](const convert::Weight& w) {
        return w.shape == Shape{w.n_rows, w.n_cols};
    };
    return is_rows(a) && is_rows(b) && a.n_cols == b.n_cols ? std::min(a.n_rows, b.n_rows) : 0;
}

convert::Weight first_rows(const convert::Weight& weight, std::int64_t rows) {
    convert::Weight out = weight;
    out.shape.front() = out.n_rows = rows;
    return out;
}

class Comparing {
  public:
    Comparing(ThreadPool& pool, FileProgress& line) : pool_(pool), line_(line) {}

    Result<Outcome> run(const shape::GgufModel& first, const shape::GgufModel& second) {
        std::map<std::string_view, const convert::Weight*> others;
        for (const convert::Weight& weight : second.weights) others[weight.name] = &weight;
        for (const convert::Weight& weight : first.weights) all_ += weight.work();
        line_.begin("comparing");
        for (const convert::Weight& weight : first.weights) {
            if (!goes_on()) return Error{Code::cancelled, "stopped"};
            done_ += weight.work();
            const auto other = others.find(weight.name);
            if (other == others.end()) {
                out_.only_first.push_back(weight.name);
                continue;
            }
            HEFT_OK(add(weight, *other->second));
            others.erase(other);
        }
        for (const auto& [name, weight] : others) out_.only_second.emplace_back(name);
        return std::move(out_);
    }

  private:
    bool goes_on() { return line_.show_count(done_, all_); }

    Status add(const convert::Weight& a, const convert::Weight& b) {
        if (a.shape == b.shape) return add_row(a, b, {});
        const std::int64_t rows = common_rows(a, b);
        out_.other_shapes.push_back({a.name, a.shape, b.shape, rows});
        return rows > 0 ? add_row(first_rows(a, rows), first_rows(b, rows), rows) : Status{};
    }

    Status add_row(const convert::Weight& a, const convert::Weight& b,
                   std::optional<std::int64_t> rows) {
        HEFT_TRY(const auto difference, shape::difference(a, b, pool_));
        Row row{a.name, a.stored, b.stored, difference, {}, rows};
        if (a.matrix && a.shape.size() > 1) {
            HEFT_TRY(row.spectral, spectral_norm(a, b, difference));
        }
        out_.rows.push_back(std::move(row));
        return {};
    }

    Result<double> spectral_norm(const convert::Weight& a, const convert::Weight& b,
                                 const shape::Difference& difference) {
        if (difference.identical) return 0.0;
        return shape::spectral_norm_of_difference(a, b, pool_, [this] { return goes_on(); });
    }

    ThreadPool& pool_;
    FileProgress& line_;
    std::uint64_t all_ = 0, done_ = 0;
    Outcome out_;
};

Json document(const DiffOptions& o, const Outcome& outcome) {
    Json tensors = Json::array();
    for (const Row& row : outcome.rows) {
        tensors.push_back({{"name", row.name},
                           {"first", dtype_info(row.first).name},
                           {"second", dtype_info(row.second).name},
                           {"identical", row.difference.identical},
                           {"relative_error", row.difference.relative},
                           {"cosine", row.difference.cosine},
                           {"greatest_difference", row.difference.most}});
        tensors.back()["spectral_norm"] = row.spectral ? Json(*row.spectral) : Json(nullptr);
        if (row.rows) tensors.back()["rows"] = *row.rows;
    }
    Json shapes = Json::array();
    for (const OtherShape& one : outcome.other_shapes)
        shapes.push_back({{"name", one.name},
                          {"first", one.first},
                          {"second", one.second},
                          {"rows_compared", one.rows}});
    return {{"schema", "heft.diff/1"},
            {"first", o.first},
            {"second", o.second},
            {"identical", outcome.identical()},
            {"only_first", outcome.only_first},
            {"only_second", outcome.only_second},
            {"other_shapes", std::move(shapes)},
            {"tensors", std::move(tensors)}};
}

Json sizes(const format::Checkpoint& first, const format::Checkpoint& second) {
    return {{"first", size_of(first)},
            {"second", size_of(second)},
            {"ratio", static_cast<double>(second.file_bytes())
                          / static_cast<double>(std::max<std::uint64_t>(1, first.file_bytes()))}};
}

void put_report(const Outcome& outcome) {
    std::vector<Row> rows = outcome.rows;
    std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
        return a.difference.relative > b.difference.relative;
    });
    put(fmt::format("{:<40} {:>8} {:>8} {:>14} {:>10} {:>14}\n", "tensor", "first", "second",
                    "relative error", "cosine", "spectral norm"));
    for (const Row& row : rows)
        put(fmt::format("{:<40} {:>8} {:>8} {:>14.6g} {:>10.6f} {:>14}\n", row.name,
                        dtype_info(row.first).name, dtype_info(row.second).name,
                        row.difference.relative, row.difference.cosine,
                        row.spectral ? fmt::format("{:.6g}", *row.spectral) : "-"));
    for (const OtherShape& one : outcome.other_shapes)
        put(fmt::format("{}: {} in the first, {} in the second; {}\n", one.name,
                        shape_text(one.first), shape_text(one.second),
                        one.rows > 0 ? fmt::format("compared in {} rows", one.rows)
                                     : std::string("not compared")));
    for (const std::string& name : outcome.only_first) put(name + ": only in the first\n");
    for (const std::string& name : outcome.only_second) put(name + ": only in the second\n");
}

Status diff(const DiffOptions& o) {
    HEFT_TRY(const engine::Engine first, open_description(o.first));
    HEFT_TRY(const engine::Engine second, open_description(o.second));
    HEFT_TRY(const shape::GgufModel a, shape::gguf_model(first.checkpoint()));
    HEFT_TRY(const shape::GgufModel b, shape::gguf_model(second.checkpoint()));
    const InterruptGuard interrupt;
    FileProgress line(&interrupt.requested());
    ThreadPool pool(o.n_threads);
    HEFT_TRY(const Outcome outcome, Comparing(pool, line).run(a, b));
    Json told = document(o, outcome);
    told["size"] = sizes(first.checkpoint(), second.checkpoint());
    told["difference"] = told["speed"] = not_measured("--no-measure");
    if (!o.no_measure)
        HEFT_OK(measure_both({o.first, first.checkpoint()}, {o.second, second.checkpoint()}, o.text,
                             o.n_threads, interrupt, line, told));
    if (o.json) {
        put_json(told);
    } else {
        put_report(outcome);
        put(comparison_text(told));
    }
    if (!outcome.identical()) answer_no();
    return {};
}

}  // namespace

void add_diff(CLI::App& app, Action& action) {
    const auto o = std::make_shared<DiffOptions>();
    CLI::App* verb = add_verb(
        app, "diff",
        "How far a model is from another: weights, answers, size, speed; ends with 1 where "
        "weights differ.",
        "heft diff my-model/ my-model.Q4_K_M.gguf");
    verb->group(kShape);
    verb->add_option("A", o->first, "a model")->required();
    verb->add_option("B", o->second, "the model to compare it with")->required();
    verb->add_flag("--no-measure", o->no_measure, "weights and sizes only: run neither");
    verb->add_option("--text", o->text, "run them on this (a small built-in text)")->type_name("F");
    verb->add_option("-t,--threads", o->n_threads, "threads (all CPUs)")->type_name("N");
    verb->add_flag("--json", o->json, "one heft.diff/1 document");
    verb->callback([o, &action] { action = [o] { return diff(*o); }; });
}

}  // namespace heft::app
