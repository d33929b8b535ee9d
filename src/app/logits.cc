// heft logits: what the model computed, for comparing engines.
#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/commands.h"
#include "app/console.h"
#include "app/help.h"
#include "app/ids.h"
#include "app/model_flags.h"
#include "format/npy.h"

namespace heft::app {

namespace {

struct LogitsOptions {
    ModelFlags model;
    std::string ids, at = "last", chunks, output;
    bool json = false;
};

Result<std::vector<int>> find_positions(const std::string& at, int n_ids) {
    if (at == "last") return std::vector<int>{n_ids - 1};
    std::vector<int> positions(static_cast<std::size_t>(n_ids));
    std::iota(positions.begin(), positions.end(), 0);
    if (at == "all") return positions;
    HEFT_TRY(positions, parse_numbers(at, "--at"));
    std::sort(positions.begin(), positions.end());
    positions.erase(std::unique(positions.begin(), positions.end()), positions.end());
    if (positions.empty()) return Error{Code::invalid, "--at: there is no position in the list"};
    for (const int position : positions)
        if (position < 0 || position >= n_ids)
            return Error{Code::invalid, fmt::format("--at: there is no position {}; they go from 0 "
                                                    "to {}",
                                                    position, n_ids - 1)};
    return positions;
}

Result<std::vector<int>> find_chunks(const std::string& text) {
    HEFT_TRY(std::vector<int> chunks, parse_numbers(text, "--chunks"));
    for (const int chunk : chunks)
        if (chunk < 1) return Error{Code::invalid, "--chunks: every chunk has at least 1 token"};
    return chunks;
}

using Row = std::span<const float>;

std::vector<Row> rows_of(const std::vector<float>& values, std::size_t n_rows) {
    std::vector<Row> rows;
    const std::size_t n_vocab = values.size() / n_rows;
    for (std::size_t r = 0; r < n_rows; ++r)
        rows.push_back(Row(values).subspan(r * n_vocab, n_vocab));
    return rows;
}

// Written piece by piece: the rows of a large vocabulary are as many MB as numbers. The shortest
// digits that give the same float.
void put_logits_json(const std::vector<int>& positions, const std::vector<Row>& rows) {
    put(fmt::format(R"({{"schema":"heft.logits/1","positions":[{}],"logits":[)",
                    fmt::join(positions, ",")));
    fmt::memory_buffer text;
    for (std::size_t r = 0; r < rows.size(); ++r) {
        text.clear();
        for (std::size_t i = 0; i < rows[r].size(); ++i) {
            text.push_back(i == 0 ? '[' : ',');
            if (std::isfinite(rows[r][i]))
                fmt::format_to(std::back_inserter(text), "{}", rows[r][i]);
            else
                text.append(std::string_view("null"));
        }
        put(r == 0 ? "" : ",");
        put({text.data(), text.size()});
        put("]");
    }
    put(fmt::format("],\"n_vocab\":{}}}\n", rows.front().size()));
}

void put_best(const std::vector<int>& positions, const std::vector<Row>& rows,
              const text::Tokenizer* tokenizer) {
    constexpr std::size_t most = 5;
    for (std::size_t r = 0; r < rows.size(); ++r) {
        const Row row = rows[r];
        std::vector<int> order(row.size());
        std::iota(order.begin(), order.end(), 0);
        const std::size_t shown = std::min(most, order.size());
        std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown),
                          order.end(), [row](int a, int b) {
                              const float x = row[static_cast<std::size_t>(a)];
                              const float y = row[static_cast<std::size_t>(b)];
                              return x > y || (x == y && a < b);
                          });
        put(fmt::format("position {}\n", positions[r]));
        for (std::size_t i = 0; i < shown; ++i)
            put(fmt::format("  {:>6}  {:>12.6f}  {}\n", order[i],
                            row[static_cast<std::size_t>(order[i])],
                            tokenizer != nullptr ? tokenizer->piece(order[i]) : ""));
    }
}

Status logits(const LogitsOptions& o) {
    if (o.output == "-")
        return Error{Code::invalid,
                     "-o: an array goes to a file; --json writes to standard output"};
    HEFT_TRY(const engine::Engine engine, open_model(o.model, op::Precision::f32));
    tell_degradation(engine);
    HEFT_TRY(const arch::Config* config, engine.config());
    HEFT_TRY(const auto ids, parse_ids(o.ids, "--ids", config->n_vocab));
    if (ids.empty()) return Error{Code::invalid, "--ids: there is no token in the list"};
    HEFT_TRY(const auto positions, find_positions(o.at, static_cast<int>(ids.size())));
    HEFT_TRY(const auto chunks, find_chunks(o.chunks));
    HEFT_TRY(const std::vector<float> values, engine::logits(engine, ids, positions, chunks));
    const std::vector<Row> rows = rows_of(values, positions.size());
    if (!o.output.empty()) {
        HEFT_OK(format::write_npy(o.output, values, rows.size(), rows.front().size()));
        if (!o.json) return {};
    }
    if (o.json) {
        put_logits_json(positions, rows);
        return {};
    }
    const auto tokenizer = engine.tokenizer();
    put_best(positions, rows, tokenizer ? *tokenizer : nullptr);
    return {};
}

}  // namespace

void add_logits(CLI::App& app, Action& action) {
    const auto o = std::make_shared<LogitsOptions>();
    CLI::App* verb = add_verb(app, "logits", "Raw float32 logits, for comparing engines.",
                              "heft logits model.gguf --ids 1,15043,29892 --at all -o logits.npy");
    verb->group(kPart);
    add_model(*verb, o->model);
    verb->add_option("--ids", o->ids, "the tokens; no BOS is added")
        ->required()
        ->type_name("1,2,3");
    verb->add_option("--at", o->at, "last, all, or positions as 0,5,7 (last)")->type_name("P");
    verb->add_option("--chunks", o->chunks, "tokens fed at a time, over and over (all)")
        ->type_name("7,16");
    add_precision(*verb, o->model, "f32");
    add_deterministic(*verb, o->model);
    add_cache_types(*verb, o->model);
    add_threads(*verb, o->model);
    verb->add_option("-o,--output", o->output, "NumPy array [positions, vocabulary]")
        ->type_name("F.npy");
    verb->add_flag("--json", o->json, "one heft.logits/1 document");
    verb->callback([o, &action] { action = [o] { return logits(*o); }; });
}

}  // namespace heft::app
