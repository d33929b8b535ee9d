// Every reference checkpoint of a family that heft knows, computed every way.
#include <algorithm>
#include <filesystem>
#include <memory>

#include <gtest/gtest.h>

#include "arch/arch.h"
#include "arch/tensors.h"
#include "convert/folder_files.h"
#include "convert/to_gguf.h"
#include "format/checkpoint.h"
#include "format/output_file.h"
#include "format/safetensors_writer.h"
#include "golden_run.h"
#include "shape/folder.h"
#include "shape/quantise.h"
#include "temp_folder.h"
#include "tensor/quant/quant.h"
#include "tensor/rows.h"

namespace heft {
namespace {

using testing::Golden;
using testing::load;
using testing::Loaded;
using testing::run;

// tests/golden/README.md says where the bounds come from.
constexpr double kFloatBound = 2e-4;
constexpr double kHalfMedianBound = 0.15;
constexpr double kHalfTop1 = 0.95;

std::vector<int> greedy(const Loaded& loaded, op::Context& context, const Golden& golden) {
    const auto length = static_cast<int>(golden.prompt.size() + golden.greedy.size());
    auto cache = loaded.model.make_cache(length, context.precision, length);
    std::vector<int> tokens = golden.prompt;
    PagedVector<float> logits;
    for (int at = 0; at + 1 < length;) {
        std::vector<model::Input> inputs;
        for (; at < static_cast<int>(tokens.size()); ++at)
            inputs.push_back({tokens[static_cast<std::size_t>(at)], at, &*cache,
                              at + 1 == static_cast<int>(tokens.size())});
        logits.clear();
        if (!loaded.model.forward(context, inputs, logits)) break;
        tokens.push_back(
            static_cast<int>(std::max_element(logits.begin(), logits.end()) - logits.begin()));
        if (static_cast<int>(tokens.size()) == length) break;
    }
    return {tokens.begin() + static_cast<std::ptrdiff_t>(golden.prompt.size()), tokens.end()};
}

const std::vector<std::vector<int>> kFeedings = {{1 << 20}, {7, 16, 1, 24}, {1}};

class GoldenTest : public ::testing::TestWithParam<std::filesystem::path> {
  protected:
    void SetUp() override {
        if (!testing::known_family(GetParam())) GTEST_SKIP() << "a family for later";
        golden_ = testing::read_golden(GetParam());
    }

