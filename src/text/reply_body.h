// The body of one tool call, read byte by byte: a scan for each way of writing one. Private to the
// parser of replies.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "text/json_scan.h"
#include "text/reply_format.h"
#include "text/reply_values.h"

namespace heft::text {

inline constexpr std::size_t kMaxCallName = 256;       // bytes
inline constexpr std::size_t kMaxHeldCall = 1U << 20;  // bytes of a call that is not shown yet

class CallScan {
  public:
    struct Found {
        std::optional<std::string> name;  // as soon as it is known
        // What has come of the arguments since somebody took it; of bodies that are JSON only.
        std::string arguments;
        std::vector<WrittenCall> whole;  // of other bodies: what they say, once they are done
        bool closed_section = false;     // the section's end was the end of the body
    };

    CallScan() = default;
    CallScan(const CallScan&) = delete;
    CallScan& operator=(const CallScan&) = delete;
    virtual ~CallScan() = default;

    // Step::done, Step::bad or Step::more.
    virtual Step feed(char c) = 0;
    Found& found() { return found_; }

  protected:
    Found found_;
};

// The tools outlive the scan. A header may have named the tool: then the body is its arguments.
std::unique_ptr<CallScan> make_call_scan(const CallSyntax& syntax, const ToolIndex& tools,
                                         std::optional<std::string> name = std::nullopt);

// Of tagged bodies; of those of Python and of braces.
std::unique_ptr<CallScan> make_tagged_call(const CallSyntax& syntax, const ToolIndex& tools);
std::unique_ptr<CallScan> make_bracket_call(const CallSyntax& syntax);

}  // namespace heft::text
