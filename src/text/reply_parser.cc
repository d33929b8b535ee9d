#include "text/reply_parser.h"

#include <algorithm>

namespace heft::text {

namespace {

using Kind = ReplyEvent::Kind;

constexpr std::size_t kMaxSpace = 1024;
constexpr std::size_t kMaxHeader = 512;
constexpr std::size_t kMaxNotes = 16;

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
    if (is_json_space(c)) {
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
    if (pending_.empty() && is_json_space(c)) {
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

// --- The end

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
