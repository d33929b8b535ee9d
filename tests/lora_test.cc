// Adapters applied beside the weights against the same adapters merged into them.
#include <filesystem>
#include <map>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "checkpoint_files.h"
#include "convert/adapter.h"
#include "convert/to_gguf.h"
#include "engine/test_client.h"
#include "golden_run.h"
#include "model/adapter.h"
#include "model/test_adapters.h"
#include "shape/encoder.h"

namespace heft {
namespace {

using testing::Array;
using testing::Files;
using testing::Golden;
using testing::TempFolder;

constexpr std::int64_t kRank = 3;
constexpr float kAlpha = 5;
// Float sums in another order; a change left out moves logits by more than 0.1.
constexpr double kBound = 1e-4;

using Arrays = std::map<std::string, Array>;

// As a model of matrices in `type` holds it: rounded where its rows are whole blocks, else to F16.
std::vector<float> as_stored(const Array& m, DType type) {
    if (m.shape.size() < 2 || type == DType::f32) return m.values;
    if (m.shape.back() % dtype_info(type).block != 0) type = DType::f16;
    const auto n = static_cast<std::int64_t>(m.values.size());
    const DTypeInfo& info = dtype_info(type);
    std::vector<std::byte> bytes(m.values.size() / static_cast<std::size_t>(info.block)
                                 * static_cast<std::size_t>(info.block_bytes));
    codec(type)->quantise(m.values.data(), n, bytes.data());
    std::vector<float> out(m.values.size());
    codec(type)->dequantise(bytes.data(), n, out.data());
    return out;
}

Array random(std::int64_t rows, std::int64_t cols, float size, Rng& rng) {
    Array out{{rows, cols}, std::vector<float>(static_cast<std::size_t>(rows * cols))};
    for (float& x : out.values) x = size * static_cast<float>(rng.uniform() * 2 - 1);
    return out;
}

bool in_layer(const std::string& name) {
    return name.find(".layers.") != std::string::npos || name.find("h.") != std::string::npos;
}

// PEFT writes A [rank, in] and B [out, rank] of a module; Conv1D modules are stored [in, out].
struct LoraFiles {
    TempFolder folder;
    Arrays tensors;
    bool transposed;

    LoraFiles(const Arrays& base, bool conv1d, std::uint64_t seed) : transposed(conv1d) {
        Rng rng(seed);
        for (const auto& [name, m] : base) {
            if (m.shape.size() != 2 || !in_layer(name) || !name.ends_with(".weight")) continue;
            const std::int64_t out = m.shape[conv1d ? 1 : 0];
            const std::int64_t in = m.shape[conv1d ? 0 : 1];
            const std::string module =
                "base_model.model." + name.substr(0, name.size() - std::string(".weight").size());
            tensors[module + ".lora_A.weight"] = random(kRank, in, 0.2F, rng);
            tensors[module + ".lora_B.weight"] = random(out, kRank, 0.2F, rng);
        }
        folder.write("adapter_config.json",
                     R"({"peft_type":"LORA","r":3,"lora_alpha":5,"fan_in_fan_out":)"
                         + std::string(conv1d ? "true}" : "false}"));
        testing::write_tensors(tensors, folder / "adapter_model.safetensors");
    }

    // W + scale * alpha / rank * B A, in float64.
    void merge_into(Arrays& base, double scale) const {
        const std::string end = ".lora_A.weight";
        for (const auto& [name, a] : tensors) {
            if (!name.ends_with(end)) continue;
            const std::string stem = name.substr(0, name.size() - end.size());
            const Array& b = tensors.at(stem + ".lora_B.weight");
            Array& w = base.at(stem.substr(std::string("base_model.model.").size()) + ".weight");
            const std::int64_t out = b.shape[0];
            const std::int64_t in = a.shape[1];
            for (std::int64_t r = 0; r < out; ++r)
                for (std::int64_t c = 0; c < in; ++c) {
                    double sum = 0;
                    for (std::int64_t k = 0; k < kRank; ++k)
                        sum +=
                            static_cast<double>(b.values[static_cast<std::size_t>(r * kRank + k)])
                            * a.values[static_cast<std::size_t>(k * in + c)];
                    float& at =
                        w.values[static_cast<std::size_t>(transposed ? c * out + r : r * in + c)];
                    at = static_cast<float>(at + scale * kAlpha / kRank * sum);
                }
        }
    }
};

double distance(const Golden& like, std::span<const float> merged, std::span<const float> beside) {
    Golden expected = like;
    std::size_t at = 0;
    for (auto& row : expected.logits)
        for (double& value : row) value = static_cast<double>(merged[at++]);
    return testing::worst(testing::errors(expected, beside));
}

// Families that differ in how their matrices are stored and multiplied.
struct Base {
    const char* name;
    bool conv1d = false;
};
constexpr Base kBases[] = {
    {"llama2"},    {"llama3"},     {"mistral"},     {"qwen2"},     {"qwen3"},
    {"gemma"},     {"gemma2"},     {"gemma3_text"}, {"phi3"},      {"phi"},
    {"falcon_7b"}, {"falcon_40b"}, {"gpt_neox"},    {"bloom"},     {"olmo"},
    {"olmo2"},     {"mixtral"},    {"qwen2_moe"},   {"qwen3_moe"}, {"gpt2", true},
};

std::string name_of(const ::testing::TestParamInfo<Base>& info) {
    return info.param.name;
}

class LoraTest : public ::testing::TestWithParam<Base> {
  protected:
    const std::filesystem::path source_ = testing::golden_folder(GetParam().name);
    const Golden golden_ = testing::read_golden(source_);
    ThreadPool pool_{2};
    op::Context context_{pool_, kernel::best(), op::Precision::f32};

