#include "format/gguf.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../../tests/shared_data.h"
#include "../../tests/temp_folder.h"
#include "base/mapped_file.h"

namespace heft::format {
namespace {

using ::testing::HasSubstr;

// A GGUF file written byte by byte, so that it can be wrong.
class Raw {
  public:
    Raw(std::uint64_t tensors, std::uint64_t keys, std::uint32_t version = 3) {
        text_ = "GGUF";
        put(version).put(tensors).put(keys);
    }
    template <class T>
    Raw& put(T value) {
        text_.append(reinterpret_cast<const char*>(&value), sizeof value);
        return *this;
    }
    Raw& string(std::string_view text) {
        put(std::uint64_t{text.size()});
        text_ += text;
        return *this;
    }
    Raw& key(std::string_view name, MetaType type) {
        return string(name).put(static_cast<std::uint32_t>(type));
    }
    Raw& array(std::string_view name, MetaType type, std::uint64_t count) {
        return key(name, MetaType::array).put(static_cast<std::uint32_t>(type)).put(count);
    }
    Raw& tensor(std::string_view name, const std::vector<std::uint64_t>& dims, std::uint32_t type,
                std::uint64_t offset) {
        string(name).put(static_cast<std::uint32_t>(dims.size()));
        for (const std::uint64_t dim : dims) put(dim);
        return put(type).put(offset);
    }
    Raw& data(std::size_t bytes, std::size_t alignment = 32) {
        text_.resize((text_.size() + alignment - 1) / alignment * alignment + bytes, '\x55');
        return *this;
    }
    Bytes bytes() const { return as_bytes(text_); }
    const std::string& text() const { return text_; }

