// Reads RWKV's world vocabulary: lines of an id, the token as a Python string or bytes literal, and
// its length in bytes.
#include <algorithm>
#include <array>
#include <charconv>

#include "text/tokenizer_config.h"
#include "text/tokenizer_impl.h"
#include "text/utf8.h"

namespace heft::text {

namespace {

constexpr std::array<std::pair<char, char>, 6> kEscapes{
    {{'t', '\t'}, {'n', '\n'}, {'r', '\r'}, {'\\', '\\'}, {'\'', '\''}, {'"', '"'}}};

// Reads the inside of a literal: 'a\n', "it's", b'\xff'.
class Literal {
  public:
    explicit Literal(std::string_view text) : in_(text) {}

    std::optional<std::string> read() {
        bytes_ = in_.starts_with('b');
        if (bytes_) in_.remove_prefix(1);
        if (in_.size() < 2 || in_.front() != in_.back()) return {};
        if (in_.front() != '\'' && in_.front() != '"') return {};
        in_ = in_.substr(1, in_.size() - 2);
        while (!in_.empty()) {
            const char c = take();
            if (c != '\\')
                out_ += c;
            else if (!escape())
                return {};
        }
        return std::move(out_);
    }

  private:
    char take() {
        const char c = in_.front();
        in_.remove_prefix(1);
        return c;
    }

    bool code(std::size_t digits) {
        std::uint32_t value = 0;
        if (in_.size() < digits) return false;
        const char* end = in_.data() + digits;
        const auto parsed = std::from_chars(in_.data(), end, value, 16);
        if (parsed.ec != std::errc{} || parsed.ptr != end || value > 0x10FFFF) return false;
        in_.remove_prefix(digits);
        if (bytes_)
            out_ += static_cast<char>(value);
        else
            append_utf8(out_, value);
        return true;
    }

    bool escape() {
        if (in_.empty()) return false;
        const char kind = take();
        if (kind == 'x') return code(2);
        if (!bytes_ && kind == 'u') return code(4);
        if (!bytes_ && kind == 'U') return code(8);
        for (const auto& [name, value] : kEscapes) {
            if (name != kind) continue;
            out_ += value;
            return true;
        }
        return false;
    }

    std::string_view in_;
    std::string out_;
    bool bytes_ = false;
};

struct Line {
    std::int64_t id = -1;
    std::string bytes;
};

std::optional<Line> read_line(std::string_view text) {
    Line line;
    const std::size_t first = text.find(' ');
    const std::size_t last = text.rfind(' ');
    if (first == std::string_view::npos || last <= first) return {};
    const auto parsed = std::from_chars(text.data(), text.data() + first, line.id);
    std::size_t bytes = 0;
    const char* end = text.data() + text.size();
    const auto length = std::from_chars(text.data() + last + 1, end, bytes);
    auto literal = Literal(text.substr(first + 1, last - first - 1)).read();
    const bool fits = parsed.ec == std::errc{} && parsed.ptr == text.data() + first
                      && length.ec == std::errc{} && length.ptr == end && literal
                      && literal->size() == bytes && bytes > 0;
    if (!fits) return {};
    line.bytes = std::move(*literal);
    return line;
}

// As GGUF spells these tokens, so that piece() and vocabulary() are text.
std::string escaped(std::string_view bytes) {
    constexpr std::string_view kHex = "0123456789abcdef";
    const bool text = is_utf8(bytes);
    std::string out;
    for (const char c : bytes) {
        const auto byte = static_cast<std::uint8_t>(c);
        if (c == '\\')
            out += "\\\\";
        else if (byte < 0x20 || byte == 0x7F || (byte >= 0x80 && !text))
            out.append({'\\', 'x', kHex[byte / 16], kHex[byte % 16]});
        else
            out += c;
    }
    return out;
}

constexpr const char* kEndOfText = "<|rwkv_tokenizer_end_of_text|>";

// Tokens that are no line of the file: as the configuration has them, and id 0, which ends a text.
Status add_others(const TokenizerConfig& config, NumberedTexts& texts, Tokenizer::Impl& impl) {
    std::vector<AddedToken> added = config.added;
    const auto is_first = [](const AddedToken& token) { return token.id == 0; };
    const bool has_first =
        !texts.text(0).empty() || std::any_of(added.begin(), added.end(), is_first);
    if (!has_first) {
        added.push_back({kEndOfText, 0, true});
        impl.special.bos = impl.special.eos = 0;
    }
    for (AddedToken& token : added) {
        token.normalised = false;
        HEFT_OK(texts.set(token.id, token.text,
                          token.control ? TokenKind::control : TokenKind::user_defined));
    }
    HEFT_OK(texts.build(impl));
    HEFT_TRY(impl.added, AddedTokens::build(std::move(added)));
    return {};
}

void read_special(const TokenizerConfig& config, SpecialTokens& special, const TokenTable& table) {
    const auto name = [&table](const std::string& text, std::optional<TokenId>& id) {
        const TokenId found = table.find(text);
        if (found != kNoToken) id = found;
    };
    name(config.bos, special.bos);
    name(config.eos, special.eos);
    name(config.unk, special.unk);
    name(config.pad, special.pad);
    special.add_bos = config.add_bos.value_or(false);
    special.add_eos = config.add_eos.value_or(false);
}

}  // namespace

Result<Tokenizer> Tokenizer::from_rwkv(std::string_view lines, std::string_view config_json) {
    HEFT_TRY(const TokenizerConfig config, read_tokenizer_config(config_json));
    std::vector<Line> tokens;
    std::vector<std::string> pieces;
    for (std::size_t number = 1; !lines.empty(); ++number) {
        const std::size_t end = std::min(lines.find('\n'), lines.size());
        std::string_view text = lines.substr(0, end);
        lines.remove_prefix(std::min(end + 1, lines.size()));
        if (text.ends_with('\r')) text.remove_suffix(1);
        if (text.empty()) continue;
        auto line = read_line(text);
        if (!line)
            return Error{Code::corrupt, "line " + std::to_string(number) + ", " + shown(text)
                                            + ", is not an id, a literal and its length"};
        pieces.push_back(escaped(line->bytes));
        tokens.push_back(std::move(*line));
    }
    if (tokens.empty()) return Error{Code::corrupt, "there are no tokens in it"};
    auto impl = std::make_unique<Impl>();
    impl->alphabet = Alphabet::characters;
    impl->model = ModelKind::longest_match;
    impl->speech.steps.emplace_back(Unescape{});
    NumberedTexts texts(tokens.size() + config.added.size());
    for (std::size_t i = 0; i < tokens.size(); ++i)
        HEFT_OK(texts.set(tokens[i].id, pieces[i], TokenKind::normal));
    HEFT_OK(add_others(config, texts, *impl));
    read_special(config, impl->special, impl->table);
    impl->description = "longest match (RWKV)";
    HEFT_OK(impl->finish());
    return Impl::wrap(std::move(impl));
}

}  // namespace heft::text
