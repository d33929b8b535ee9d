#include "text/reply_parser.h"

#include <algorithm>

namespace heft::text {

namespace {

using Kind = ReplyEvent::Kind;

constexpr std::size_t kMaxSpace = 1024;
constexpr std::size_t kMaxHeader = 512;
constexpr std::size_t kMaxNotes = 16;

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

}  // namespace

ReplyParser::ReplyParser(const ReplyFormat& format, std::vector<Tool> tools, ReplyOptions options)
    : format_(&format),
      tools_(std::move(tools)),
      options_(options),
      in_reasoning_(options.in_reasoning),
      skips_space_(options.in_reasoning) {
    collect_marks();
    const auto& channels = format.channels;
    if (channels.used()) state_ = channels.starts[0].empty() ? State::header : State::header_start;
}

void ReplyParser::collect_marks() {
    const auto add_mark = [](std::vector<Mark>& marks, Marker text, Role role, int syntax = -1) {
        if (!bare(text).empty()) marks.push_back({bare(text), role, syntax});
    };
    for (const auto& [open, close] : format_->reasoning) {
        add_mark(content_marks_, open, Role::reasoning_open);
        add_mark(reasoning_marks_, close, Role::reasoning_close);
    }
    for (const auto dropped : format_->dropped) add_mark(content_marks_, dropped, Role::dropped);
    const auto& channels = format_->channels;
    const bool headers_call = channels.header_is_name || !channels.recipient.empty();
    for (int i = 0; i < format_->n_calls && !headers_call; ++i)
        add_mark(content_marks_, format_->syntaxes()[static_cast<std::size_t>(i)].open,
                 Role::section, i);
    for (auto* marks : {&content_marks_, &reasoning_marks_}) {
        for (const auto end : channels.ends) add_mark(*marks, end, Role::message);
        // Starts that are words, such as "to=", begin a header only where one is expected.
        for (const auto start : channels.starts)
            if (start.starts_with('<')) add_mark(*marks, start, Role::message);
    }
}

void ReplyParser::note(std::string sentence) {
    if (degraded_.size() < kMaxNotes) degraded_.push_back(std::move(sentence));
}

void ReplyParser::add(Kind kind, std::string_view text, int call) {
    const bool goes_on = kind != Kind::call_begin && kind != Kind::call_end;
    if (goes_on && text.empty()) return;
    if (goes_on && !events_.empty() && events_.back().kind == kind && events_.back().call == call) {
        events_.back().text += text;
        return;
    }
    events_.push_back({kind, std::string(text), call, true});
}

void ReplyParser::add_text(std::string_view text) {
    add(in_reasoning_ ? Kind::reasoning : Kind::content, text);
}

std::vector<ReplyEvent> ReplyParser::take() {
    return std::exchange(events_, {});
}

std::vector<ReplyEvent> ReplyParser::push(std::string_view text) {
    for (const char c : text) feed(c);
    return take();
}

std::vector<ReplyEvent> ReplyParser::push_special(std::string_view spelling) {
    return is_marker(*format_, spelling) ? push(spelling) : std::vector<ReplyEvent>();
}

void ReplyParser::feed(char c) {
    switch (state_) {
        case State::text: return text(c);
        case State::header_start: return header_start(c);
        case State::header: return header(c);
        case State::lead: return lead(c);
        case State::calls: return calls(c);
        case State::body: return body(c);
    }
}

void ReplyParser::replay(std::string text) {
    for (const char c : text) feed(c);
}

// --- Content and thoughts

const std::vector<ReplyParser::Mark>& ReplyParser::marks() const {
    return in_reasoning_ ? reasoning_marks_ : content_marks_;
}

void ReplyParser::release(char c) {
    if (is_space(c)) {
        if (skips_space_) return;
        space_ += c;
        if (space_.size() < kMaxSpace) return;
    } else {
        skips_space_ = false;
        if (!in_reasoning_) may_open_bare_ = false;
        space_ += c;
    }
    add_text(space_);
    space_.clear();
}

bool ReplyParser::opens_bare_section(char c) {
    if (in_reasoning_ || !may_open_bare_ || tools_.empty()) return false;
    for (const auto& syntax : format_->syntaxes()) {
        if (!syntax.open.empty() || c != (syntax.list ? '[' : '{')) continue;
        open_section(syntax, std::exchange(space_, {}));
        feed(c);
        return true;
    }
    return false;
}

void ReplyParser::text(char c) {
    if (pending_.empty() && opens_bare_section(c)) return;
    pending_ += c;
    while (!pending_.empty()) {
        bool part = false;
        for (const Mark& mark : marks()) {
            if (!mark.text.starts_with(pending_)) continue;
            if (mark.text.size() == pending_.size()) {
                pending_.clear();
                return on_mark(mark);
            }
            part = true;
        }
        if (part) return;
        release(pending_.front());
        pending_.erase(0, 1);
    }
}

void ReplyParser::on_mark(const Mark& mark) {
    std::string space = std::exchange(space_, {});
    switch (mark.role) {
        case Role::reasoning_open:
        case Role::reasoning_close:
            in_reasoning_ = mark.role == Role::reasoning_open;
            skips_space_ = true;
            return;
        case Role::dropped: skips_space_ = true; return;
        case Role::section:
            return open_section(format_->syntaxes()[static_cast<std::size_t>(mark.syntax)],
                                space + std::string(mark.text));
        case Role::message:
            if (!in_reasoning_) add_text(space);
            in_reasoning_ = false;
            state_ = format_->channels.starts[0].empty() ? State::header : State::header_start;
            header_.clear();
            const auto& starts = format_->channels.starts;
            if (std::find(starts.begin(), starts.end(), mark.text) != starts.end())
                replay(std::string(mark.text));
            return;
    }
}

// --- Headers of messages

void ReplyParser::header_start(char c) {
    if (pending_.empty() && is_space(c)) {
        space_ += c;
        if (space_.size() == kMaxSpace) add_text(std::exchange(space_, {}));
        return;
    }
    pending_ += c;
    bool part = false;
    for (const auto start : format_->channels.starts) {
        if (start.empty() || !start.starts_with(pending_)) continue;
        part = true;
        if (start.size() != pending_.size()) continue;
        header_ = std::exchange(pending_, {});
        space_.clear();
        state_ = State::header;
        if (header_ == format_->channels.message) open_message();
        return;
    }
    if (part) return;
    state_ = State::text;
    replay(std::exchange(pending_, {}));
}

void ReplyParser::header(char c) {
    header_ += c;
    if (header_.ends_with(format_->channels.message)) return open_message();
    if (header_.size() < kMaxHeader) return;
    note("a message's header is too long: it is returned as text");
    add_text(std::exchange(header_, {}));
    state_ = State::text;
}

void ReplyParser::open_message() {
    const auto& channels = format_->channels;
    const auto words =
        std::string_view(header_).substr(0, header_.size() - channels.message.size());
    std::string_view name;
    if (channels.header_is_name) {
        name = bare(words) == channels.content ? std::string_view() : bare(words);
    } else if (const auto at = words.find(channels.recipient);
               !channels.recipient.empty() && at != std::string_view::npos) {
        name = words.substr(at + channels.recipient.size());
        name = name.substr(0, name.find_first_of(" <\n"));
    }
    in_reasoning_ = name.empty() && !channels.reasoning.empty()
                    && words.find(channels.reasoning) != std::string_view::npos;
    state_ = State::text;
    if (name.empty()) return header_.clear();
    const std::string tool(name);
    open_section(format_->calls[0], std::exchange(header_, {}));
    open_body(tool);
}

// --- Sections of calls

void ReplyParser::open_section(const CallSyntax& syntax, std::string raw) {
    syntax_ = &syntax;
    raw_ = std::move(raw);
    n_section_calls_ = 0;
    in_list_ = list_closed_ = after_separator_ = false;
    may_open_bare_ = false;
    state_ = bare(syntax.lead).empty() ? State::calls : State::lead;
}

void ReplyParser::close_section() {
    raw_.clear();
    scan_.reset();
    in_reasoning_ = false;
    skips_space_ = true;
    state_ = State::text;
}

void ReplyParser::lead(char c) {
    raw_ += c;
    if (pending_.empty() && is_space(c)) {
        if (raw_.size() > kMaxSpace) fail("it has no beginning");
        return;
    }
    pending_ += c;
    const auto expected = bare(syntax_->lead);
    if (pending_ == expected) {
        pending_.clear();
        state_ = State::calls;
    } else if (!expected.starts_with(pending_)) {
        fail("it has no beginning");
    }
}

std::pair<ReplyParser::Match, ReplyParser::Part> ReplyParser::match_part() const {
    const bool first = n_section_calls_ == 0;
    const bool json_list = syntax_->list && syntax_->body != CallBody::python;
    const std::pair<std::string_view, Part> parts[] = {
        {json_list && first && !in_list_ ? "[" : "", Part::list_open},
        {in_list_ && !list_closed_ && !first ? "]" : "", Part::list_close},
        {in_list_ && !list_closed_ && !first ? "," : "", Part::comma},
        {first || list_closed_ ? "" : bare(syntax_->separator), Part::comma},
        {first ? "" : bare(syntax_->call_close), Part::call_close},
        {first ? "" : bare(syntax_->close), Part::close},
        {bare(syntax_->call_open), Part::call_open},
    };
    Match best = Match::none;
    for (const auto& [text, part] : parts) {
        if (text.empty() || !text.starts_with(pending_)) continue;
        if (text.size() == pending_.size()) return {Match::whole, part};
        best = Match::part;
    }
    return {best, Part::comma};
}

void ReplyParser::calls(char c) {
    raw_ += c;
    if (pending_.empty() && is_space(c)) {
        if (raw_.size() < kMaxHeldCall) return;
        return fail("it is too long");
    }
    pending_ += c;
    const auto [match, part] = match_part();
    if (match == Match::part) return;
    if (match == Match::none) return other_than_part();
    pending_.clear();
    on_part(part);
}

void ReplyParser::on_part(Part part) {
    switch (part) {
        case Part::list_open: in_list_ = true; return;
        case Part::list_close:
            list_closed_ = true;
            if (bare(syntax_->close).empty()) close_section();
            return;
        case Part::comma: after_separator_ = true; return;
        case Part::call_close: return;
        case Part::call_open: return open_body();
        case Part::close:
            close_section();
            if (format_->channels.used() && !format_->channels.recipient.empty())
                state_ = State::header_start;
            return;
    }
}

// A body that needs no opening; or what is not of the section any more.
void ReplyParser::other_than_part() {
    raw_.resize(raw_.size() - pending_.size());
    std::string next = std::exchange(pending_, {});
    const bool first = n_section_calls_ == 0;
    const bool closes = !bare(syntax_->close).empty();
    const bool may_follow = first || after_separator_ || (closes && !in_list_);
    if (bare(syntax_->call_open).empty() && !list_closed_ && may_follow) {
        open_body();
    } else if (first || after_separator_) {
        raw_ += std::exchange(next, {});
        fail("it does not begin as one");
    } else {
        close_section();
    }
    replay(std::move(next));
}

void ReplyParser::open_body(std::string name) {
    scan_ = name.empty() ? make_call_scan(*syntax_, tools_)
                         : make_call_scan(*syntax_, tools_, std::move(name));
    name_known_ = begun_ = after_separator_ = false;
    arguments_.clear();
    state_ = State::body;
}

bool ReplyParser::offered(const std::string& name) {
    if (tools_.find(name)) return true;
    // With no marker before it, this is an answer in JSON or the like.
    if (!syntax_->open.empty())
        note("tool call of a tool that was not offered (" + name.substr(0, 64)
             + "): it is returned as text");
    give_back();
    return false;
}

void ReplyParser::begin_call(const std::string& name) {
    add(Kind::call_begin, name, n_calls_);
    begun_ = true;
    raw_.clear();
}

void ReplyParser::end_call(bool whole) {
    add(Kind::call_end, {}, n_calls_++);
    events_.back().whole = whole;
    begun_ = false;
}

void ReplyParser::body(char c) {
    if (!begun_) raw_ += c;
    const Step step = scan_->feed(c);
    auto& found = scan_->found();
    if (found.name && !name_known_) {
        name_known_ = true;
        if (!offered(*found.name)) return;
    }
    if (name_known_ && !found.arguments.empty()) {
        if (options_.stream_arguments && !begun_) begin_call(*found.name);
        if (begun_) {
            add(Kind::call_arguments, found.arguments, n_calls_);
        } else {
            arguments_ += found.arguments;
        }
        found.arguments.clear();
    }
    if (step == Step::bad) {
        if (begun_) raw_ = c;
        return fail("it is not of the model's format");
    }
    if (step == Step::done) return body_done();
    if (!begun_ && raw_.size() >= kMaxHeldCall) fail("it is too long");
}

void ReplyParser::body_done() {
    auto found = std::move(scan_->found());
    scan_.reset();
    if (begun_) {
        end_call(true);
    } else {
        if (found.whole.empty()) found.whole.push_back({*found.name, std::move(arguments_)});
        for (const auto& call : found.whole)
            if (!offered(call.name)) return;
        for (const auto& call : found.whole) {
            begin_call(call.name);
            add(Kind::call_arguments, call.arguments, n_calls_);
            end_call(true);
        }
    }
    raw_.clear();
    n_section_calls_ += 1;
    if (found.closed_section) return close_section();
    state_ = State::calls;
    // A list in Python is a body; the section may end with it.
    const bool is_all = syntax_->body == CallBody::python && syntax_->list;
    if (is_all && bare(syntax_->close).empty()) return close_section();
}

void ReplyParser::fail(const std::string& why) {
    const bool was_call = !syntax_->open.empty() || name_known_;
    if (begun_) {
        note("tool call unparsable: its arguments are not a JSON object");
        end_call(false);
    } else if (was_call) {
        note("tool call unparsable: " + why + "; it is returned as text");
    }
    give_back();
}

// What has been read of the section becomes content.
void ReplyParser::give_back() {
    const std::string text = std::exchange(raw_, {});
    pending_.clear();
    name_known_ = false;
    close_section();
    skips_space_ = false;
    add(Kind::content, text);
}

// --- The end

void ReplyParser::finish_calls() {
    if (state_ == State::body || state_ == State::lead || n_section_calls_ == 0) {
        if (begun_) raw_.clear();
        return fail("it breaks off");
    }
    add(Kind::content, after_separator_ ? raw_ : pending_);
}

std::vector<ReplyEvent> ReplyParser::finish() {
    switch (state_) {
        case State::text:
        case State::header_start:
            add_text(in_reasoning_ && pending_.empty() ? std::string() : space_ + pending_);
            break;
        case State::header:
            if (header_.empty()) break;
            note("a message's header breaks off: it is returned as text");
            add(Kind::content, header_);
            break;
        case State::lead:
        case State::calls:
        case State::body: finish_calls(); break;
    }
    space_.clear();
    pending_.clear();
    header_.clear();
    raw_.clear();
    state_ = State::text;
    return take();
}

}  // namespace heft::text
