#include "format/gguf_writer.h"

#include <array>
#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../../tests/temp_folder.h"
#include "base/mapped_file.h"
#include "base/rng.h"
#include "format/checkpoint.h"
#include "format/gguf.h"

namespace heft::format {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::byte> random_bytes(std::size_t count, std::uint64_t seed) {
    Rng rng(seed);
    std::vector<std::byte> bytes(count);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(rng.next());
    return bytes;
}

TensorSource random_tensor(const std::string& name, DType type, const Shape& shape,
                           std::uint64_t seed) {
    return {name, type, shape, [=](const ByteSink& out) {
                return out(random_bytes(*tensor_bytes(type, shape), seed));
            }};
}

TEST(GgufWriter, EveryNumberComesBack) {
    GgufWriter writer;
    writer.set("u8", std::uint8_t{255});
    writer.set("i8", std::int8_t{-128});
    writer.set("u16", std::uint16_t{65535});
    writer.set("i16", std::int16_t{-32768});
    writer.set("u32", std::uint32_t{4294967295});
    writer.set("i32", std::numeric_limits<std::int32_t>::min());
    writer.set("u64", std::uint64_t{1} << 62);
    writer.set("i64", std::numeric_limits<std::int64_t>::min());
    writer.set("huge", ~std::uint64_t{0});
    writer.set("f32", 0.5F);
    writer.set("f64", -0.25);
    writer.set("yes", true);
    writer.set("no", false);
    const auto file = writer.to_memory();
    ASSERT_TRUE(file);
    const auto gguf = parse_gguf(*file);
    ASSERT_TRUE(gguf) << gguf.error().what;
    const Metadata& meta = gguf->metadata;
    EXPECT_EQ(meta.integer("u8"), 255);
    EXPECT_EQ(meta.integer("i8"), -128);
    EXPECT_EQ(meta.integer("u16"), 65535);
    EXPECT_EQ(meta.integer("i16"), -32768);
    EXPECT_EQ(meta.integer("u32"), 4294967295);
    EXPECT_EQ(meta.integer("i32"), std::numeric_limits<std::int32_t>::min());
    EXPECT_EQ(meta.integer("u64"), std::int64_t{1} << 62);
    EXPECT_EQ(meta.integer("i64"), std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(meta.integer("huge"), std::nullopt);  // does not fit
    EXPECT_EQ(meta.number("huge"), 0x1p64);
    EXPECT_EQ(meta.number("f32"), 0.5);
    EXPECT_EQ(meta.number("f64"), -0.25);
    EXPECT_EQ(meta.number("i8"), -128.0);
    EXPECT_EQ(meta.integer("f32"), std::nullopt);
    EXPECT_EQ(meta.flag("yes"), true);
    EXPECT_EQ(meta.flag("no"), false);
    EXPECT_EQ(meta.flag("u8"), std::nullopt);
    EXPECT_EQ(meta.integer("yes"), std::nullopt);
    EXPECT_EQ(meta.find("absent"), nullptr);
    const MetaType order[] = {MetaType::u8,     MetaType::i8,  MetaType::u16, MetaType::i16,
                              MetaType::u32,    MetaType::i32, MetaType::u64, MetaType::i64,
                              MetaType::u64,    MetaType::f32, MetaType::f64, MetaType::boolean,
                              MetaType::boolean};
    ASSERT_EQ(meta.entries().size(), std::size(order));
    for (std::size_t i = 0; i < std::size(order); ++i)
        EXPECT_EQ(meta.entries()[i].value.type, order[i]) << meta.entries()[i].key;
}

template <class T>
void expect_integers_back() {
    const std::array<T, 3> items{std::numeric_limits<T>::min(), 7,
                                 static_cast<T>(std::numeric_limits<T>::max() / 4)};
    GgufWriter writer;
    writer.set_array("a", std::span<const T>(items));
    const auto file = writer.to_memory();
    const auto gguf = parse_gguf(*file);
    ASSERT_TRUE(gguf) << gguf.error().what;
    EXPECT_EQ(gguf->metadata.find("a")->item_type, meta_type_of<T>());
    EXPECT_THAT(gguf->metadata.integers("a"), ElementsAre(items[0], items[1], items[2]));
    EXPECT_EQ(gguf->metadata.floats("a").size(), 3U);
    EXPECT_TRUE(gguf->metadata.strings("a").empty());
}

TEST(GgufWriter, ArraysComeBack) {
    expect_integers_back<std::uint8_t>();
    expect_integers_back<std::int8_t>();
    expect_integers_back<std::uint16_t>();
    expect_integers_back<std::int16_t>();
    expect_integers_back<std::uint32_t>();
    expect_integers_back<std::int32_t>();
    expect_integers_back<std::uint64_t>();
    expect_integers_back<std::int64_t>();
    GgufWriter writer;
    const std::array<float, 2> floats{1.5F, -2.0F};
    const std::array<double, 1> doubles{0.1};
    const std::array<bool, 2> flags{true, false};
    const std::array<std::uint64_t, 2> huge{1, ~std::uint64_t{0}};
    writer.set_array("floats", std::span<const float>(floats));
    writer.set_array("doubles", std::span<const double>(doubles));
    writer.set_array("flags", std::span<const bool>(flags));
    writer.set_array("huge", std::span<const std::uint64_t>(huge));
    writer.set_array("none", std::span<const float>());
    const auto file = writer.to_memory();
    const auto gguf = parse_gguf(*file);
    ASSERT_TRUE(gguf) << gguf.error().what;
    EXPECT_THAT(gguf->metadata.floats("floats"), ElementsAre(1.5F, -2.0F));
    EXPECT_THAT(gguf->metadata.floats("doubles"), ElementsAre(0.1F));
    EXPECT_EQ(gguf->metadata.find("flags")->count, 2U);
    EXPECT_TRUE(gguf->metadata.integers("huge").empty());  // one does not fit
    EXPECT_EQ(gguf->metadata.find("none")->count, 0U);
    EXPECT_TRUE(gguf->metadata.floats("none").empty());
}

TEST(GgufWriter, StringsComeBack) {
    const std::vector<std::string> tokens{"", "a", std::string("z\0z", 3), "\xff\xfe", "Ġthe"};
    GgufWriter writer;
    writer.set_string("name", "old");
    writer.set_string("name", "heft");
    writer.set_strings("tokens", tokens);
    writer.set_string("general.alignment", "ignored");
    writer.set("split.count", std::uint16_t{3});  // ignored too
    const auto file = writer.to_memory();
    const auto gguf = parse_gguf(*file);
    ASSERT_TRUE(gguf) << gguf.error().what;
    EXPECT_EQ(gguf->metadata.entries().size(), 2U);
    EXPECT_EQ(gguf->metadata.string("name"), "heft");
    const auto back = gguf->metadata.strings("tokens");
    EXPECT_EQ(std::vector<std::string>(back.begin(), back.end()), tokens);
}

TEST(GgufWriter, CopiesAnyMetadata) {
    GgufWriter first;
    first.set("n", std::int16_t{-3});
    first.set_string("s", "text");
    first.set_strings("list", std::vector<std::string>{"x", "yy"});
    const auto file = first.to_memory();
    const auto gguf = parse_gguf(*file);
    GgufWriter second;
    for (const MetaEntry& entry : gguf->metadata.entries()) second.copy(entry);
    EXPECT_EQ(*second.to_memory(), *file);
}

class EveryType : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(EveryType, TensorsComeBack) {
    GgufWriter writer(GetParam());
    const Shape three = {2, 1, 3};
    const Shape outers[] = {Shape(), Shape(1, 3), three};
    std::uint64_t seed = 0;
    for (const DTypeInfo& info : dtypes())
        if (info.gguf_id >= 0)
            for (const Shape& outer : outers) {
                Shape shape = outer;
                shape.push_back(info.block * 3);
                writer.add(random_tensor(info.name + shape_text(outer), info.type, shape, ++seed));
            }
    const auto file = writer.to_memory();
    ASSERT_TRUE(file) << file.error().what;
    const auto gguf = parse_gguf(*file);
    ASSERT_TRUE(gguf) << gguf.error().what;
    EXPECT_EQ(gguf->alignment, GetParam());
    ASSERT_EQ(gguf->tensors.size(), seed);
    for (std::size_t i = 0; i < seed; ++i) {
        const TensorView& tensor = gguf->tensors[i];
        const auto expected = random_bytes(*tensor_bytes(tensor.type, tensor.shape), i + 1);
        EXPECT_TRUE(
            std::equal(expected.begin(), expected.end(), tensor.data.begin(), tensor.data.end()))
            << tensor.name;
    }
}

INSTANTIATE_TEST_SUITE_P(Alignments, EveryType, ::testing::Values(1U, 8U, 32U, 4096U));

TEST(GgufWriter, RefusesWhatTheFormatHasNot) {
    const auto error_of = [](std::vector<TensorSource> tensors) {
        GgufWriter writer;
        for (TensorSource& tensor : tensors) writer.add(std::move(tensor));
        const auto file = writer.to_memory();
        return file ? std::string() : file.error().what;
    };
    EXPECT_THAT(error_of({random_tensor("u", DType::u8, {4}, 1)}), HasSubstr("U8"));
    EXPECT_THAT(error_of({random_tensor("t", DType::f32, {1, 1, 1, 1, 1}, 1)}), HasSubstr("'t'"));
    EXPECT_THAT(error_of({random_tensor("t", DType::f32, {0}, 1)}), HasSubstr("[0]"));
    EXPECT_THAT(error_of({random_tensor("t", DType::q4_0, {33}, 1)}), HasSubstr("blocks"));
    EXPECT_THAT(error_of({random_tensor("", DType::f32, {1}, 1)}), HasSubstr("empty"));
    EXPECT_THAT(
        error_of({random_tensor("t", DType::f32, {1}, 1), random_tensor("t", DType::f32, {1}, 2)}),
        HasSubstr("twice"));
    const auto gives = [](std::size_t bytes) {
        return TensorSource{"t", DType::f32, {2}, [bytes](const ByteSink& out) {
                                return out(random_bytes(bytes, 1));
                            }};
    };
    EXPECT_THAT(error_of({gives(7)}), HasSubstr("only 7 of its 8 bytes"));
    EXPECT_THAT(error_of({gives(9)}), HasSubstr("more than its 8 bytes"));
    EXPECT_FALSE(GgufWriter(24).to_memory());
}

TEST(GgufWriter, FailureLeavesTheOldFile) {
    const heft::testing::TempFolder folder;
    folder.write("m.gguf", "old");
    GgufWriter writer;
    writer.add({"t", DType::f32, {2}, [](const ByteSink&) -> Status {
                    return Error{Code::cancelled, "stopped"};
                }});
    const auto status = writer.write(folder / "m.gguf");
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, Code::cancelled);
    EXPECT_EQ(*read_text(folder / "m.gguf"), "old");
    const auto files = std::filesystem::directory_iterator(folder.path());
    EXPECT_EQ(std::distance(begin(files), end(files)), 1);
}

TEST(GgufWriter, SplitsOpenAsOneModel) {
    const heft::testing::TempFolder folder;
    GgufWriter writer;
    writer.set_string("general.architecture", "llama");
    for (int i = 0; i < 7; ++i)
        writer.add(random_tensor("t" + std::to_string(i), DType::f32, {8, 8}, 1));
    const auto files = writer.write_parts(folder / "m", 600);
    ASSERT_TRUE(files) << files.error().what;
    ASSERT_EQ(files->size(), 4U);
    for (const auto& file : *files) {
        const auto model = Checkpoint::open(file);
        ASSERT_TRUE(model) << model.error().what;
        EXPECT_EQ(model->tensors().size(), 7U);
        EXPECT_EQ(model->files(), *files);
        EXPECT_EQ(model->metadata().string("general.architecture"), "llama");
        ASSERT_NE(model->find("t6"), nullptr);
        const auto expected = random_bytes(256, 1);
        EXPECT_TRUE(std::equal(expected.begin(), expected.end(), model->find("t6")->data.begin()));
    }
    EXPECT_TRUE(Checkpoint::open(folder.path()));

    std::filesystem::rename((*files)[1], folder / "kept.gguf");
    auto broken = Checkpoint::open((*files)[0]);
    ASSERT_FALSE(broken);
    EXPECT_THAT(broken.error().what, HasSubstr("m-00002-of-00004.gguf"));

    std::filesystem::copy_file((*files)[2], (*files)[1]);
    broken = Checkpoint::open((*files)[0]);
    ASSERT_FALSE(broken);
    EXPECT_EQ(broken.error().code, Code::corrupt);
    EXPECT_THAT(broken.error().what, HasSubstr("says that it is part 3 of 4"));

    broken = Checkpoint::open(folder / "kept.gguf");
    ASSERT_FALSE(broken);
    EXPECT_THAT(broken.error().what, HasSubstr("part 2 of 4"));
}

}  // namespace
}  // namespace heft::format
