#include "format/safetensors.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heft::format {
namespace {

using ::testing::HasSubstr;

std::string file_of(const std::string& header, std::size_t data) {
    const std::uint64_t length = header.size();
    std::string file(reinterpret_cast<const char*>(&length), sizeof length);
    return file + header + std::string(data, '\x55');
}

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  std::uint64_t begin, std::uint64_t end) {
    return '"' + name + R"(":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":[)"
           + std::to_string(begin) + ',' + std::to_string(end) + "]}";
}

void expect_error(const std::string& file, Code code, const std::string& part) {
    const auto parsed = parse_safetensors(as_bytes(file));
    ASSERT_FALSE(parsed) << part;
    EXPECT_EQ(parsed.error().code, code) << parsed.error().what;
    EXPECT_THAT(parsed.error().what, HasSubstr(part));
}

TEST(Safetensors, SmallFile) {
    const std::string file =
        file_of("{" + entry("b", "F32", "[2,3]", 4, 28) + "," + entry("a", "BF16", "[2]", 0, 4)
                    + R"(,"__metadata__":{"format":"pt"}}   )",
                28);
    const auto parsed = parse_safetensors(as_bytes(file));
    ASSERT_TRUE(parsed) << parsed.error().what;
    ASSERT_EQ(parsed->tensors.size(), 2U);
    EXPECT_EQ(parsed->tensors[0].name, "a");  // in order of offset
    EXPECT_EQ(parsed->tensors[1].shape, (Shape{2, 3}));
    EXPECT_EQ(parsed->tensors[1].data.size(), 24U);
    EXPECT_EQ(as_text(parsed->tensors[1].data).data() + 24, file.data() + file.size());
    ASSERT_EQ(parsed->metadata.size(), 1U);
    EXPECT_EQ(parsed->metadata[0].second, "pt");
}

TEST(Safetensors, EmptyAndScalarTensors) {
    EXPECT_TRUE(parse_safetensors(as_bytes(file_of("{}", 0))));
    const std::string file = file_of(
        "{" + entry("none", "F32", "[0,4]", 0, 0) + "," + entry("one", "I64", "[]", 0, 8) + "}", 8);
    const auto parsed = parse_safetensors(as_bytes(file));
    ASSERT_TRUE(parsed) << parsed.error().what;
    EXPECT_EQ(parsed->tensors[0].data.size(), 0U);
    EXPECT_EQ(parsed->tensors[1].data.size(), 8U);
}

TEST(Safetensors, EveryTypeOfTheTable) {
    for (const DTypeInfo& info : dtypes()) {
        if (info.safetensors_name == nullptr) continue;
        const auto bytes = static_cast<std::size_t>(info.block_bytes) * 3;
        const auto file =
            file_of("{" + entry("t", info.safetensors_name, "[3]", 0, bytes) + "}", bytes);
        const auto parsed = parse_safetensors(as_bytes(file));
        ASSERT_TRUE(parsed) << info.name;
        EXPECT_EQ(parsed->tensors[0].type, info.type);
    }
    for (const char* other : {"F4", "F8_E8M0", "F6_E2M3", "C64", "Q4_0", ""})
        EXPECT_FALSE(
            parse_safetensors(as_bytes(file_of("{" + entry("t", other, "[1]", 0, 1) + "}", 1))));
    expect_error(file_of("{" + entry("t", "F8_E8M0", "[1]", 0, 1) + "}", 1), Code::unsupported,
                 "tensor 't': its dtype F8_E8M0");
}

TEST(Safetensors, EveryTruncationIsAnError) {
    const std::string file = file_of("{" + entry("a", "F32", "[2]", 0, 8) + "}", 8);
    for (std::size_t size = 0; size < file.size(); ++size) {
        const std::vector<char> copy(file.begin(),
                                     file.begin() + static_cast<std::ptrdiff_t>(size));
        const auto parsed = parse_safetensors(std::as_bytes(std::span(copy)));
        ASSERT_FALSE(parsed) << size;
        EXPECT_EQ(parsed.error().code, Code::corrupt) << size;
    }
}

