// What is measured on models, against the same computed another way: sums of squared inputs of the
// weights against a plain forward pass in float64, texts side by side against each alone, and
// searched mixes against all mixes.
#include <bit>
#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "app/yardstick.h"
#include "engine/engine.h"
#include "golden_data.h"
#include "model/input_sums.h"
#include "shape/candidate.h"
#include "shape/search_groups.h"

namespace heft {
namespace {

using Row = std::vector<double>;
using Rows = std::vector<Row>;

// -- a Llama model in float64, which keeps what its matrices are multiplied with

class PlainLlama {
  public:
    explicit PlainLlama(const engine::Engine& engine)
        : checkpoint_(engine.checkpoint()), c_(engine.model().config()) {}

    std::map<std::string, Row> sums;  // of squares, by the GGUF name of the weight

    void run(std::span<const std::int32_t> ids) {
        Rows x;
        const Rows embedding = matrix("model.embed_tokens.weight");
        for (const std::int32_t id : ids) x.push_back(embedding[static_cast<std::size_t>(id)]);
        for (int layer = 0; layer < c_.n_layer; ++layer) block(layer, x);
        keep("token_embd.weight", normed(x, "model.norm.weight"));
    }

  private:
    Rows matrix(const std::string& name) const {
        const TensorView& view = *checkpoint_.find(name);
        EXPECT_EQ(view.type, DType::bf16);
        const auto cols = static_cast<std::size_t>(view.shape.back());
        Rows out(view.data.size() / 2 / cols, Row(cols));
        for (std::size_t i = 0; i < view.data.size() / 2; ++i) {
            const std::uint32_t bits = load<std::uint16_t>(view.data.data() + 2 * i);
            out[i / cols][i % cols] = std::bit_cast<float>(bits << 16);
        }
        return out;
    }

    static Rows product(const Rows& x, const Rows& weight) {
        Rows out;
        for (const Row& row : x) {
            Row& to = out.emplace_back();
            for (const Row& w : weight) {
                double sum = 0;
                for (std::size_t k = 0; k < w.size(); ++k) sum += w[k] * row[k];
                to.push_back(sum);
            }
        }
        return out;
    }

    Rows normed(Rows x, const std::string& name) const {
        const Row weight = matrix(name).front();
        for (Row& row : x) {
            double square = 0;
            for (const double value : row) square += value * value;
            const double scale =
                1 / std::sqrt(square / static_cast<double>(row.size()) + c_.norm_eps);
            for (std::size_t k = 0; k < row.size(); ++k) row[k] *= scale * weight[k];
        }
        return x;
    }

    void keep(const std::string& name, const Rows& x) {
        Row& sum = sums[name];
        sum.resize(x.front().size());
        for (const Row& row : x)
            for (std::size_t k = 0; k < row.size(); ++k) sum[k] += row[k] * row[k];
    }

    void rotate(Rows& x) const {
        const auto half = static_cast<std::size_t>(c_.d_head / 2);
        for (std::size_t t = 0; t < x.size(); ++t)
            for (std::size_t at = 0; at < x[t].size(); at += 2 * half)
                for (std::size_t i = 0; i < half; ++i) {
                    const double angle =
                        static_cast<double>(t)
                        * std::pow(c_.rope.theta, -2.0 * static_cast<double>(i) / c_.d_head);
                    const double a = x[t][at + i];
                    const double b = x[t][at + half + i];
                    x[t][at + i] = a * std::cos(angle) - b * std::sin(angle);
                    x[t][at + half + i] = b * std::cos(angle) + a * std::sin(angle);
                }
    }

    Rows attention(const Rows& q, const Rows& k, const Rows& v) const {
        const auto d = static_cast<std::size_t>(c_.d_head);
        Rows out(q.size(), Row(q.front().size()));
        for (std::size_t t = 0; t < q.size(); ++t)
            for (std::size_t h = 0; h < static_cast<std::size_t>(c_.n_head); ++h) {
                const std::size_t kv =
                    h * static_cast<std::size_t>(c_.n_kv) / static_cast<std::size_t>(c_.n_head);
                Row share(t + 1);
                double all = 0;
                for (std::size_t s = 0; s <= t; ++s) {
                    double score = 0;
                    for (std::size_t i = 0; i < d; ++i) score += q[t][h * d + i] * k[s][kv * d + i];
                    share[s] = std::exp(score / std::sqrt(static_cast<double>(d)));
                    all += share[s];
                }
                for (std::size_t s = 0; s <= t; ++s)
                    for (std::size_t i = 0; i < d; ++i)
                        out[t][h * d + i] += share[s] / all * v[s][kv * d + i];
            }
        return out;
    }

