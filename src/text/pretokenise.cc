#include "text/pretokenise.h"

#include "text/utf8.h"

namespace heft::text {

namespace {

// One stretch of a word: a match of the step's pattern, or what lies between two.
struct Stretch {
    std::size_t begin, end;
    bool match;
};

using Words = std::vector<std::string_view>;

// Turns stretches into words, as the step's Cut says.
class Cutter {
  public:
    Cutter(const CutStep& step, std::string_view text, Words& words)
        : cut_(step.cut), invert_(step.invert), text_(text), words_(words) {}

    void add(Stretch s) {
        if (s.begin == s.end) return;
        s.match = s.match != invert_;
        if (cut_ == Cut::removed && s.match) return;
        if (open_ && joins(s)) {
            end_ = s.end;
        } else {
            close();
            begin_ = s.begin;
            end_ = s.end;
            open_ = true;
        }
        last_match_ = s.match;
    }

    void close() {
        if (open_) words_.push_back(text_.substr(begin_, end_ - begin_));
        open_ = false;
    }

  private:
    bool joins(const Stretch& s) const {
        switch (cut_) {
            case Cut::isolated:
            case Cut::removed: return false;
            case Cut::merged_with_previous: return s.match && !last_match_;
            case Cut::merged_with_next: return !s.match && last_match_;
            case Cut::contiguous: return s.match == last_match_;
        }
        return false;
    }

    Cut cut_;
    bool invert_;
    std::string_view text_;
    Words& words_;
    std::size_t begin_ = 0, end_ = 0;
    bool open_ = false, last_match_ = false;
};

// The step sees each word as a text of its own: look-arounds and $ end with it.
void apply(const CutStep& step, std::string_view text, RegexScratch& scratch, Words& words) {
    Cutter cutter(step, text, words);
    std::size_t at = 0;
    while (at < text.size()) {
        const auto found = step.regex.search(text, at, scratch);
        if (!found) break;
        cutter.add({at, found->begin, false});
        cutter.add({found->begin, found->end, true});
        at = found->end;
    }
    cutter.add({at, text.size(), false});
    cutter.close();
}

// Same length, valid: each byte that belongs to no character becomes a control character, which
// every pattern treats as a symbol.
std::string with_placeholders(std::string_view text) {
    constexpr char kPlaceholder = '\x1A';
    std::string out(text);
    for (std::size_t at = 0; at < text.size();) {
        const Utf8Char c = utf8_at(text, at);
        if (!c.valid) out.replace(at, c.bytes, c.bytes, kPlaceholder);
        at += c.bytes;
    }
    return out;
}

}  // namespace

void Pretokeniser::split(std::string_view text, RegexScratch& scratch, Words& words) const {
    if (text.empty()) return;
    std::string valid;
    std::string_view seen = text;
    if (!steps_.empty() && !is_utf8(text)) seen = valid = with_placeholders(text);

    Words now{seen};
    Words next;
    for (const CutStep& step : steps_) {
        next.clear();
        for (const auto& word : now) apply(step, word, scratch, next);
        now.swap(next);
    }
    words.reserve(words.size() + now.size());
    for (const auto& word : now)
        words.push_back(
            text.substr(static_cast<std::size_t>(word.data() - seen.data()), word.size()));
}

Result<Pretokeniser> compile_pre_tokenizer(const PreTokenizerRow& row) {
    std::vector<CutStep> steps;
    for (const auto& pattern : row.patterns) {
        HEFT_TRY(Regex regex, Regex::compile(pattern));
        steps.push_back({std::move(regex), Cut::isolated, false});
    }
    return Pretokeniser(std::move(steps));
}

}  // namespace heft::text
