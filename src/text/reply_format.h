// How a family of models writes its thoughts and its tool calls: rows of data, chosen by the chat
// template that the model was trained with. The parser (text/reply_parser.h) and the description of
// valid calls (text/call_shape.h) are made from a row; nothing else knows a format. docs/tools.md
// lists the rows. Immutable, safe to use from many threads.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace heft::text {

// Whitespace at either end of a marker is what the model writes, and what the shape of a call
// demands; the parser takes any amount of it, or none.
using Marker = std::string_view;

struct Reasoning {
    Marker open = {}, close = {};
};

enum class CallBody : std::uint8_t {
    object,  // {"name": "f", "arguments": {…}}
    keyed,   // {"f": {…}}
    named,   // f, a marker, {…}
    tagged,  // f, then a pair of tags for each parameter
    python,  // f(a=1, b="x")
    braces,  // f{a:1,b:"x"}, with the row's own quotes around text
};

// Calls stand in a section: open, lead, calls, close. Each call is call_open, its body, call_close.
struct CallSyntax {
    CallBody body = CallBody::object;
    Marker open = {};   // empty: only at the start of the answer, with no marker at all
    Marker lead = {};   // after `open`
    Marker close = {};  // empty: the section ends with its last call
    bool list = false;  // the calls are the elements of one [ … ]
    Marker call_open = {}, call_close = {};
    Marker separator = {};  // between calls, where they are no list
    // Of an object; "name" is understood in any case, and so are both "arguments" and "parameters".
    std::string_view name_key = "name";
    std::string_view arguments_key = "arguments";
    // Of named and tagged bodies: what follows the name; what may stand between the two (an index,
    // an id) and where that begins.
    Marker name_close = {};
    std::string_view name_tail = {};
    bool counted = false;  // what follows name_tail is the number of the call
    // Of tagged bodies.
    Marker param_open = {}, key_close = {};
    Marker hint_close = {};  // "true" or "false" stands before it: whether the value is a string
    Marker value_open = {}, param_close = {};
    std::string_view quote = {};        // of braces: stands around text
    std::string_view name_suffix = {};  // of python: f.call(…)
};

// An answer that is a series of messages, each with a header: who is spoken to, on which channel.
struct Channels {
    std::array<std::string_view, 3> starts =
        {};                         // what begins a header; none: an answer begins in one
    std::string_view message = {};  // what ends a header
    std::array<std::string_view, 4> ends = {};  // what ends a message (a header's start does, too)
    std::string_view reasoning = {};            // a header with this word is of a thought
    std::string_view thought_open = {}, thought_close = {};  // a thought before a call, in full
    std::string_view recipient = {};  // what stands before the name of a tool
    bool header_is_name = false;      // the header is the name of a tool, or this:
    std::string_view content = {};

    constexpr bool used() const { return !message.empty(); }
};

struct ReplyFormat {
    std::string_view name = {};
    std::string_view families = {};            // for people
    std::array<std::string_view, 3> has = {};  // the row is for templates with all of these in them
    std::array<Reasoning, 3> reasoning = {};
    std::array<CallSyntax, 3> calls = {};          // the first is the one that is enforced
    std::array<std::string_view, 4> dropped = {};  // marks around content that nobody wants to read
    Channels channels = {};
    int n_calls = 0;  // of `calls`

    std::span<const CallSyntax> syntaxes() const {
        return {calls.data(), static_cast<std::size_t>(n_calls)};
    }
};

// Every row; the last one, "plain", knows no calls. A template gets the first that fits.
std::span<const ReplyFormat> reply_formats();

// Never fails: an unknown template, or none, is "plain".
const ReplyFormat& reply_format_of_template(std::string_view template_source);
const ReplyFormat* find_reply_format(std::string_view name);

// Whether a prompt ends with a thought that is open, so that the answer begins within it. A
// template says so by what it adds for generation, which depends on its variables.
bool opens_reasoning(const ReplyFormat& format, std::string_view prompt);

// Whether a control token's spelling stands in the row's markers. Decoders leave control tokens
// out; these have to reach the parser (ReplyParser::push_special() asks by itself).
bool is_marker(const ReplyFormat& format, std::string_view special);

// A marker without the whitespace at its ends.
std::string_view bare(Marker marker);

}  // namespace heft::text
