#include "govern/seal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../../tests/temp_folder.h"
#include "base/sha256.h"
#include "format/gguf.h"
#include "format/gguf_writer.h"
#include "format/safetensors_writer.h"
#include "govern/family.h"
#include "govern/passport.h"

namespace heft::govern {
namespace {

using heft::testing::TempFolder;
using ::testing::HasSubstr;
using Json = nlohmann::ordered_json;

constexpr const char* kKey =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";

SigningKey signing_key() {
    const TempFolder folder;
    folder.write("key.pem", kKey);
    return *SigningKey::read(folder / "key.pem");
}

format::TensorSource letters(const std::string& name, char letter, Shape shape = {10, 10}) {
    return {name, DType::i8, std::move(shape), [letter](const format::ByteSink& sink) {
                return sink(as_bytes(std::string(100, letter)));
            }};
}

// `text` is said of a file of three tensors.
std::filesystem::path write_gguf(const TempFolder& folder, const Json& record, bool in_parts,
                                 std::uint32_t alignment, const SigningKey* key) {
    format::GgufWriter writer(alignment);
    writer.set_string("general.architecture", "llama");
    writer.set("llama.block_count", std::uint32_t{3});
    for (const char name : {'c', 'a', 'b'}) writer.add(letters(std::string(1, name), name));
    Sealing how{key};
    how.length = sealed_length(record, 3, 2, how) + 7;
    writer.set_string(kLineageKey, std::string(how.length, ' '));
    const format::GgufWriter::Saying saying{
        kLineageKey,
        [&](Bytes file, const std::vector<format::HashedTensor>& tensors) -> Result<std::string> {
            HEFT_TRY(const Contents contents, contents_of_gguf(file, tensors));
            return sealed(record, contents, how);
        },
        1};
    if (!in_parts) {
        EXPECT_TRUE(writer.write_with(folder / "m.gguf", saying));
        return folder / "m.gguf";
    }
    const auto files = writer.write_parts_with(folder / "m", 150, saying);
    EXPECT_TRUE(files) << files.error().what;
    EXPECT_EQ(files->size(), 3U);
    return files->front();
}

Json some_record() {
    return {{"schema", "heft.lineage/1"}, {"verb", "quantize"}, {"zeros", std::string(200, '0')}};
}

Contents read_again(const std::filesystem::path& path) {
    ThreadPool pool(1);
    auto contents = contents_of(*format::find_weights(path), {}, pool, {});
    EXPECT_TRUE(contents) << contents.error().what;
    return std::move(*contents);
}

TEST(Contents, DependOnWhatIsInTheFilesAndNotOnHowItIsLaidOut) {
    std::set<std::string> digests;
    for (const bool in_parts : {false, true})
        for (const std::uint32_t alignment : {32U, 64U}) {
            const TempFolder folder;
            const auto path = write_gguf(folder, some_record(), in_parts, alignment, nullptr);
            const auto checkpoint = format::Checkpoint::open(path);
            ASSERT_TRUE(checkpoint) << checkpoint.error().what;
            const auto seal = read_seal(*carried_text(*checkpoint));
            ASSERT_TRUE(seal);
            EXPECT_TRUE(seal->is_whole);
            const Contents again = read_again(path);
            EXPECT_EQ(again.n_tensors(), 3U);
            EXPECT_EQ(again.n_keys(), 2U);
            EXPECT_TRUE(again.changes_from(seal->record["contents"])->empty());
            digests.insert(seal->record["contents"]["sha256"].get<std::string>());
        }
    EXPECT_EQ(digests.size(), 1U);
}

std::string told(const std::vector<Contents::Change>& changes) {
    std::string all;
    for (const Contents::Change& change : changes)
        all += change.of + ": " + change.what + (change.matters ? "\n" : " (no matter)\n");
    return all;
}

TEST(Contents, NameWhatIsAnother) {
    const auto with = [](const std::vector<std::array<std::string, 2>>& tensors,
                         const std::vector<std::array<std::string, 2>>& files) {
        Contents out;
        for (const auto& [name, hash] : tensors)
            EXPECT_TRUE(out.add({name, DType::f32, {2, 3}, hash}));
        EXPECT_TRUE(out.add_key("k", "0"));
        for (const auto& [name, hash] : files) EXPECT_TRUE(out.add_file(name, hash));
        return out;
    };
    const Contents first = with({{"a", "1"}, {"b", "2"}}, {{"config.json", "3"}});
    const Json field = *first.field();
    EXPECT_EQ(told(*first.changes_from(field)), "");
    const auto expect = [&field](const Contents& now, const std::string& part) {
        EXPECT_THAT(told(*now.changes_from(field)), HasSubstr(part));
    };
    expect(with({{"a", "1"}, {"b", "1"}}, {{"config.json", "3"}}), "b: is not a tensor");
    expect(with({{"a", "1"}, {"c", "2"}}, {{"config.json", "3"}}), "c: is not a tensor");
    expect(with({{"a", "1"}}, {{"config.json", "3"}}), "1 of the tensors that heft wrote are gone");
    expect(with({{"a", "1"}, {"b", "2"}}, {{"config.json", "4"}}), "config.json: is not as heft");
    expect(with({{"a", "1"}, {"b", "2"}}, {}), "config.json: is gone");
    const Contents more = with({{"a", "1"}, {"b", "2"}}, {{"config.json", "3"}, {"x.png", "5"}});
    EXPECT_EQ(told(*more.changes_from(field)),
              "x.png: was not there when heft wrote the folder (no matter)\n");
    // Whatever a stranger's field holds.
    for (const char* bad : {"null", "[]", "7", "{}", R"({"sha256":1,"files":[],"marks":{}})",
                            R"({"marks":"0","tensors":-1,"files":{"..":null}})"})
        EXPECT_FALSE(first.changes_from(Json::parse(bad))->empty()) << bad;
}

TEST(Seal, NoByteOfARecordChangesUnseen) {
    Contents contents;
    ASSERT_TRUE(contents.add_key("k", "0"));
    const SigningKey key = signing_key();
    for (const SigningKey* with : {static_cast<const SigningKey*>(nullptr), &key})
        for (const int indent : {-1, 2}) {
            const auto text = sealed(some_record(), contents, {with, indent, 1200});
            ASSERT_TRUE(text) << text.error().what;
            EXPECT_EQ(text->size(), 1200U);
            const auto seal = read_seal(*text);
            EXPECT_TRUE(seal->is_whole);
            EXPECT_EQ(seal->signature, with != nullptr ? Signature::good : Signature::none);
            EXPECT_EQ(seal->public_key, with != nullptr ? key.public_key() : "");
            for (std::size_t i = 0; i < text->size(); ++i) {
                std::string other = *text;
                other[i] = static_cast<char>(other[i] ^ 1);
                const auto found = read_seal(other);
                ASSERT_TRUE(found);
                const bool is_seen = !found->is_whole || found->signature == Signature::broken;
                EXPECT_TRUE(is_seen) << "byte " << i << " of " << *text;
                EXPECT_TRUE(with == nullptr || found->signature != Signature::good) << i;
            }
        }
}

TEST(Seal, RefusesARecordWithoutRoom) {
    EXPECT_FALSE(sealed(some_record(), Contents(), {nullptr, -1, 100}));
    EXPECT_FALSE(sealed({{"long", std::string(kMostRecordBytes, 'x')}}, Contents(), {}));
}

TEST(Seal, AnotherAlgorithmIsNoSignatureOfOurs) {
    const SigningKey key = signing_key();
    std::string text = *sealed(some_record(), Contents(), {&key});
    text.replace(text.find("Ed25519"), 7, "Ed448xx");
    EXPECT_EQ(read_seal(text)->signature, Signature::broken);
}

Json step(const std::string& of, const std::vector<std::pair<std::string, std::string>>& inputs) {
    Json out{{"of", of}, {"verb", "merge"}, {"made_by", "heft"}, {"inputs", Json::array()}};
    for (const auto& [model, hash] : inputs)
        out["inputs"].push_back(
            {{"model", model}, {"relation", "merged"}, {"files", {{{"sha256", hash}}}}});
    return out;
}

TEST(Family, BranchesAreFollowedOnceAndCirclesEnd) {
    Json record = step("", {{"left", "1"}, {"right", "2"}});
    record["history"] = {step("3", {}), step("1", {{"base", "3"}}),
                         step("2", {{"base", "3"}, {"itself", "2"}}), step("9", {{"x", "8"}})};
    const Json family = family_of(record, "m");
    EXPECT_EQ(family["model"], "m");
    ASSERT_EQ(family["parents"].size(), 2U);
    const Json& left = family["parents"][0];
    const Json& right = family["parents"][1];
    EXPECT_EQ(left["parents"][0]["model"], "base");
    EXPECT_EQ(left["parents"][0]["verb"], "merge");
    EXPECT_TRUE(right["parents"][0]["repeated"].get<bool>());
    EXPECT_FALSE(right["parents"][1].contains("repeated"));
    EXPECT_TRUE(right["parents"][1]["parents"].is_null());
    ASSERT_EQ(family["unlinked"].size(), 1U);
    EXPECT_EQ(family["unlinked"][0]["sha256"], "9");
    EXPECT_FALSE(family["is_cut"].get<bool>());
}

TEST(Family, AVeryLongChainAndAnyNonsenseAreRead) {
    Json record = step("", {{"m", "0"}});
    for (int i = 0; i < 5000; ++i)
        record["history"].push_back(step(std::to_string(i), {{"m", std::to_string(i + 1)}}));
    EXPECT_TRUE(family_of(record, "m").is_object());
    EXPECT_TRUE(family_of(nullptr, "m").is_null());
    for (const char* bad : {"{}", R"({"inputs":7,"history":{}})", R"({"inputs":[1,{"files":[2]}]})",
                            R"({"history":[{"cut":true},3,{"of":1,"inputs":[{}]}]})"})
        EXPECT_TRUE(family_of(Json::parse(bad), "m").is_object()) << bad;
}

TEST(Passport, OfAnInputsContentsTheDigestIsKept) {
    const TempFolder folder;
    folder.write("in.gguf", "bytes");
    auto catalogue = Catalogue::open();
    ASSERT_TRUE(catalogue) << catalogue.error().what;
    Source source;
    source.parent.model.name = "in";
    source.files = {folder / "in.gguf"};
    source.record = {{"verb", "convert"},
                     {"contents", {{"sha256", "1"}, {"marks", "22"}, {"files", Json::object()}}}};
    Making making;
    making.verb = "quantize";
    making.accept_terms = true;
    auto made = passport(*catalogue, {source}, making);
    ASSERT_TRUE(made) << made.error().what;
    ASSERT_TRUE(made->outcome.may_proceed) << made->outcome.why;
    Json record = made->outcome.record;
    ASSERT_EQ(record["history"].size(), 1U);
    EXPECT_EQ(record["history"][0]["contents"], Json({{"sha256", "1"}}));

    auto again = passport(*catalogue, {source}, making);
    ASSERT_TRUE(again) << again.error().what;
    EXPECT_EQ(record, again->outcome.record);  // as long as the file is the same
    ASSERT_TRUE(made->hashes->put_into(record, {}));
    const std::string hash = *sha256(as_bytes("bytes"));
    EXPECT_EQ(record["inputs"][0]["files"][0]["sha256"], hash);
    EXPECT_EQ(record["history"][0]["of"], hash);
    folder.write("in.gguf", "other");
    auto other = passport(*catalogue, {source}, making);
    ASSERT_TRUE(other) << other.error().what;
    EXPECT_NE(again->outcome.record, other->outcome.record);
}

}  // namespace
}  // namespace heft::govern