TEST(Safetensors, Headers) {
    expect_error("\xff\xff\xff\xff\xff\xff\xff\xff", Code::corrupt, "not a safetensors file");
    expect_error(file_of("[]", 0), Code::corrupt, "begin with '{'");
    expect_error(file_of(" {}", 0), Code::corrupt, "begin with '{'");
    expect_error(file_of("", 0), Code::corrupt, "begin with '{'");
    expect_error(file_of("{\"a\":", 0), Code::corrupt, "not valid JSON");
    expect_error(file_of("{\"\xff\":1}", 0), Code::corrupt, "not valid JSON");
    expect_error(file_of("{\"a\":" + std::string(5000, '['), 0), Code::corrupt, "not valid JSON");
    expect_error(file_of(R"({"__metadata__":[]})", 0), Code::corrupt, "__metadata__");
    expect_error(file_of(R"({"__metadata__":{"a":1}})", 0), Code::corrupt, "__metadata__");
}

TEST(Safetensors, Entries) {
    expect_error(file_of(R"({"a":7})", 0), Code::corrupt, "tensor 'a'");
    expect_error(file_of(R"({"a":{"dtype":"F32","shape":[1]}})", 4), Code::corrupt, "lacks");
    expect_error(file_of(R"({"a":{"dtype":1,"shape":[1],"data_offsets":[0,4]}})", 4), Code::corrupt,
                 "dtype is not a string");
    expect_error(
        file_of(R"({"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4),
        Code::corrupt, "dtype occurs twice");
    for (const char* shape : {"[-1]", "[1.5]", "[1e0]", "\"1\"", "[18446744073709551615]", "[[1]]"})
        expect_error(file_of("{" + entry("a", "F32", shape, 0, 4) + "}", 4), Code::corrupt,
                     "its shape");
    expect_error(file_of("{" + entry("a", "F32", "[4611686018427387904,4]", 0, 4) + "}", 4),
                 Code::corrupt, "larger than any memory");
    expect_error(
        file_of("{" + entry("a", "F32", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", 0, 4) + "}", 4),
        Code::corrupt, "more than 16 dimensions");
    expect_error(file_of("{" + entry("a", "F32", "[2]", 0, 4) + "}", 4), Code::corrupt,
                 "needs 8 bytes");
    expect_error(file_of("{" + entry("a", "F32", "[1]", 4, 0) + "}", 4), Code::corrupt,
                 "before they begin");
    expect_error(file_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}})", 4),
                 Code::corrupt, "not a pair");
    expect_error(file_of("{" + entry("", "F32", "[1]", 0, 4) + "}", 4), Code::corrupt, "is empty");
    expect_error(file_of("{" + entry("a\\u0007", "F32", "[1]", 0, 4) + "}", 4), Code::corrupt,
                 "control");
}

TEST(Safetensors, Places) {
    const auto two = [](std::uint64_t a, std::uint64_t b, std::size_t data) {
        return file_of("{" + entry("a", "F32", "[2]", a, a + 8) + ","
                           + entry("b", "F32", "[2]", b, b + 8) + "}",
                       data);
    };
    EXPECT_TRUE(parse_safetensors(as_bytes(two(0, 8, 16))));
    EXPECT_TRUE(parse_safetensors(as_bytes(two(8, 0, 16))));
    expect_error(two(0, 4, 12), Code::corrupt, "overlaps");
    expect_error(two(0, 0, 16), Code::corrupt, "overlaps");
    expect_error(two(0, 12, 20), Code::corrupt, "hole");
    expect_error(two(4, 12, 20), Code::corrupt, "hole");
    expect_error(two(0, 8, 15), Code::corrupt, "was the download complete");
    expect_error(two(0, 8, 17), Code::corrupt, "after its last tensor");
    const std::string same = entry("a", "F32", "[0]", 0, 0);
    expect_error(file_of("{" + same + "," + same + "}", 0), Code::corrupt, "'a' occurs twice");
    expect_error(file_of(R"({"__metadata__":{},"__metadata__":{}})", 0), Code::corrupt,
                 "occurs twice");
}

}  // namespace
}  // namespace heft::format