    Golden golden_;
    ThreadPool one_{1};
    ThreadPool two_{2};
};

TEST_P(GoldenTest, FloatLogitsAgreeHoweverThePromptIsFedOnEveryInstructionSet) {
    const auto loaded = load(GetParam());
    ASSERT_TRUE(loaded);
    for (const kernel::Table* table : kernel::usable()) {
        op::Context context{one_, *table, op::Precision::f32};
        for (const auto& feeding : kFeedings) {
            const auto logits = run(*loaded, context, golden_, feeding);
            EXPECT_LE(testing::worst(testing::errors(golden_, logits)), kFloatBound)
                << table->name << ", " << feeding.front() << " tokens at a time";
        }
        EXPECT_EQ(greedy(*loaded, context, golden_), golden_.greedy) << table->name;
    }
}

TEST_P(GoldenTest, ThreadsDoNotChangeABit) {
    const auto loaded = load(GetParam());
    ASSERT_TRUE(loaded);
    for (const auto precision : {op::Precision::f32, op::Precision::fast}) {
        op::Context alone{one_, kernel::best(), precision};
        op::Context together{two_, kernel::best(), precision};
        for (const auto& feeding : kFeedings)
            EXPECT_EQ(run(*loaded, alone, golden_, feeding),
                      run(*loaded, together, golden_, feeding));
    }
}

TEST_P(GoldenTest, FastPrecisionStaysWithinHalfPrecision) {
    const auto loaded = load(GetParam());
    ASSERT_TRUE(loaded);
    for (const kernel::Table* table : kernel::usable()) {
        op::Context context{two_, *table, op::Precision::fast};
        const auto logits = run(*loaded, context, golden_, kFeedings.front());
        EXPECT_LE(testing::median(testing::errors(golden_, logits)), kHalfMedianBound);
        EXPECT_GE(testing::top1_agreement(golden_, logits), kHalfTop1);
    }
}

TEST_P(GoldenTest, AgreesAfterConversionToGguf) {
    auto source = format::Checkpoint::open(GetParam());
    ASSERT_TRUE(source);
    auto config = arch::read_config(*source);
    ASSERT_TRUE(config);
    const auto file = std::filesystem::temp_directory_path()
                      / ("heft-golden-" + GetParam().filename().string() + ".gguf");
    for (const DType type : {DType::f32, DType::f16, DType::bf16}) {
        convert::GgufOptions options;
        options.matrices = type;
        const auto written = convert::to_gguf(*source, *config, nullptr, options, file);
        ASSERT_TRUE(written) << written.error().what;
        const auto loaded = load(file);
        ASSERT_TRUE(loaded);
        op::Context context{two_, kernel::best(), op::Precision::f32};
        const auto logits = run(*loaded, context, golden_, kFeedings.front());
        const auto error = testing::errors(golden_, logits);
        const bool exact = type == DType::f32 || type == source->tensors().front().type;
        if (exact) {
            EXPECT_LE(testing::worst(error), kFloatBound) << dtype_info(type).name;
            EXPECT_EQ(greedy(*loaded, context, golden_), golden_.greedy);
        } else {
            EXPECT_LE(testing::median(error), kHalfMedianBound) << dtype_info(type).name;
        }
    }
    std::filesystem::remove(file);
}

// A folder again, in `folder`; nothing where it cannot be.
Status make_folder(const std::filesystem::path& gguf, ThreadPool& pool,
                   const std::filesystem::path& folder) {
    HEFT_TRY(const auto checkpoint, format::Checkpoint::open(gguf));
    HEFT_TRY(const auto model, convert::folder_model(checkpoint, std::nullopt));
    format::SafetensorsWriter writer;
    shape::Encoder encoder(pool, {});
    shape::add_tensors(writer, model.tensors, encoder, {});
    HEFT_OK(writer.write(folder / "model.safetensors"));
    for (const auto& file : model.files) HEFT_OK(format::write_file(folder / file.name, file.text));
    return {};
}

std::vector<std::byte> bytes_of(const TensorView& view) {
    const auto rows = rows_of(view);
    std::vector<std::byte> out(*tensor_bytes(view.type, view.shape));
    read_stored_rows(view, 0, rows, out.data());
    return out;
}

TEST_P(GoldenTest, ComesBackFromGgufAsItWas) {
    const testing::TempFolder temp;
    const auto source = format::Checkpoint::open(GetParam());
    ASSERT_TRUE(source);
    {
        auto target = shape::gguf_model(*source);
        ASSERT_TRUE(target) << target.error().what;
        const auto plan = shape::plan_quantising(std::move(target->weights), target->facts, {});
        ASSERT_TRUE(plan) << plan.error().what;
        shape::Encoder encoder(two_, {});
        shape::add_tensors(target->writer, *plan, encoder);
        ASSERT_TRUE(target->writer.write(temp.path() / "model.gguf"));
    }
    const auto made = make_folder(temp.path() / "model.gguf", two_, temp.path());
    ASSERT_TRUE(made) << made.error().what;
    std::filesystem::remove(temp.path() / "model.gguf");
    const auto loaded = load(temp.path());
    ASSERT_TRUE(loaded);
    const auto config = arch::read_config(*source);
    ASSERT_TRUE(config);
    for (const TensorView& view : source->tensors()) {
        const TensorView* back = loaded->checkpoint.find(view.name);
        if (back == nullptr) {  // masks, which models do without
            EXPECT_TRUE(view.name.ends_with("bias")) << view.name;
            continue;
        }
        EXPECT_EQ(back->type, view.type) << view.name;
        EXPECT_EQ(back->shape, view.shape) << view.name;
        EXPECT_TRUE(bytes_of(*back) == bytes_of(view)) << view.name;
    }
    for (const char* name : {"config.json", "tokenizer.json"}) {
        const auto before = source->side_file(name);
        const auto after = loaded->checkpoint.side_file(name);
        ASSERT_EQ(static_cast<bool>(before), static_cast<bool>(after));
        if (!before) continue;
        EXPECT_EQ(as_text(before->bytes()), as_text(after->bytes()));
    }
    op::Context context{two_, kernel::best(), op::Precision::f32};
    const auto logits = run(*loaded, context, golden_, kFeedings.front());
    EXPECT_LE(testing::worst(testing::errors(golden_, logits)), kFloatBound);
    EXPECT_EQ(greedy(*loaded, context, golden_), golden_.greedy);
}

// By its metadata alone.
TEST_P(GoldenTest, AFolderIsMadeOfAStrangersGguf) {
    const testing::TempFolder temp;
    {
        const auto source = format::Checkpoint::open(GetParam());
        ASSERT_TRUE(source);
        const auto config = arch::read_config(*source);
        ASSERT_TRUE(config);
        convert::GgufOptions options;
        options.matrices = DType::f32;
        ASSERT_TRUE(
            convert::to_gguf(*source, *config, nullptr, options, temp.path() / "model.gguf"));
    }
    const auto made = make_folder(temp.path() / "model.gguf", two_, temp.path());
    ASSERT_TRUE(made) << made.error().what;
    std::filesystem::remove(temp.path() / "model.gguf");
    const auto loaded = load(temp.path());
    ASSERT_TRUE(loaded);
    const auto config = arch::read_config(loaded->checkpoint);
    ASSERT_TRUE(config);
    EXPECT_EQ(arch::unplaced(loaded->checkpoint, *config), std::vector<std::string>());
    op::Context context{two_, kernel::best(), op::Precision::f32};
    const auto logits = run(*loaded, context, golden_, kFeedings.front());
    EXPECT_LE(testing::worst(testing::errors(golden_, logits)), kFloatBound);
    EXPECT_EQ(greedy(*loaded, context, golden_), golden_.greedy);
}

// As newer files have latent attention: of kv_b, the keys' part turned, apart from the values'.
class WithKeysApart {
  public:
    WithKeysApart(const format::Checkpoint& gguf, const arch::Config& config) : c_(config) {
        for (const format::MetaEntry& entry : gguf.metadata().entries()) writer_.copy(entry);
        set("head_count_kv", 1);
        set("key_length", c_.latent.kv_rank + c_.latent.d_rope);
        set("value_length", c_.latent.kv_rank);
        set("key_length_mla", c_.d_head);
        set("value_length_mla", c_.d_value);
        for (const TensorView& view : gguf.tensors()) add(view);
    }

