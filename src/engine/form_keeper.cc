#include "engine/form_keeper.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace heft::engine {

namespace {

bool begins_with(std::string_view text, std::string_view prefix) {
    return text.substr(0, prefix.size()) == prefix;
}

}  // namespace

FormKeeper::FormKeeper(const Engine& engine, const Form& form)
    : form_(form),
      state_(State::waiting),
      matcher_(form.constraint),
      mask_(form.constraint->vocabulary().mask_words()),
      model_words_((static_cast<std::size_t>(engine.model().config().n_vocab) + 63) / 64),
      from_start_(form.triggers.empty() && form.start_trigger.empty()),
      in_aside_(form.in_aside && !form.aside_close.empty()),
      at_start_(!form.start_trigger.empty()) {
    HEFT_CHECK(model_words_ <= mask_.size());
    if (!from_start_ || in_aside_) return;
    state_ = State::holding;
    const auto words = engine.tokenizer();
    if (words && !form.aside_open.empty() && !form.aside_close.empty()) {
        const auto mark =
            (*words)->encode(form.aside_open, {.add_special = false, .parse_special = true});
        if (mark.size() == 1) aside_mark_ = mark.front();
    }
    check_end();
}

Result<std::span<const std::uint64_t>> FormKeeper::allowed() {
    if (state_ == State::free || (state_ == State::waiting && !from_start_))
        return std::span<const std::uint64_t>();
    const auto set = [this](TokenId id, bool on) {
        const auto at = static_cast<std::size_t>(id);
        const std::uint64_t bit = std::uint64_t{1} << (at % 64);
        mask_[at / 64] = on ? mask_[at / 64] | bit : mask_[at / 64] & ~bit;
    };
    if (state_ == State::waiting) {  // the answer may not end before it has begun
        std::fill(mask_.begin(), mask_.end(), ~std::uint64_t{0});
        for (const TokenId id : matcher_.vocabulary().end_of_generation()) set(id, false);
    } else {
        matcher_.fill_mask(mask_);
        if (aside_mark_ != text::kNoToken) set(aside_mark_, true);
    }
    const bool is_empty =
        std::all_of(mask_.begin(), mask_.end(), [](std::uint64_t word) { return word == 0; });
    if (lost_ || is_empty)
        return Error{Code::unsupported,
                     "no token of the model's vocabulary goes on with the text in the form that "
                     "was asked for; ask for a simpler form, or for text"};
    return std::span<const std::uint64_t>(mask_).first(model_words_);
}

void FormKeeper::accept(TokenId id, std::vector<std::string>& degraded) {
    const TokenId mark = std::exchange(aside_mark_, text::kNoToken);
    if (state_ == State::waiting) {
        watch(matcher_.vocabulary().bytes_of(id), degraded);
    } else if (state_ == State::holding && id == mark) {
        state_ = State::waiting;
        in_aside_ = true;
    } else if (state_ == State::holding && !matcher_.accept(id)) {
        lost_ = true;
    }
    check_end();
}

// White space between the two belongs to the mark.
void FormKeeper::begin_after_aside() {
    const std::size_t at = std::min(recent_.find_first_not_of(" \t\r\n"), recent_.size());
    lost_ = !matcher_.accept_bytes(std::string_view(recent_).substr(at));
    state_ = State::holding;
}

// Without a token that says so, the end is where nothing can follow.
void FormKeeper::check_end() {
    if (state_ != State::holding) return;
    const bool is_silent = matcher_.vocabulary().end_of_generation().empty();
    complete_ = matcher_.ended() || (is_silent && matcher_.must_end());
}

// Whether no aside is open now. What was looked at goes from recent_.
bool FormKeeper::leave_aside() {
    const std::string& close = form_.aside_close;
    const std::size_t at = recent_.find(close);
    if (at == std::string::npos) {
        const std::size_t keep = std::min(recent_.size(), close.size() - 1);
        recent_.erase(0, recent_.size() - keep);
        return false;
    }
    recent_.erase(0, at + close.size());
    in_aside_ = false;
    return true;
}

void FormKeeper::watch(std::string_view bytes, std::vector<std::string>& degraded) {
    recent_ += bytes;
    while (!in_aside_ || leave_aside()) {
        if (from_start_) return begin_after_aside();
        if (at_start_ && begins_with(recent_, form_.start_trigger)) return hold(recent_, degraded);
        at_start_ = at_start_ && begins_with(form_.start_trigger, recent_);
        std::size_t first = std::string::npos;
        std::size_t longest = form_.aside_open.size();
        for (const std::string& trigger : form_.triggers) {
            longest = std::max(longest, trigger.size());
            first = std::min(first, recent_.find(trigger));
        }
        const std::size_t aside =
            form_.aside_open.empty() ? std::string::npos : recent_.find(form_.aside_open);
        if (first != std::string::npos && first < aside)
            return hold(std::string_view(recent_).substr(first), degraded);
        if (aside == std::string::npos) {
            const std::size_t keep = at_start_
                                         ? recent_.size()
                                         : std::min(recent_.size(), longest == 0 ? 0 : longest - 1);
            recent_.erase(0, recent_.size() - keep);
            return;
        }
        recent_.erase(0, aside + form_.aside_open.size());
        in_aside_ = !form_.aside_close.empty();
    }
}

void FormKeeper::hold(std::string_view begun, std::vector<std::string>& degraded) {
    if (matcher_.accept_bytes(begun)) {
        state_ = State::holding;
        return;
    }
    state_ = State::free;
    degraded.emplace_back(
        "grammar: the model began a tool call in a way that the grammar does not "
        "have, so the answer was not held to it");
}

}  // namespace heft::engine
