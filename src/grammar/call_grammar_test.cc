// What the grammar of a call's shape allows is read as a call with valid arguments.
#include "grammar/call_grammar.h"

#include <gtest/gtest.h>

#include "grammar/test_sampling.h"
#include "grammar/test_schemas.h"
#include "text/reply_parser.h"

namespace heft::grammar {
namespace {

using testing::Json;
using text::CallShape;

void collect_literals(const CallShape& shape, std::vector<std::string>& out) {
    const bool is_text =
        shape.kind == CallShape::Kind::literal || shape.kind == CallShape::Kind::text_until;
    if (is_text && !shape.text.empty() && shape.text.size() < 200) out.push_back(shape.text);
    for (const CallShape& part : shape.parts) collect_literals(part, out);
}

// Random tokens; markers rather often, also within strings, and where the text has become long,
// whatever ends it.
std::optional<std::string> draw(Matcher matcher, Rng& rng, TokenId first_marker) {
    const Vocabulary& words = matcher.vocabulary();
    std::vector<std::uint64_t> bits(words.mask_words());
    std::string text;
    for (int n = 0; n < 1000; ++n) {
        matcher.fill_mask(bits);
        std::vector<TokenId> allowed, marks, closing;
        for (TokenId id = 0; id < words.size(); ++id) {
            if (!testing::has_bit(bits, id)) continue;
            allowed.push_back(id);
            const std::string_view bytes = words.bytes_of(id);
            if (id >= first_marker) marks.push_back(id);
            if (bytes.empty())
                closing = {id};
            else if (closing.empty() && (bytes[0] == '"' || bytes[0] == '}' || bytes[0] == ']'))
                closing.push_back(id);
        }
        if (allowed.empty()) return std::nullopt;
        const bool hurry = n > 40 + static_cast<int>(rng.next() % 40);
        const bool ends = !closing.empty() && words.bytes_of(closing[0]).empty();
        const auto* from = &allowed;
        if (hurry && ends)
            from = &closing;
        else if (!marks.empty() && (hurry || rng.next() % 3 == 0))
            from = &marks;
        else if (hurry && !closing.empty())
            from = &closing;
        const TokenId id = (*from)[rng.next() % from->size()];
        text += words.bytes_of(id);
        if (!matcher.accept(id)) return std::nullopt;
        if (matcher.ended()) return text;
    }
    return std::nullopt;
}

Json random_parameters(testing::RandomSchemas& schemas) {
    Json out = {{"type", "object"}, {"properties", Json::object()}, {"required", Json::array()}};
    for (const char* name : {"first", "second", "third"}) {
        Json schema = schemas.next();
        out["$defs"] = schema["$defs"];
        schema.erase("$defs");
        if (schema.empty()) schema["type"] = "string";
        out["properties"][name] = std::move(schema);
        if (schemas.below(2) == 0) out["required"].push_back(name);
    }
    out["additionalProperties"] = false;
    return out;
}

struct ReadCall {
    std::string name, arguments;
    bool whole = false;
};

std::vector<ReadCall> read_calls(const text::ReplyFormat& format, std::vector<text::Tool> tools,
                                 const std::string& text, std::string& content) {
    using Kind = text::ReplyEvent::Kind;
    text::ReplyParser parser(format, std::move(tools));
    auto events = parser.push(text);
    for (auto& event : parser.finish()) events.push_back(std::move(event));
    std::vector<ReadCall> calls;
    for (const text::ReplyEvent& event : events) {
        if (event.kind == Kind::content) content += event.text;
        if (event.kind == Kind::call_begin) calls.push_back({event.text, "", false});
        if (event.kind == Kind::call_arguments) calls.back().arguments += event.text;
        if (event.kind == Kind::call_end) calls.back().whole = event.whole;
    }
    return calls;
}

// Formats that write the arguments as one JSON text hold all of the schema; where parameters stand
// one by one, a string is any text.
void expect_valid(const text::ReplyFormat& format, const ReadCall& call, const Json& parameters) {
    const text::CallBody body = format.calls[0].body;
    const auto arguments = Json::parse(call.arguments, nullptr, false);
    ASSERT_TRUE(arguments.is_object()) << call.arguments;
    for (const auto& name : parameters["required"])
        EXPECT_TRUE(arguments.contains(name.get<std::string>())) << call.arguments;
    for (const auto& item : arguments.items())
        EXPECT_TRUE(parameters["properties"].contains(item.key())) << item.key();
    if (body == text::CallBody::object || body == text::CallBody::keyed
        || body == text::CallBody::named) {
        EXPECT_TRUE(Grammar::from_json_schema(parameters)->matches(call.arguments))
            << call.arguments;
    }
}

TEST(CallGrammar, TextsAreCallsWithValidArguments) {
    testing::RandomSchemas schemas(11);
    Rng rng(12);
    int n_texts = 0;
    for (const text::ReplyFormat& format : text::reply_formats()) {
        if (format.n_calls == 0) continue;
        for (int round = 0; round < 3; ++round) {
            SCOPED_TRACE(format.name);
            const Json parameters = random_parameters(schemas);
            const std::vector<text::Tool> tools = {{"look_up", parameters.dump()}, {"now", "{}"}};
            text::CallRuleOptions options;
            options.may_reason = false;
            options.parallel = round != 1;
            const auto rules = text::call_rules(format, tools, options);
            ASSERT_TRUE(rules) << rules.error().what;
            const auto grammar = from_call_shape(rules->shape);
            ASSERT_TRUE(grammar) << grammar.error().what << parameters.dump();
            auto pieces = testing::json_pieces();
            const auto first_marker = static_cast<TokenId>(256 + pieces.size());
            collect_literals(rules->shape, pieces);
            const auto constraint = Constraint::make(*grammar, testing::vocabulary_of(pieces));
            for (int i = 0; i < 4; ++i) {
                const auto text = draw(Matcher(constraint), rng, first_marker);
                if (!text) continue;
                ++n_texts;
                SCOPED_TRACE(*text);
                std::string content;
                const auto calls = read_calls(format, tools, *text, content);
                EXPECT_EQ(content, "");
                EXPECT_FALSE(calls.empty());
                EXPECT_TRUE(options.parallel || calls.size() == 1);
                for (const ReadCall& call : calls) {
                    EXPECT_TRUE(call.whole);
                    if (call.name == "look_up") expect_valid(format, call, parameters);
                }
            }
        }
    }
    EXPECT_GT(n_texts, 100);
}

TEST(CallGrammar, TextUntilIsWhatStandsBeforeTheFirstMarker) {
    Rng rng(5);
    for (const std::string marker : {"</p>", "aba", "aab", "ééx", "<|\"|>", "aaa", "x"}) {
        Draft draft;
        const RuleId root = draft.declare("root");
        draft.define(root, draft.until(marker));
        const auto grammar = finish(draft, root);
        ASSERT_TRUE(grammar);
        const std::vector<std::string> parts = {"a", "b", "é", "x", "<", "p", "日", "/p>", marker};
        for (int i = 0; i < 500; ++i) {
            std::string text;
            for (std::uint64_t n = rng.next() % 8; n > 0; --n)
                text += parts[rng.next() % parts.size()];
            const bool is_first = (text + marker).find(marker) == text.size();
            EXPECT_EQ(grammar->matches(text), is_first) << text << " before " << marker;
        }
        EXPECT_FALSE(grammar->begins("\xFF"));
    }
}

TEST(CallGrammar, CountsRepetitions) {
    CallShape part{CallShape::Kind::literal, "x", {}, 1, 1};
    CallShape comma{CallShape::Kind::literal, ",", {}, 1, 1};
    for (const int min : {0, 1, 2})
        for (const int max : {-1, 2, 3}) {
            const auto grammar =
                from_call_shape({CallShape::Kind::repeat, "", {part, comma}, min, max});
            ASSERT_TRUE(grammar);
            std::string text;
            for (int n = 0; n < 6; ++n) {
                EXPECT_EQ(grammar->matches(text), n >= min && (max < 0 || n <= max)) << text;
                text += n == 0 ? "x" : ",x";
            }
        }
}

TEST(CallGrammar, SaysWhatASchemaHasThatCannotBeHeld) {
    const CallShape shape{CallShape::Kind::schema, R"({"not":{}})", {}, 1, 1};
    const auto grammar = from_call_shape(shape);
    ASSERT_FALSE(grammar);
    EXPECT_NE(grammar.error().what.find("'not'"), std::string::npos) << grammar.error().what;
}

}  // namespace
}  // namespace heft::grammar
