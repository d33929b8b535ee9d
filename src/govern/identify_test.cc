// Which licence a release has, from files: real texts and cards, and what is made of them.
#include "govern/identify.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "../../tests/shared_data.h"
#include "base/mapped_file.h"
#include "govern/catalogue.h"
#include "govern/gate.h"
#include "govern/words.h"

namespace heft::govern {
namespace {

namespace fs = std::filesystem;

const Catalogue& catalogue() {
    static const Catalogue built_in = *Catalogue::built_in();
    return built_in;
}

Identification identified(ReleaseFiles files) {
    auto found = identify(catalogue(), files);
    EXPECT_TRUE(found);
    return found ? *found : Identification();
}

ReleaseFiles release(const std::string& name, std::vector<ReleaseFiles::Text> files) {
    ReleaseFiles made;
    made.name = name;
    made.texts = std::move(files);
    return made;
}

std::string ids(const Identification& found) {
    std::string all;
    for (const Licence* licence : found.licences) all += (all.empty() ? "" : " ") + licence->id;
    return all;
}

std::string read(const fs::path& file) {
    auto text = read_text(file);
    return text ? *text : std::string();
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
    return text;
}

struct RealText {
    const char* file;
    const char* licence;
};
constexpr RealText kRealTexts[] = {
    {"llama2-LICENSE", "llama2"},     {"llama3-LICENSE", "llama3"},
    {"llama3_1-LICENSE", "llama3.1"}, {"llama3_2-LICENSE", "llama3.2"},
    {"llama3_3-LICENSE", "llama3.3"}, {"llama4-LICENSE", "llama4"},
};

TEST(LicenceText, IsKnownHoweverItIsWrapped) {
    const auto folder = testing::shared_data() / "real" / "model-cards" / "meta";
    HEFT_NEED_SHARED(folder);
    for (const auto& [file, licence] : kRealTexts) {
        const std::string text = read(folder / file);
        std::string wrapped, escaped = replaced(text, "&", "&amp;");
        std::size_t column = 0;
        for (const char c : text) {
            wrapped += c == ' ' && ++column % 5 == 0 ? '\n' : c;
            if (c == '\n') wrapped += "   > ";
        }
        escaped = replaced(escaped, "\"", "&quot;");
        escaped = replaced(escaped, "\xE2\x80\x9C", "&#8220;");
        escaped = replaced(escaped, "\xE2\x80\x9D", "&rdquo;");
        escaped = replaced(escaped, " ", "&nbsp;");
        for (const std::string& copy :
             {text, wrapped, escaped, replaced(escaped, "&", "&amp;"), replaced(text, "\n", "\r\n"),
              "---\nlicense: other\n---\n" + text, "```text\n" + text + "\n```\n",
              "<pre class=\"licence\">" + escaped + "</pre>",
              "<p>" + replaced(escaped, "\n", "<br />\n") + "</p>"}) {
            const auto finding = identify_text(catalogue(), copy);
            ASSERT_TRUE(finding);
            EXPECT_EQ(finding->match, TextMatch::whole) << file;
            ASSERT_NE(finding->licence, nullptr);
            EXPECT_EQ(finding->licence->id, licence);
        }
    }
}

TEST(LicenceText, WithAChangedClauseIsNotTheOriginal) {
    const auto folder = testing::shared_data() / "real" / "model-cards" / "meta";
    HEFT_NEED_SHARED(folder);
    for (const auto& [file, licence] : kRealTexts) {
        const std::string text = read(folder / file);
        for (const std::string& copy :
             {replaced(text, "700 million", "7 million"), text + "\nNo military use.",
              text + "\n\u7981\u6b62\u5546\u4e1a\u7528\u9014\n",
              replaced(text, "royalty-free", "royalty-bearing"), text.substr(0, text.size() / 2)}) {
            ASSERT_NE(copy, text);
            const auto finding = identify_text(catalogue(), copy);
            ASSERT_TRUE(finding);
            EXPECT_EQ(finding->match, TextMatch::modified) << file;
            EXPECT_FALSE(finding->note.empty());
        }
    }
}

constexpr const char* kMit =
    "Permission is hereby granted, free of charge, to any person obtaining a copy of this software "
    "and associated documentation files (the \"Software\"), to deal in the Software without "
    "restriction, including without limitation the rights to use, copy, modify, merge, publish, "
    "distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the "
    "Software is furnished to do so, subject to the following conditions:\n\nThe above copyright "
    "notice and this permission notice shall be included in all copies or substantial portions of "
    "the Software.\n\nTHE SOFTWARE IS PROVIDED \"AS IS\", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR "
    "IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A "
    "PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE "
    "LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR "
    "OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER "
    "DEALINGS "
    "IN THE SOFTWARE.\n";

TEST(LicenceText, OfMitMayHaveAnyCopyrightLineButNoRider) {
    const std::string mit = kMit;
    struct Case {
        std::string text;
        TextMatch match;
    };
    for (const auto& [text, match] : {
             Case{mit, TextMatch::body},
             {"MIT License\n\nCopyright (c) 2025 Some Lab, Inc.\n\n" + mit, TextMatch::body},
             {"Copyright (c) 2025 Lab\n" + mit + "\nNon-commercial use only.", TextMatch::modified},
             {"Copyright (c) 2025 Lab\n" + replaced(mit, "sell copies", "lend copies"),
              TextMatch::modified},
             {"# The MIT License (MIT)\n\nCopyright (c) 2023-2025 Jos\u00e9 Lab, all rights "
              "reserved.\n"
              "Portions copyright 2024 Another Lab GmbH\n"
                  + mit,
              TextMatch::body},
             {"Academic use by universities.\n" + mit, TextMatch::modified},
             {"Weapons makers are out.\n" + mit, TextMatch::modified},
             {"Copyright (c) 2025 Lab\n" + mit + "\nUsers in Germany owe us ten euros.",
              TextMatch::modified},
             {"Copyright (c) 2025 Lab\n" + mit + "\n\u7981\u6b62\u5546\u4e1a\u7528\u9014",
              TextMatch::modified},
             {"Modified MIT\n" + mit + "Our only modification part is that you pay.",
              TextMatch::modified},
         }) {
        const auto finding = identify_text(catalogue(), text);
        ASSERT_TRUE(finding);
        EXPECT_EQ(finding->match, match) << text.substr(0, 60);
    }
}

TEST(Identify, EveryRealCardOrTextIsKnownOrUnknownForAReason) {
    const auto cards = testing::shared_data() / "real" / "model-cards";
    HEFT_NEED_SHARED(cards);
    for (const auto& entry : fs::recursive_directory_iterator(cards)) {
        if (!entry.is_regular_file()) continue;
        const auto files = read_release(entry.path());
        ASSERT_TRUE(files);
        const Identification found = identified(*files);
        EXPECT_FALSE(found.why.empty()) << entry.path();
        EXPECT_TRUE(!found.licences.empty() || !found.problems.empty()) << entry.path();
    }
    struct Case {
        const char* folder;
        const char* licences;
        Certainty certainty;
    };
    for (const auto& [folder, licences, certainty] : {
             Case{"bloom-176b", "bigscience-bloom-rail-1.0", Certainty::declared},
             {"devstral-small-2507", "apache-2.0", Certainty::declared},
             {"gemma-2b-it", "gemma-tou-2024-04-01 gemma-tou-2025-03-24 gemma-tou-2026-04-01",
              Certainty::declared},
             {"infimm-zephyr", "mit", Certainty::declared},
             {"llama-2-7b-hf", "llama2", Certainty::weak},
             {"merge-1parammyl-8b", "", Certainty::unknown},
             {"no-front-matter-llama-3.2-1b-ce", "", Certainty::unknown},
             {"reflection-llama-3.1-70b", "llama3.1", Certainty::declared},
             {"wizardcoder-15b-gptq", "bigcode-openrail-m", Certainty::declared},
         }) {
        const auto files = read_release(cards / "hf" / folder);
        ASSERT_TRUE(files);
        const Identification found = identified(*files);
        EXPECT_EQ(ids(found), licences) << folder << ": " << found.why;
        EXPECT_EQ(found.certainty, certainty) << folder << ": " << found.why;
    }
    for (const char* card : {"llama2", "llama3", "llama3_1", "llama3_2", "llama3_3", "llama4"}) {
        const auto files = read_release(cards / "meta" / (std::string(card) + "-MODEL_CARD.md"));
        ASSERT_TRUE(files);
        EXPECT_EQ(ids(identified(*files)), replaced(card, "_", ".")) << card;
        const auto policy = read_release(cards / "meta" / (std::string(card) + "-USE_POLICY.md"));
        ASSERT_TRUE(policy);
        EXPECT_EQ(ids(identified(*policy)), replaced(card, "_", ".")) << card;
    }
}

TEST(Identify, ReportsContradictionsAndMissingTexts) {
    const auto said = [](const Identification& found, const char* what) {
        for (const std::string& problem : found.problems)
            if (problem.find(what) != std::string::npos) return true;
        return false;
    };
    const Identification tag =
        identified(release("m", {{"README.md", "---\nlicense: mit\n---\n"}}));
    EXPECT_TRUE(said(tag, "text of the licence is missing"));
    EXPECT_FALSE(tag.conflict);

    const Identification both = identified(
        release("m", {{"LICENSE", kMit}, {"README.md", "---\nlicense: llama3.1\n---\n"}}));
    EXPECT_TRUE(both.conflict);
    EXPECT_EQ(ids(both), "mit llama3.1");

    const Identification custom = identified(
        release("m", {{"LICENSE.txt", "You may look at this model on Sundays."},
                      {"README.md", "---\nlicense: other\nlicense_name: sunday\n---\n"}}));
    EXPECT_EQ(custom.certainty, Certainty::unknown);
    EXPECT_NE(custom.text.find("Sundays"), std::string::npos);

    const Identification own = identified(
        release("m", {{"LICENSE", kMit}, {"README.md", "---\nlicense_name: sunday\n---\n"}}));
    EXPECT_TRUE(own.conflict);

    const Identification code = identified(
        release("m", {{"LICENSE-CODE", kMit}, {"README.md", "---\nlicense: llama3.1\n---\n"}}));
    EXPECT_EQ(ids(code), "llama3.1");
    EXPECT_FALSE(code.conflict);

    const Identification sized = identified(
        release("Qwen2.5-3B-Instruct", {{"README.md", "---\nlicense: apache-2.0\n---\n"}}));
    EXPECT_TRUE(sized.conflict);
    EXPECT_EQ(ids(sized), "apache-2.0 qwen-research-2024");

    const Identification broken =
        identified(release("m", {{"README.md", "---\nlicense: [\n---\n"}}));
    EXPECT_EQ(broken.certainty, Certainty::unknown);
    EXPECT_TRUE(said(broken, "front matter"));

    ReleaseFiles gguf = release("x", {});
    gguf.metadata.licence = "llama3.2";
    EXPECT_EQ(ids(identified(gguf)), "llama3.2");
}

TEST(Identify, TheBuiltInModelByItsText) {
    const Identification tiny = identified(built_in_release(catalogue()));
    EXPECT_EQ(ids(tiny), "apache-2.0");
    EXPECT_EQ(tiny.certainty, Certainty::text) << tiny.why;
    EXPECT_TRUE(tiny.problems.empty()) << tiny.problems.front();
}

TEST(Catalogue, EveryEntrySaysWhereItComesFrom) {
    EXPECT_GE(catalogue().licences().size(), 64U);
    for (const Licence& licence : catalogue().licences()) {
        EXPECT_FALSE(licence.sources.empty()) << licence.id;
        EXPECT_FALSE(licence.verification.empty()) << licence.id;
        EXPECT_FALSE(licence.summary.empty()) << licence.id;
        for (const KnownText& text : licence.texts) EXPECT_EQ(text.sha256.size(), 64U);
        for (const std::string& phrase : licence.phrases) EXPECT_EQ(phrase, words_of(phrase));
    }
}

TEST(Catalogue, RefusesAnEntryWithoutSourceOrVerification) {
    const nlohmann::ordered_json entry = *catalogue().find("mit")->data;
    ASSERT_TRUE(read_licence(entry, catalogue().vocabulary()));
    for (const char* field : {"sources", "verification", "id", "name", "permissions", "schema"}) {
        auto without = entry;
        without.erase(field);
        EXPECT_FALSE(read_licence(without, catalogue().vocabulary())) << field;
    }
    for (const char* rule : {R"({"acts":["use"],"verdict":"allowed","clause":"1","why":"x"})",
                             R"({"acts":["use"],"verdict":"no","clause":"1","why":"x"})",
                             R"({"acts":[],"verdict":"forbidden","clause":"1","why":"x"})",
                             R"({"acts":["use"],"verdict":"forbidden","why":"x"})",
                             R"({"acts":["use"],"if":{"fact":"mood","is":true},
                                 "verdict":"forbidden","clause":"1","why":"x"})",
                             R"({"acts":["use"],"if":{"fact":"region","near":"EU"},
                                 "verdict":"forbidden","clause":"1","why":"x"})"}) {
        auto bad = entry;
        bad["rules"].push_back(nlohmann::ordered_json::parse(rule));
        EXPECT_FALSE(read_licence(bad, catalogue().vocabulary())) << rule;
    }
}

