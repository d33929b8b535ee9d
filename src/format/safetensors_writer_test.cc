#include "format/safetensors_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../../tests/temp_folder.h"
#include "base/mapped_file.h"
#include "format/checkpoint.h"
#include "format/safetensors.h"

namespace heft::format {
namespace {

using ::testing::HasSubstr;

std::vector<std::byte> pattern(std::uint64_t bytes, std::size_t seed) {
    std::vector<std::byte> out(bytes);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::byte>(i * 7 + seed);
    return out;
}

TensorSource tensor(const std::string& name, DType type, const Shape& shape, std::size_t seed) {
    return {name, type, shape,
            [=](const ByteSink& out) { return out(pattern(*tensor_bytes(type, shape), seed)); }};
}

TEST(SafetensorsWriter, EveryTypeComesBack) {
    SafetensorsWriter writer;
    writer.set("format", "tf");
    writer.set("format", "pt");
    std::size_t count = 0;
    for (const DTypeInfo& info : dtypes())
        if (info.safetensors_name != nullptr) {
            writer.add(tensor(info.name, info.type, {3, 5}, static_cast<std::size_t>(info.type)));
            ++count;
        }
    const auto file = writer.to_memory();
    ASSERT_TRUE(file) << file.error().what;
    const auto parsed = parse_safetensors(*file);
    ASSERT_TRUE(parsed) << parsed.error().what;
    ASSERT_EQ(parsed->tensors.size(), count);
    ASSERT_EQ(parsed->metadata.size(), 1U);
    EXPECT_EQ(parsed->metadata[0].second, "pt");
    const std::byte* data = parsed->tensors[0].data.data();
    EXPECT_EQ((data - file->data()) % 8, 0);
    for (const TensorView& back : parsed->tensors) {
        const auto expected = pattern(back.data.size(), static_cast<std::size_t>(back.type));
        EXPECT_TRUE(std::equal(expected.begin(), expected.end(), back.data.begin())) << back.name;
        EXPECT_EQ((back.data.data() - data) % dtype_info(back.type).block_bytes, 0) << back.name;
        EXPECT_EQ(back.name, dtype_info(back.type).name);
    }
}

TEST(SafetensorsWriter, RefusesWhatTheFormatHasNot) {
    const auto error_of = [](const TensorSource& first, const TensorSource& second) {
        SafetensorsWriter writer;
        writer.add(first);
        writer.add(second);
        const auto file = writer.to_memory();
        return file ? std::string() : file.error().what;
    };
    const TensorSource good = tensor("a", DType::f32, {1}, 0);
    EXPECT_EQ(error_of(good, tensor("b", DType::f32, {0}, 0)), "");
    EXPECT_THAT(error_of(good, tensor("b", DType::q4_0, {32}, 0)), HasSubstr("Q4_0"));
    EXPECT_THAT(error_of(good, good), HasSubstr("twice"));
    EXPECT_THAT(error_of(good, tensor("__metadata__", DType::f32, {1}, 0)), HasSubstr("twice"));
    EXPECT_THAT(error_of(good, tensor("\xff", DType::f32, {1}, 0)), HasSubstr("UTF-8"));
}

TEST(SafetensorsWriter, ShardsOpenAsOneModel) {
    const heft::testing::TempFolder folder;
    folder.write("config.json", R"({"model_type":"llama"})");
    SafetensorsWriter writer;
    for (std::size_t i = 0; i < 5; ++i)
        writer.add(tensor("t" + std::to_string(i), DType::f16, {10, 10}, i));
    const auto written = writer.write_sharded(folder.path(), 400);
    ASSERT_TRUE(written) << written.error().what;
    const auto model = Checkpoint::open(folder.path());
    ASSERT_TRUE(model) << model.error().what;
    EXPECT_EQ(model->files().size(), 3U);
    EXPECT_EQ(model->tensors().size(), 5U);
    for (std::size_t i = 0; i < 5; ++i) {
        const TensorView* back = model->find("t" + std::to_string(i));
        ASSERT_NE(back, nullptr);
        const auto expected = pattern(200, i);
        EXPECT_TRUE(std::equal(expected.begin(), expected.end(), back->data.begin()));
    }
}

TEST(SafetensorsWriter, NamesTheFolderThatIsMissing) {
    const heft::testing::TempFolder folder;
    const auto written = SafetensorsWriter().write(folder / "no/such/model.safetensors");
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, Code::not_found);
    EXPECT_THAT(written.error().what, HasSubstr("no/such"));
}

}  // namespace
}  // namespace heft::format
