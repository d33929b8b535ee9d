// A job that the scheduler has taken: waiting, or an answer in the making. Private to this module.
#pragma once

#include <memory>
#include <optional>

#include "engine/answer.h"
#include "engine/fair_queue.h"
#include "engine/scheduler.h"
#include "engine/sequence.h"

namespace heft::engine {

struct Task {
    JobId id = 0;
    Job job;
    Clock::time_point arrived = Clock::now();
    std::unique_ptr<DraftProposer> draft;  // where the request asks for one
    std::unique_ptr<Answer> answer;
    std::optional<Sequence> sequence;  // while it runs
    Share* share = nullptr;            // its owner's, while it is known to a queue
    bool was_put_back = false;         // having run already
    Status state;                      // an error ends it

    bool must_end() const { return answer->is_over() || !state; }
    void fail(const Error& error) {
        if (error.code == Code::cancelled)
            answer->cancel();
        else if (state)
            state = error;
    }
    bool has_begun() const { return answer->has_begun(); }

    // Of the text, not computed yet. One token, once the prompt was read.
    std::span<const TokenId> pending() const {
        return answer->text().subspan(static_cast<std::size_t>(sequence->length()));
    }
};

template <class Gone>
std::vector<std::unique_ptr<Task>> FairQueue::take_if(const Gone& gone) {
    std::vector<std::unique_ptr<Task>> taken;
    for (auto& [name, share] : shares_)
        for (auto at = share.waiting.begin(); at != share.waiting.end();) {
            if (!gone(*at->second)) {
                ++at;
                continue;
            }
            taken.push_back(std::move(at->second));
            at = share.waiting.erase(at);
            --n_waiting_;
            ++share.n_running;  // until it leaves
        }
    return taken;
}

}  // namespace heft::engine
