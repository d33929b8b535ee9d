#include "serve/finish.h"

namespace heft::serve {

Finish finish_of(gen::FinishReason reason) {
    switch (reason) {
        case gen::FinishReason::stop_token: return Finish::stop;
        case gen::FinishReason::stop_string: return Finish::stop_string;
        case gen::FinishReason::length:
        case gen::FinishReason::context_full: return Finish::length;
        case gen::FinishReason::cancelled: return Finish::cancelled;
    }
    return Finish::stop;
}

std::string stop_string_in(const std::string& text, const std::vector<std::string>& stop) {
    std::string found;
    std::size_t end = std::string::npos;
    for (const std::string& each : stop) {
        const std::size_t at = text.find(each);
        if (at == std::string::npos) continue;
        const std::size_t its_end = at + each.size();
        if (its_end > end || (its_end == end && each.size() < found.size())) continue;
        end = its_end;
        found = each;
    }
    return found;
}

}  // namespace heft::serve