    Status write(const std::filesystem::path& path) const { return writer_.write(path); }

  private:
    void set(const std::string& key, int value) {
        writer_.set("deepseek2.attention." + key, static_cast<std::uint32_t>(value));
    }

    void add(const TensorView& view) {
        const auto at = view.name.find("attn_kv_b");
        if (at == std::string::npos) {
            const auto whole = [&view](const format::ByteSink& out) { return out(view.data); };
            writer_.add({view.name, view.type, view.shape, whole});
            return;
        }
        const std::int64_t nope = c_.d_head - c_.latent.d_rope;
        const std::int64_t each = nope + c_.d_value;  // rows of a head
        const std::int64_t rank = c_.latent.kv_rank;
        std::vector<float> all(static_cast<std::size_t>(c_.n_head * each * rank));
        read_rows(view, 0, c_.n_head * each, all.data());
        std::vector<float> keys;
        std::vector<float> values;
        for (std::int64_t head = 0; head < c_.n_head; ++head) {
            const float* own = all.data() + head * each * rank;
            for (std::int64_t c = 0; c < rank; ++c)
                for (std::int64_t i = 0; i < nope; ++i) keys.push_back(own[i * rank + c]);
            values.insert(values.end(), own + nope * rank, own + each * rank);
        }
        std::string name = view.name;
        add(name.replace(at, 9, "attn_k_b"), view.type, {c_.n_head, rank, nope}, keys);
        add(name.replace(at, 8, "attn_v_b"), view.type, {c_.n_head, c_.d_value, rank}, values);
    }

    void add(const std::string& name, DType type, const Shape& shape, std::vector<float> values) {
        writer_.add({name, type, shape, [values = std::move(values), type](const auto& out) {
                         const auto n = static_cast<std::int64_t>(values.size());
                         std::vector<std::byte> bytes(*row_bytes(type, values.size()));
                         codec(type)->quantise(values.data(), n, bytes.data());
                         return out(bytes);
                     }});
    }

    const arch::Config& c_;
    format::GgufWriter writer_;
};

TEST(SplitLatentAttention, BecomesAFolderAgain) {
    ThreadPool pool(2);
    for (const char* name : {"deepseek_v2", "deepseek_v2_lite", "deepseek_v3"}) {
        SCOPED_TRACE(name);
        const testing::TempFolder temp;
        const auto folder = testing::golden_folder(name);
        const auto source = format::Checkpoint::open(folder);
        ASSERT_TRUE(source);
        const auto config = arch::read_config(*source);
        ASSERT_TRUE(config);
        convert::GgufOptions options;
        options.matrices = source->tensors().front().type;
        ASSERT_TRUE(convert::to_gguf(*source, *config, nullptr, options, temp / "whole.gguf"));
        const auto whole = format::Checkpoint::open(temp / "whole.gguf");
        ASSERT_TRUE(whole);
        ASSERT_TRUE(WithKeysApart(*whole, *config).write(temp / "apart.gguf"));
        const auto made = make_folder(temp / "apart.gguf", pool, temp.path());
        ASSERT_TRUE(made) << made.error().what;
        const auto loaded = load(temp / "model.safetensors");
        ASSERT_TRUE(loaded);
        for (const TensorView& view : source->tensors()) {
            const TensorView* back = loaded->checkpoint.find(view.name);
            ASSERT_NE(back, nullptr) << view.name;
            EXPECT_EQ(back->shape, view.shape) << view.name;
            if (view.shape.size() < 2) continue;
            EXPECT_TRUE(bytes_of(*back) == bytes_of(view)) << view.name;
        }
        const Golden golden = testing::read_golden(folder);
        op::Context context{pool, kernel::best(), op::Precision::f32};
        EXPECT_LE(testing::worst(
                      testing::errors(golden, run(*loaded, context, golden, kFeedings.front()))),
                  kFloatBound);
    }
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, GoldenTest, ::testing::ValuesIn(testing::golden_folders()),
                         [](const auto& checkpoint) {
                             std::string name = checkpoint.param.filename().string();
                             std::replace(name.begin(), name.end(), '-', '_');
                             return name + "_" + std::to_string(checkpoint.index);
                         });

}  // namespace
}  // namespace heft
