#include "text/reply_format.h"

#include <algorithm>

#include "base/check.h"

namespace heft::text {

namespace {

constexpr std::string_view kSpace = " \t\r\n";

bool fits(const ReplyFormat& format, std::string_view source) {
    return std::all_of(format.has.begin(), format.has.end(), [source](std::string_view part) {
        return source.find(part) != std::string_view::npos;
    });
}

}  // namespace

std::string_view bare(Marker marker) {
    const auto first = marker.find_first_not_of(kSpace);
    if (first == Marker::npos) return {};
    return marker.substr(first, marker.find_last_not_of(kSpace) - first + 1);
}

const ReplyFormat& reply_format_of_template(std::string_view template_source) {
    for (const auto& format : reply_formats())
        if (fits(format, template_source)) return format;
    HEFT_CHECK(false);  // the last row asks for nothing
    return reply_formats().back();
}

const ReplyFormat* find_reply_format(std::string_view name) {
    for (const auto& format : reply_formats())
        if (format.name == name) return &format;
    return nullptr;
}

bool opens_reasoning(const ReplyFormat& format, std::string_view prompt) {
    const auto last = prompt.find_last_not_of(kSpace);
    prompt = prompt.substr(0, last == std::string_view::npos ? 0 : last + 1);
    return std::any_of(format.reasoning.begin(), format.reasoning.end(), [prompt](auto pair) {
        return !pair.open.empty() && prompt.ends_with(bare(pair.open));
    });
}

bool is_marker(const ReplyFormat& format, std::string_view special) {
    if (special.empty()) return false;
    const auto in = [special](std::string_view marker) {
        return marker.find(special) != std::string_view::npos;
    };
    for (const auto& [open, close] : format.reasoning)
        if (in(open) || in(close)) return true;
    for (const auto& call : format.syntaxes()) {
        for (const auto marker : {call.open, call.lead, call.close, call.call_open, call.call_close,
                                  call.name_close, call.name_tail, call.param_open, call.key_close,
                                  call.hint_close, call.value_open, call.param_close, call.quote})
            if (in(marker)) return true;
    }
    const auto& channels = format.channels;
    return std::any_of(format.dropped.begin(), format.dropped.end(), in)
           || std::any_of(channels.starts.begin(), channels.starts.end(), in)
           || std::any_of(channels.ends.begin(), channels.ends.end(), in) || in(channels.message);
}

}  // namespace heft::text
