// Verdicts over the scenarios of the reference data, and what has to hold for every licence.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "../../tests/shared_data.h"
#include "../../tests/temp_folder.h"
#include "base/json.h"
#include "base/mapped_file.h"
#include "govern/catalogue.h"
#include "govern/condition.h"
#include "govern/glance.h"
#include "govern/lineage.h"

namespace heft::govern {
namespace {

using Json = nlohmann::ordered_json;

const Catalogue& catalogue() {
    static const Catalogue built_in = *Catalogue::built_in();
    return built_in;
}

Assessment ask(const std::string& licence, const Use& use) {
    return assess(catalogue(), chain_of(catalogue(), identify_name(catalogue(), licence)), use);
}

Use use_of(const Json& tree) {
    auto use = Use::from_tree(tree, catalogue().vocabulary());
    EXPECT_TRUE(use) << (use ? "" : use.error().what);
    return use ? *use : Use();
}

std::string_view verdict(const std::string& licence, const char* use) {
    return word(ask(licence, use_of(Json::parse(use))).judgement.verdict);
}

const ActAnswer& decisive(const Judgement& judgement) {
    for (const ActAnswer& answer : judgement.acts)
        if (answer.verdict == judgement.verdict) return answer;
    return judgement.acts.front();
}

TEST(Scenarios, GiveTheExpectedVerdictAndNameTheClause) {
    const auto file = testing::shared_data() / "governance" / "scenarios.json";
    HEFT_NEED_SHARED(file);
    const auto text = read_text(file);
    ASSERT_TRUE(text);
    const auto tree = parse_json_tree(*text);
    ASSERT_TRUE(tree);
    for (const Json& scenario : (*tree)["scenarios"]) {
        const auto licence = scenario["licence"].get<std::string>();
        const Judgement judgement = ask(licence, use_of(scenario["use"])).judgement;
        EXPECT_EQ(word(judgement.verdict), scenario["expect"].get<std::string>())
            << licence << " " << scenario["use"] << " " << decisive(judgement).why;
        for (const ActAnswer& answer : judgement.acts) {
            EXPECT_FALSE(answer.clause.empty()) << licence << " " << answer.act;
            EXPECT_FALSE(answer.source.empty()) << licence;
            EXPECT_FALSE(answer.verified.empty()) << licence;
        }
    }
}

// Thresholds decide at the number, not near it.
TEST(Verdicts, FlipAtTheThreshold) {
    struct Case {
        const char* licence;
        const char* use;  // @ stands for the number
        double threshold;
        const char* at;
        const char* above;
    };
    for (const auto& [licence, pattern, threshold, at, above] : {
             Case{"llama2", R"({"commercial":true,"mau_at":{"2023-06":@}})", 7e8, "allowed",
                  "needs_separate_licence"},
             {"llama3", R"({"commercial":true,"mau_at":{"2024-03":@}})", 7e8, "allowed",
              "needs_separate_licence"},
             {"llama3.1", R"({"commercial":false,"mau_at":{"2024-06":@}})", 7e8, "allowed",
              "needs_separate_licence"},
             {"llama3.3", R"({"commercial":true,"mau_at":{"2024-11":@}})", 7e8, "allowed",
              "needs_separate_licence"},
             {"llama4", R"({"commercial":true,"region":"US","mau_at":{"2025-03":@}})", 7e8,
              "allowed", "needs_separate_licence"},
             {"tongyi-qianwen-2023", R"({"commercial":true,"mau_now":@})", 1e8, "allowed",
              "needs_separate_licence"},
             {"qwen-2024", R"({"commercial":true,"mau_now":@})", 1e8, "allowed",
              "needs_separate_licence"},
             {"tencent-hunyuan-community", R"({"region":"US","mau_at":{"2024-11":@}})", 1e8,
              "allowed", "needs_separate_licence"},
             {"tencent-hunyuan-3d-2.0", R"({"region":"US","mau_at":{"2024-12":@}})", 1e6, "allowed",
              "needs_separate_licence"},
             {"stability-ai-community", R"({"commercial":true,"annual_revenue_usd":@})", 1e6,
              "allowed_with_duty", "needs_separate_licence"},
             {"jamba-open-model", R"({"commercial":true,"annual_revenue_usd":@})", 5e7 - 1,
              "allowed", "needs_separate_licence"},
             {"kimi-modified-mit", R"({"commercial":true,"mau_now":@,"monthly_revenue_usd":1000})",
              1e8, "allowed", "allowed_with_duty"},
             {"kimi-modified-mit", R"({"commercial":true,"mau_now":1000,"monthly_revenue_usd":@})",
              2e7, "allowed", "allowed_with_duty"},
         }) {
        for (const int step : {-1, 0, 1}) {
            std::string use = pattern;
            use.replace(use.find('@'), 1, std::to_string(static_cast<long long>(threshold) + step));
            EXPECT_EQ(verdict(licence, use.c_str()), step > 0 ? above : at) << licence << use;
        }
        std::string missing = pattern;
        missing.replace(missing.find('@'), 1, "null");
        EXPECT_EQ(verdict(licence, missing.c_str()), "unknown_need_input") << licence << missing;
    }
}

TEST(Verdicts, NameTheMissingFact) {
    struct Case {
        const char* licence;
        const char* use;
        const char* fact;
    };
    for (const auto& [licence, use, fact] : {
             Case{"llama3.1", R"({"commercial":true,"mau_now":5})", "mau_at.2024-06"},
             {"tongyi-qianwen-2023", R"({"mau_now":120000000})", "commercial"},
             {"stability-ai-community", R"({"commercial":true})", "annual_revenue_usd"},
             {"tencent-hunyuan-community", "{}", "region"},
             {"llama3.2", R"({"region":"FR","role":"developer"})", "modality"},
             {"llama4", R"({"region":"DE"})", "role"},
             {"llama3", R"({"train_other_model_on_outputs":true})", "other_model"},
             {"qwen-2024", R"({"train_other_model_on_outputs":true})", "publish_model"},
             {"mrl-0.1", R"({"commercial":false})", "purpose"},
             {"cc-by-nc-4.0", R"({"host_api":true})", "commercial"},
             {"jamba-open-model", R"({"train_other_model_on_outputs":true})", "licence_text"},
             {"apple-amlr", R"({"purpose":"research","modify":true})", "licence_text"},
         }) {
        const Judgement judgement = ask(licence, use_of(Json::parse(use))).judgement;
        EXPECT_EQ(judgement.verdict, Verdict::unknown_need_input) << licence << use;
        const auto& missing = decisive(judgement).missing;
        EXPECT_NE(std::find(missing.begin(), missing.end(), fact), missing.end())
            << licence << use << decisive(judgement).why;
    }
}

TEST(Verdicts, FollowTheTraps) {
    struct Case {
        const char* licence;
        const char* use;
        const char* expect;
    };
    for (const auto& [licence, use, expect] : {
             Case{"mnpl-0.1", R"({"use_outputs_commercially":true})", "allowed"},
             {"falcon-180b-tii-1.0", R"({"host_api":true})", "needs_separate_licence"},
             {"gemma-tou-2024-04-01", R"({"host_api":true})", "allowed_with_duty"},
             {"bigscience-bloom-rail-1.0", R"({"medical_advice":true})", "forbidden"},
             {"deepseek-license-1.0", R"({"military":true})", "forbidden"},
             {"apache-2.0", R"({"military":true})", "allowed"},
             {"apache-2.0", R"({"commercial":true,"publish_finetune":true})", "allowed_with_duty"},
             {"agpl-3.0", R"({"host_api":true,"modify":true})", "allowed_with_duty"},
             {"agpl-3.0", R"({"host_api":true,"modify":false})", "allowed"},
             {"flux-1-dev-nc", R"({"use_outputs_commercially":true})", "review"},
             {"llama3.2", R"({"region":"EU","modality":"vision 11B","role":"developer"})",
              "not_licensed"},
             {"llama3.3", R"({"region":"EU"})", "allowed"},
             {"llama3.1", R"({"publish_finetune":true,"name":"Llama-3.1-Nova"})",
              "allowed_with_duty"},
             {"llama3", R"({"publish_finetune":true,"name":"Llama-Nova"})",
              "forbidden_unless_renamed"},
             {"llama2", R"({"publish_finetune":true,"name":"Nova"})", "allowed_with_duty"},
             {"llama2", R"({"train_other_model_on_outputs":true,"other_model":"llama-2-7b"})",
              "allowed"},
             {"cc-by-nd-4.0", R"({"publish_finetune":true})", "forbidden"},
             {"cc-by-nd-4.0", R"({"modify":true})", "allowed"},
             {"ms-research-license-terms", R"({"publish_model":true})", "forbidden"},
             {"yi-1.0", R"({"commercial":true})", "needs_separate_licence"},
             {"nvidia-open-model-2025-04-28", R"({"commercial":true})", "allowed"},
             {"qwen-research-2024", R"({"commercial":true})", "forbidden"},
             {"Qwen/Qwen2.5-3B-Instruct", R"({"commercial":true})", "forbidden"},
             {"Qwen/Qwen2.5-7B-Instruct", R"({"commercial":true})", "allowed"},
             {"apache-2.0", R"({"model":"Qwen2.5-3B","tag":"apache-2.0"})", "review"},
             {"cc-by-nc-4.0", R"({"model":"c4ai-command-r-v01","tag":"cc-by-nc-4.0"})", "review"},
             {"ms-research-license-terms",
              R"({"model":"phi-2","purpose":"research","obtained":"2023-12"})", "allowed"},
             {"ms-research-license-terms",
              R"({"model":"phi-2","purpose":"research","obtained":"2024-06"})", "review"},
             {"ms-research-license-terms", R"({"model":"phi-2","purpose":"research"})",
              "unknown_need_input"},
             {"mit", R"({"model":"DeepSeek-R1"})", "allowed"},
             {"llama3.1", R"({"tag":"apache-2.0"})", "review"},
             {"cohere-cc-by-nc-aup", R"({"commercial":false,"tag":"cc-by-nc-4.0"})",
              "allowed_with_duty"},
             {"a-licence-nobody-knows", R"({"commercial":true})", "unknown_need_input"},
         })
        EXPECT_EQ(verdict(licence, use), expect) << licence << use;
}

// Facts of every kind, for the properties below.
std::vector<Use> many_uses() {
    const std::vector<std::pair<const char*, std::vector<Fact>>> facts = {
        {"commercial", {true, false}},
        {"mau_now", {1e3, 2e8}},
        {"mau_at.2024-06", {1e3, 9e8}},
        {"annual_revenue_usd", {1e3, 1e9}},
        {"region", {std::string("DE"), std::string("US"), std::string("KR")}},
        {"modality", {std::string("vision"), std::string("text-only")}},
        {"role", {std::string("developer")}},
        {"purpose", {std::string("academic research"), std::string("customer service")}},
        {"train_other_model_on_outputs", {true}},
        {"other_model", {std::string("mistral"), std::string("bert")}},
        {"publish_model", {true, false}},
        {"publish_finetune", {true}},
        {"name", {std::string("Nova"), std::string("Llama-3-Nova")}},
        {"host_api", {true}},
        {"embed_in_product", {true}},
        {"sell_outputs", {true}},
        {"remove_guardrails", {true}},
        {"military", {true}},
        {"modify", {true}},
    };
    std::vector<Use> uses;
    unsigned state = 12345;
    for (int i = 0; i < 60; ++i) {
        Use use;
        for (const auto& [name, values] : facts) {
            state = state * 1664525U + 1013904223U;
            const unsigned pick = (state >> 16U) % (2 * static_cast<unsigned>(values.size()));
            if (pick < values.size()) use.state(name, values[pick]);
        }
        uses.push_back(std::move(use));
    }
    return uses;
}

// A restriction more, whatever it says, never makes an answer more permissive.
TEST(Properties, ARestrictionNeverPermits) {
    const std::vector<std::string> all = {
        "use",      "commercial_use",   "modify",  "publish_finetune",
        "host_api", "train_on_outputs", "military"};
    for (const Licence& licence : catalogue().licences())
        for (const Use& use : many_uses()) {
            const Judgement before = judge(licence, use, catalogue().vocabulary());
            for (const Verdict verdict : {Verdict::review, Verdict::forbidden}) {
                for (const char* condition : {"null", R"({"fact":"commercial","is":true})",
                                              R"({"fact":"mau_now","over":5000})"}) {
                    Licence stricter_one = licence;
                    const Json tree = Json::parse(condition);
                    stricter_one.rules.push_back(
                        {all,
                         tree.is_null() ? nullptr : std::make_shared<const Json>(tree),
                         {},
                         verdict,
                         "added",
                         "added"});
                    const Judgement after = judge(stricter_one, use, catalogue().vocabulary());
                    ASSERT_EQ(before.acts.size(), after.acts.size());
                    for (std::size_t i = 0; i < after.acts.size(); ++i) {
                        EXPECT_FALSE(is_allowed(after.acts[i].verdict)
                                     && !is_allowed(before.acts[i].verdict))
                            << licence.id << " " << after.acts[i].act;
                        EXPECT_FALSE(is_no(before.acts[i].verdict) && !is_no(after.acts[i].verdict))
                            << licence.id << " " << after.acts[i].act;
                    }
                }
            }
        }
}

// Whatever a missing fact turns out to be, an answer that was "allowed" without it stays so, but
// for facts that an answer says it depends on, exemptions that nobody claimed, and acts not
// intended.
TEST(Properties, UnknownNeverBecomesAllowed) {
    for (const Licence& licence : catalogue().licences()) {
        Licence strict = licence;  // every term asked, as if all facts concerned the use
        for (Rule& rule : strict.rules) rule.when_stated.clear();
        for (const Use& use : many_uses()) {
            Use less = use;
            for (const char* fact : {"mau_now", "mau_at.2024-06", "annual_revenue_usd", "region",
                                     "modality", "purpose", "other_model"}) {
                less = use;
                less.forget(fact);
                const Judgement with = judge(strict, use, catalogue().vocabulary());
                const Judgement without = judge(strict, less, catalogue().vocabulary());
                for (std::size_t i = 0; i < with.acts.size(); ++i)
                    EXPECT_FALSE(is_no(with.acts[i].verdict) && is_allowed(without.acts[i].verdict))
                        << licence.id << " " << with.acts[i].act << " without " << fact;
            }
        }
    }
}

TEST(Lineage, JoinsTheStrictestAnswerAndAllDuties) {
    Chain chain = chain_of(catalogue(), identify_name(catalogue(), "apache-2.0"));
    Chain base = chain_of(catalogue(), identify_name(catalogue(), "llama3.1"), "base model");
    chain.terms.push_back(base.terms.front());
    const Use use = use_of(Json::parse(R"({"publish_finetune":true,"name":"Nova"})"));
    const Assessment joined = assess(catalogue(), chain, use);
    EXPECT_EQ(joined.judgement.verdict, Verdict::forbidden_unless_renamed);
    bool apache = false, llama = false;
    for (const Duty& duty : joined.judgement.duties) {
        apache = apache || duty.licence == "apache-2.0";
        llama = llama || duty.licence == "llama3.1";
    }
    EXPECT_TRUE(apache && llama);
}

TEST(Lineage, NamesTermsThatCannotBothBeKept) {
    Chain chain = chain_of(catalogue(), identify_name(catalogue(), "gpl-3.0"));
    Chain base = chain_of(catalogue(), identify_name(catalogue(), "openrail++"), "base model");
    chain.terms.push_back(base.terms.front());
    const Assessment joined =
        assess(catalogue(), chain, use_of(Json::parse(R"({"publish_finetune":true})")));
    EXPECT_EQ(joined.judgement.verdict, Verdict::review);
    EXPECT_EQ(joined.conflicts.size(), 1U);
}

TEST(Lineage, KnowsWhatAReleaseWasMadeFrom) {
    const Assessment joined = ask("deepseek-ai/DeepSeek-R1-Distill-Llama-8B",
                                  use_of(Json::parse(R"({"publish_finetune":true,"name":"N"})")));
    ASSERT_EQ(joined.terms.size(), 2U);
    EXPECT_EQ(joined.terms[1].licences.front()->id, "llama3.1");
    EXPECT_EQ(joined.judgement.verdict, Verdict::forbidden_unless_renamed);
}

TEST(Lineage, AHundredBasesHideNone) {
    const testing::TempFolder folder;
    Identification model = identify_name(catalogue(), "apache-2.0");
    const Use use = use_of(Json::parse(R"({"commercial":true})"));
    for (int i = 0; i < 100; ++i) {
        const std::string base = "base-" + std::to_string(i);
        std::filesystem::create_directory(folder / base);
        folder.write(base + "/README.md", i == 99 ? "---\nlicense: cc-by-nc-4.0\n---\n"
                                                  : "---\nlicense: apache-2.0\n---\n");
        model.base_models.push_back(base);
        const Chain chain = chain_of(catalogue(), model, "itself", folder.path());
        EXPECT_EQ(chain.terms.size(), std::min<std::size_t>(model.base_models.size() + 1, 16));
        const bool all_seen = model.base_models.size() < 16;
        EXPECT_EQ(assess(catalogue(), chain, use).judgement.verdict,
                  all_seen ? Verdict::allowed : Verdict::unknown_need_input);
    }
}

TEST(Glance, TellsPrivateCommercialAndRedistribution) {
    struct Case {
        const char* licence;
        Verdict private_use, commercial_use, redistribution;
    };
    for (const auto& [licence, private_use, commercial_use, redistribution] : {
             Case{"mit", Verdict::allowed, Verdict::allowed, Verdict::allowed_with_duty},
             {"llama3.1", Verdict::allowed, Verdict::unknown_need_input,
              Verdict::allowed_with_duty},
             {"cc-by-nc-4.0", Verdict::allowed, Verdict::forbidden, Verdict::unknown_need_input},
             {"ms-research-license-terms", Verdict::allowed, Verdict::forbidden,
              Verdict::forbidden},
             {"nobody-knows", Verdict::unknown_need_input, Verdict::unknown_need_input,
              Verdict::unknown_need_input},
         }) {
        const Glance seen =
            glance(catalogue(), chain_of(catalogue(), identify_name(catalogue(), licence)));
        EXPECT_EQ(seen.private_use.verdict, private_use) << licence;
        EXPECT_EQ(seen.commercial_use.verdict, commercial_use) << licence;
        EXPECT_EQ(seen.redistribution.verdict, redistribution) << licence;
    }
}

}  // namespace
}  // namespace heft::govern
