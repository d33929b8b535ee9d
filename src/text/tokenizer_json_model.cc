// The model section of tokenizer.json.
#include "text/tokenizer_json.h"

namespace heft::text {

namespace {

// {"piece": id, …}
Status read_numbered(ModelPlan& plan) {
    JsonObject vocab;
    const auto entries = json_find(plan.model, "vocab");
    if (!entries || entries->get_object().get(vocab) != simdjson::SUCCESS)
        return Error{Code::corrupt, "the model section has no vocab"};
    plan.vocab.reserve(vocab.size());
    for (const auto& entry : vocab) {
        std::int64_t id = -1;
        if (entry.value.get_int64().get(id) != simdjson::SUCCESS)
            return Error{Code::corrupt, "the token " + shown(entry.key) + " has no number as id"};
        plan.vocab.push_back({entry.key, id});
    }
    return {};
}

// [["piece", score], …]
Status read_scored(ModelPlan& plan) {
    if (!json_find(plan.model, "vocab"))
        return Error{Code::corrupt, "the model section has no vocab"};
    return each_item(plan.model, "vocab", [&plan](JsonElement item) -> Status {
        const auto id = static_cast<std::int64_t>(plan.vocab.size());
        std::string_view text;
        double score = 0;
        if (item.at(0).get_string().get(text) != simdjson::SUCCESS
            || item.at(1).get_double().get(score) != simdjson::SUCCESS)
            return Error{Code::corrupt,
                         "piece " + std::to_string(id) + " is not a text and its score"};
        plan.vocab.push_back({text, id});
        plan.impl->scores.push_back(static_cast<float>(score));
        return {};
    });
}

void read_unknown(ModelPlan& plan) {
    if (const auto text = json_string(plan.model, "unk_token")) plan.unknown = std::string(*text);
}

Status read_bpe(JsonElement model, ModelPlan& plan) {
    Tokenizer::Impl& impl = *plan.impl;
    impl.model = ModelKind::bpe;
    impl.ignore_merges = json_bool(model, "ignore_merges").value_or(false);
    impl.fuse_unknown = json_bool(model, "fuse_unk").value_or(false);
    plan.byte_fallback = json_bool(model, "byte_fallback").value_or(false);
    impl.affixes = {std::string(json_string(model, "continuing_subword_prefix").value_or("")),
                    std::string(json_string(model, "end_of_word_suffix").value_or(""))};
    constexpr std::size_t kLongestAffix = 64;
    if (impl.affixes.before_rest.size() > kLongestAffix
        || impl.affixes.after_word.size() > kLongestAffix)
        return Error{Code::unsupported,
                     "continuing_subword_prefix or end_of_word_suffix is longer than 64 bytes"};
    read_unknown(plan);
    return read_numbered(plan);
}

Status read_unigram(JsonElement model, ModelPlan& plan) {
    plan.impl->model = ModelKind::unigram;
    plan.impl->fuse_unknown = true;
    plan.byte_fallback = json_bool(model, "byte_fallback").value_or(false);
    HEFT_OK(read_scored(plan));
    const auto id = json_int(model, "unk_id");
    if (!id) return {};
    if (*id < 0 || static_cast<std::size_t>(*id) >= plan.vocab.size())
        return Error{Code::corrupt,
                     "unk_id is " + std::to_string(*id) + ", outside the vocabulary"};
    plan.unknown = std::string(plan.vocab[static_cast<std::size_t>(*id)].text);
    return {};
}

Status read_wordpiece(JsonElement model, ModelPlan& plan) {
    plan.impl->model = ModelKind::wordpiece;
    WordPieceRules& rules = plan.impl->wordpiece;
    rules.rest = std::string(json_string(model, "continuing_subword_prefix").value_or("##"));
    const auto longest = json_int(model, "max_input_chars_per_word").value_or(100);
    if (longest < 0)
        return Error{Code::corrupt, "max_input_chars_per_word is " + std::to_string(longest)};
    rules.longest_word = static_cast<std::size_t>(longest);
    read_unknown(plan);
    if (!plan.unknown) plan.unknown = "[UNK]";
    return read_numbered(plan);
}

// Dropout leaves merges out at random while a model is trained; it is not for inference.
constexpr std::array<Component<ModelPlan>, 3> kRows{{
    {"BPE",
     "vocab merges dropout unk_token continuing_subword_prefix end_of_word_suffix fuse_unk "
     "byte_fallback ignore_merges cache_capacity",
     read_bpe},
    {"Unigram", "vocab unk_id byte_fallback", read_unigram},
    {"WordPiece", "vocab unk_token continuing_subword_prefix max_input_chars_per_word",
     read_wordpiece},
}};

}  // namespace

Status read_model(JsonElement model, ModelPlan& plan) {
    plan.model = model;
    // Files of the first years name no type, and are of this one.
    if (!json_string(model, "type")) {
        HEFT_OK(check_options("model", model, kRows[0].options));
        return read_bpe(model, plan);
    }
    return read_component("model", kRows, model, plan);
}

Status read_merges(const ModelPlan& plan) {
    Tokenizer::Impl& impl = *plan.impl;
    if (impl.model != ModelKind::bpe) return {};
    std::vector<MergeNames> merges;
    const auto read_one = [&merges](JsonElement item) -> Status {
        std::string_view text;
        MergeNames names;
        if (item.get_string().get(text) == simdjson::SUCCESS) {
            HEFT_TRY(names, split_merge(text, merges.size()));
        } else if (item.at(0).get_string().get(names.left) != simdjson::SUCCESS
                   || item.at(1).get_string().get(names.right) != simdjson::SUCCESS) {
            return Error{Code::corrupt,
                         "merge " + std::to_string(merges.size()) + " is not a pair of tokens"};
        }
        merges.push_back(names);
        return {};
    };
    HEFT_OK(each_item(plan.model, "merges", read_one));
    HEFT_TRY(auto rules, resolve_merges(impl.table, impl.affixes, merges));
    impl.pairs = rules.get();
    impl.rules = std::move(rules);
    return {};
}

std::string known_models() {
    return names_of(kRows);
}

}  // namespace heft::text
