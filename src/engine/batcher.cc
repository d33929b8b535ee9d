#include "engine/batcher.h"

#include <algorithm>

#include "base/memory.h"
#include "op/parallel.h"

namespace heft::engine {

namespace {

Status validate(const SchedulerOptions& options) {
    if (options.n_ctx < 0) return Error{Code::invalid, "a context cannot be negative"};
    if (options.n_sequences < 1)
        return Error{Code::invalid, "a scheduler needs room for at least one answer"};
    if (options.step_tokens < 1) return Error{Code::invalid, "a step needs at least one token"};
    if (options.cache_bytes < 0 || options.max_waiting < 0)
        return Error{Code::invalid, "neither a cache nor a queue can have a negative size"};
    return {};
}

std::size_t n_common(std::span<const TokenId> a, std::span<const TokenId> b) {
    return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first
                                    - a.begin());
}

// Fewer tokens in common are computed twice rather than waited for.
constexpr std::size_t kWorthWaiting = 32;

}  // namespace

Result<std::unique_ptr<Batcher>> Batcher::make(const Engine& engine,
                                               const SchedulerOptions& options) {
    HEFT_OK(validate(options));
    HEFT_TRY(const arch::Config* config, engine.config());
    if (options.draft != nullptr) HEFT_OK(same_vocabulary(engine, *options.draft));
    std::unique_ptr<Batcher> batcher(new Batcher(engine, options));
    Batcher& b = *batcher;
    b.n_ctx_ = options.n_ctx > 0 ? options.n_ctx : config->n_ctx;
    if (b.options_.cache_bytes == 0) b.options_.cache_bytes = free_memory_bytes() / 2;
    const auto block_bytes = [](const Engine& of) {
        return kv::kBlock * of.model().cache_bytes_per_token(of.cache_types());
    };
    std::int64_t bytes = block_bytes(engine);
    // A draft model reads what the model reads.
    if (options.draft != nullptr) bytes += block_bytes(*options.draft);
    const std::int64_t n_blocks = b.options_.cache_bytes / bytes;
    if (n_blocks < 1)
        return Error{Code::invalid, "a cache of " + std::to_string(b.options_.cache_bytes)
                                        + " bytes holds no answer: it grows by "
                                        + std::to_string(bytes)};
    b.n_ctx_ = std::min(b.n_ctx_, n_blocks * kv::kBlock);
    HEFT_TRY(b.store_, engine.model().make_store(b.n_ctx_, engine.cache_types(), n_blocks));
    b.stats_.blocks = n_blocks;
    b.stats_.block_tokens = kv::kBlock;
    b.stats_.block_bytes = bytes;
    return batcher;
}

Result<std::unique_ptr<Task>> Batcher::prepare(Job job) const {
    auto task = std::make_unique<Task>();
    task->job = std::move(job);
    const Request& request = task->job.request;
    if (options_.draft != nullptr && request.speculation.guesser == gen::Guesser::draft) {
        HEFT_TRY(task->draft, DraftProposer::make(*engine_, *options_.draft, n_ctx_));
        task->draft->prepare(request.speculation.p_min, {options_.step_tokens, request.cancel});
    }
    HEFT_TRY(task->answer, Answer::make(*engine_, request, n_ctx_, task->draft.get()));
    return task;
}

void Batcher::cancel(const std::vector<JobId>& ids) {
    const auto mark = [&](Task& task) {
        if (std::binary_search(ids.begin(), ids.end(), task.id)) task.answer->cancel();
        return task.answer->is_over();
    };
    for (const auto& task : running_) mark(*task);
    for (auto& task : queue_.take_if(mark)) end(std::move(task));
}

void Batcher::cancel_all() {
    const auto mark = [](Task& task) {
        task.answer->cancel();
        return true;
    };
    for (const auto& task : running_) mark(*task);
    for (auto& task : queue_.take_if(mark)) end(std::move(task));
    sweep();
}

