#include "format/zip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "format/test_archive.h"

namespace heft::format {
namespace {

using test::zip_of;
using test::ZipFile;
using ::testing::HasSubstr;

void expect_error(const std::string& file, Code code, const std::string& part) {
    const auto read = read_zip(as_bytes(file));
    ASSERT_FALSE(read) << part;
    EXPECT_EQ(read.error().code, code) << read.error().what;
    EXPECT_THAT(read.error().what, HasSubstr(part));
}

TEST(Zip, StoredEntriesAreViewsOfTheFile) {
    const std::vector<ZipFile> files = {
        {"b/two", "22"}, {"a", "1"}, {"folder/", ""}, {"empty", ""}, {"c", std::string(300, 'x')}};
    for (const bool zip64 : {false, true}) {
        for (const std::string& comment : {std::string(), std::string("PK\5\6 a comment")}) {
            const std::string file = zip_of(files, {zip64, comment});
            const auto read = read_zip(as_bytes(file));
            ASSERT_TRUE(read) << read.error().what;
            EXPECT_EQ(read->size(), 4U);
            for (const ZipFile& want : files) {
                const ZipEntry* entry = find_entry(*read, want.name);
                if (want.name == "folder/") continue;
                ASSERT_NE(entry, nullptr) << want.name;
                EXPECT_EQ(as_text(entry->data), want.data);
                EXPECT_GE(as_text(entry->data).data(), file.data());
            }
            EXPECT_EQ(find_entry(*read, "d"), nullptr);
        }
    }
}

TEST(Zip, DataLiesWhereTheLocalHeaderPutsIt) {
    ZipFile aligned{"weights", "0123456789"};
    aligned.align = 64;
    const std::string file = zip_of({{"first", "x"}, aligned});
    const auto read = read_zip(as_bytes(file));
    ASSERT_TRUE(read) << read.error().what;
    const char* data = as_text(find_entry(*read, "weights")->data).data();
    EXPECT_EQ((data - file.data()) % 64, 0);
}

TEST(Zip, WhatIsNotReadIsNamed) {
    ZipFile compressed{"data/0", "abc"};
    compressed.method = 8;
    expect_error(zip_of({compressed}), Code::unsupported,
                 "'data/0' of the zip archive is compressed");
    ZipFile encrypted{"data/0", "abc"};
    encrypted.flags = 1;
    expect_error(zip_of({encrypted}), Code::unsupported, "encrypted");
    ZipFile lying{"data/0", "abc"};
    lying.local_name = "data/1";
    expect_error(zip_of({lying}), Code::corrupt, "'data/0'");
    expect_error(zip_of({{"a", ""}, {"a", ""}}), Code::corrupt, "'a' occurs twice");
    expect_error(zip_of({{"a\nb", ""}}), Code::corrupt, "control characters");
    expect_error("PK", Code::corrupt, "no end record");
}

// Every prefix and every single changed byte fails with a sentence or gives entries in the file.
TEST(Zip, DamageNeverLeadsOutOfTheFile) {
    for (const bool zip64 : {false, true}) {
        const std::string file = zip_of({{"a", "1"}, {"bb", "22"}}, {zip64, ""});
        for (std::size_t size = 0; size < file.size(); ++size)
            EXPECT_FALSE(read_zip(as_bytes(file.substr(0, size)))) << size;
        for (std::size_t at = 0; at < file.size(); ++at)
            for (const int flip : {0x01, 0x80, 0xff}) {
                std::string damaged = file;
                damaged[at] = static_cast<char>(damaged[at] ^ flip);
                const auto read = read_zip(as_bytes(damaged));
                if (!read) continue;
                for (const ZipEntry& entry : *read)
                    EXPECT_LE(as_text(entry.data).data() + entry.data.size(),
                              damaged.data() + damaged.size());
            }
    }
}

}  // namespace
}  // namespace heft::format
