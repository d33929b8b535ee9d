// Sources: the tokenizer code that was published with each model.
#include "text/rank_presets.h"

#include <algorithm>

namespace heft::text {

namespace {

const std::vector<RankPreset>& presets() {  // NOLINT(readability-function-size): a table
    static const std::vector<RankPreset> kPresets{
        {"Llama 3",
         128000,
         "llama-bpe",
         "<|begin_of_text|>",
         "<|end_of_text|>",
         "<|finetune_right_pad_id|>",
         true,
         {{128000, 1, "<|begin_of_text|>"},
          {128001, 1, "<|end_of_text|>"},
          {128002, 2, "<|reserved_special_token_", 0, "|>"},
          {128004, 1, "<|finetune_right_pad_id|>"},
          {128005, 1, "<|reserved_special_token_2|>"},
          {128006, 1, "<|start_header_id|>"},
          {128007, 1, "<|end_header_id|>"},
          {128008, 1, "<|eom_id|>"},
          {128009, 1, "<|eot_id|>"},
          {128010, 1, "<|python_tag|>"},
          {128011, 245, "<|reserved_special_token_", 3, "|>"}}},
        {"Llama 4",
         200000,
         "llama4",
         "<|begin_of_text|>",
         "<|end_of_text|>",
         "<|finetune_right_pad|>",
         true,
         {{200000, 1, "<|begin_of_text|>"},
          {200001, 1, "<|end_of_text|>"},
          {200002, 1, "<|fim_prefix|>"},
          {200003, 1, "<|fim_middle|>"},
          {200004, 1, "<|fim_suffix|>"},
          {200005, 1, "<|header_start|>"},
          {200006, 1, "<|header_end|>"},
          {200007, 1, "<|eom|>"},
          {200008, 1, "<|eot|>"},
          {200009, 1, "<|step|>"},
          {200010, 6, "<|text_post_train_reserved_special_token_", 0, "|>"},
          {200016, 1, "<|python_start|>"},
          {200017, 1, "<|python_end|>"},
          {200018, 1, "<|finetune_right_pad|>"},
          {200019, 61, "<|text_post_train_reserved_special_token_", 8, "|>"},
          {200080, 1, "<|image_start|>"},
          {200081, 1, "<|image_end|>"},
          {200082, 2, "<|vision_reserved_special_token_", 0, "|>"},
          {200084, 1, "<|tile_x_separator|>"},
          {200085, 1, "<|tile_y_separator|>"},
          {200086, 4, "<|vision_reserved_special_token_", 2, "|>"},
          {200090, 1, "<|image|>"},
          {200091, 1, "<|vision_reserved_special_token_6|>"},
          {200092, 1, "<|patch|>"},
          {200093, 1041, "<|vision_reserved_special_token_", 7, "|>"},
          {201134, 8, "<|reasoning_reserved_special_token_", 0, "|>"},
          {201142, 1, "<|reasoning_thinking_start|>"},
          {201143, 1, "<|reasoning_thinking_end|>"},
          {201144, 904, "<|reserved_special_token_", 0, "|>"}}},
        // o200k_base with the additions of harmony, gpt-oss's format: none of the former's ids
        // means anything else in the latter.
        {"o200k",
         199998,
         "gpt-4o",
         "<|startoftext|>",
         "<|endoftext|>",
         "<|endoftext|>",
         false,
         {{199998, 1, "<|startoftext|>"},
          {199999, 1, "<|endoftext|>"},
          {200000, 2, "<|reserved_", 200000, "|>"},
          {200002, 1, "<|return|>"},
          {200003, 1, "<|constrain|>"},
          {200004, 1, "<|reserved_200004|>"},
          {200005, 1, "<|channel|>"},
          {200006, 1, "<|start|>"},
          {200007, 1, "<|end|>"},
          {200008, 1, "<|message|>"},
          {200009, 3, "<|reserved_", 200009, "|>"},
          {200012, 1, "<|call|>"},
          {200013, 5, "<|reserved_", 200013, "|>"},
          {200018, 1, "<|endofprompt|>"},
          {200019, 1069, "<|reserved_", 200019, "|>"}}},
        {"cl100k",
         100256,
         "dbrx",
         "",
         "<|endoftext|>",
         "",
         false,
         {{100257, 1, "<|endoftext|>"},
          {100258, 1, "<|fim_prefix|>"},
          {100259, 1, "<|fim_middle|>"},
          {100260, 1, "<|fim_suffix|>"},
          {100276, 1, "<|endofprompt|>"}}},
        {"p50k", 50280, "gpt-2", "", "<|endoftext|>", "", false, {{50256, 1, "<|endoftext|>"}}},
        {"r50k", 50256, "gpt-2", "", "<|endoftext|>", "", false, {{50256, 1, "<|endoftext|>"}}},
        {"Qwen",
         151643,
         "qwen2",
         "",
         "<|endoftext|>",
         "<|endoftext|>",
         false,
         {{151643, 1, "<|endoftext|>"},
          {151644, 1, "<|im_start|>"},
          {151645, 1, "<|im_end|>"},
          {151646, 205, "<|extra_", 0, "|>"}}},
        {"GLM-4",
         151329,
         "glm4",
         "",
         "<|endoftext|>",
         "<|endoftext|>",
         false,
         {{151329, 1, "<|endoftext|>"},
          {151330, 1, "[MASK]"},
          {151331, 1, "[gMASK]"},
          {151332, 1, "[sMASK]"},
          {151333, 1, "<sop>"},
          {151334, 1, "<eop>"},
          {151335, 1, "<|system|>"},
          {151336, 1, "<|user|>"},
          {151337, 1, "<|assistant|>"},
          {151338, 1, "<|observation|>"},
          {151339, 1, "<|begin_of_image|>"},
          {151340, 1, "<|end_of_image|>"},
          {151341, 1, "<|begin_of_video|>"},
          {151342, 1, "<|end_of_video|>"}}},
        {"Kimi K2",
         163584,
         "kimi-k2",
         "[BOS]",
         "[EOS]",
         "[PAD]",
         false,
         {{163584, 1, "[BOS]"},
          {163585, 1, "[EOS]"},
          {163586, 1, "<|im_end|>"},
          {163587, 1, "<|im_user|>"},
          {163588, 1, "<|im_assistant|>"},
          {163589, 1, "<|reserved_token_163589|>"},
          {163590, 1, "<|start_header_id|>"},
          {163591, 1, "<|end_header_id|>"},
          {163592, 1, "<|reserved_token_163592|>"},
          {163593, 1, "[EOT]"},
          {163594, 1, "<|im_system|>"},
          {163595, 1, "<|tool_calls_section_begin|>"},
          {163596, 1, "<|tool_calls_section_end|>"},
          {163597, 1, "<|tool_call_begin|>"},
          {163598, 1, "<|tool_call_argument_begin|>"},
          {163599, 1, "<|tool_call_end|>"},
          {163600, 1, "<|reserved_token_163600|>"},
          {163601, 1, "<|im_middle|>"},
          {163602, 236, "<|reserved_token_", 163602, "|>"},
          {163838, 1, "[UNK]"},
          {163839, 1, "[PAD]"}}}};
    return kPresets;
}

}  // namespace

std::string SpecialRun::text(int i) const {
    if (after.empty()) return std::string(before);
    return std::string(before).append(std::to_string(number + i)).append(after);
}

const RankPreset* find_rank_preset(std::size_t ranks) {
    const auto& all = presets();
    const auto row = std::find_if(all.begin(), all.end(),
                                  [ranks](const RankPreset& p) { return p.ranks == ranks; });
    return row == all.end() ? nullptr : &*row;
}

std::string known_rank_presets() {
    std::string names;
    for (const RankPreset& row : presets())
        names.append(names.empty() ? "" : ", ")
            .append(row.name)
            .append(" (")
            .append(std::to_string(row.ranks))
            .append(")");
    return names;
}

}  // namespace heft::text
