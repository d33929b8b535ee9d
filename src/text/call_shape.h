// What a valid tool call looks like in a format: a tree that a grammar can be made of, so that a
// model can be held to it. Literals are what the model itself would write, whitespace included;
// every text of the shape is read by ReplyParser as calls of the tools.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "text/reply_format.h"
#include "text/reply_values.h"

namespace heft::text {

struct CallShape {
    enum class Kind : std::uint8_t {
        literal,     // `text`
        schema,      // JSON that `text`, a JSON schema, allows
        text_until,  // any text without `text` in it; `text` itself is not part of it
        sequence,    // `parts`, one after another; none: nothing
        choice,      // one of `parts`
        repeat,  // parts[0], `min` to `max` times (-1: no limit), with parts[1], if any, between
    };
    Kind kind = Kind::sequence;
    std::string text;
    std::vector<CallShape> parts;
    int min = 1, max = 1;
};

enum class CallChoice : std::uint8_t {
    required,   // the answer is calls: hold it to the shape from its first token
    automatic,  // a call may come: hold it to the shape from the trigger on, which is part of it
};

struct CallRuleOptions {
    CallChoice choice = CallChoice::required;
    bool parallel = true;       // more than one call
    bool in_reasoning = false;  // the prompt opened a thought
    bool may_reason = true;     // a thought may come before the calls (required only)
};

struct CallRules {
    CallShape shape;
    // Of automatic choice: any of these in the content begins a call. Where a format has no marker
    // there is none, but an answer that starts with `start_trigger` (empty: none) is a call. With
    // neither, calls cannot be enforced before they are read.
    std::vector<std::string> triggers;
    std::string start_trigger;
};

// A named tool is `required` with that one tool. Code::unsupported if the format has no calls;
// Code::invalid if there is no tool, a tool's parameters are not a JSON schema, or they have
// properties whose schemas are no objects (where the format wants each by itself).
Result<CallRules> call_rules(const ReplyFormat& format, std::span<const Tool> tools,
                             CallRuleOptions options = {});

}  // namespace heft::text
