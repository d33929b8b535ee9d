// What is refused, and how it is said.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "text/jinja/render_for_test.h"

namespace heft::text::jinja {

namespace {

using ::testing::HasSubstr;

TEST(JinjaErrors, NameTheLineAndTheReason) {
    // clang-format off
    constexpr Example kRefused[] = {
        {"{{ missing.x }}", "line 1: 'missing' is undefined"},
        {"\n{{ d.zz.y }}", "line 2: 'dict object' has no attribute 'zz'"},
        {"{{ missing() }}", "'missing' is undefined"},
        {"{{ 'a' + 1 }}", "can only concatenate str (not \"int\") to str"},
        {"{{ 1 + 'a' }}", "unsupported operand type(s) for +: 'int' and 'str'"},
        {"{{ 1 < 'a' }}", "'<' not supported between instances of 'int' and 'str'"},
        {"{{ none|length }}", "object of type 'NoneType' has no len()"},
        {"{{ 1 / 0 }}", "division by zero"},
        {"{{ 9223372036854775807 + 1 }}", "64 bits"},
        {"{{ 5() }}", "'int' object is not callable"},
        {"{% for x in none %}{% endfor %}", "'NoneType' object is not iterable"},
        {"{% for a, b in [[1]] %}{% endfor %}", "not enough values to unpack (expected 2, got 1)"},
        {"{{ x|nofilter }}", "no filter named 'nofilter'"},
        {"{{ x is notest }}", "no test named 'notest'"},
        {"\n\n{{ raise_exception('Roles must alternate!') }}", "line 3: Roles must alternate!"},
        {"{% set ns = {} %}{% set ns.a = 1 %}", "cannot assign attribute on non-namespace object"},
        {"{{ missing|tojson }}", "Object of type Undefined is not JSON serializable"},
        {"{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", "takes not more than 1 argument(s)"},
        {"{% macro m(a) %}{% endmacro %}{{ m(b=2) }}", "takes no keyword argument 'b'"},
        {"{{ {[1]: 2} }}", "unhashable type: 'list'"},
        {"{{ [1, 'a']|sort }}", "not supported between"},
        {"{{ 'abc'.index('z') }}", "substring not found"},
        {"{{ l[::0] }}", "slice step cannot be zero"},
    };
    // clang-format on
    for (const Example& example : kRefused) {
        const auto text = try_render(example.source);
        ASSERT_FALSE(text) << example.source;
        EXPECT_EQ(text.error().code == Code::invalid || text.error().code == Code::unsupported,
                  true)
            << example.source;
        EXPECT_THAT(text.error().what, HasSubstr(example.expected)) << example.source;
    }
}

TEST(JinjaErrors, OfSyntaxComeFromParse) {
    // clang-format off
    constexpr Example kMalformed[] = {
        {"{{ 1 + }}", "line 1: unexpected '}}'"},
        {"\n{% if %}", "line 2: unexpected '%}'"},
        {"{{ x", "the template ends inside a tag"},
        {"{{ 'a }}", "a string has no end"},
        {"{{ a b }}", "expected '}}', found 'b'"},
        {"{% endfor %}", "unknown tag 'endfor'"},
        {"{% if 1 %}", "where 'endif' is expected"},
        {"{% include 'x' %}", "the tag 'include' is not supported"},
        {"{% extends 'x' %}", "the tag 'extends' is not supported"},
        {"{% break %}", "'break' outside of a loop"},
        {"{# a", "a comment has no end"},
        {"{% raw %}", "a raw block has no endraw"},
        {"{{ (1] }}", "unexpected ']', expected ')'"},
        {"{{ '\\x1' }}", "malformed escape"},
        {"{% set true = 1 %}", "can't assign to 'true'"},
        {"{{ 99999999999999999999 }}", "does not fit in 64 bits"},
        {"{% macro m(a=1, b) %}{% endmacro %}", "a parameter without a default"},
        {"{{ f(a=1, 2) }}", "a positional argument follows a named one"},
    };
    // clang-format on
    for (const Example& example : kMalformed) {
        const auto parsed = ChatTemplate::parse(example.source);
        ASSERT_FALSE(parsed) << example.source;
        EXPECT_THAT(parsed.error().what, HasSubstr(example.expected)) << example.source;
    }
}

TEST(JinjaErrors, RaisedByTheTemplateAreInvalidInput) {
    const auto text = try_render("{{ raise_exception('no') }}");
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().code, Code::invalid);
}

}  // namespace

}  // namespace heft::text::jinja
