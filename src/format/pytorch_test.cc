#include "format/pytorch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../../tests/temp_folder.h"
#include "format/checkpoint.h"
#include "format/safetensors_writer.h"
#include "format/test_archive.h"
#include "tensor/rows.h"

namespace heft::format {
namespace {

using heft::testing::TempFolder;
using test::bytes_of;
using test::checkpoint_of;
using test::Pickle;
using test::zip_of;
using ::testing::HasSubstr;

// 0, 1, 2 … as float32.
std::string counting(int count) {
    std::vector<float> values;
    for (int i = 0; i < count; ++i) values.push_back(static_cast<float>(i));
    return bytes_of(values);
}

std::string file_with(const Pickle::Tensor& tensor, const std::string& storage) {
    const std::string pickle = Pickle().op('}').text("w").tensor(tensor).op('s').stop();
    return zip_of(checkpoint_of(pickle, {storage}));
}

void expect_error(const std::string& file, Code code, const std::string& part) {
    const auto read = parse_pytorch(as_bytes(file));
    ASSERT_FALSE(read) << part;
    EXPECT_EQ(read.error().code, code) << read.error().what;
    EXPECT_THAT(read.error().what, HasSubstr(part));
}

struct Case {
    std::int64_t offset;
    Shape shape;
    Shape strides;
    bool contiguous;
};

TEST(Pytorch, StridesAreFollowed) {
    const Case cases[] = {
        {0, {4, 6}, {6, 1}, true},
        {6, {3, 6}, {6, 1}, true},
        {0, {2, 3, 4}, {12, 4, 1}, true},
        {0, {1, 24}, {7, 1}, true},  // the stride of a single row says nothing
        {0, {6, 4}, {1, 6}, false},  // transposed
        {1, {4, 3}, {6, 2}, false},  // every second column
        {3, {4, 3}, {6, 1}, false},  // the right half
        {0, {3, 2, 4}, {1, 12, 3}, false},
        {2, {5}, {4}, false},
        {5, {}, {}, true},
    };
    for (const Case& c : cases) {
        const std::string file =
            file_with({"FloatStorage", "0", 24, c.offset, c.shape, c.strides}, counting(24));
        const auto read = parse_pytorch(as_bytes(file));
        ASSERT_TRUE(read) << read.error().what;
        const TensorView& view = read->at(0);
        EXPECT_EQ(view.shape, c.shape);
        EXPECT_EQ(view.repack == nullptr, c.contiguous) << shape_text(c.strides);
        const std::int64_t rows = rows_of(view);
        const std::int64_t columns = columns_of(view);
        std::vector<float> got(static_cast<std::size_t>(rows * columns));
        read_rows(view, 0, rows, got.data());
        for (std::size_t i = 0; i < got.size(); ++i) {
            auto rest = static_cast<std::int64_t>(i);
            std::int64_t want = c.offset;
            for (std::size_t d = c.shape.size(); d-- > 0; rest /= c.shape[d])
                want += rest % c.shape[d] * c.strides[d];
            EXPECT_EQ(got[i], static_cast<float>(want)) << shape_text(c.shape) << " " << i;
        }
    }
}

TEST(Pytorch, EveryTypeOfStorage) {
    const std::pair<const char*, DType> table[] = {
        {"DoubleStorage", DType::f64},    {"FloatStorage", DType::f32}, {"HalfStorage", DType::f16},
        {"BFloat16Storage", DType::bf16}, {"LongStorage", DType::i64},  {"IntStorage", DType::i32},
        {"ShortStorage", DType::i16},     {"CharStorage", DType::i8},   {"ByteStorage", DType::u8},
        {"BoolStorage", DType::boolean}};
    for (const auto& [name, type] : table) {
        const std::string file = file_with({name, "0", 3, 1, {2}, {1}}, std::string(24, '\1'));
        const auto read = parse_pytorch(as_bytes(file));
        ASSERT_TRUE(read) << read.error().what;
        EXPECT_EQ(read->at(0).type, type);
        EXPECT_EQ(read->at(0).data.size(),
                  2U * static_cast<std::size_t>(dtype_info(type).block_bytes));
    }
    const std::string bytes =
        file_with({"UntypedStorage", "0", 8, 1, {3}, {1}, "uint16"}, std::string(8, '\1'));
    const auto read = parse_pytorch(as_bytes(bytes));
    ASSERT_TRUE(read) << read.error().what;
    EXPECT_EQ(read->at(0).type, DType::u16);
    EXPECT_EQ(read->at(0).data.size(), 6U);
}

TEST(Pytorch, TensorsMaySharePartsOfAStorageAndBeEmpty) {
    const std::string pickle = Pickle()
                                   .op('}')
                                   .op('(')
                                   .text("whole")
                                   .tensor({"FloatStorage", "0", 6, 0, {2, 3}, {3, 1}})
                                   .text("row")
                                   .tensor({"FloatStorage", "0", 6, 3, {3}, {1}})
                                   .text("nothing")
                                   .tensor({"FloatStorage", "9", 0, 0, {0, 3}, {3, 1}})
                                   .op('u')
                                   .stop();
    const std::string file = zip_of(checkpoint_of(pickle, {counting(6)}));
    const auto read = parse_pytorch(as_bytes(file));
    ASSERT_TRUE(read) << read.error().what;
    ASSERT_EQ(read->size(), 3U);
    EXPECT_EQ(read->at(1).data.data(), read->at(0).data.data() + 12);
    EXPECT_TRUE(read->at(2).data.empty());
}

TEST(Pytorch, WhatDoesNotFitIsNamed) {
    const std::string six = counting(6);
    const auto expect = [&](const Pickle::Tensor& tensor, Code code, const std::string& part) {
        expect_error(file_with(tensor, six), code, "tensor 'w': ");
        expect_error(file_with(tensor, six), code, part);
    };
    expect({"FloatStorage", "0", 6, 0, {7}, {1}}, Code::corrupt, "it reaches number 6");
    expect({"FloatStorage", "0", 6, 4, {3}, {1}}, Code::corrupt, "it reaches number 6");
    expect({"FloatStorage", "0", 6, INT64_MAX, {3}, {1}}, Code::corrupt, "beyond any memory");
    expect({"FloatStorage", "0", 6, 0, {3}, {INT64_MAX}}, Code::corrupt, "beyond any memory");
    expect({"FloatStorage", "0", 7, 0, {7}, {1}}, Code::corrupt, "its storage of 7 numbers");
    expect({"DoubleStorage", "0", 6, 0, {6}, {1}}, Code::corrupt, "its storage of 6 numbers");
    expect({"FloatStorage", "1", 6, 0, {6}, {1}}, Code::corrupt, "not in the archive");
    expect({"FloatStorage", "0", 6, 0, {1000, 6}, {0, 1}}, Code::unsupported, "expanded");
    expect({"FloatStorage", "0", 6, 0, {INT64_MAX, INT64_MAX}, {0, 0}}, Code::corrupt,
           "larger than any memory");
    const std::string pickle =
        Pickle().op('}').text("w").tensor({"FloatStorage", "0", 6, 0, {6}, {1}}).op('s').stop();
    expect_error(zip_of(checkpoint_of(pickle, {six}, "big")), Code::unsupported, "big-endian");
    expect_error(zip_of({{"a", "b"}}), Code::unsupported, "without data.pkl");
    expect_error(
        "\x80\x02\x8a\x0a"
        "l\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.",
        Code::unsupported, "before version 1.6");
    expect_error(std::string(257, '\0') + "ustar" + std::string(300, '\0'), Code::unsupported,
                 "before version 1.6");
    expect_error("<html>", Code::corrupt, "no zip archive");
    const std::string hostile =
        Pickle().global("os", "system").text("id").op('\x85').op('R').stop();
    expect_error(zip_of(checkpoint_of(hostile, {})), Code::unsupported, "names os.system");
}

void write(const std::filesystem::path& path, const std::string& name) {
    const std::string pickle = Pickle()
                                   .op('}')
                                   .text(name)
                                   .tensor({"FloatStorage", "0", 6, 0, {2, 3}, {3, 1}})
                                   .op('s')
                                   .stop();
    std::ofstream(path, std::ios::binary) << zip_of(checkpoint_of(pickle, {counting(6)}));
}

TEST(Pytorch, FoldersAndFiles) {
    for (const char* name : {"pytorch_model.bin", "model.pt", "consolidated.00.pth"}) {
        const TempFolder folder;
        folder.write("config.json", "{}");
        folder.write("optimizer.pt", "not looked at");
        write(folder / name, "w");
        for (const auto& path : {folder.path(), folder / name}) {
            const auto model = Checkpoint::open(path);
            ASSERT_TRUE(model) << model.error().what;
            ASSERT_NE(model->find("w"), nullptr);
            EXPECT_EQ(model->find("w")->data.size(), 24U);
        }
    }
}

TEST(Pytorch, ShardsOfAnIndex) {
    const TempFolder folder;
    folder.write("config.json", "{}");
    write(folder / "pytorch_model-00001-of-00002.bin", "a");
    write(folder / "pytorch_model-00002-of-00002.bin", "b");
    folder.write("pytorch_model.bin.index.json",
                 R"({"weight_map":{"a":"pytorch_model-00001-of-00002.bin",)"
                 R"("b":"pytorch_model-00002-of-00002.bin"}})");
    for (const auto& path : {folder.path(), folder / "pytorch_model-00002-of-00002.bin"}) {
        const auto model = Checkpoint::open(path);
        ASSERT_TRUE(model) << model.error().what;
        EXPECT_EQ(model->tensors().size(), 2U);
    }
    folder.write("pytorch_model.bin.index.json",
                 R"({"weight_map":{"c":"pytorch_model-00001-of-00002.bin"}})");
    EXPECT_THAT(Checkpoint::open(folder.path()).error().what,
                HasSubstr("lacks tensor 'c', which pytorch_model.bin.index.json places in it"));
    folder.write("pytorch_model.bin.index.json", R"({"weight_map":{"c":"../x.bin"}})");
    EXPECT_THAT(Checkpoint::open(folder.path()).error().what, HasSubstr("'../x.bin'"));
}

TEST(Pytorch, SafetensorsArePreferred) {
    const TempFolder folder;
    folder.write("config.json", "{}");
    folder.write("pytorch_model.bin", "not looked at");
    SafetensorsWriter writer;
    writer.add({"w", DType::u8, {1}, [](const ByteSink& out) { return out(as_bytes("x")); }});
    ASSERT_TRUE(writer.write(folder / "model.safetensors"));
    EXPECT_TRUE(Checkpoint::open(folder.path()));
    const auto bare = Checkpoint::open(folder / "pytorch_model.bin");
    ASSERT_FALSE(bare);
    EXPECT_THAT(bare.error().what, HasSubstr("pytorch_model.bin"));
}

std::filesystem::path seed(const char* name) {
    return std::filesystem::path(HEFT_SOURCE_DIR) / "fuzz" / "corpus" / "pytorch" / name;
}

// Files that Python's own pickler and zip writer made.
TEST(Pytorch, PythonsOwnPickles) {
    for (const char* name :
         {"protocol2.bin", "protocol3.bin", "protocol4.bin", "protocol5.bin", "nested.bin"}) {
        const auto file = MappedFile::open(seed(name));
        ASSERT_TRUE(file) << file.error().what;
        const auto read = parse_pytorch(file->bytes());
        ASSERT_TRUE(read) << name << ": " << read.error().what;
        ASSERT_EQ(read->size(), 5U) << name;
        EXPECT_EQ(read->at(0).name, "a.weight");
        EXPECT_EQ(read->at(3).data.data(), read->at(0).data.data());  // tied
        std::vector<float> transposed(8);
        read_rows(read->at(2), 0, 4, transposed.data());
        EXPECT_EQ(transposed, (std::vector<float>{0, 4, 1, 5, 2, 6, 3, 7}));
    }
    const auto evil = MappedFile::open(seed("os_system.bin"));
    ASSERT_TRUE(evil);
    const auto refused = parse_pytorch(evil->bytes());
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().what, HasSubstr("names posix.system"));
    const auto bomb = MappedFile::open(seed("bomb.bin"));
    ASSERT_TRUE(bomb);
    EXPECT_FALSE(parse_pytorch(bomb->bytes()));
}

}  // namespace
}  // namespace heft::format
