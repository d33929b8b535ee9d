#include "text/jinja/string_tools.h"

#include <algorithm>

#include "text/jinja/search.h"
#include "text/jinja/unicode.h"
#include "text/jinja/words.h"

namespace heft::text::jinja {

namespace {

class CharSet {
  public:
    explicit CharSet(std::string_view chars) {
        for (std::size_t at = 0; at < chars.size();) {
            const CodePoint c = decode(chars, at);
            members_.push_back(c.value);
            at += c.bytes;
        }
        std::sort(members_.begin(), members_.end());
    }
    bool has(char32_t c) const { return std::binary_search(members_.begin(), members_.end(), c); }

  private:
    std::vector<char32_t> members_;
};

std::string_view without_left(std::string_view text, const CharSet& set) {
    std::size_t at = 0;
    while (at < text.size()) {
        const CodePoint c = decode(text, at);
        if (!set.has(c.value)) break;
        at += c.bytes;
    }
    return text.substr(at);
}

std::string_view without_right(std::string_view text, const CharSet& set) {
    while (!text.empty()) {
        std::size_t at = text.size() - 1;
        while (at > 0 && text.size() - at < 4
               && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80)
            --at;
        CodePoint c = decode(text, at);
        if (at + c.bytes != text.size()) {
            at = text.size() - 1;
            c = decode(text, at);
        }
        if (!set.has(c.value)) break;
        text = text.substr(0, at);
    }
    return text;
}

Result<Value> interleaved(Heap& heap, std::string_view text, std::string_view piece,
                          std::int64_t count) {
    Builder out(heap);
    std::int64_t done = 0;
    for (std::size_t at = 0; at < text.size() && (count < 0 || done < count);) {
        const std::size_t bytes = decode(text, at).bytes;
        out.add(piece);
        out.add(text.substr(at, bytes));
        at += bytes;
        ++done;
        if (at == text.size() && (count < 0 || done < count)) out.add(piece);
        if (done == count) out.add(text.substr(at));
    }
    if (text.empty() && count != 0) out.add(piece);
    if (!text.empty() && count == 0) out.add(text);
    return out.value();
}

}  // namespace

Result<Value> stripped(Heap& heap, const Value& text, std::optional<std::string_view> chars,
                       bool left, bool right) {
    std::string_view rest = text.text();
    HEFT_OK(heap.spend_bytes(rest.size()));
    if (chars) {
        HEFT_OK(heap.spend_bytes(chars->size() * 8));
        const CharSet set(*chars);
        if (left) rest = without_left(rest, set);
        if (right) rest = without_right(rest, set);
    } else {
        if (left) rest = strip_left(rest);
        if (right) rest = strip_right(rest);
    }
    if (rest.size() == text.text().size()) return text;
    return heap.string(std::string(rest), text.is_markup());
}

Result<Value> replaced(Heap& heap, std::string_view text, std::string_view from,
                       std::string_view to, std::int64_t count) {
    HEFT_OK(heap.spend_bytes(text.size() * 2));
    if (from.empty()) return interleaved(heap, text, to, count);
    Builder out(heap);
    std::size_t at = 0;
    for (std::int64_t done = 0; count < 0 || done < count; ++done) {
        const std::size_t found = find_text(text, from, at);
        if (found == std::string_view::npos) break;
        out.add(text.substr(at, found - at));
        out.add(to);
        HEFT_OK(out.status());
        at = found + from.size();
    }
    out.add(text.substr(at));
    return out.value();
}

Result<Value> padded(Heap& heap, const Value& text, std::int64_t width, std::string_view fill,
                     Side side) {
    const auto size = static_cast<std::int64_t>(text.string().length);
    if (width <= size) return text;
    const auto missing = static_cast<std::size_t>(width - size);
    // Python's center puts the odd space left when the width is odd as well.
    const std::size_t half = missing / 2 + (missing & static_cast<std::size_t>(width) & 1U);
    const std::size_t before = side == Side::left ? missing : (side == Side::both ? half : 0);
    Builder out(heap);
    out.fill(before, fill);
    out.add(text.text());
    out.fill(missing - before, fill);
    return out.value(text.is_markup());
}

std::vector<std::string_view> split_words(std::string_view text) {
    std::vector<std::string_view> words;
    for (text = strip_left(text); !text.empty(); text = strip_left(text)) {
        std::size_t end = 0;
        while (end < text.size()) {
            const CodePoint c = decode(text, end);
            if (is_space(c.value)) break;
            end += c.bytes;
        }
        words.push_back(text.substr(0, end));
        text.remove_prefix(end);
    }
    return words;
}

Result<Value> joined(Heap& heap, std::string_view separator, const std::vector<Value>& items) {
    Builder out(heap);
    bool first = true;
    for (const Value& item : items) {
        if (!first) out.add(separator);
        first = false;
        HEFT_OK(add_str(heap, out, item));
    }
    return out.value();
}

}  // namespace heft::text::jinja
