#include "text/pretokenise.h"

#include <algorithm>
#include <array>

#include "text/byte_level.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace heft::text {

namespace {

// A word: a stretch of the text.
struct Stretch {
    std::size_t begin, end;
};
using Stretches = std::vector<Stretch>;

// Turns matches, and what lies between them, into words, as the step's Cut says.
class Cutter {
  public:
    Cutter(Cut cut, bool invert, Stretches& words) : cut_(cut), invert_(invert), words_(words) {}

    void add(std::size_t begin, std::size_t end, bool is_match) {
        // An empty match is a cut by itself.
        if (begin == end && !is_match) return;
        if (begin == end) return close();
        const bool match = is_match != invert_;
        if (cut_ == Cut::removed && match) return close();
        if (open_ && joins(match)) {
            end_ = end;
        } else {
            close();
            begin_ = begin;
            end_ = end;
            open_ = true;
        }
        last_match_ = match;
    }

    void close() {
        if (open_) words_.push_back({begin_, end_});
        open_ = false;
    }

  private:
    bool joins(bool match) const {
        switch (cut_) {
            case Cut::isolated:
            case Cut::removed: return false;
            case Cut::merged_with_previous: return match && !last_match_;
            case Cut::merged_with_next: return !match && last_match_;
            case Cut::contiguous: return match == last_match_;
        }
        return false;
    }

    Cut cut_;
    bool invert_;
    Stretches& words_;
    std::size_t begin_ = 0, end_ = 0;
    bool open_ = false, last_match_ = false;
};

// The step sees each word as a text of its own: look-arounds and $ end with it.
void cut(const CutStep& step, std::string_view text, RegexScratch& scratch, Stretches& words) {
    Cutter cutter(step.cut, step.invert, words);
    std::size_t done = 0;
    bool matched = false;  // a match ends at `done`
    for (std::size_t from = 0; from <= text.size();) {
        const auto found = step.regex.search(text, from, scratch, true);
        if (!found) break;
        if (found->begin == found->end) {
            from = found->end < text.size() ? found->end + utf8_at(text, found->end).bytes
                                            : text.size() + 1;
            if (matched && found->end == done) continue;
        } else {
            from = found->end;
        }
        cutter.add(done, found->begin, false);
        cutter.add(found->begin, found->end, true);
        done = found->end;
        matched = true;
    }
    cutter.add(done, text.size(), false);
    cutter.close();
}

// As cut(), with the word's bytes spelled as characters for the pattern.
void cut_spelled(const CutStep& step, std::string_view word, RegexScratch& scratch,
                 Stretches& words) {
    const std::string spelled = byte_level_spell(word);
    const std::size_t start = words.size();
    cut(step, spelled, scratch, words);
    std::size_t at = 0;    // in `spelled`
    std::size_t byte = 0;  // the byte that it spells
    const auto byte_at = [&](std::size_t place) {
        for (; at < place; ++byte) at += utf8_at(spelled, at).bytes;
        return byte;
    };
    for (std::size_t i = start; i < words.size(); ++i) {
        words[i].begin = byte_at(words[i].begin);
        words[i].end = byte_at(words[i].end);
    }
}

void group_digits(const GroupDigits& step, std::string_view text, Stretches& words) {
    constexpr std::size_t kGroup = 3;
    const auto counts = step.numbers ? is_number : is_digit;
    std::size_t word = 0;
    const auto cut_at = [&](std::size_t at) {
        if (at > word) words.push_back({word, at});
        word = at;
    };
    std::vector<std::size_t> run;  // where its digits begin
    for (std::size_t at = 0; at < text.size();) {
        Utf8Char c = utf8_at(text, at);
        if (!c.valid || !counts(c.code)) {
            at += c.bytes;
            continue;
        }
        run.clear();
        while (c.valid && counts(c.code)) {
            run.push_back(at);
            at += c.bytes;
            if (at == text.size()) break;
            c = utf8_at(text, at);
        }
        if (step.edge && at < text.size() && is_word(c.code)) continue;
        for (std::size_t i = 0; i < run.size(); ++i)
            if ((run.size() - i) % kGroup == 0 || (step.isolated && i == 0)) cut_at(run[i]);
        if (step.isolated) cut_at(at);
    }
    cut_at(text.size());
}

// One call of split(): the text as it is by now, as patterns see it, and its words.
class Splitting {
  public:
    Splitting(std::string_view text, bool begins, RegexScratch& scratch, std::string& buffer)
        : text_(text), seen_(text), begins_(begins), scratch_(scratch), buffer_(buffer) {
        words_.push_back({0, text.size()});
        if (is_utf8(text)) return;
        valid_ = with_placeholders(text);
        seen_ = valid_;
    }

