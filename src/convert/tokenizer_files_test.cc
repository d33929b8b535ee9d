// Tokenizers from a folder's files into GGUF metadata and back, kind by kind: the same tokens.
#include "convert/tokenizer_files.h"

#include <string>

#include <gtest/gtest.h>

#include "../../tests/shared_data.h"
#include "base/rng.h"
#include "convert/gguf_keys.h"
#include "convert/rwkv_vocabulary.h"
#include "text/test_charsmap.h"
#include "text/test_encoding.h"
#include "text/test_metadata.h"
#include "text/tokenizer.h"

namespace heft::convert {
namespace {

namespace fs = std::filesystem;
using text::TokenId;
using text::Tokenizer;
using text::TokenKind;
using text::Vocabulary;

fs::path real() {
    return heft::testing::shared_data() / "real";
}

std::string read(const fs::path& path) {
    auto text = read_text(path, std::size_t{1} << 30);
    EXPECT_TRUE(text) << path;
    return text ? *text : std::string{};
}

// Scripts, spaces, and bytes that are no UTF-8, in any order.
std::string mixed_text(std::size_t bytes) {
    constexpr std::string_view kParts[] = {"the ",
                                           "Quick",
                                           " brown fox",
                                           "  ",
                                           "\n",
                                           "\t",
                                           "12345",
                                           ", ",
                                           "don't",
                                           "na\u00EFve",
                                           "\u00DCn\u00EF",
                                           "\u4F60\u597D",
                                           "\uFB01",
                                           "\u3000",
                                           "e\u0301",
                                           "\U0001F600",
                                           "\u2581",
                                           "<s>",
                                           "[SEP]",
                                           "##a",
                                           "\xFF\xC3",
                                           "\x01",
                                           "un",
                                           "aff",
                                           "able",
                                           "ab",
                                           "b a"};
    Rng rng(23);
    std::string out;
    while (out.size() < bytes) out += kParts[rng.next() % std::size(kParts)];
    return out;
}

void expect_same(const Tokenizer& a, const Tokenizer& b, const std::string& what) {
    const std::string text = mixed_text(50'000);
    for (const bool special : {false, true})
        for (const std::string& one : {text, text.substr(0, 40), std::string()}) {
            const auto ids = a.encode(one, {special, special});
            EXPECT_EQ(ids, b.encode(one, {special, special})) << what;
            EXPECT_EQ(*a.decode(ids), *b.decode(ids)) << what;
        }
}

// What a GGUF file has, of nothing but a tokenizer.
struct Written {
    std::vector<std::byte> bytes;
    format::Checkpoint file;
};

Result<Written> written(const Tokenizer& tokenizer, std::int64_t n_rows = 0) {
    format::GgufWriter writer;
    HEFT_OK(set_tokenizer(writer, tokenizer, n_rows));
    HEFT_TRY(std::vector<std::byte> bytes, writer.to_memory());
    HEFT_TRY(format::Checkpoint file, format::Checkpoint::from_gguf(bytes, "test"));
    return Written{std::move(bytes), std::move(file)};
}

// The folder that is made of a file, as its readers find it.
Result<Tokenizer> through_folder(const format::Checkpoint& gguf) {
    HEFT_TRY(const std::vector<SideFile> files, tokenizer_files(gguf));
    format::Checkpoint::Texts texts{{"config.json", R"({"model_type":"llama"})"}};
    for (const SideFile& file : files) texts.emplace(file.name, file.text);
    HEFT_TRY(const format::Checkpoint folder,
             format::Checkpoint::assembled(std::move(texts), {}, "folder"));
    return Tokenizer::load(folder);
}

// From GGUF metadata into a folder, from the folder into a GGUF file, and into a folder again.
void expect_comes_back(const format::Checkpoint& gguf, const std::string& what) {
    const auto own = Tokenizer::from_gguf(gguf.metadata());
    ASSERT_TRUE(own) << what << ": " << own.error().what;
    const auto folder = through_folder(gguf);
    ASSERT_TRUE(folder) << what << ": " << folder.error().what;
    expect_same(*own, *folder, what + " as a folder");
    const auto again = written(*folder);
    ASSERT_TRUE(again) << what << ": " << again.error().what;
    const auto read_again = Tokenizer::from_gguf(again->file.metadata());
    ASSERT_TRUE(read_again) << what << ": " << read_again.error().what;
    expect_same(*own, *read_again, what + " as a GGUF file");
    const auto first = tokenizer_files(gguf);
    const auto second = tokenizer_files(again->file);
    ASSERT_TRUE(second) << what << ": " << second.error().what;
    for (std::size_t i = 0; i < first->size(); ++i)
        EXPECT_EQ((*first)[i].text, (*second)[i].text) << what << ": " << (*first)[i].name;
}

Result<Written> written(const Vocabulary& words) {
    text::testing::TestMetadata metadata;
    metadata.vocabulary(words);
    HEFT_TRY(const Tokenizer tokenizer, Tokenizer::from_gguf(metadata.get()));
    return written(tokenizer);
}

void expect_comes_back(const Vocabulary& words, const std::string& what) {
    const auto file = written(words);
    ASSERT_TRUE(file) << what << ": " << file.error().what;
    expect_comes_back(file->file, what);
}

void expect_refused(const Vocabulary& words, std::string_view saying) {
    const auto file = written(words);
    ASSERT_TRUE(file) << file.error().what;
    const auto refused = tokenizer_files(file->file);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::unsupported);
    EXPECT_NE(refused.error().what.find(saying), std::string::npos) << refused.error().what;
}

void add(std::string_view token, TokenKind kind, float score, Vocabulary& words) {
    words.tokens.emplace_back(token);
    words.kinds.push_back(kind);
    words.scores.push_back(score);
}

Vocabulary unigram() {
    Vocabulary words;
    words.model = "t5";
    add("<pad>", TokenKind::control, 0, words);
    add("</s>", TokenKind::control, 0, words);
    add("<unk>", TokenKind::unknown, 0, words);
    float score = -1;
    for (const char* piece : {"\u2581", "\u2581the", "a", "b", "ab", "\u2581un", "able", "e", "n",
                              "1", "23", "45", ",", "\u4F60", "\u2581\u2581", "o\u2581a"})
        add(piece, TokenKind::normal, score -= 0.37F, words);
    return words;
}

TEST(TokenizerFiles, UnigramComesBackWhateverItsSpaces) {
    const std::string map =
        text::testing::charsmap_blob({{"\n", " "}, {"\u3000", " "}, {"\uFB01", "fi"}, {"Q", "q"}});
    for (const bool prefix : {false, true})
        for (const bool collapse : {false, true})
            for (const bool maps : {false, true}) {
                Vocabulary words = unigram();
                words.add_space_prefix = prefix;
                words.remove_extra_whitespaces = collapse;
                if (maps) words.precompiled_charsmap = map;
                expect_comes_back(words, std::string("prefix ") + (prefix ? "yes" : "no")
                                             + ", collapse " + (collapse ? "yes" : "no") + ", map "
                                             + (maps ? "yes" : "no"));
            }
}

TEST(TokenizerFiles, UnigramKeepsBytesAndWhatIsNeverMade) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    Vocabulary words = unigram();
    add("[PAD9]", TokenKind::unused, 0, words);
    add("ow", TokenKind::user_defined, 0, words);
    for (std::size_t byte = 0; byte < 256; ++byte)
        add(std::string("<0x") + kHex[byte / 16] + kHex[byte % 16] + ">", TokenKind::byte, 0,
            words);
    add("fox", TokenKind::normal, -3, words);
    add("[PAD]", TokenKind::unused, 0, words);
    expect_comes_back(words, "bytes");
}

// In a tokenizer.json it would be found.
TEST(TokenizerFiles, AWordThatUnigramNeverMakesIsRefused) {
    Vocabulary words = unigram();
    add("the", TokenKind::unused, 0, words);
    add("fox", TokenKind::normal, -3, words);
    expect_refused(words, "would cut");
}

// A real list of pieces with real scores.
TEST(TokenizerFiles, LargeUnigramComesBack) {
    const fs::path path = real() / "tokenizers/llama2/tokenizer.model";
    HEFT_NEED_SHARED(path);
    const std::string map =
        text::testing::charsmap_blob({{"\n", " "}, {"\t", " "}, {"\uFB01", "fi"}});
    const std::string trainer("\x18\x01", 2);
    const std::string spaces("\x18\x01\x20\x01\x28\x01", 6);
    const std::string model =
        read(path) + text::testing::proto_field(2, trainer)
        + text::testing::proto_field(3, text::testing::proto_field(2, map) + spaces);
    const auto tokenizer = Tokenizer::from_sentencepiece(as_bytes(model), "");
    ASSERT_TRUE(tokenizer) << tokenizer.error().what;
    const auto file = written(*tokenizer);
    ASSERT_TRUE(file) << file.error().what;
    expect_comes_back(file->file, "pieces of Llama 2");
}

std::string bert_json(const std::string& normalizer) {
    return R"({"model":{"type":"WordPiece","unk_token":"[UNK]","vocab":{"[PAD]":0,"[UNK]":1,)"
           R"("[CLS]":2,"[SEP]":3,"[MASK]":4,"un":5,"##aff":6,"##able":7,"able":8,",":9,"quick":10,)"
           R"("Quick":11,"na\u00EFve":12,"naive":13,"\u4F60":14,"##b":15,"a":16,"the":17}},)"
           R"("added_tokens":[{"id":0,"content":"[PAD]","special":true},{"id":1,"content":"[UNK]",)"
           R"("special":true},{"id":2,"content":"[CLS]","special":true},{"id":3,"content":"[SEP]",)"
           R"("special":true},{"id":4,"content":"[MASK]","special":true}],)"
           R"("post_processor":{"type":"BertProcessing","sep":["[SEP]",3],"cls":["[CLS]",2]},)"
           R"("pre_tokenizer":{"type":"BertPreTokenizer"},"decoder":{"type":"WordPiece",)"
           R"("prefix":"##","cleanup":false},"normalizer":{"type":"BertNormalizer")"
           + normalizer + "}}";
}

TEST(TokenizerFiles, WordPieceComesBackWithItsCasesAndAccents) {
    for (const char* options :
         {"", R"(,"lowercase":false)", R"(,"lowercase":false,"strip_accents":true)",
          R"(,"lowercase":true,"strip_accents":false)"}) {
        const auto tokenizer = Tokenizer::from_tokenizer_json(
            bert_json(options), R"({"cls_token":"[CLS]","pad_token":"[PAD]"})");
        ASSERT_TRUE(tokenizer) << tokenizer.error().what;
        const auto file = written(*tokenizer, 20);
        ASSERT_TRUE(file) << file.error().what;
        const auto read_again = Tokenizer::from_gguf(file->file.metadata());
        ASSERT_TRUE(read_again);
        expect_same(*tokenizer, *read_again, options);
        expect_comes_back(file->file, options);
    }
}

TEST(TokenizerFiles, WordPieceThatGgufHasNoKeysForIsRefused) {
    for (const char* options : {R"(,"handle_chinese_chars":false)", R"(,"clean_text":false)"}) {
        const auto tokenizer = Tokenizer::from_tokenizer_json(bert_json(options), "");
        ASSERT_TRUE(tokenizer) << tokenizer.error().what;
        const auto refused = written(*tokenizer);
        ASSERT_FALSE(refused) << options;
        EXPECT_EQ(refused.error().code, Code::unsupported);
        EXPECT_NE(refused.error().what.find("no keys"), std::string::npos);
    }
}

TEST(TokenizerFiles, TwoWordPiecesOfOneSpellingAreRefused) {
    Vocabulary words;
    words.model = "bert";
    for (const char* token : {"[UNK]", "[CLS]", "[SEP]"}) add(token, TokenKind::control, 0, words);
    for (const char* token : {"\u2581##a", "a"}) add(token, TokenKind::normal, 0, words);
    words.scores.clear();
    expect_refused(words, "'##a'");
}

TEST(TokenizerFiles, PublishedVocabulariesOfOtherProgramsComeBack) {
    const fs::path folder = real() / "ggml-vocab";
    HEFT_NEED_SHARED(folder);
    int tried = 0;
    for (const auto& entry : fs::directory_iterator(folder)) {
        if (entry.path().extension() != ".gguf") continue;
        const std::string file = read(entry.path());
        const auto gguf = format::Checkpoint::from_gguf(as_bytes(file), entry.path().filename());
        ASSERT_TRUE(gguf) << gguf.error().what;
        const auto own = Tokenizer::from_gguf(gguf->metadata());
        if (!own) continue;  // of an older format, without the name of its pre-tokenizer
        const auto again = through_folder(*gguf);
        ASSERT_TRUE(again) << again.error().what;
        expect_same(*own, *again, entry.path().filename());
        const auto padded = written(*own, own->size() + 3);
        ASSERT_TRUE(padded) << padded.error().what;
        EXPECT_EQ(tokenizer_files(padded->file)->front().text,
                  tokenizer_files(*gguf)->front().text);
        ++tried;
    }
    EXPECT_GE(tried, 5);
}

TEST(TokenizerFiles, BytesBecomeLiteralsAsPythonSpellsThem) {
    using Case = std::pair<std::string, std::string>;
    for (const auto& [bytes, literal] : {Case{"a", "'a'"},
                                         {"it's", "\"it's\""},
                                         {"'\"", R"('\'"')"},
                                         {"\\n\n\t\r", R"('\\n\n\t\r')"},
                                         {"\x01\x7F", R"('\x01\x7f')"},
                                         {"\u00E9\u4F60\U0001F600", "'\u00E9\u4F60\U0001F600'"},
                                         {"\u0085\u200B\u3000", R"('\x85\u200b\u3000')"},
                                         {"\U000E0001", R"('\U000e0001')"},
                                         {"a\xFF'", R"(b"a\xff'")"},
                                         {" ", "' '"}})
        EXPECT_EQ(python_literal(bytes), literal);
}

TEST(TokenizerFiles, RwkvComesBackWithTokensThatAreNoLines) {
    const std::string lines = "1 'a' 1\n2 'the ' 4\n3 b'\\xff' 1\n4 '\u4F60' 3\n6 \"'\" 1\n";
    const std::string config = R"({"added_tokens_decoder":{"0":{"content":"<s>","special":true},)"
                               R"("5":{"content":"ow","special":false}},"bos_token":"<s>",)"
                               R"("eos_token":"<s>","unk_token":"<s>","add_bos_token":true})";
    const auto tokenizer = Tokenizer::from_rwkv(lines, config);
    ASSERT_TRUE(tokenizer) << tokenizer.error().what;
    EXPECT_EQ(tokenizer->encode("the <s>ow\xFF\u4F60'", {true, true}),
              (std::vector<TokenId>{0, 2, 0, 5, 3, 4, 6}));
    const auto file = written(*tokenizer, 12);
    ASSERT_TRUE(file) << file.error().what;
    expect_comes_back(file->file, "rwkv");
    const auto files = tokenizer_files(file->file);
    ASSERT_TRUE(files);
    EXPECT_EQ(files->front().name, "rwkv_vocab_v20230424.txt");
    EXPECT_EQ(files->front().text, lines);
}

TEST(TokenizerFiles, ThePublishedRwkvVocabularyComesBackByteForByte) {
    const fs::path path = real() / "tokenizers/rwkv/rwkv_world_vocab.txt";
    HEFT_NEED_SHARED(path);
    const std::string lines = read(path);
    const auto tokenizer = Tokenizer::from_rwkv(lines, "");
    ASSERT_TRUE(tokenizer) << tokenizer.error().what;
    const auto file = written(*tokenizer, 65536);
    ASSERT_TRUE(file) << file.error().what;
    EXPECT_EQ(file->file.metadata().strings("tokenizer.ggml.tokens").size(), 65536U);
    const auto files = tokenizer_files(file->file);
    ASSERT_TRUE(files) << files.error().what;
    EXPECT_TRUE(files->front().text == lines);
    expect_comes_back(file->file, "rwkv");
}

TEST(GgufTokenizer, HasATokenForEveryRowOfTheEmbedding) {
    const auto tokenizer = Tokenizer::from_rwkv("1 'a' 1\n", "");
    ASSERT_TRUE(tokenizer);
    using Case = std::pair<std::int64_t, std::size_t>;
    for (const auto& [n_rows, n_tokens] :
         {Case{0, 2}, {1, 2}, {5, 5}, {std::int64_t{1} << 40, 2}}) {
        const auto file = written(*tokenizer, n_rows);
        ASSERT_TRUE(file) << file.error().what;
        EXPECT_EQ(file->file.metadata().strings("tokenizer.ggml.tokens").size(), n_tokens);
        EXPECT_EQ(file->file.metadata().integers("tokenizer.ggml.token_type").size(), n_tokens);
    }
}

std::string byte_level_json(const std::string& pattern) {
    return R"({"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]},)"
           R"("pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":)"
           R"({"Regex":")"
           + pattern
           + R"("},"behavior":"Isolated"},{"type":"ByteLevel","add_prefix_space":false,)"
             R"("use_regex":false}]},"decoder":{"type":"ByteLevel"}})";
}

