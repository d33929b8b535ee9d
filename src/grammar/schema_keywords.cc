#include "grammar/schema_keywords.h"

namespace heft::grammar {

namespace {

using enum KeywordUse;

constexpr std::string_view kNoComplement = "a grammar cannot say what a value must not be";

constexpr Keyword kKeywords[] = {
    {"type", general},
    {"enum", general},
    {"const", general},
    {"anyOf", general},
    {"oneOf", general},
    {"allOf", general},
    {"$ref", general},
    {"nullable", general},
    {"properties", of_object},
    {"required", of_object},
    {"additionalProperties", of_object},
    {"patternProperties", of_object},
    {"propertyNames", of_object},
    {"minProperties", of_object},
    {"maxProperties", of_object},
    {"unevaluatedProperties", of_object},
    {"items", of_array},
    {"prefixItems", of_array},
    {"additionalItems", of_array},
    {"minItems", of_array},
    {"maxItems", of_array},
    {"uniqueItems", of_array},
    {"unevaluatedItems", of_array},
    {"minLength", of_string},
    {"maxLength", of_string},
    {"pattern", of_string},
    {"format", general},
    {"minimum", of_number},
    {"maximum", of_number},
    {"exclusiveMinimum", of_number},
    {"exclusiveMaximum", of_number},
    {"multipleOf", of_number},
    {"title", annotation},
    {"description", annotation},
    {"default", annotation},
    {"example", annotation},
    {"examples", annotation},
    {"deprecated", annotation},
    {"readOnly", annotation},
    {"writeOnly", annotation},
    {"discriminator", annotation},
    {"externalDocs", annotation},
    {"xml", annotation},
    {"contentEncoding", annotation},
    {"contentMediaType", annotation},
    {"contentSchema", annotation},
    {"$schema", annotation},
    {"$id", annotation},
    {"id", annotation},
    {"$anchor", annotation},
    {"$comment", annotation},
    {"$vocabulary", annotation},
    {"$defs", annotation},
    {"definitions", annotation},
    {"not", refused, kNoComplement},
    {"if", refused, kNoComplement},
    {"then", refused, kNoComplement},
    {"else", refused, kNoComplement},
    {"contains", refused, "it would have to count items of one kind among others"},
    {"minContains", refused, "it would have to count items of one kind among others"},
    {"maxContains", refused, "it would have to count items of one kind among others"},
    {"dependentRequired", refused, "list the combinations with anyOf"},
    {"dependentSchemas", refused, "list the combinations with anyOf"},
    {"dependencies", refused, "list the combinations with anyOf"},
    {"$dynamicRef", refused, "use $ref"},
    {"$dynamicAnchor", refused, "use $defs and $ref"},
    {"$recursiveRef", refused, "use $ref"},
    {"$recursiveAnchor", refused, "use $ref"},
};

}  // namespace

std::span<const Keyword> schema_keywords() {
    return kKeywords;
}

const Keyword* find_keyword(std::string_view name) {
    static constexpr Keyword kVendor{"x-", annotation};
    if (name.substr(0, 2) == kVendor.name) return &kVendor;
    for (const Keyword& keyword : kKeywords)
        if (keyword.name == name) return &keyword;
    return nullptr;
}

}  // namespace heft::grammar
