// Which row a published chat template gets, and that the rows can be told apart.
#include "text/reply_format.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "../../tests/shared_data.h"
namespace heft::text {

namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// By file, below real/chat-templates. Every template that is not named is "plain".
const std::map<std::string, std::string>& expected_rows() {
    static const std::map<std::string, std::string> kRows = {
        {"ik_llama/Apertus-8B-Instruct", "apertus"},
        {"ik_llama/Apriel-1.6-15b-Thinker-fixed", "apriel"},
        {"ik_llama/Bielik-11B-v3.0-Instruct", "hermes"},
        {"ik_llama/ByteDance-Seed-OSS", "seed-oss"},
        {"ik_llama/Cohere2MoE", "command-r7b"},
        {"ik_llama/CohereForAI-c4ai-command-r-plus-tool_use", "command-r"},
        {"ik_llama/CohereForAI-c4ai-command-r7b-12-2024-tool_use", "command-r7b"},
        {"ik_llama/GLM-4.6", "glm-4.5"},
        {"ik_llama/GLM-4.7-Flash", "glm-4.5"},
        {"ik_llama/GLM-5.2", "glm-4.5"},
        {"ik_llama/GigaChat3-10B-A1.8B", "gigachat-3"},
        {"ik_llama/GigaChat3.1-10B-A1.8B", "gigachat-3.1"},
        {"ik_llama/Kimi-K2-Instruct", "kimi-k2"},
        {"ik_llama/Kimi-K2-Thinking", "kimi-k2"},
        {"ik_llama/LFM2-8B-A1B", "lfm2"},
        {"ik_llama/LFM2.5-Instruct", "lfm2"},
        {"ik_llama/MiMo-VL", "hermes"},
        {"ik_llama/MiroThinker", "hermes"},
        {"ik_llama/Mistral-Small-3.2-24B-Instruct-2506", "mistral-v11"},
        {"ik_llama/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", "qwen3-coder"},
        {"ik_llama/NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use", "hermes"},
        {"ik_llama/NousResearch-Hermes-3-Llama-3.1-8B-tool_use", "hermes"},
        {"ik_llama/Qwen-QwQ-32B", "hermes"},
        {"ik_llama/Qwen-Qwen2.5-7B-Instruct", "hermes"},
        {"ik_llama/Qwen-Qwen3-0.6B", "hermes"},
        {"ik_llama/Qwen3-Coder", "qwen3-coder"},
        {"ik_llama/Qwen3.5-4B", "qwen3-coder"},
        {"ik_llama/Reka-Edge", "hermes"},
        {"ik_llama/StepFun3.5-Flash", "qwen3-coder"},
        {"ik_llama/deepseek-ai-DeepSeek-R1-Distill-Llama-8B", "deepseek-v3"},
        {"ik_llama/deepseek-ai-DeepSeek-R1-Distill-Qwen-32B", "deepseek-v3"},
        {"ik_llama/deepseek-ai-DeepSeek-V3.1", "deepseek-v3.1"},
        {"ik_llama/deepseek-ai-DeepSeek-V3.2", "deepseek-v3.2"},
        {"ik_llama/deepseek-ai-DeepSeek-V4", "deepseek-v4"},
        {"ik_llama/fireworks-ai-llama-3-firefunction-v2", "firefunction-v2"},
        {"ik_llama/google-gemma-2-2b-it", "gemma"},
        {"ik_llama/google-gemma-4-31B-it-interleaved", "gemma4"},
        {"ik_llama/google-gemma-4-31B-it", "gemma4"},
        {"ik_llama/ibm-granite-granite-3.3-2B-Instruct", "granite-3"},
        {"ik_llama/llama-cpp-deepseek-r1", "deepseek-v3"},
        {"ik_llama/meetkai-functionary-medium-v3.1", "functionary-v3.1"},
        {"ik_llama/meetkai-functionary-medium-v3.2", "functionary-v3.2"},
        {"ik_llama/meta-llama-Llama-3.1-8B-Instruct", "llama-3"},
        {"ik_llama/meta-llama-Llama-3.2-3B-Instruct", "llama-3"},
        {"ik_llama/meta-llama-Llama-3.3-70B-Instruct", "llama-3"},
        {"ik_llama/mistralai-Ministral-3-14B-Reasoning-2512", "mistral-v11"},
        {"ik_llama/mistralai-Mistral-Nemo-Instruct-2407", "mistral-v3"},
        {"ik_llama/moonshotai-Kimi-K2", "kimi-k2"},
        {"ik_llama/openai-gpt-oss-120b", "harmony"},
        {"ik_llama/stepfun-ai-Step-3.5-Flash", "qwen3-coder"},
        {"ik_llama/unsloth-Apriel-1.5", "apriel"},
        {"ik_llama/unsloth-mistral-Devstral-Small-2507", "mistral-v11"},
        {"mistral-common/v11", "mistral-v11"},
        {"mistral-common/v11_audio", "mistral-v11"},
        {"mistral-common/v11_image", "mistral-v11"},
        {"mistral-common/v11_image_think", "mistral-v11"},
        {"mistral-common/v11_think", "mistral-v11"},
        {"mistral-common/v13", "mistral-v11"},
        {"mistral-common/v13_audio", "mistral-v11"},
        {"mistral-common/v13_image", "mistral-v11"},
        {"mistral-common/v13_image_think", "mistral-v11"},
        {"mistral-common/v13_think", "mistral-v11"},
        {"mistral-common/v15", "mistral-v11"},
        {"mistral-common/v15_audio", "mistral-v11"},
        {"mistral-common/v15_image", "mistral-v11"},
        {"mistral-common/v15_image_think", "mistral-v11"},
        {"mistral-common/v15_think", "mistral-v11"},
        {"mistral-common/v2", "mistral-v3"},
        {"mistral-common/v2_spm", "mistral-v3"},
        {"mistral-common/v3", "mistral-v3"},
        {"mistral-common/v3_image", "mistral-v3"},
        {"mistral-common/v3_image_spm", "mistral-v3"},
        {"mistral-common/v3_spm", "mistral-v3"},
        {"mistral-common/v7", "mistral-v3"},
        {"mistral-common/v7_audio", "mistral-v3"},
        {"mistral-common/v7_image", "mistral-v3"},
        {"mistral-common/v7_image_spm", "mistral-v3"},
        {"mistral-common/v7_spm", "mistral-v3"},
        {"ollama/glimmer_chat_template", "atem"},
        {"ollama/qwen38_chat_template", "qwen3-coder"},
    };
    return kRows;
}

TEST(ReplyFormat, PublishedTemplatesGetTheirRow) {
    const fs::path root = testing::shared_data() / "real/chat-templates";
    HEFT_NEED_SHARED(root);
    std::set<std::string> seen;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
        if (entry.path().extension() != ".jinja") continue;
        const auto name = fs::relative(entry.path(), root).replace_extension().string();
        const auto expected = expected_rows().find(name);
        EXPECT_EQ(reply_format_of_template(read_file(entry.path())).name,
                  expected == expected_rows().end() ? "plain" : expected->second)
            << name;
        if (expected != expected_rows().end()) seen.insert(name);
    }
    EXPECT_EQ(seen.size(), expected_rows().size());
}