void Batcher::end(std::unique_ptr<Task> task) {
    queue_.leave(*task);
    if (task->sequence && task->state) task->sequence->keep_all();
    task->sequence.reset();
    const Reply& reply = task->answer->reply();
    stats_.guessed += static_cast<std::uint64_t>(reply.guessed.n_checked);
    stats_.guessed_right += static_cast<std::uint64_t>(reply.guessed.n_right);
    // How often a place becomes free, evened out.
    constexpr double kWeight = 0.2;
    stats_.retry_after_s += kWeight * (stats_.busy_s - last_end_s_ - stats_.retry_after_s);
    last_end_s_ = stats_.busy_s;
    if (!task->state) {
        ++stats_.failed;
        Error error = std::move(task->state.error());
        ended_.push_back({std::move(task), std::move(error)});
        return;
    }
    ++(reply.finish == gen::FinishReason::cancelled ? stats_.cancelled : stats_.done);
    Reply taken = task->answer->take_reply();
    ended_.push_back({std::move(task), std::move(taken)});
}

// Those whose time is over, whether they run or wait.
void Batcher::retire() {
    const auto now = Clock::now();
    const auto must_end = [now](Task& task) {
        if (task.answer->is_cancelled()) task.answer->cancel();
        if (task.job.deadline && *task.job.deadline <= now && task.state)
            task.state =
                Error{Code::exhausted, "the deadline passed after "
                                           + std::to_string(task.answer->reply().ids.size())
                                           + " tokens of answer"};
        return task.must_end();
    };
    for (const auto& task : running_) must_end(*task);
    sweep();
    for (auto& task : queue_.take_if(must_end)) end(std::move(task));
}

// Of those that run, puts out those that are over.
void Batcher::sweep() {
    std::vector<std::unique_ptr<Task>> left;
    for (auto& task : running_)
        if (task->must_end())
            end(std::move(task));
        else
            left.push_back(std::move(task));
    running_.swap(left);
}

// What others have computed of its text meanwhile.
void Batcher::look_up(Task& task) {
    const std::span<const TokenId> text = task.answer->text();
    if (task.pending().size() <= 1) return;
    const std::int64_t before = task.sequence->length();
    task.sequence->find(text.first(text.size() - 1));
    if (task.has_begun() || task.was_put_back) return;
    const std::int64_t found = task.sequence->length() - before;
    task.answer->found_cached(found);
    stats_.cached_tokens += static_cast<std::uint64_t>(found);
}

void Batcher::step() {
    retire();
    admit();
    if (running_.empty()) return;
    make_room();
    share_draft_memory();
    plan();
    if (!pieces_.empty()) compute();
    sweep();
}

// One token for each answer, with what is guessed to follow; then prompts, in order.
void Batcher::plan() {
    pieces_.clear();
    inputs_.clear();
    int budget = options_.step_tokens;
    std::vector<Task*> reading, writing;
    for (std::size_t i = 0; i < running_.size(); ++i) {
        Task* const task = running_[(turn_ + i) % running_.size()].get();
        (task->pending().size() == 1 && task->has_begun() ? writing : reading).push_back(task);
    }
    turn_ = writing.size() > static_cast<std::size_t>(budget)
                ? (turn_ + static_cast<std::size_t>(budget)) % running_.size()
                : 0;
    auto n_left = static_cast<int>(writing.size());
    for (Task* task : writing)
        if (budget > 0) plan_next(*task, std::max(1, budget - --n_left), budget);
    std::sort(reading.begin(), reading.end(),
              [](const Task* a, const Task* b) { return goes_before(*a, *b); });
    for (Task* task : reading)
        if (budget > 0 && !is_being_read(*task)) plan_piece(*task, budget);
    // What an adapter adds is computed for as many rows at once as follow each other.
    std::stable_sort(pieces_.begin(), pieces_.end(), [](const Piece& a, const Piece& b) {
        return a.task->sequence->adapter() < b.task->sequence->adapter();
    });
    for (const Piece& piece : pieces_)
        piece.task->sequence->list(piece.tokens, piece.rows, inputs_);
}

// Whether this step reads what the task has to read next, for another one.
bool Batcher::is_being_read(const Task& task) const {
    const auto at = static_cast<std::size_t>(task.sequence->length());
    const std::span<const TokenId> text = task.answer->text();
    return std::any_of(pieces_.begin(), pieces_.end(), [&](const Piece& piece) {
        const std::span<const TokenId> other = piece.task->answer->text();
        const auto from = static_cast<std::size_t>(piece.task->sequence->length());
        const std::size_t to = from + piece.tokens.size();
        return piece.task->sequence->adapter() == task.sequence->adapter() && from <= at
               && at + kWorthWaiting <= to && n_common(text, other.first(to)) >= at + kWorthWaiting;
    });
}