    void block(int layer, Rows& x) {
        const std::string hf = "model.layers." + std::to_string(layer) + ".";
        const std::string gguf = "blk." + std::to_string(layer) + ".";
        const Rows h = normed(x, hf + "input_layernorm.weight");
        for (const char* name : {"attn_q", "attn_k", "attn_v"}) keep(gguf + name + ".weight", h);
        Rows q = product(h, matrix(hf + "self_attn.q_proj.weight"));
        Rows k = product(h, matrix(hf + "self_attn.k_proj.weight"));
        rotate(q);
        rotate(k);
        const Rows heads = attention(q, k, product(h, matrix(hf + "self_attn.v_proj.weight")));
        keep(gguf + "attn_output.weight", heads);
        add(x, product(heads, matrix(hf + "self_attn.o_proj.weight")));
        const Rows f = normed(x, hf + "post_attention_layernorm.weight");
        for (const char* name : {"ffn_gate", "ffn_up"}) keep(gguf + name + ".weight", f);
        Rows gate = product(f, matrix(hf + "mlp.gate_proj.weight"));
        const Rows up = product(f, matrix(hf + "mlp.up_proj.weight"));
        for (std::size_t t = 0; t < gate.size(); ++t)
            for (std::size_t i = 0; i < gate[t].size(); ++i)
                gate[t][i] = gate[t][i] / (1 + std::exp(-gate[t][i])) * up[t][i];
        keep(gguf + "ffn_down.weight", gate);
        add(x, product(gate, matrix(hf + "mlp.down_proj.weight")));
    }

    static void add(Rows& x, const Rows& y) {
        for (std::size_t t = 0; t < x.size(); ++t)
            for (std::size_t k = 0; k < x[t].size(); ++k) x[t][k] += y[t][k];
    }