TEST(ReplyFormat, NoTemplateIsPlain) {
    EXPECT_EQ(reply_format_of_template("").name, "plain");
    EXPECT_EQ(reply_formats().back().name, "plain");
    EXPECT_EQ(find_reply_format("no such format"), nullptr);
}

TEST(ReplyFormat, NamesAreUnique) {
    std::set<std::string_view> names;
    for (const auto& format : reply_formats()) {
        EXPECT_TRUE(names.insert(format.name).second) << format.name;
        EXPECT_EQ(find_reply_format(format.name), &format);
        EXPECT_LE(format.n_calls, static_cast<int>(format.calls.size()));
    }
}

TEST(ReplyFormat, TheDocumentListsEveryRow) {
    const std::string document = read_file(fs::path(HEFT_SOURCE_DIR) / "docs/tools.md");
    for (const auto& format : reply_formats()) {
        const std::string line =
            "| " + std::string(format.name) + " | " + std::string(format.families) + " |\n";
        EXPECT_NE(document.find(line), std::string::npos) << line;
    }
}

// Marks that are looked for at the same time: were one the beginning of another, the longer one
// would never be found.
TEST(ReplyFormat, NoMarkerBeginsAnother) {
    for (const auto& format : reply_formats()) {
        std::vector<std::string_view> marks;
        for (const auto& pair : format.reasoning) marks.push_back(bare(pair.open));
        for (const auto mark : format.dropped) marks.push_back(mark);
        for (const auto& call : format.syntaxes())
            if (format.channels.recipient.empty() && !format.channels.header_is_name)
                marks.push_back(bare(call.open));
        for (const auto mark : format.channels.ends) marks.push_back(mark);
        for (std::size_t i = 0; i < marks.size(); ++i)
            for (std::size_t j = 0; j < marks.size(); ++j)
                EXPECT_FALSE(i != j && !marks[i].empty() && marks[j].starts_with(marks[i]))
                    << format.name << ": " << marks[i];
    }
}

TEST(ReplyFormat, ThePromptSaysWhetherAThoughtIsOpen) {
    const auto& hermes = *find_reply_format("hermes");
    EXPECT_TRUE(opens_reasoning(hermes, "<|im_start|>assistant\n<think>\n"));
    EXPECT_TRUE(opens_reasoning(hermes, "<think>"));
    EXPECT_FALSE(opens_reasoning(hermes, "<|im_start|>assistant\n<think>\n\n</think>\n\n"));
    EXPECT_FALSE(opens_reasoning(hermes, "<|im_start|>assistant\n"));
    EXPECT_FALSE(opens_reasoning(hermes, ""));
    EXPECT_TRUE(opens_reasoning(*find_reply_format("apriel"),
                                "<|begin_assistant|>\nHere are my reasoning steps:\n"));
    EXPECT_TRUE(opens_reasoning(*find_reply_format("command-r7b"), "<|START_THINKING|>"));
}

TEST(ReplyFormat, MarkersAreTold) {
    const auto& deepseek = *find_reply_format("deepseek-v3");
    EXPECT_TRUE(is_marker(deepseek, "<｜tool▁sep｜>"));
    EXPECT_TRUE(is_marker(deepseek, "<think>"));
    EXPECT_FALSE(is_marker(deepseek, "<｜end▁of▁sentence｜>"));
    EXPECT_FALSE(is_marker(deepseek, ""));
    EXPECT_TRUE(is_marker(*find_reply_format("harmony"), "<|return|>"));
    EXPECT_FALSE(is_marker(*find_reply_format("plain"), "<tool_call>"));
}

}  // namespace

}  // namespace heft::text