    void operator()(const CutStep& step) {
        each_word([&](const Stretch& word, Stretches& parts) {
            if (step.spelled)
                cut_spelled(step, text_.substr(word.begin, word.end - word.begin), scratch_, parts);
            else
                cut(step, seen_.substr(word.begin, word.end - word.begin), scratch_, parts);
        });
    }

    void operator()(const GroupDigits& step) {
        each_word([&](const Stretch& word, Stretches& parts) {
            group_digits(step, seen_.substr(word.begin, word.end - word.begin), parts);
        });
    }

    void operator()(const MarkStep& step) {
        std::string marked;
        Stretches places;
        for (const Stretch& word : words_) {
            const std::size_t begin = marked.size();
            for (const char c : text_.substr(word.begin, word.end - word.begin)) {
                if (c == ' ' && step.replace_spaces)
                    marked += step.mark;
                else
                    marked += c;
            }
            const bool asked =
                step.when == MarkStep::When::always
                || (step.when == MarkStep::When::first && begins_ && word.begin == 0);
            if (asked && marked.compare(begin, step.mark.size(), step.mark) != 0)
                marked.insert(begin, step.mark);
            places.push_back({begin, marked.size()});
        }
        buffer_.swap(marked);
        words_.swap(places);
        text_ = seen_ = buffer_;
        begins_ = begins_ && !words_.empty() && words_.front().begin == 0;
        if (is_utf8(text_)) return;
        valid_ = with_placeholders(text_);
        seen_ = valid_;
    }

    void list(std::vector<std::string_view>& out) const {
        out.reserve(words_.size());
        for (const Stretch& word : words_)
            out.push_back(text_.substr(word.begin, word.end - word.begin));
    }

  private:
    template <class Cutting>
    void each_word(const Cutting& cutting) {
        Stretches next;
        Stretches parts;
        for (const Stretch& word : words_) {
            parts.clear();
            cutting(word, parts);
            for (const Stretch& part : parts)
                next.push_back({word.begin + part.begin, word.begin + part.end});
        }
        words_.swap(next);
    }

    std::string_view text_, seen_;
    bool begins_;
    RegexScratch& scratch_;
    std::string& buffer_;
    std::string valid_;
    Stretches words_;
};

struct DigitPattern {
    std::string_view pattern;
    GroupDigits step;
};

// Spellings of GroupDigits in published files.
constexpr std::array<DigitPattern, 5> kDigitPatterns{
    {{R"(\d{1,3}(?=(?:\d{3})*\b))", {false, true, true}},
     {R"(\p{N}{1,3}(?=(?:\p{N}{3})*\b))", {true, true, true}},
     {R"(\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N})))", {true, false, true}},
     {R"((?=(\d{3})+(?!\d)))", {false, false, false}},
     {R"((?=(?:\d{3})+(?!\d)))", {false, false, false}}}};

}  // namespace

void Pretokeniser::split(std::string_view text, bool begins, RegexScratch& scratch,
                         Words& words) const {
    words.list.clear();
    if (text.empty()) return;
    if (steps_.empty()) return words.list.push_back(text);
    Splitting splitting(text, begins, scratch, words.buffer);
    for (const PretokeniserStep& step : steps_)
        std::visit([&splitting](const auto& kind) { splitting(kind); }, step);
    splitting.list(words.list);
}

Result<PretokeniserStep> isolating_step(std::string_view pattern) {
    for (const DigitPattern& known : kDigitPatterns)
        if (known.pattern == pattern) return PretokeniserStep(known.step);
    HEFT_TRY(Regex regex, Regex::compile(pattern));
    return PretokeniserStep(CutStep{std::move(regex), Cut::isolated, false, false});
}

Result<Pretokeniser> compile_pre_tokenizer(const PreTokenizerRow& row) {
    std::vector<PretokeniserStep> steps;
    for (const auto& pattern : row.patterns) {
        HEFT_TRY(PretokeniserStep step, isolating_step(pattern));
        steps.push_back(std::move(step));
    }
    return Pretokeniser(std::move(steps));
}

}  // namespace heft::text
