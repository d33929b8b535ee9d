// strftime_now: the date and time, as Python's datetime.strftime writes them in the C locale.
#include <chrono>
#include <ctime>

#include "text/jinja/globals.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/natives.h"

namespace heft::text::jinja {

namespace {

std::tm broken_down(const Value& fixed) {
    std::tm parts{};
    if (fixed.is_number()) {
        constexpr double kMost = 253402300799.0;  // the end of the year 9999
        const double seconds = fixed.as_real() > 0 && fixed.as_real() < kMost ? fixed.as_real() : 0;
        const auto time = static_cast<std::time_t>(seconds);
        gmtime_r(&time, &parts);
    } else {
        const std::time_t time =
            std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
        localtime_r(&time, &parts);
    }
    return parts;
}

// One directive at a time, so that a format can ask for no more than it names.
std::string directive(const std::string& format, const std::tm& parts) {
    char buffer[128];
    const std::size_t size = std::strftime(buffer, sizeof(buffer), format.c_str(), &parts);
    return std::string(buffer, size);
}

}  // namespace

Result<Value> strftime_now(Interpreter& run, const Value& /*self*/, Args& args) {
    constexpr std::string_view kFlags = "-_0^#";
    constexpr std::string_view kKnown = "aAbBcCdDeFgGhHIjklmMnprRsStTuUVwWxXyYzZ%";
    HEFT_TRY(const Bound bound, Bound::bind(args, "strftime_now", {"format"}, 1));
    HEFT_TRY(const std::string_view format, text_of(bound[0]));
    HEFT_OK(run.heap().spend_bytes(format.size() * 32));
    const std::tm parts = broken_down(run.now());
    Builder out(run.heap());
    for (std::size_t at = 0; at < format.size();) {
        std::size_t type = at + 1;
        if (format[at] == '%' && type < format.size()
            && kFlags.find(format[type]) != std::string_view::npos)
            ++type;
        const bool whole = format[at] == '%' && type < format.size();
        if (whole && format[type] == 'f') {
            out.add("000000");
            at = type + 1;
        } else if (whole && kKnown.find(format[type]) != std::string_view::npos) {
            out.add(directive(std::string(format.substr(at, type + 1 - at)), parts));
            at = type + 1;
        } else {
            out.add(format[at++]);
        }
    }
    return out.value();
}

}  // namespace heft::text::jinja
