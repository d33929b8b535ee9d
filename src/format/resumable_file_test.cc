#include "format/resumable_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../../tests/temp_folder.h"
#include "base/mapped_file.h"
#include "format/checkpoint.h"
#include "format/gguf_writer.h"

namespace heft::format {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

const std::string kHeader = std::string("GGUF\3\0\0\0", 8) + " and what follows";
constexpr std::uint64_t kPiece = 1000;

std::string piece(char letter) {
    return std::string(kPiece, letter);
}

std::vector<std::string> names_in(const fs::path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder))
        names.push_back(entry.path().filename().string());
    return names;
}

// Header, a, b, c; stops before the piece that is named, as a cancelled program would.
Status write_letters(const fs::path& path, const std::string& header, char stop,
                     std::string* made) {
    HEFT_TRY(ResumableFile file, ResumableFile::open(path, header));
    for (const char letter : {'a', 'b', 'c'}) {
        if (letter == stop) return {};
        if (file.skip(kPiece)) continue;
        *made += letter;
        HEFT_OK(file.write(as_bytes(piece(letter))));
    }
    return file.commit();
}

TEST(ResumableFile, GoesOnWhereItStopped) {
    for (const char stop : {'a', 'b', 'c'}) {
        const heft::testing::TempFolder folder;
        std::string made;
        ASSERT_TRUE(write_letters(folder / "m", kHeader, stop, &made));
        EXPECT_FALSE(fs::exists(folder / "m"));
        ASSERT_TRUE(write_letters(folder / "m", kHeader, 0, &made));
        EXPECT_EQ(made, "abc");  // each once
        EXPECT_EQ(*read_text(folder / "m"), kHeader + piece('a') + piece('b') + piece('c'));
        EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"m"});
    }
}

TEST(ResumableFile, BeginsAnewWhereTheHeaderDiffers) {
    const heft::testing::TempFolder folder;
    std::string made;
    ASSERT_TRUE(write_letters(folder / "m", kHeader, 'c', &made));
    std::string other = kHeader;
    other.back() = 'X';
    ASSERT_TRUE(write_letters(folder / "m", other, 0, &made));
    EXPECT_EQ(made, "ababc");
    EXPECT_EQ(*read_text(folder / "m"), other + piece('a') + piece('b') + piece('c'));
}

TEST(ResumableFile, AnUnfinishedFileIsNoGguf) {
    const heft::testing::TempFolder folder;
    std::string made;
    ASSERT_TRUE(write_letters(folder / "m", kHeader, 'c', &made));
    const auto text = read_text(ResumableFile::unfinished(folder / "m"));
    ASSERT_TRUE(text);
    EXPECT_NE(text->substr(0, 4), "GGUF");
}

TEST(ResumableFile, BytesAfterTheLastMarkAreMadeAgain) {
    const heft::testing::TempFolder folder;
    std::string made;
    ASSERT_TRUE(write_letters(folder / "m", kHeader, 'c', &made));
    // As after a power cut: the file is long, but its end was never written.
    const fs::path part = ResumableFile::unfinished(folder / "m");
    fs::resize_file(part, kHeader.size() + kPiece + 10);
    ASSERT_TRUE(write_letters(folder / "m", kHeader, 0, &made));
    EXPECT_EQ(made, "abbc");
    EXPECT_EQ(*read_text(folder / "m"), kHeader + piece('a') + piece('b') + piece('c'));
}

TEST(ResumableFile, GarbageUnderItsNameIsWrittenOver) {
    const heft::testing::TempFolder folder;
    for (const std::string& garbage :
         {std::string(), std::string("x"), std::string(5000, '\xff')}) {
        folder.write(".m.part", garbage);
        std::string made;
        ASSERT_TRUE(write_letters(folder / "m", kHeader, 0, &made));
        EXPECT_EQ(made, "abc");
        EXPECT_EQ(*read_text(folder / "m"), kHeader + piece('a') + piece('b') + piece('c'));
    }
}

TEST(ResumableFile, BelongsToOneProcessAtATime) {
    const heft::testing::TempFolder folder;
    const auto first = ResumableFile::open(folder / "m", kHeader);
    ASSERT_TRUE(first);
    const auto second = ResumableFile::open(folder / "m", kHeader);
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().what, HasSubstr("another process"));
}

TEST(ResumableFile, IsNotWrittenThroughALinkOfAStranger) {
    const heft::testing::TempFolder folder;
    folder.write("victim", "precious");
    fs::create_symlink(folder / "victim", folder / ".m.part");
    EXPECT_FALSE(ResumableFile::open(folder / "m", kHeader));
    EXPECT_EQ(*read_text(folder / "victim"), "precious");
}

GgufWriter letters_writer(int* produced, int fail_at, Code code) {
    GgufWriter writer;
    writer.set("x", std::uint32_t{1});
    for (int i = 0; i < 4; ++i)
        writer.add({"t" + std::to_string(i),
                    DType::i8,
                    {100},
                    [produced, i, fail_at, code](const ByteSink& sink) -> Status {
                        if (i == fail_at) return Error{code, "no"};
                        ++*produced;
                        return sink(as_bytes(std::string(100, static_cast<char>('0' + i))));
                    }});
    return writer;
}

TEST(WriteResumably, CancelledGoesOnAndFailedLeavesNothing) {
    const heft::testing::TempFolder folder;
    int produced = 0;
    EXPECT_FALSE(
        letters_writer(&produced, 2, Code::cancelled).write(folder / "m.gguf", Writing::resumable));
    EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{".m.gguf.part"});
    ASSERT_TRUE(
        letters_writer(&produced, -1, Code::internal).write(folder / "m.gguf", Writing::resumable));
    EXPECT_EQ(produced, 4);
    const auto opened = Checkpoint::open(folder / "m.gguf");
    ASSERT_TRUE(opened) << opened.error().what;
    EXPECT_EQ(as_text(opened->tensors()[3].data), std::string(100, '3'));

    // The same once more: it is there already.
    ASSERT_TRUE(
        letters_writer(&produced, -1, Code::internal).write(folder / "m.gguf", Writing::resumable));
    EXPECT_EQ(produced, 4);

    EXPECT_FALSE(
        letters_writer(&produced, 2, Code::exhausted).write(folder / "n.gguf", Writing::resumable));
    EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"m.gguf"});
}

TEST(WriteResumably, GivesTheBytesOfAPlainWrite) {
    const heft::testing::TempFolder folder;
    int produced = 0;
    const GgufWriter writer = letters_writer(&produced, -1, Code::internal);
    ASSERT_TRUE(writer.write(folder / "a", Writing::resumable));
    ASSERT_TRUE(writer.write(folder / "b"));
    EXPECT_EQ(*read_text(folder / "a"), *read_text(folder / "b"));
}

TEST(FreeBytes, AreThoseOfTheNearestFolderThatExists) {
    const heft::testing::TempFolder folder;
    const auto here = free_bytes(folder.path());
    const auto below = free_bytes(folder / "not" / "there");
    ASSERT_TRUE(here);
    ASSERT_TRUE(below);
    EXPECT_GT(*here, 0U);
    EXPECT_GT(*below, 0U);
}

}  // namespace
}  // namespace heft::format
