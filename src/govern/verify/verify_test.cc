#include "govern/verify/verify.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/sha256.h"

namespace heft::verify {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Folder {
  public:
    Folder() {
        std::string name = (fs::temp_directory_path() / "heft-verify-XXXXXX").string();
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
        path = name;
    }
    ~Folder() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    void write(const std::string& name, const std::string& text) const {
        fs::create_directories((path / name).parent_path());
        std::ofstream(path / name, std::ios::binary) << text;
    }
    govern::ReleaseFiles files() const {
        auto list = govern::read_release(path);
        EXPECT_TRUE(list);
        return std::move(*list);
    }

    fs::path path;
};

bool go_on(const std::string&, std::uint64_t, std::uint64_t) {
    return true;
}

std::string told(const Report& report) {
    std::string all;
    for (const Finding& finding : report.findings)
        all += std::string(severity_name(finding.severity)) + " " + finding.check + " "
               + finding.file + ": " + finding.what + "\n";
    return all;
}

TEST(Files, WhatCanRunCodeIsAProblemAndWhatIsUnknownIsNoted) {
    const std::pair<const char*, const char*> cases[] = {
        {"model.pkl", "problem code"},      {"a.joblib", "problem code"},
        {"lib/x.so", "problem unexpected"}, {"pytorch_model.bin", "note unexpected"},
        {"modeling_x.py", "warning code"},  {"strange.xyz", "note unexpected"}};
    for (const auto& [name, expected] : cases) {
        const Folder folder;
        folder.write(name, "not an archive");
        Report report;
        check_files(folder.files(), report);
        EXPECT_THAT(told(report), HasSubstr(std::string(expected) + " " + name)) << name;
        EXPECT_EQ(report.sound(), !std::string(expected).starts_with("problem")) << name;
    }
    for (const char* pickle : {"cos\nsystem\n(S'true'\ntR.", "\x80\x04N.", "(I1\ntR.", "]."}) {
        const Folder folder;
        folder.write("weights.bin", pickle);
        Report report;
        check_files(folder.files(), report);
        EXPECT_THAT(told(report), HasSubstr("problem code weights.bin")) << pickle;
    }
    const Folder folder;
    for (const char* name : {"README.md", "LICENSE", "config.json", "model.safetensors"})
        folder.write(name, "x");
    Report report;
    check_files(folder.files(), report);
    EXPECT_EQ(told(report), "");
    EXPECT_EQ(report.n_files, 4U);
}

TEST(Files, ALinkIntoNothingIsAProblem) {
    const Folder folder;
    fs::create_symlink("../blobs/none", folder.path / "model.safetensors");
    Report report;
    check_files(folder.files(), report);
    EXPECT_THAT(told(report), HasSubstr("leads nowhere"));
}

std::string hash_of(const std::string& text) {
    return *sha256({reinterpret_cast<const std::byte*>(text.data()), text.size()});
}

TEST(Hashes, EverySourceOfHashesIsCompared) {
    const std::string right = hash_of("weights"), wrong(64, '0');
    for (const std::string& hash : {right, wrong}) {
        const Folder sums, own, hub, cache;
        for (const Folder* folder : {&sums, &own, &hub}) folder->write("m.gguf", "weights");
        sums.write("SHA256SUMS", hash + "  m.gguf\n" + hash + " *missing.bin\n");
        own.write("m.gguf.sha256", hash + "\n");
        hub.write(".cache/huggingface/download/m.gguf.metadata", "commit\n" + hash + "\n1.0\n");
        cache.write("blobs/" + hash, "weights");
        fs::create_symlink(fs::path("blobs") / hash, cache.path / "m.gguf");
        for (const Folder* folder : {&sums, &own, &hub, &cache}) {
            Report report;
            ASSERT_TRUE(check_hashes(folder->files(), go_on, report));
            EXPECT_EQ(report.n_hashes, 1U) << told(report);
            EXPECT_EQ(report.sound(), hash == right) << told(report);
        }
    }
}

TEST(Hashes, SumsOfAStrangerStayInsideAndAreOptional) {
    const Folder folder;
    folder.write("SHA256SUMS", std::string(64, 'a') + "  ../../etc/passwd\nnonsense\n\n"
                                   + std::string(64, 'b') + "  /etc/passwd\n");
    Report report;
    ASSERT_TRUE(check_hashes(folder.files(), go_on, report));
    EXPECT_EQ(report.n_hashes, 0U);
    EXPECT_THAT(told(report), HasSubstr("outside of the release"));
    const auto stop = [](const std::string&, std::uint64_t, std::uint64_t) { return false; };
    folder.write("m.gguf", std::string(1 << 22, 'x'));
    folder.write("m.gguf.sha256", std::string(64, 'c'));
    const Status stopped = check_hashes(folder.files(), stop, report);
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code, Code::cancelled);
}

// A safetensors file of one float32 tensor beside a configuration.
void write_model(const Folder& folder, const std::vector<float>& numbers) {
    const std::string header = R"({"x":{"dtype":"F32","shape":[)" + std::to_string(numbers.size())
                               + R"(],"data_offsets":[0,)" + std::to_string(numbers.size() * 4)
                               + "]}}";
    std::string file(8, '\0');
    for (std::size_t i = 0; i < 8; ++i)
        file[i] = static_cast<char>((static_cast<std::uint64_t>(header.size()) >> (8 * i)) & 0xffU);
    file += header;
    file.append(reinterpret_cast<const char*>(numbers.data()), numbers.size() * 4);
    folder.write("model.safetensors", file);
    folder.write("config.json", R"({"model_type":"none-such"})");
}

TEST(Numbers, WhatIsNotFiniteIsCounted) {
    constexpr float inf = std::numeric_limits<float>::infinity();
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    for (const auto& [numbers, expected] :
         {std::pair<std::vector<float>, std::string>{{1, 2, 3}, ""},
          {{1, nan, nan, -inf}, "problem numbers x: 2 NaN and 1 infinite, the first in row 0\n"}}) {
        const Folder folder;
        write_model(folder, numbers);
        auto checkpoint = format::Checkpoint::open(folder.path);
        ASSERT_TRUE(checkpoint) << checkpoint.error().what;
        ThreadPool pool(1);
        Report report;
        ASSERT_TRUE(check_numbers(checkpoint->tensors(), pool, go_on, report));
        EXPECT_EQ(told(report), expected);
        EXPECT_EQ(report.n_numbers, numbers.size());
    }
}

TEST(Template, WhatExceedsItsLimitsIsAProblem) {
    const std::pair<const char*, const char*> cases[] = {
        {"{% for m in messages %}{{ m.content }}{% endfor %}", ""},
        {"{{ raise_exception('system first') }}", "note template"},
        {"{% for", "problem template"},
        {"{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}",
         "problem template"}};
    for (const auto& [source, expected] : cases) {
        const Folder folder;
        write_model(folder, {1});
        folder.write("chat_template.jinja", source);
        auto checkpoint = format::Checkpoint::open(folder.path);
        ASSERT_TRUE(checkpoint);
        Report report;
        check_template(*checkpoint, report);
        EXPECT_THAT(told(report), ::testing::StartsWith(expected)) << source;
    }
}

}  // namespace
}  // namespace heft::verify
