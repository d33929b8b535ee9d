// Reads tiktoken's rank files: lines of a token in base64 and its rank, which is its id.
#include <algorithm>
#include <charconv>
#include <set>

#include "text/base64.h"
#include "text/rank_presets.h"
#include "text/ranks.h"
#include "text/tokenizer_config.h"

namespace heft::text {

namespace {

std::string_view take_line(std::string_view& text) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

Result<RankedToken> read_line(std::string_view line) {
    const std::size_t space = line.find(' ');
    RankedToken token;
    if (space != std::string_view::npos) {
        HEFT_TRY(token.bytes, base64_decode(line.substr(0, space)));
        const char* end = line.data() + line.size();
        const auto parsed = std::from_chars(line.data() + space + 1, end, token.id);
        if (parsed.ec == std::errc{} && parsed.ptr == end && token.id >= 0 && !token.bytes.empty())
            return token;
    }
    return Error{Code::corrupt, shown(line) + " is not a token and its rank"};
}

Result<std::vector<RankedToken>> read_lines(std::string_view text) {
    std::vector<RankedToken> tokens;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::string_view line = take_line(text);
        if (line.empty()) continue;
        auto token = read_line(line);
        if (!token) return within("line " + std::to_string(number), std::move(token.error()));
        if (tokens.size() == kMostTokens)
            return Error{Code::exhausted, "it has more than 2^24 tokens"};
        tokens.push_back(std::move(*token));
    }
    return tokens;
}

// The preset's, and those of the configuration in their place.
std::vector<AddedToken> special_tokens(const RankPreset& preset, const TokenizerConfig& config) {
    std::vector<AddedToken> added = config.added;
    std::set<TokenId> configured;
    for (const AddedToken& token : config.added) configured.insert(token.id);
    for (const SpecialRun& run : preset.special) {
        for (int i = 0; i < run.count; ++i) {
            AddedToken token;
            token.text = run.text(i);
            token.id = run.first + i;
            token.control = true;
            if (configured.count(token.id) == 0) added.push_back(std::move(token));
        }
    }
    for (AddedToken& token : added) token.normalised = false;
    return added;
}

}  // namespace

Result<Tokenizer> Tokenizer::from_tiktoken(Bytes ranks, std::string_view config_json) {
    HEFT_TRY(const TokenizerConfig config, read_tokenizer_config(config_json));
    auto tokens = read_lines(as_text(ranks));
    if (!tokens) return within("not a tiktoken rank file", std::move(tokens.error()));
    const RankPreset* preset = find_rank_preset(tokens->size());
    if (!preset)
        return Error{Code::unsupported,
                     "a rank file of " + std::to_string(tokens->size())
                         + " tokens is none that heft knows, and the file does not say how texts "
                           "are cut; known are "
                         + known_rank_presets()
                         + ": use the model's tokenizer.json"};
    auto impl = std::make_unique<Impl>();
    const PreTokenizerRow* row = find_pre_tokenizer(preset->pattern);
    HEFT_TRY(impl->pretokeniser, compile_pre_tokenizer(*row));
    impl->pre = row->name;
    HEFT_OK(use_ranks(*impl, *tokens, special_tokens(*preset, config)));
    const auto choose = [&impl](const std::string& configured, std::string_view otherwise) {
        const TokenId id = impl->table.find(configured.empty() ? otherwise : configured);
        return id == kNoToken ? std::nullopt : std::optional(id);
    };
    impl->special.bos = choose(config.bos, preset->bos);
    impl->special.eos = choose(config.eos, preset->eos);
    impl->special.pad = choose(config.pad, preset->pad);
    impl->special.add_bos = config.add_bos.value_or(preset->add_bos);
    impl->special.add_eos = config.add_eos.value_or(false);
    impl->description = "byte-level BPE (" + std::string(preset->name) + " ranks)";
    HEFT_OK(impl->finish());
    return Impl::wrap(std::move(impl));
}

Result<Tokenizer> Tokenizer::from_model_file(Bytes file, std::string_view config_json) {
    // A SentencePiece model begins with a control character, and has more of them.
    std::string_view text = as_text(file);
    const std::string_view line = take_line(text);
    return read_line(line) ? from_tiktoken(file, config_json)
                           : from_sentencepiece(file, config_json);
}

}  // namespace heft::text
