#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "../../../tests/shared_data.h"
#include "govern/openness/embedded.h"
#include "govern/openness/judge.h"

namespace heft::openness {
namespace {

using Json = nlohmann::json;
using testing::shared_data;

std::string text_of(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

Release must_read(const std::string& text, std::string_view id = {}) {
    auto release = read_record(text, id);
    EXPECT_TRUE(release) << release.error().what;
    return release ? std::move(*release) : Release{};
}

std::filesystem::path records() {
    return shared_data() / "governance/mof-models";
}

void expect_progress(const MofVerdict& verdict, const Json& expected, const std::string& file) {
    for (const char* mof_class : {"1", "2", "3"})
        EXPECT_NEAR(verdict.progress[static_cast<std::size_t>(*mof_class - '1')],
                    expected.at(mof_class).get<double>(), 1e-3)
            << file << " class " << mof_class;
}

TEST(Mof, EqualsTheToolOnItsOwnRecords) {
    HEFT_NEED_SHARED(records());
    const Json cases = Json::parse(text_of(records() / "conformance.json")).at("cases");
    EXPECT_EQ(cases.size(), 27U);
    for (const Json& one : cases) {
        const std::string file = one.at("file");
        const MofVerdict verdict = mof_verdict(must_read(text_of(records() / file)));
        EXPECT_EQ(verdict.mof_class, one.at("class").get<int>()) << file;
        expect_progress(verdict, one.at("progress"), file);
    }
}

TEST(Mof, EqualsAnIndependentComputationOfPublishedRecords) {
    HEFT_NEED_SHARED(records());
    const OpennessTables& tables = OpennessTables::embedded();
    for (const Json& one : Json::parse(text_of(records() / "computed_classes.json"))) {
        const std::string file = one.at("file");
        const Release release = must_read(text_of(records() / file));
        const MofVerdict verdict = mof_verdict(release);
        EXPECT_EQ(release.name, one.at("name").get<std::string>()) << file;
        EXPECT_EQ(verdict.mof_class, one.at("class").get<int>()) << file;
        expect_progress(verdict, one.at("progress"), file);
        std::size_t listed = 0;
        for (const MofPart& part : verdict.parts) {
            if (!release.at(part.kind).listed) continue;
            ++listed;
            EXPECT_EQ(
                one.at("component_status").at(tables.kinds()[part.kind].name).get<std::string>(),
                counted_name(part.counted))
                << file << ": " << tables.kinds()[part.kind].name;
        }
        EXPECT_EQ(listed, one.at("component_status").size()) << file;
    }
}

TEST(Mof, EveryPublishedRecordLoads) {
    HEFT_NEED_SHARED(records());
    std::array<int, 4> classes = {};
    for (const auto& entry : std::filesystem::directory_iterator(records() / "models")) {
        const Release release = must_read(text_of(entry.path()));
        EXPECT_TRUE(release.notes.empty()) << entry.path();
        ++classes[static_cast<std::size_t>(mof_verdict(release).mof_class)];
    }
    // governance/frameworks.json counts them.
    EXPECT_THAT(classes, ::testing::ElementsAre(242, 14, 1, 16));
}

TEST(Mof, SaysWhatTheNextClassNeeds) {
    HEFT_NEED_SHARED(records());
    const OpennessTables& tables = OpennessTables::embedded();
    for (const auto& entry : std::filesystem::directory_iterator(records() / "models")) {
        Release release = must_read(text_of(entry.path()));
        for (int steps = 0; steps < 3; ++steps) {
            const MofVerdict before = mof_verdict(release);
            for (const MofPart& part : before.missing) {
                release.at(part.kind).listed = true;
                set_licence(release.at(part.kind), "MIT");
            }
            if (before.next_class == 0) break;
            // What completes one class may complete the next as well.
            const int reached = mof_verdict(release).mof_class;
            EXPECT_GE(reached, 1) << entry.path() << " step " << steps;
            EXPECT_LE(reached, before.next_class) << entry.path() << " step " << steps;
        }
        EXPECT_EQ(mof_verdict(release).mof_class, 1) << entry.path();
        EXPECT_TRUE(mof_verdict(release).missing.empty());
    }
    EXPECT_EQ(tables.kinds()[tables.report()].key, "technical_report");
}

TEST(Releases, LevelAndOsiVerdictFollowFromTheComponents) {
    const auto file = shared_data() / "governance/releases.json";
    HEFT_NEED_SHARED(file);
    const std::string text = text_of(file);
    const Json all = Json::parse(text);
    for (const Json& one : all.at("releases")) {
        const std::string id = one.at("id");
        const Openness found = judge(must_read(text, id));
        EXPECT_EQ(found.level, one.at("level").get<int>()) << id;
        EXPECT_EQ(found.level_at_most, found.level) << id;
        const std::string osi = one.at("osi_validation_2024");
        if (osi.starts_with("not assessed")) continue;
        EXPECT_EQ(osi.substr(0, osi.find(' ')), word_name(found.osaid.word)) << id;
    }
}

// A release that has everything, each part under the MIT licence.
Release complete() {
    Release release;
    for (Component& component : release.components) {
        component.presence = Presence::present;
        component.listed = true;
        set_licence(component, "MIT");
    }
    return release;
}

TEST(Judge, ACompleteReleaseIsOpenSourceByEveryMeasure) {
    const Openness found = judge(complete());
    EXPECT_EQ(found.level, 3);
    EXPECT_EQ(found.mof.mof_class, 1);
    EXPECT_EQ(found.osaid.word, OsaidWord::passed);
    EXPECT_TRUE(found.cannot.empty());
    EXPECT_TRUE(found.unsure.empty());
    EXPECT_TRUE(found.differences.empty());
}

TEST(Judge, TakingAwayNeverMakesMoreOpen) {
    const std::size_t n = OpennessTables::embedded().kinds().size();
    for (std::size_t first = 0; first < n; ++first) {
        Release release = complete();
        Openness before = judge(release);
        for (std::size_t step = 0; step < n; ++step) {
            Component& component = release.at((first + step * 7) % n);
            component = {};
            component.presence = Presence::absent;
            const Openness after = judge(release);
            EXPECT_LE(after.level, before.level);
            EXPECT_GE(after.cannot.size(), before.cannot.size());
            for (std::size_t i = 0; i < 3; ++i)
                EXPECT_LE(after.mof.progress[i], before.mof.progress[i] + 1e-9);
            before = after;
        }
        EXPECT_EQ(before.level, 0);
    }
}

TEST(Judge, UnknownIsNeitherThereNorAbsent) {
    const OpennessTables& tables = OpennessTables::embedded();
    for (const ChecklistItem& item : tables.checklist()) {
        Release release = complete();
        for (const std::size_t kind : item.any_of) release.at(kind) = {};
        const Openness found = judge(release);
        EXPECT_EQ(found.osaid.word, OsaidWord::undetermined) << item.id;
        EXPECT_LT(found.level, 3) << item.id;
        EXPECT_EQ(found.level_at_most, 3) << item.id;
    }
    const Openness nothing = judge(Release{});
    EXPECT_EQ(nothing.osaid.word, OsaidWord::undetermined);
    EXPECT_EQ(nothing.level_at_most, 3);
    EXPECT_TRUE(nothing.cannot.empty());
}

TEST(Judge, ARestrictedLicenceOfTheWeightsIsNotOpenSource) {
    for (const char* licence : {"llama3.1", "bigcode-openrail-m", "CC-BY-NC-4.0", "gemma",
                                "Llama 2 Community License Agreement"}) {
        Release release = complete();
        set_licence(release.at(*OpennessTables::embedded().by_key("model_parameters")), licence);
        const Openness found = judge(release);
        EXPECT_EQ(found.level, 2) << licence;
        EXPECT_EQ(found.osaid.word, OsaidWord::would_pass_with_changed_terms) << licence;
        EXPECT_FALSE(found.differences.empty()) << licence;
    }
    Release release = complete();
    set_licence(release.at(*OpennessTables::embedded().by_key("model_parameters")), "my-own-1.0");
    EXPECT_EQ(judge(release).osaid.word, OsaidWord::undetermined);
}

TEST(Licences, TheToolsSpellingIsExactOursIsNot) {
    const LicenceLists& lists = OpennessTables::embedded().licences();
    EXPECT_EQ(lists.exact("Apache-2.0"), Terms::osi);
    EXPECT_EQ(lists.exact("apache-2.0"), Terms::unknown);
    EXPECT_EQ(lists.exact("Apache 2.0"), Terms::unknown);
    EXPECT_EQ(lists.exact("CC-BY-4.0"), Terms::open);
    EXPECT_EQ(lists.exact("CC-BY-NC-4.0"), Terms::not_open);
    EXPECT_EQ(lists.written("apache-2.0 (since 2023-05-31)"), Terms::osi);
    EXPECT_EQ(lists.written("odc-by"), Terms::open);
    EXPECT_EQ(lists.written("Llama 2 Community License"), Terms::not_open);
    EXPECT_EQ(lists.written("something else"), Terms::unknown);
    EXPECT_EQ(lists.written(""), Terms::unknown);
    EXPECT_EQ(lists.spdx("apache 2.0"), "Apache-2.0");
    EXPECT_FALSE(lists.spdx("llama3"));
}

TEST(Tiny, IsOpenSourceWithItsGeneratorAndTrainerNamed) {
    const Release tiny = must_read(std::string(embedded_tiny_record()));
    const OpennessTables& tables = OpennessTables::embedded();
    EXPECT_EQ(tiny.at(*tables.by_key("datasets")).where, "models/tiny/data/gen.py");
    EXPECT_EQ(tiny.at(*tables.by_key("training_code")).where, "models/tiny/train/train.py");
    const Openness found = judge(tiny);
    EXPECT_EQ(found.level, 3);
    EXPECT_EQ(found.osaid.word, OsaidWord::passed);
    for (const Component& component : tiny.components) {
        if (component.presence != Presence::present) continue;
        const auto path = std::filesystem::path(HEFT_SOURCE_DIR) / component.where;
        EXPECT_TRUE(std::filesystem::exists(path)) << path;
    }
}

TEST(Records, WhatCannotBeReadIsSaid) {
    for (const char* text : {"", "[]", "a: 1", "components: [1]", "release: {components: 3}",
                             "components: {no_such_part: yes}", "components: {weights: maybe}",
                             "releases: []", "release: {components: {a: 1}}"})
        EXPECT_FALSE(read_record(text)) << text;
    const Release odd = must_read("release: {name: X, components: [{name: Engine}, 7, {}]}");
    EXPECT_EQ(odd.notes.size(), 3U);
    Release release;
    EXPECT_FALSE(apply_flag(release, "training_code"));
    EXPECT_FALSE(apply_flag(release, "engine=yes"));
    EXPECT_TRUE(apply_flag(release, "training_code=yes:apache-2.0"));
    EXPECT_EQ(release.at(*OpennessTables::embedded().by_key("training_code")).licence,
              "Apache-2.0");
}

}  // namespace
}  // namespace heft::openness
