// Takes a model's answer apart as it is written: content, thoughts, tool calls. It follows a row of
// text/reply_format.h and never fails: a call that cannot be read, or is of a tool that nobody
// offered, is content, word for word, and a note says so. What comes out, joined, does not depend
// on how the text was cut into pieces. Time is linear in the text; what is held back is at most a
// marker, a kilobyte of whitespace, and one call of at most kMaxHeldCall bytes. Pieces of valid
// UTF-8 come out as such. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/reply_body.h"
#include "text/reply_format.h"
#include "text/reply_values.h"

namespace heft::text {

struct ReplyEvent {
    enum class Kind : std::uint8_t {
        content,
        reasoning,
        call_begin,      // text: the tool's name
        call_arguments,  // text: more of the JSON object
        call_end,
    };
    Kind kind = Kind::content;
    std::string text;
    int call = -1;      // of the call kinds: counted from 0
    bool whole = true;  // of call_end: the arguments are one JSON object
};

struct ReplyOptions {
    bool in_reasoning = false;  // opens_reasoning() of the prompt
    // Arguments come as they are written, so that ones that break off have been shown already:
    // their call ends with whole = false. Otherwise a call is shown when all of it can be read.
    bool stream_arguments = true;
};

class ReplyParser {
  public:
    // The format outlives the parser.
    ReplyParser(const ReplyFormat& format, std::vector<Tool> tools, ReplyOptions options = {});

    std::vector<ReplyEvent> push(std::string_view text);
    // The spelling of a control token (Tokenizer::piece()), which decoders leave out of the text.
    // Pass every one of them, in its place among the text; those that mean nothing to the format
    // are left out here.
    std::vector<ReplyEvent> push_special(std::string_view spelling);
    // The answer is over: shows what was held back. Nothing may be pushed after it.
    std::vector<ReplyEvent> finish();

    int n_calls() const { return n_calls_; }
    // What was not as it should be, a sentence each, at most 16: complete after finish().
    const std::vector<std::string>& degraded() const { return degraded_; }

  private:
    enum class State : std::uint8_t { text, header_start, header, lead, calls, body };
    enum class Role : std::uint8_t { reasoning_open, reasoning_close, section, dropped, message };
    struct Mark {
        std::string_view text;
        Role role;
        int syntax = -1;
    };
    enum class Match : std::uint8_t { none, part, whole };
    enum class Part : std::uint8_t { list_open, list_close, comma, call_close, close, call_open };

    void note(std::string sentence);
    void add(ReplyEvent::Kind kind, std::string_view text, int call = -1);
    void add_text(std::string_view text);
    std::vector<ReplyEvent> take();

    void collect_marks();
    void feed(char c);
    void replay(std::string text);

    void text(char c);
    void release(char c);
    const std::vector<Mark>& marks() const;
    bool opens_bare_section(char c);
    void on_mark(const Mark& mark);

    void header_start(char c);
    void header(char c);
    void open_message();

    void open_section(const CallSyntax& syntax, std::string raw);
    void close_section();
    void lead(char c);
    void calls(char c);
    void on_part(Part part);
    void other_than_part();
    std::pair<Match, Part> match_part() const;
    void open_body(std::string name = {});
    void body(char c);
    bool offered(const std::string& name);
    void begin_call(const std::string& name);
    void end_call(bool whole);
    void body_done();
    void fail(const std::string& why);
    void give_back();
    void finish_calls();

    const ReplyFormat* format_;
    ToolIndex tools_;
    ReplyOptions options_;
    std::vector<Mark> content_marks_, reasoning_marks_;

    State state_ = State::text;
    bool in_reasoning_ = false;
    bool skips_space_ = false;   // whitespace that comes now belongs to a marker
    bool may_open_bare_ = true;  // nothing but whitespace has come
    std::string space_;          // held back: it goes if a marker follows
    std::string pending_;        // held back: it may become a marker
    std::string header_;

    const CallSyntax* syntax_ = nullptr;
    std::string raw_;          // what has been read of the section and not been shown
    int n_section_calls_ = 0;  // whole ones
    bool in_list_ = false, list_closed_ = false, after_separator_ = false;
    std::unique_ptr<CallScan> scan_;
    bool name_known_ = false, begun_ = false;
    std::string arguments_;  // of a call that is not shown yet

    int n_calls_ = 0;
    std::vector<ReplyEvent> events_;
    std::vector<std::string> degraded_;
};

}  // namespace heft::text