    PagedVector<float> logits(const testing::Loaded& loaded) {
        return testing::run(loaded, context_, golden_, {1 << 20});
    }

    // Two adapters of different strength, beside a base with matrices of `type`.
    void compare(DType type) {
        const auto original = format::Checkpoint::open(source_);
        ASSERT_TRUE(original);
        const auto config = arch::read_config(*original);
        ASSERT_TRUE(config);
        Files files = testing::read_files(source_);
        const LoraFiles first(files.tensors, GetParam().conv1d, 1);
        const LoraFiles second(files.tensors, GetParam().conv1d, 2);
        for (auto& [name, array] : files.tensors) array.values = as_stored(array, type);
        const TempFolder stored;
        testing::write_files(files, stored);
        first.merge_into(files.tensors, 1);
        second.merge_into(files.tensors, -0.5);
        const TempFolder merged;
        testing::write_files(files, merged);

        std::filesystem::path base = stored.path();
        if (type != DType::f32) {
            base = stored / "base.gguf";
            convert::GgufOptions options;
            options.matrices = type;
            ASSERT_TRUE(convert::to_gguf(*original, *config, nullptr, options, base));
        }
        const auto whole = testing::load(merged.path());
        const auto frozen = testing::load(base);
        ASSERT_TRUE(whole && frozen);
        const auto before = logits(*frozen);
        for (const auto& [adapted, scale] : {std::pair{&first, 1.0F}, std::pair{&second, -0.5F}}) {
            auto adapter = model::load_adapter(adapted->folder.path(), frozen->checkpoint,
                                               frozen->model.config(), scale);
            ASSERT_TRUE(adapter) << adapter.error().what;
            const Status added = frozen->model.add_adapter(std::move(*adapter));
            ASSERT_TRUE(added) << added.error().what;
        }
        const auto expected = logits(*whole);
        EXPECT_LE(distance(golden_, expected, logits(*frozen)), kBound);
        EXPECT_GE(distance(golden_, expected, before), 0.1);  // the adapters matter
    }
};

TEST_P(LoraTest, BesideTheWeightsEqualsMergedIntoThem) {
    compare(DType::f32);
}

TEST_P(LoraTest, BesideQuantisedWeightsEqualsMergedIntoWhatTheyStandFor) {
    if (GetParam().conv1d) GTEST_SKIP() << "blocks run along the other dimension";
    compare(DType::q8_0);
}

// Requests that choose different adapters, or none, in one scheduler at the same time.
TEST_P(LoraTest, AnswersWithAdaptersBesideOthersAreThoseOfALoneRun) {
    const Files files = testing::read_files(source_);
    const LoraFiles first(files.tensors, GetParam().conv1d, 1);
    const LoraFiles second(files.tensors, GetParam().conv1d, 2);
    const engine::OpenOptions::Lora loras[] = {{first.folder.path(), 1, "first"},
                                               {second.folder.path(), -0.5F, "second"}};
    engine::OpenOptions options{.n_threads = 2, .deterministic = true};
    options.lora.assign(std::begin(loras), std::end(loras));
    const engine::Engine engine = engine::open(source_.string(), options);
    ASSERT_EQ(engine.adapters(), (std::vector<std::string>{"first", "second"}));
    const auto scheduler =
        engine::start(engine, {.n_sequences = 7, .n_ctx = 48, .step_tokens = 24});
    engine::Client client(*scheduler);
    constexpr int kJobs = 18;
    const auto job = [](int i) {
        // The same prompts for all adapters, so that a shared cache would show.
        engine::Request request =
            engine::story({1, 9 + i / 6, 5, 7, 11, 13, 17, 19, 23, 29, 31}, 20);
        request.sampling.temperature = i % 2 == 0 ? 0.0F : 1.0F;
        request.sampling.seed = i / 6;
        return request;
    };
    for (int i = 0; i < kJobs; ++i) {
        engine::Request request = job(i);
        request.adapter = i % 3;
        client.submit({.request = std::move(request), .owner = std::string(1, "ab"[i % 2])});
    }
    client.wait();
    std::map<int, std::vector<std::vector<engine::TokenId>>> said;
    for (int adapter = 0; adapter < 3; ++adapter) {
        engine::OpenOptions lone{.n_threads = 1, .deterministic = true};
        if (adapter > 0) lone.lora = {{loras[adapter - 1].path, loras[adapter - 1].scale}};
        const engine::Engine only = engine::open(source_.string(), lone);
        for (int i = adapter; i < kJobs; i += 3) {
            const auto& reply = client.reply(static_cast<std::size_t>(i));
            ASSERT_TRUE(reply) << reply.error().what;
            EXPECT_EQ(reply->ids, engine::alone(only, job(i), 48).ids) << adapter << " " << i;
            said[adapter].push_back(reply->ids);
        }
    }
    EXPECT_NE(said[0], said[1]);
    EXPECT_NE(said[1], said[2]);
    // Once more, with what each adapter has left in the cache.
    for (int i = 0; i < 3; ++i) {
        engine::Request request = job(i);
        request.adapter = i;
        client.submit({.request = std::move(request)});
        const auto& reply = client.reply(static_cast<std::size_t>(kJobs + i));
        ASSERT_TRUE(reply) << reply.error().what;
        EXPECT_EQ(reply->ids, said[i].front());
        EXPECT_EQ(reply->n_cached, reply->n_prompt - 1);
    }

    engine::Request wrong = job(0);
    wrong.adapter = 3;
    EXPECT_FALSE(client.try_submit({.request = std::move(wrong)}));
}

// One session that changes its adapter, and a vector with one.
TEST_P(LoraTest, ASessionForgetsWhatAnotherAdapterRead) {
    const Files files = testing::read_files(source_);
    const LoraFiles lora(files.tensors, GetParam().conv1d, 3);
    engine::OpenOptions options{.n_threads = 1, .deterministic = true};
    const engine::Engine base = engine::open(source_.string(), options);
    options.lora = {{lora.folder.path()}};
    const engine::Engine always = engine::open(source_.string(), options);
    options.lora.front().name = "it";
    const engine::Engine chosen = engine::open(source_.string(), options);
    auto session = engine::Session::start(chosen, {.n_ctx = 48});
    ASSERT_TRUE(session);
    for (const int adapter : {0, 1, 1, 0}) {
        engine::Request request = engine::story({1, 9, 5, 7}, 12);
        const auto expected = engine::alone(adapter == 0 ? base : always, request, 48).ids;
        request.adapter = adapter;
        const auto reply = session->generate(request);
        ASSERT_TRUE(reply) << reply.error().what;
        EXPECT_EQ(reply->ids, expected);
    }
    const std::vector<engine::TokenId> text = {1, 9, 5, 7};
    const auto vector = engine::hidden_states(chosen, text, 1);
    const auto expected = engine::hidden_states(always, text);
    const auto without = engine::hidden_states(base, text);
    ASSERT_TRUE(vector && expected && without);
    EXPECT_EQ(*vector, *expected);
    EXPECT_NE(*vector, *without);
}

// Of every family, those without a checkpoint here, too: a base of the family's table, an adapter
// of all of its matrices, and what the model gets of each form that is made of it.
class Forms {
  public:
    explicit Forms(const arch::Family& family) : base_(family) {
        Rng rng(11);
        for (const arch::Tensor& tensor : family.tensors) add(tensor, rng);
    }

