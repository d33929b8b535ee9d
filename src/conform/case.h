// What a server of models is expected to do, as rows: a request, and what its answer has to be.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace heft::conform {

using Json = nlohmann::ordered_json;

// NOLINTNEXTLINE(bugprone-exception-escape): moving a tree of JSON throws nothing
struct Event {         // of a stream
    std::string name;  // "message_start"; empty: none
    std::string data;
    Json json;  // of the data; discarded: it is none
};

// NOLINTNEXTLINE(bugprone-exception-escape): moving a tree of JSON throws nothing
struct Reply {
    int status = 0;
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body;
    Json json;                  // discarded: the body is none
    std::vector<Event> events;  // of text/event-stream, or a line each of NDJSON
};

enum class Is : std::uint8_t {
    text,
    full_text,  // not empty
    number,
    boolean,
    array,
    full_array,  // not empty
    object,
    equal,   // to `value`
    one_of,  // the words of `value`, which a blank divides
    absent,  // or null
};

struct Expect {
    std::string_view pointer;  // RFC 6901
    Is is = Is::text;
    std::string_view value = {};
};

// What is wrong with the reply; empty: nothing.
using Check = std::string (*)(const Reply& reply);

// In path and body, $MODEL is the model's name, and $ID the "id" of the last reply that had one.
struct Case {
    std::string_view method, path, behaviour;
    std::string_view body = {};
    int status = 200;
    std::vector<Expect> expects = {};
    Check check = nullptr;
    bool needs_tools = false;  // a model that calls tools
    bool again = false;        // sent twice: the same has to be at `same` in both replies
    std::string_view same = {};
};

// What bodies have in common: "$HELLO" and what stands for it.
struct Word {
    std::string_view name, text;
};

struct Api {
    std::string_view name;
    std::string_view header, header_value;  // that every request of it carries; may be empty
    std::span<const Word> words;
    std::span<const Case> cases;
};

std::span<const Api> apis();

}  // namespace heft::conform