TEST(GgufTokenizer, RulesWithoutANameAreRefused) {
    // As Llama 3 publishes it.
    const auto known = text::Tokenizer::from_tokenizer_json(
        byte_level_json(R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3})"
                        R"(| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+)"),
        "");
    ASSERT_TRUE(known) << known.error().what;
    EXPECT_TRUE(written(*known));
    const auto own = text::Tokenizer::from_tokenizer_json(byte_level_json("ab+"), "");
    ASSERT_TRUE(own) << own.error().what;
    const auto refused = written(*own);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::unsupported);
    EXPECT_NE(refused.error().what.find("tokenizer.ggml.pre"), std::string::npos);
}

TEST(GgufTokenizer, UnigramSaysHowItTreatsSpaces) {
    const auto tokenizer = text::Tokenizer::from_tokenizer_json(
        R"({"model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["▁a",-1],["a",-2]]},)"
        R"("pre_tokenizer":{"type":"Metaspace","replacement":"▁","prepend_scheme":"always"},)"
        R"("decoder":{"type":"Metaspace","replacement":"▁","prepend_scheme":"always"}})",
        "");
    ASSERT_TRUE(tokenizer) << tokenizer.error().what;
    const auto file = written(*tokenizer);
    ASSERT_TRUE(file) << file.error().what;
    const format::Metadata& metadata = file->file.metadata();
    EXPECT_EQ(metadata.flag("tokenizer.ggml.remove_extra_whitespaces"), false);
    EXPECT_EQ(metadata.flag("tokenizer.ggml.add_space_prefix"), true);
    EXPECT_EQ(metadata.flag("tokenizer.ggml.add_bos_token"), false);
    const auto again = text::Tokenizer::from_gguf(metadata);
    ASSERT_TRUE(again) << again.error().what;
    for (const char* words : {"a aa", "a  a"})
        EXPECT_EQ(again->encode(words), tokenizer->encode(words)) << words;
}

}  // namespace
}  // namespace heft::convert