    std::size_t size() const { return weights_.size(); }

    void expect_the_same() const {
        const auto checkpoint = base_.huggingface(weights_);
        const model::test::Peft peft(pairs_);
        const auto wanted = load(peft.folder.path(), checkpoint);
        const auto files = format::open_adapter_files(peft.folder.path());
        ASSERT_TRUE(files) << files.error().what;
        auto gguf = convert::adapter_gguf(*files, {base_.config(), ""}, {});
        ASSERT_TRUE(gguf) << gguf.error().what;
        const TempFolder temp;
        write(std::move(gguf->writer), gguf->weights, temp / "a.gguf");
        expect_equal(load(temp / "a.gguf", checkpoint), wanted);
        expect_folder(temp, checkpoint, wanted);
        // As another program would have made it.
        gguf = convert::adapter_gguf(*files, {base_.config(), ""}, {});
        format::GgufWriter plain;
        for (const char* key : {"general.architecture", "general.type", "adapter.type"})
            plain.set_string(key, open(temp / "a.gguf").gguf->metadata().string(key).value_or(""));
        plain.set("adapter.lora.alpha", 6.0F);
        write(std::move(plain), gguf->weights, temp / "a.gguf");
        expect_folder(temp, checkpoint, wanted);
    }

  private:
    using Changes = std::vector<model::LowRank>;

