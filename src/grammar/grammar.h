// What a text may be: compiled from a JSON Schema, a GBNF grammar, a regular expression, or "any
// JSON". Immutable; copies are cheap and share what is compiled; safe to use from many threads.
// docs/structured-output.md says which part of each language is understood; what is not is an error
// that names it, never left out.
#pragma once

#include <memory>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"
#include "grammar/automaton.h"

namespace heft::grammar {

// White space between the parts of JSON, where JSON allows any amount.
enum class Spacing : std::uint8_t {
    none,    // {"a":1,"b":[2]}
    single,  // one space or none in each place
};

struct JsonOptions {
    Spacing spacing = Spacing::single;
};

class Grammar {
  public:
    // Every text is valid against the schema. Not all valid texts are allowed: properties stand in
    // the order in which the schema has them, and where it leaves open whether there may be more
    // (no additionalProperties, no items) there are none. A root of {} asks for any object.
    static Result<Grammar> from_json_schema(const nlohmann::ordered_json& schema,
                                            JsonOptions options = {});
    // llama.cpp's grammar language; the text is what `root` matches.
    static Result<Grammar> from_gbnf(std::string_view source);
    // ECMA-262 without look-around and back references. The whole text, as if between ^ and $.
    static Result<Grammar> from_regex(std::string_view pattern);
    static Grammar any_json_value(JsonOptions options = {});
    static Grammar any_json_object(JsonOptions options = {});

    // The whole text, and whether it could become one with more bytes.
    bool matches(std::string_view text) const;
    bool begins(std::string_view text) const;

    const Automaton& automaton() const { return *automaton_; }

  private:
    friend Result<Grammar> finish(const Draft& draft, RuleId root);
    explicit Grammar(std::shared_ptr<const Automaton> automaton)
        : automaton_(std::move(automaton)) {}

    std::shared_ptr<const Automaton> automaton_;  // shared by copies
};

// A draft made runnable.
Result<Grammar> finish(const Draft& draft, RuleId root);

}  // namespace heft::grammar
