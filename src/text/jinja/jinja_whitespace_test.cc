// White space around tags, with trim_blocks and lstrip_blocks, against jinja2 3.1.
#include <gtest/gtest.h>

#include "text/jinja/render_for_test.h"

namespace heft::text::jinja {

namespace {

// clang-format off
constexpr Example kExamples[] = {
    {"a\n  {% if true %}\n  b\n  {% endif %}\nc\n", "a\n  b\nc"},
    {"  {%- if true -%}  x  {%- endif -%}  y", "xy"},
    {"a {{- 1 -}} b", "a1b"},
    {"x  {%+ if true %}y{% endif +%}\nz", "x  y\nz"},
    {"{# c #}\nz\n  {# d #}  \n y", "z\n  \n y"},
    {"a\n\n{%- if true %}\n\nb{% endif %}", "a\nb"},
    {"{% if true %}x{% endif %}\n\n", "x"},
    {"  {{ 1 }}\n", "  1"},
    {"a\r\nb\rc\n", "a\nb\nc"},
    {"{% raw %}\n {{ a }} {% endraw %}\nz", "\n {{ a }} z"},
    {"{%- raw -%}  {{ a }}  {%- endraw -%}  z", "{{ a }}z"},
    {"{% raw %}a\n  {% endraw %}b", "a\nb"},
    {"\t{% set x = 1 %}\n{{ x }}\n\n", "1\n"},
    {"x {# a -#}  y", "x y"},
    {"x  {#- a #}  y", "x  y"},
    {"{{ \"}}\" }}{{ {\"a\":{}} }}{{ \"%}\" }}", "}}{'a': {}}%}"},
    {"\n{% if true %}\n\n{% endif %}\n", "\n\n"},
    {"  {% if true %}a{% endif %}  {% if true %}b{% endif %}\n  {% if true %}c{% endif %}", "a  bc"},
    {"{% for x in l -%}\n {{ x }}\n{%- endfor %}\n!", "312!"},
    {"\302\240{%- if true %}x{% endif %}", "x"},
    {"a\n \t{%- set x=1 -%}\n \tb", "ab"},
    {"{%set x=1%}{{x}}{{-x-}}{{+x}}", "111"},
    {"{% if true %}{# c #}\n{% endif %}x", "x"},
    {"text only\n\n", "text only\n"},
    {"{", "{"},
    {"{ {", "{ {"},
    {"}}", "}}"},
    {"%}", "%}"},
    {"a{% if true %} {% endif %} b\n {%if true%}\n{%endif%}", "a  b\n"},
};
// clang-format on

TEST(JinjaWhitespace, IsTrimmedAsJinjaDoes) {
    for (const Example& example : kExamples)
        EXPECT_EQ(rendered(example.source), example.expected) << example.source;
}

}  // namespace

}  // namespace heft::text::jinja
