// Which jobs run, and in whose place: part of the batcher.
#include <algorithm>

#include "engine/batcher.h"

namespace heft::engine {

void Batcher::admit() {
    while (queue_.size() > 0) {
        const Task& next = *queue_.next();
        const bool has_slot = running_.size() < static_cast<std::size_t>(options_.n_sequences);
        if (has_slot && has_room(next))
            start(queue_.take_next());
        else if (!displace_for(next))
            return;
    }
}

// For its text, and for all that run to read theirs and grow by a block. What is alone always has
// room.
bool Batcher::has_room(const Task& task) const {
    if (running_.empty()) return true;
    const Answer& answer = *task.answer;
    const bool is_long = takes_long_rope(engine_->model().config().rope,
                                         std::max(answer.expected_length(), answer.length()));
    const kv::Basis basis{is_long, task.job.request.adapter};
    std::int64_t needed = store_->n_used() + store_->n_needed(answer.text(), 1, basis);
    for (const auto& other : running_)
        needed += 1 + static_cast<std::int64_t>(other->pending().size()) / kv::kBlock;
    return needed <= store_->n_blocks();
}

// A job of higher priority takes the place of one of lower; an owner of whom nothing runs takes one
// of an owner of whom more than that does.
bool Batcher::displace_for(const Task& task) {
    const auto may_go = [&task](const Task& other) {
        const bool is_more = other.job.priority == task.job.priority && task.share->n_running == 0
                             && other.share->n_running > 1;
        return goes_before(task, other) && (is_more || other.job.priority < task.job.priority);
    };
    std::optional<std::size_t> last;
    for (std::size_t i = 0; i < running_.size(); ++i)
        if (may_go(*running_[i]) && (!last || goes_before(*running_[*last], *running_[i])))
            last = i;
    if (last) put_back(*last);
    return last.has_value();
}

void Batcher::start(std::unique_ptr<Task> task) {
    Answer& answer = *task->answer;
    answer.start();
    task->sequence.emplace(*engine_, store_->make_cache());
    task->sequence->use_adapter(task->job.request.adapter);
    task->sequence->expect(std::max(answer.expected_length(), answer.length()));
    if (!task->was_put_back)
        stats_.prompt_tokens += static_cast<std::uint64_t>(answer.reply().n_prompt);
    running_.push_back(std::move(task));
}

// What it has computed stays known for as long as nobody needs the room.
void Batcher::put_back(std::size_t index) {
    std::unique_ptr<Task> task = std::move(running_[index]);
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(index));
    task->sequence->keep_all();
    task->sequence.reset();
    if (task->draft != nullptr) task->draft->limit(0);
    task->was_put_back = true;
    ++stats_.preempted;
    queue_.put_back(std::move(task));
}

// For the next token of each, or the next piece of its prompt. Those that came last give way.
void Batcher::make_room() {
    std::sort(running_.begin(), running_.end(), [](const auto& a, const auto& b) {
        return std::make_pair(-a->job.priority, a->id) < std::make_pair(-b->job.priority, b->id);
    });
    for (std::size_t i = 0; i < running_.size(); ++i) {
        Task& task = *running_[i];
        task.sequence->change_rope(task.answer->length());
        look_up(task);
        const auto n =
            std::min(task.pending().size(), static_cast<std::size_t>(options_.step_tokens));
        while (i < running_.size() && !task.sequence->make_room(static_cast<std::int64_t>(n)))
            put_back(running_.size() - 1);
    }
}

// The store is smaller by as much as the caches of a draft model may take for as many tokens. These
// share nothing, so that answers with a common beginning may need more: then each gets its part.
void Batcher::share_draft_memory() {
    if (options_.draft == nullptr) return;
    const auto drafts = std::count_if(running_.begin(), running_.end(),
                                      [](const auto& task) { return task->draft != nullptr; });
    if (drafts == 0) return;
    const std::int64_t each = store_->n_blocks() * kv::kBlock / drafts;
    for (const auto& task : running_)
        if (task->draft != nullptr) task->draft->limit(each);
}

}  // namespace heft::engine