  private:
    std::string text_;
};

constexpr std::uint32_t kF32 = 0;
constexpr std::uint32_t kQ4K = 12;

void expect_error(const Raw& file, Code code, const std::string& part) {
    const auto gguf = parse_gguf(file.bytes());
    ASSERT_FALSE(gguf) << part;
    EXPECT_EQ(gguf.error().code, code) << gguf.error().what;
    EXPECT_THAT(gguf.error().what, HasSubstr(part));
}

Raw small_file() {
    Raw file(2, 3);
    file.key("general.architecture", MetaType::string).string("llama");
    file.array("tokens", MetaType::string, 2).string("a").string("bc");
    file.key("general.alignment", MetaType::u32).put(std::uint32_t{64});
    file.tensor("x", {4, 2}, kF32, 0).tensor("y", {256}, kQ4K, 64);
    return file.data(64 + 144, 64);
}

TEST(Gguf, SmallFile) {
    const Raw file = small_file();
    const auto gguf = parse_gguf(file.bytes());
    ASSERT_TRUE(gguf) << gguf.error().what;
    EXPECT_EQ(gguf->version, 3U);
    EXPECT_EQ(gguf->alignment, 64U);
    EXPECT_EQ(gguf->metadata.string("general.architecture"), "llama");
    ASSERT_EQ(gguf->tensors.size(), 2U);
    EXPECT_EQ(gguf->tensors[0].shape, (Shape{2, 4}));  // outermost first
    EXPECT_EQ(gguf->tensors[0].data.size(), 32U);
    EXPECT_EQ(gguf->tensors[1].type, DType::q4_k);
    EXPECT_EQ(gguf->tensors[1].data.data() + 144, file.bytes().data() + file.bytes().size());
}

TEST(Gguf, EveryTruncationIsAnError) {
    const std::string text = small_file().text();
    for (std::size_t size = 0; size < text.size(); ++size) {
        const std::vector<char> copy(text.begin(),
                                     text.begin() + static_cast<std::ptrdiff_t>(size));
        const auto gguf = parse_gguf(std::as_bytes(std::span(copy)));
        ASSERT_FALSE(gguf) << size;
        EXPECT_EQ(gguf.error().code, Code::corrupt) << size;
    }
}

TEST(Gguf, Versions) {
    EXPECT_TRUE(parse_gguf(Raw(0, 0, 2).bytes()));
    EXPECT_TRUE(parse_gguf(Raw(0, 0, 3).bytes()));
    expect_error(Raw(0, 0, 1), Code::unsupported, "version 1");
    expect_error(Raw(0, 0, 4), Code::unsupported, "version 4");
    expect_error(Raw(0, 0, 0), Code::unsupported, "version 0");
    expect_error(Raw(0, 0, 0x03000000), Code::unsupported, "big-endian");
}

TEST(Gguf, OtherFiles) {
    EXPECT_THAT(parse_gguf({}).error().what, HasSubstr("too few"));
    EXPECT_THAT(parse_gguf(as_bytes("<html>not a model</html>")).error().what,
                HasSubstr("not a GGUF file"));
    const auto old = parse_gguf(as_bytes("tjgg............................"));
    EXPECT_EQ(old.error().code, Code::unsupported);
}

TEST(Gguf, GiantCountsCostNothing) {
    expect_error(Raw(~0ULL, 0), Code::corrupt, "tensors");
    expect_error(Raw(0, ~0ULL), Code::corrupt, "metadata keys");
    expect_error(Raw((1U << 18) + 1, 0), Code::corrupt, "at most 262144");
    expect_error(Raw(0, (1U << 16) + 1), Code::corrupt, "at most 262144 and 65536");
    expect_error(Raw(1U << 18, 0), Code::corrupt, "ends at byte");
    expect_error(Raw(0, 1U << 16), Code::corrupt, "ends at byte");
    expect_error(Raw(0, 1).array("a", MetaType::u64, 1ULL << 61), Code::corrupt, "'a'");
    expect_error(Raw(0, 1).array("a", MetaType::string, ~0ULL), Code::corrupt, "'a'");
    expect_error(Raw(0, 1).key("a", MetaType::string).put(~0ULL), Code::corrupt, "'a'");
    expect_error(Raw(0, 1).put(~0ULL), Code::corrupt, "metadata key 0");
}

TEST(Gguf, Keys) {
    expect_error(Raw(0, 1).key("", MetaType::u8).put('\1'), Code::corrupt, "is empty");
    expect_error(Raw(0, 1).key(std::string(65536, 'a'), MetaType::u8).put('\1'), Code::corrupt,
                 "65536 bytes");
    expect_error(Raw(0, 1).key("a\x1b[2J", MetaType::u8).put('\1'), Code::corrupt, "control");
    expect_error(Raw(0, 1).key("a\xff", MetaType::u8).put('\1'), Code::corrupt, "UTF-8");
    expect_error(Raw(0, 2).key("a", MetaType::u8).put('\1').key("a", MetaType::i8).put('\1'),
                 Code::corrupt, "'a' occurs twice");
    expect_error(Raw(0, 1).string("a").put(std::uint32_t{13}), Code::corrupt, "value type 13");
    expect_error(Raw(0, 1).key("a", MetaType::boolean).put('\2'), Code::corrupt, "bool");
    expect_error(Raw(0, 1).array("a", MetaType::boolean, 2).put('\1').put('\2'), Code::corrupt,
                 "bool");
}

TEST(Gguf, NestedArrays) {
    const auto nested = [](int depth) {
        Raw file(0, 1);
        file.array("deep", depth == 1 ? MetaType::u8 : MetaType::array, 1);
        for (int i = 2; i <= depth; ++i)
            file.put(static_cast<std::uint32_t>(i == depth ? MetaType::u8 : MetaType::array))
                .put(std::uint64_t{1});
        return file.put('\7');
    };
    for (int depth = 1; depth <= 4; ++depth)
        EXPECT_TRUE(parse_gguf(nested(depth).bytes())) << depth;
    expect_error(nested(5), Code::unsupported, "'deep'");
    expect_error(nested(5000), Code::unsupported, "nests arrays");
}

TEST(Gguf, Alignment) {
    const auto with = [](std::uint32_t alignment) {
        return Raw(0, 1).key("general.alignment", MetaType::u32).put(alignment);
    };
    for (const std::uint32_t good : {1U, 8U, 32U, 4096U, 0x80000000U})
        EXPECT_TRUE(parse_gguf(with(good).bytes())) << good;
    for (const std::uint32_t bad : {0U, 3U, 48U, 0xffffffffU})
        expect_error(with(bad), Code::corrupt, "not a power of two");
    expect_error(Raw(0, 1).key("general.alignment", MetaType::u64).put(std::uint64_t{32}),
                 Code::corrupt, "not uint32");
}

TEST(Gguf, TensorShapes) {
    const auto with = [](const std::vector<std::uint64_t>& dims, std::uint32_t type) {
        return Raw(1, 0).tensor("w", dims, type, 0).data(4096);
    };
    EXPECT_TRUE(parse_gguf(with({}, kF32).bytes()));
    EXPECT_TRUE(parse_gguf(with({2, 3, 4, 5}, kF32).bytes()));
    expect_error(with({1, 1, 1, 1, 1}, kF32), Code::corrupt, "'w' has 5 dimensions");
    expect_error(with({4, 0}, kF32), Code::corrupt, "dimension of 0");
    expect_error(with({~0ULL}, kF32), Code::corrupt, "'w'");
    expect_error(with({1ULL << 40, 1ULL << 40}, kF32), Code::corrupt, "larger than any memory");
    expect_error(with({1ULL << 32, 1ULL << 30}, kF32), Code::corrupt, "'w'");
    expect_error(with({100}, kQ4K), Code::corrupt, "whole number of Q4_K blocks");
    expect_error(with({2048}, kF32), Code::corrupt, "past the end");
}

TEST(Gguf, TensorTypes) {
    const auto with = [](std::uint32_t type) {
        return Raw(1, 0).tensor("blk.0.w", {256}, type, 0).data(4096);
    };
    for (const DTypeInfo& info : dtypes())
        if (info.gguf_id >= 0) {
            EXPECT_TRUE(parse_gguf(with(static_cast<std::uint32_t>(info.gguf_id)).bytes()))
                << info.name;
        }
    expect_error(with(4), Code::unsupported, "Q4_2");
    expect_error(with(31), Code::unsupported, "Q4_0_4_4");
    expect_error(with(139), Code::unsupported, "'blk.0.w' has the type 139 (IQ4_K");
    expect_error(with(4711), Code::unsupported, "unknown");
}

TEST(Gguf, TensorPlaces) {
    const auto two = [](std::uint64_t a, std::uint64_t b) {
        return Raw(2, 0).tensor("a", {16}, kF32, a).tensor("b", {8}, kF32, b).data(128);
    };
    EXPECT_TRUE(parse_gguf(two(0, 64).bytes()));
    EXPECT_TRUE(parse_gguf(two(64, 0).bytes()));  // order is free
    expect_error(two(0, 32), Code::corrupt, "overlap");
    expect_error(two(32, 32), Code::corrupt, "overlap");
    expect_error(two(0, 65), Code::corrupt, "multiple of the alignment");
    expect_error(two(0, 128), Code::corrupt, "past the end");
    expect_error(two(0, ~0ULL - 31), Code::corrupt, "past the end");
    expect_error(Raw(1, 0).tensor("a", {1}, kF32, 0), Code::corrupt, "past the end");
}

TEST(Gguf, TensorNames) {
    const auto with = [](std::string_view a, std::string_view b) {
        return Raw(2, 0).tensor(a, {8}, kF32, 0).tensor(b, {8}, kF32, 32).data(64);
    };
    EXPECT_TRUE(parse_gguf(with("a", "b").bytes()));
    expect_error(with("a", "a"), Code::corrupt, "'a' occurs twice");
    expect_error(with("a", ""), Code::corrupt, "is empty");
    expect_error(with(std::string(1025, 'n'), "b"), Code::corrupt, "1025 bytes");
    expect_error(with("a\n", "b"), Code::corrupt, "control");
    expect_error(with("\xc3(", "b"), Code::corrupt, "UTF-8");
}

TEST(GgufParts, NamesOfSplits) {
    const heft::testing::TempFolder folder;
    for (const char* name : {"m-00001-of-00003.gguf", "m-00002-of-00003.gguf"})
        folder.write(name, "");
    const auto missing = gguf_parts(folder / "m-00002-of-00003.gguf");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, Code::not_found);
    EXPECT_THAT(missing.error().what, HasSubstr("m-00003-of-00003.gguf"));
    folder.write("m-00003-of-00003.gguf", "");
    const auto parts = gguf_parts(folder / "m-00002-of-00003.gguf");
    ASSERT_TRUE(parts);
    ASSERT_EQ(parts->size(), 3U);
    EXPECT_EQ((*parts)[0], folder / "m-00001-of-00003.gguf");
}

TEST(GgufParts, OtherNamesStandAlone) {
    for (const char* name : {"m.gguf", "m-0001-of-0002.gguf", "m-00003-of-00002.gguf",
                             "m-00000-of-00002.gguf", "m-0000a-of-00002.gguf", "-of-.gguf", ""}) {
        const auto parts = gguf_parts(name);
        ASSERT_TRUE(parts) << name;
        EXPECT_EQ(*parts, std::vector<std::filesystem::path>{name});
    }
}

TEST(Gguf, RealVocabularies) {
    const auto folder = heft::testing::shared_data() / "real" / "ggml-vocab";
    HEFT_NEED_SHARED(folder);
    int files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() != ".gguf") continue;
        const auto file = MappedFile::open(entry.path());
        ASSERT_TRUE(file);
        const auto gguf = parse_gguf(file->bytes());
        ASSERT_TRUE(gguf) << entry.path() << gguf.error().what;
        EXPECT_TRUE(gguf->tensors.empty());
        EXPECT_TRUE(gguf->metadata.string("general.architecture")) << entry.path();
        const auto tokens = gguf->metadata.strings("tokenizer.ggml.tokens");
        const auto types = gguf->metadata.integers("tokenizer.ggml.token_type");
        EXPECT_GT(tokens.size(), 30000U) << entry.path();
        EXPECT_EQ(tokens.size(), types.size()) << entry.path();
        ++files;
    }
    EXPECT_GT(files, 0);
}

}  // namespace
}  // namespace heft::format