    const format::Checkpoint& checkpoint_;
    const arch::Config& c_;
};

engine::Engine open(const std::filesystem::path& path, bool deterministic = false) {
    engine::OpenOptions options;
    options.deterministic = deterministic;
    options.precision = op::Precision::f32;
    options.n_threads = 2;
    auto engine = engine::Engine::open(path.string(), options);
    EXPECT_TRUE(engine) << engine.error().what;
    return std::move(*engine);
}

const std::filesystem::path kTiny = std::filesystem::path(HEFT_SOURCE_DIR) / "models" / "tiny";

TEST(InputSums, AreThoseOfAPlainForwardPass) {
    const engine::Engine engine = open(kTiny);
    std::vector<std::int32_t> ids;
    std::vector<int> all;
    for (int i = 0; i < 12; ++i) {
        ids.push_back(1 + 37 * i);
        all.push_back(i);
    }
    model::InputSums sums(engine.model(), true);
    sums.watch(engine.context());
    ASSERT_TRUE(engine::logits(engine, ids, all));
    PlainLlama plain(engine);
    plain.run(ids);
    ASSERT_EQ(sums.entries().size(), plain.sums.size());
    for (const auto& [name, want] : plain.sums) {
        const auto found = sums.entries().find(name);
        ASSERT_NE(found, sums.entries().end()) << name;
        EXPECT_EQ(found->second.counts, std::vector<std::int64_t>{12}) << name;
        ASSERT_EQ(found->second.sums.size(), want.size()) << name;
        double total = 0;
        for (const double x : want) total += x;
        const double mean = total / static_cast<double>(want.size());
        for (std::size_t k = 0; k < want.size(); ++k)
            EXPECT_NEAR(found->second.sums[k], want[k], 1e-3 * want[k] + 1e-4 * mean)
                << name << " " << k;
    }
}

TEST(InputSums, OfExpertsAddUpToWhatTheirRouterReads) {
    const engine::Engine engine = open(testing::golden_folder("mixtral"));
    const testing::Golden golden = testing::read_golden(testing::golden_folder("mixtral"));
    model::InputSums sums(engine.model(), false);
    sums.watch(engine.context());
    ASSERT_TRUE(engine::logits(engine, golden.prompt, {}));
    const arch::Config& c = engine.model().config();
    for (int layer = 0; layer < c.n_layer; ++layer) {
        const std::string block = "blk." + std::to_string(layer) + ".";
        const auto& router = sums.entries().find(block + "ffn_gate_inp.weight")->second;
        for (const char* name : {"ffn_gate_exps.weight", "ffn_up_exps.weight"}) {
            const auto& experts = sums.entries().find(block + name)->second;
            ASSERT_EQ(experts.counts.size(), static_cast<std::size_t>(c.experts.n));
            std::int64_t tokens = 0;
            for (const std::int64_t count : experts.counts) tokens += count;
            EXPECT_EQ(tokens, c.experts.n_used * router.counts[0]);
            for (std::int64_t k = 0; k < experts.n_cols; ++k) {
                double all = 0;
                for (int e = 0; e < c.experts.n; ++e)
                    all += experts.sums[static_cast<std::size_t>(e * experts.n_cols + k)];
                const double want = c.experts.n_used * router.sums[static_cast<std::size_t>(k)];
                EXPECT_NEAR(all, want, 1e-6 * want) << name << " " << k;
            }
        }
    }
}

TEST(InputSums, EndWithThemselves) {
    const engine::Engine engine = open(kTiny);
    {
        model::InputSums sums(engine.model(), false);
        sums.watch(engine.context());
        EXPECT_NE(engine.context().observer, nullptr);
    }
    EXPECT_EQ(engine.context().observer, nullptr);
}

TEST(TextReader, OfSeveralTextsGivesTheLogitsOfEachAlone) {
    for (const std::filesystem::path& folder : testing::golden_folders()) {
        SCOPED_TRACE(folder.filename());
        const engine::Engine engine = open(folder, true);
        const std::vector<int> ids = testing::read_golden(folder).prompt;
        const auto n = static_cast<int>(ids.size());
        const std::vector<int> first = {0, n / 2, n - 1};
        const std::vector<int> second = {n / 3};
        const std::span<const int> all(ids);
        const engine::Passage texts[] = {
            {all, first}, {all.subspan(1), second}, {all.first(1), {}}, {all.subspan(1), second}};
        engine::TextReader reader(engine);
        for (int again = 0; again < 2; ++again) {  // with new caches, then with used ones
            const auto rows = reader.logits(texts);
            ASSERT_TRUE(rows);
            const std::vector<float> together(rows->begin(), rows->end());
            std::vector<float> alone;
            for (const engine::Passage& text : texts) {
                const auto own = engine::logits(engine, text.ids, text.positions);
                ASSERT_TRUE(own);
                alone.insert(alone.end(), own->begin(), own->end());
            }
            EXPECT_EQ(together, alone);
        }
        EXPECT_FALSE(reader.logits(std::vector<engine::Passage>{{all, first}, {{}, {}}}));
    }
}

// -- mixes of the tiny model: four groups in three types, so that all can be tried

struct Tried {
    shape::Picks picks;
    std::uint64_t bytes;
    double kl;
};

TEST(MixSearch, OfTheTinyModelIsHardlyLargerThanTheSmallestOfAllMixes) {
    app::FileProgress line;
    auto yardstick = app::Yardstick::make(kTiny.string(), "", 2, line);
    ASSERT_TRUE(yardstick) << yardstick.error().what;
    const engine::Engine engine = open(kTiny);
    auto model = shape::gguf_model(engine.checkpoint());
    ASSERT_TRUE(model);
    const DType types[] = {DType::q6_k, DType::q4_k, DType::q2_k};
    auto space = shape::search_space(*model, {{"blk.*.attn_*", DType::bf16}}, types);
    ASSERT_TRUE(space);
    ASSERT_EQ(space->groups.size(), 4U);
    ThreadPool pool(2);
    shape::Candidates candidates(*model, nullptr, pool, {});
    const auto measure = [&](const shape::Picks& picks) -> Result<double> {
        HEFT_TRY(auto checkpoint, candidates.checkpoint(shape::types_of(*space, picks)));
        HEFT_TRY(const auto far, yardstick->measure(std::move(checkpoint), "", line));
        return far.kl().value;
    };
    shape::MixSearch sizes(space->groups, measure);
    std::vector<Tried> all;
    for (int mix = 0; mix < 81; ++mix) {
        const shape::Picks picks = {mix % 3, mix / 3 % 3, mix / 9 % 3, mix / 27};
        const auto kl = measure(picks);
        ASSERT_TRUE(kl) << kl.error().what;
        all.push_back({picks, sizes.bytes_of(picks), *kl});
    }
    const auto known = [&](const shape::Picks& picks) -> Result<double> {
        for (const Tried& tried : all)
            if (tried.picks == picks) return tried.kl;
        return measure(picks);  // single groups
    };
    for (const double factor : {1.2, 2.0, 5.0, 15.0}) {
        const double target = factor * all.front().kl;  // of the finest mix
        std::uint64_t best = all.front().bytes;
        for (const Tried& tried : all)
            if (tried.kl <= target) best = std::min(best, tried.bytes);
        shape::MixSearch search(space->groups, known);
        ASSERT_TRUE(search.measure_groups());
        const auto found = search.smallest_within(target);
        ASSERT_TRUE(found) << found.error().what;
        EXPECT_LE(found->far, target);
        EXPECT_LE(static_cast<double>(found->bytes), 1.1 * static_cast<double>(best)) << factor;
        const auto nearest = search.nearest_within(best);
        ASSERT_TRUE(nearest);
        EXPECT_LE(nearest->bytes, best);
        EXPECT_LE(nearest->far, 1.1 * target);
    }
}

}  // namespace
}  // namespace heft
