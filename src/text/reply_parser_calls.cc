// The part of the parser that reads sections of tool calls.
#include <utility>

#include "text/reply_parser.h"

namespace heft::text {

namespace {

using Kind = ReplyEvent::Kind;

constexpr std::size_t kMaxLead = 1024;

}  // namespace

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
    if (pending_.empty() && is_json_space(c)) {
        if (raw_.size() > kMaxLead) fail("it has no beginning");
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
    if (pending_.empty() && is_json_space(c)) {
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

void ReplyParser::finish_calls() {
    if (state_ == State::body || state_ == State::lead || n_section_calls_ == 0) {
        if (begun_) raw_.clear();
        return fail("it breaks off");
    }
    add(Kind::content, after_separator_ ? raw_ : pending_);
}

}  // namespace heft::text