void Batcher::plan_next(Task& task, int room, int& budget) {
    auto most = std::min<std::int64_t>(room, task.sequence->until_rope_changes());
    most = std::min(most, task.answer->most_next());
    while (most > 1 && !task.sequence->make_room(most)) most /= 2;
    const auto tokens = task.answer->next(most);
    if (!tokens) {
        task.fail(tokens.error());
        return;
    }
    add_piece(task, *tokens, Sequence::Rows::all, budget);
}

void Batcher::plan_piece(Task& task, int& budget) {
    const std::span<const TokenId> pending = task.pending();
    const std::size_t n = std::min(pending.size(), static_cast<std::size_t>(budget));
    add_piece(task, pending.first(n),
              n == pending.size() ? Sequence::Rows::last : Sequence::Rows::none, budget);
}

void Batcher::add_piece(Task& task, std::span<const TokenId> tokens, Sequence::Rows rows,
                        int& budget) {
    pieces_.push_back({&task, tokens, rows, {}});
    budget -= static_cast<int>(tokens.size());
}

void Batcher::compute() {
    const auto start = Clock::now();
    logits_.clear();
    const Status done = engine_->model().forward(engine_->context(), inputs_, logits_);
    const double seconds = seconds_since(start);
    std::size_t n_writing = 0;
    for (const Piece& piece : pieces_)
        if (piece.rows == Sequence::Rows::all) n_writing += piece.tokens.size();
    const double share = static_cast<double>(n_writing) / static_cast<double>(inputs_.size());
    const auto n_vocab = static_cast<std::size_t>(engine_->model().config().n_vocab);
    std::span<const float> rows = logits_;
    for (Piece& piece : pieces_) {
        Task& task = *piece.task;
        if (!done) {
            task.fail(done.error());
            continue;
        }
        task.sequence->computed(piece.tokens);
        task.share->served += static_cast<double>(piece.tokens.size());
        // Prompts that were read meanwhile do not make guessing dearer.
        if (piece.rows == Sequence::Rows::all) task.answer->computed(seconds * share);
        piece.logits = rows.first(piece.n_rows() * n_vocab);
        rows = rows.subspan(piece.logits.size());
    }
    ++stats_.steps;
    stats_.step_tokens += inputs_.size();
    if (done) draw();
    stats_.busy_s += seconds_since(start);
}

// The next tokens of the answers that have logits for them.
void Batcher::draw() {
    std::vector<Task*> tasks;
    std::vector<std::span<const float>> logits;
    for (const Piece& piece : pieces_) {
        if (piece.logits.empty()) continue;
        if (Status begun = piece.task->answer->begin(); !begun)
            piece.task->fail(begun.error());
        else if (!piece.task->answer->is_over()) {
            tasks.push_back(piece.task);
            logits.push_back(piece.logits);
        }
    }
    op::for_each(engine_->context(), static_cast<int>(tasks.size()), [&](int i, int) {
        tasks[static_cast<std::size_t>(i)]->answer->sample(logits[static_cast<std::size_t>(i)]);
    });
    for (Task* task : tasks) {
        Answer& answer = *task->answer;
        const std::size_t before = answer.reply().ids.size();
        if (Status added = answer.add(); !added) task->fail(added.error());
        stats_.made_tokens += answer.reply().ids.size() - before;
        task->sequence->cut(answer.length() - 1);
    }
    for (const Piece& piece : pieces_) piece.task->sequence->keep();
}

std::size_t Batcher::Piece::n_rows() const {
    switch (rows) {
        case Sequence::Rows::none: return 0;
        case Sequence::Rows::last: return 1;
        case Sequence::Rows::all: return tokens.size();
    }
    return 0;
}

const Scheduler::Stats& Batcher::stats() {
    stats_.running = static_cast<int>(running_.size());
    stats_.blocks_used = store_->n_used();
    stats_.blocks_kept = store_->n_kept();
    stats_.evicted_blocks = store_->n_evicted();
    return stats_;
}

std::vector<Scheduler::Slot> Batcher::slots() const {
    std::vector<Scheduler::Slot> slots;
    for (const auto& task : running_) {
        const Reply& reply = task->answer->reply();
        slots.push_back({task->id, task->job.owner, reply.n_prompt,
                         static_cast<int>(task->sequence->length()), reply.n_cached,
                         static_cast<int>(reply.ids.size()), seconds_since(task->arrived)});
    }
    return slots;
}

}  // namespace heft::engine
