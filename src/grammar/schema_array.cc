#include <algorithm>
#include <bit>

#include "grammar/schema_writer.h"

namespace heft::grammar {

namespace {

// Without repeats: one rule for each set of values that has been used up.
constexpr std::size_t kMaxDistinct = 8;
// Optional items stand within one another.
constexpr std::size_t kMaxPrefix = 200;

}  // namespace

Result<ExprId> SchemaWriter::array(const Json& schema, const std::string& at) {
    HEFT_TRY(const std::optional<int> min, count_of(schema, "minItems", at));
    HEFT_TRY(const std::optional<int> max, count_of(schema, "maxItems", at));
    const int least = min.value_or(0);
    const int most = max.value_or(kUnbounded);
    const bool has_list = schema.contains("items") && schema["items"].is_array();
    if (schema.value("uniqueItems", Json(false)) == true && (most == kUnbounded || most > 1))
        return distinct_items(schema, at);
    if (has_list) return tuple(schema["items"], schema, at);
    if (schema.contains("prefixItems")) return tuple(schema["prefixItems"], schema, at);
    if (most != kUnbounded && most < least) return draft_.never();
    ExprId item = json_.any_value();
    if (schema.contains("items")) {
        HEFT_TRY(item, value(schema["items"], below(at, "items")));
    } else if (least == 0 && most == kUnbounded) {
        return json_.any_array();
    }
    if (most == 0) return json_.array(draft_.empty());
    const ExprId further =
        draft_.repeat(draft_.sequence({json_.comma(), item}), std::max(least - 1, 0),
                      most == kUnbounded ? kUnbounded : most - 1);
    const ExprId some = draft_.sequence({item, further});
    return json_.array(least == 0 ? draft_.choice({some, draft_.empty()}) : some);
}

// Items that each have their own schema, then those of the rest if the schema speaks of it.
Result<ExprId> SchemaWriter::tuple(const Json& prefix, const Json& schema, const std::string& at) {
    const bool is_list = schema.contains("items") && schema["items"].is_array();
    const std::string rest_key = is_list ? "additionalItems" : "items";
    HEFT_TRY(const std::optional<int> min, count_of(schema, "minItems", at));
    HEFT_TRY(const std::optional<int> max, count_of(schema, "maxItems", at));
    if (!prefix.is_array()) return schema_error(below(at, "prefixItems"), "this is a list");
    if (prefix.size() > kMaxPrefix)
        return refused_keyword(at, "prefixItems",
                               "it has more than " + std::to_string(kMaxPrefix) + " items");
    const int n = static_cast<int>(prefix.size());
    const int least = min.value_or(0);
    const int most = max.value_or(kUnbounded);
    if (most != kUnbounded && most < least) return draft_.never();
    ExprId rest = least > n ? json_.any_value() : draft_.never();
    if (schema.contains(rest_key)) {
        HEFT_TRY(rest, value(schema[rest_key], below(at, rest_key)));
    }
    const int rest_most = most == kUnbounded ? kUnbounded : std::max(most - n, 0);
    ExprId inside = draft_.repeat(draft_.sequence({n > 0 ? json_.comma() : draft_.empty(), rest}),
                                  std::max(least - n, 0), rest_most);
    if (n == 0) {
        const ExprId more =
            draft_.repeat(draft_.sequence({json_.comma(), rest}), std::max(least - 1, 0),
                          most == kUnbounded ? kUnbounded : std::max(most - 1, 0));
        const ExprId some = most == 0 ? draft_.never() : draft_.sequence({rest, more});
        inside = least == 0 ? draft_.choice({some, draft_.empty()}) : some;
    }
    for (int i = n - 1; i >= 0; --i) {
        const auto index = static_cast<std::size_t>(i);
        const std::string place = below(at, is_list ? "items" : "prefixItems");
        HEFT_TRY(const ExprId item, value(prefix[index], below(place, index)));
        if (most != kUnbounded && i >= most) {
            inside = draft_.empty();
            continue;
        }
        const ExprId lead = i > 0 ? json_.comma() : draft_.empty();
        inside = draft_.sequence({lead, item, inside});
        if (i >= least) inside = draft_.choice({inside, draft_.empty()});
    }
    return json_.array(inside);
}

Result<ExprId> SchemaWriter::distinct_items(const Json& schema, const std::string& at) {
    HEFT_TRY(const std::optional<int> min, count_of(schema, "minItems", at));
    HEFT_TRY(const std::optional<int> max, count_of(schema, "maxItems", at));
    Json item = schema.value("items", Json::object());
    HEFT_TRY(item, document_.flat(item, below(at, "items")));
    const bool is_list = item.is_object() && item.contains("enum") && item["enum"].is_array()
                         && item["enum"].size() <= kMaxDistinct && !schema.contains("prefixItems");
    if (!is_list)
        return refused_keyword(at, "uniqueItems",
                               "a grammar cannot compare items, except with an enum of at most "
                                   + std::to_string(kMaxDistinct) + " values as items");
    Json values = Json::array();
    for (const Json& one : item["enum"])
        if (std::find(values.begin(), values.end(), one) == values.end()) values.push_back(one);
    const std::size_t n = values.size();
    const int most = max.value_or(static_cast<int>(n));
    std::vector<ExprId> items;
    for (const Json& one : values) {
        Json alone = item;
        alone["enum"] = Json::array({one});
        HEFT_TRY(const ExprId written, value(alone, below(at, "items")));
        items.push_back(written);
    }
    // What may follow when the values of a set have been used, from the full set down.
    std::vector<RuleId> after(std::size_t{1} << n);
    for (std::size_t used = after.size(); used-- > 0;) {
        const int count = std::popcount(used);
        std::vector<ExprId> parts;
        if (count >= min.value_or(0)) parts.push_back(draft_.empty());
        for (std::size_t i = 0; i < n && count < most; ++i) {
            const std::size_t bit = std::size_t{1} << i;
            if ((used & bit) != 0) continue;
            const ExprId lead = count > 0 ? json_.comma() : draft_.empty();
            parts.push_back(draft_.sequence({lead, items[i], draft_.call(after[used | bit])}));
        }
        after[used] = draft_.declare("distinct");
        draft_.define(after[used], draft_.choice(parts));
    }
    return json_.array(draft_.call(after[0]));
}

}  // namespace heft::grammar