    void add(const arch::Tensor& tensor, Rng& rng) {
        const arch::Config& config = base_.config();
        if (tensor.hf == nullptr || tensor.cols == arch::Dim::none || tensor.on == arch::On::sparse
            || tensor.role == arch::Role::output)
            return;
        const std::string name = arch::tensor_name(tensor.hf, 1);
        const auto walk = arch::row_walk(tensor.fused, arch::extent(tensor.rows, config), config);
        const std::int64_t rows = walk.unit_stride * walk.units;
        const std::int64_t cols = arch::extent(tensor.cols, config);
        if (!name.ends_with(".weight") || weights_.contains(name) || rows < 1 || cols < 1) return;
        const auto weight = model::test::random_matrix(rows, cols, rng);
        weights_[name] =
            tensor.load == arch::Load::transposed ? model::test::turned(weight) : weight;
        pairs_.merge(model::test::peft_pair(name, model::test::random_matrix(kRank, cols, rng),
                                            model::test::random_matrix(rows, kRank, rng)));
    }

    static format::AdapterFiles open(const std::filesystem::path& path) {
        return std::move(*format::open_adapter_files(path));
    }

    Changes load(const std::filesystem::path& path, const format::Checkpoint& checkpoint) const {
        auto adapter = model::load_adapter(path, checkpoint, base_.config());
        EXPECT_TRUE(adapter) << adapter.error().what;
        return adapter ? std::move(adapter->changes) : Changes{};
    }

    template <class Writer>
    void write(Writer writer, const std::vector<convert::FolderWeight>& weights,
               const std::filesystem::path& path) const {
        ThreadPool pool(1);
        shape::Encoder encoder(pool, {});
        for (const auto& one : weights) writer.add(encoder.source(one.weight, {one.type}));
        ASSERT_TRUE(writer.write(path));
    }

    void expect_folder(const TempFolder& temp, const format::Checkpoint& checkpoint,
                       const Changes& wanted) const {
        const auto folder =
            convert::adapter_folder(open(temp / "a.gguf"), {base_.config(), ""}, {});
        ASSERT_TRUE(folder) << folder.error().what;
        write(format::SafetensorsWriter(), folder->tensors.weights, temp / folder->weights);
        for (const auto& file : folder->files) temp.write(file.name, file.text);
        expect_equal(load(temp.path(), checkpoint), wanted);
    }

    static void expect_equal(const Changes& made, const Changes& wanted) {
        ASSERT_EQ(made.size(), wanted.size());
        for (std::size_t i = 0; i < made.size(); ++i) {
            EXPECT_EQ(made[i].tensor, wanted[i].tensor);
            EXPECT_EQ(made[i].scale, wanted[i].scale) << made[i].tensor;
            EXPECT_EQ(made[i].a, wanted[i].a) << made[i].tensor;
            EXPECT_EQ(made[i].b, wanted[i].b) << made[i].tensor;
        }
    }

    model::test::Base base_;
    model::test::Matrices weights_, pairs_;
};

TEST(AdapterForms, OfEveryFamilyDoTheSame) {
    for (const arch::Family* family : arch::families()) {
        SCOPED_TRACE(family->name);
        const Forms forms(*family);
        EXPECT_GE(forms.size(), 3U);
        forms.expect_the_same();
    }
}

INSTANTIATE_TEST_SUITE_P(Families, LoraTest, ::testing::ValuesIn(kBases), name_of);

}  // namespace
}  // namespace heft