TEST(Catalogue, IsExtendedByAFolder) {
    const auto folder = fs::temp_directory_path() / "heft-licences-of-mine";
    fs::create_directories(folder);
    std::ofstream(folder / "mine.yaml")
        << "schema: heft.licence/1\nid: mine\nname: My licence\nsources: [me]\n"
           "verification: by_user\npermissions: {use: yes, commercial_use: no}\n"
           "text: {phrases: [my very own licence]}\n";
    auto extended = Catalogue::built_in();
    ASSERT_TRUE(extended);
    const auto added = extended->add_folder(folder);
    fs::remove_all(folder);
    ASSERT_TRUE(added) << added.error().what;
    ASSERT_NE(extended->find("mine"), nullptr);
    const auto finding = identify_text(*extended, "My very own licence. Do as you like.");
    ASSERT_TRUE(finding);
    EXPECT_EQ(finding->licence, extended->find("mine"));
}

TEST(Gate, LetsAPersonDecideWhatIsNotSettledAndNothingElse) {
    struct Case {
        const char* licence;
        const char* use;
        bool plain, accepted;
    };
    for (const auto& [licence, use, plain, accepted] : {
             Case{"apache-2.0", "{}", true, true},
             {"llama3.1", "{}", true, true},
             {"a-licence-nobody-knows", "{}", false, true},
             {"llama3.1", "{commercial: true}", false, true},
             {"llama3", "{publish_finetune: true, name: Nova}", false, true},
             {"cc-by-nd-4.0", "{publish_finetune: true}", false, false},
             {"proprietary-api", "{}", false, false},
         }) {
        const auto stated = Use::read(use, catalogue().vocabulary());
        ASSERT_TRUE(stated);
        const std::vector<Parent> parents{{identify_name(catalogue(), licence), "itself", {}}};
        for (const bool accept : {false, true}) {
            const GateOutcome outcome = gate(catalogue(), "quantize", parents, *stated, accept);
            EXPECT_EQ(outcome.may_proceed, accept ? accepted : plain) << licence << use;
            EXPECT_EQ(outcome.record["schema"], "heft.lineage/1");
            EXPECT_EQ(outcome.record["parents"][0]["model"], licence);
            EXPECT_EQ(outcome.record["accepted_by_person"], accept && accepted && !plain);
            EXPECT_EQ(outcome.may_proceed, plain || (accept && accepted));
            EXPECT_EQ(outcome.why.empty(), plain) << outcome.why;
        }
    }
    EXPECT_FALSE(gate(catalogue(), "merge", {}, Use(), true).may_proceed);
}

}  // namespace
}  // namespace heft::govern
