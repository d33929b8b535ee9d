// What may follow `is`, against jinja2 3.1.
#include <gtest/gtest.h>

#include "text/jinja/render_for_test.h"

namespace heft::text::jinja {

namespace {

// clang-format off
constexpr Example kExamples[] = {
    {"nest.zz is defined", "False"},
    {"'%s is %d and %05.2f %x %r %%'|format('a', 5, 2.345, 255, 'q')", "a is 5 and 02.35 ff 'q' %"},
    {"'x' is string", "True"},
    {"1 is number", "True"},
    {"true is number", "True"},
    {"true is integer", "False"},
    {"1 is integer", "True"},
    {"1.0 is float", "True"},
    {"d is mapping", "True"},
    {"l is sequence", "True"},
    {"s is sequence", "True"},
    {"s is iterable", "True"},
    {"d is sequence", "True"},
    {"missing is iterable", "True"},
    {"missing is sequence", "True"},
    {"no is iterable", "False"},
    {"1 is iterable", "False"},
    {"true is boolean", "True"},
    {"true is true", "True"},
    {"1 is true", "False"},
    {"range is callable", "True"},
    {"none is none", "True"},
    {"missing is none", "False"},
    {"no is not none", "False"},
    {"4 is even", "True"},
    {"4 is odd", "False"},
    {"9 is divisibleby 3", "True"},
    {"9 is divisibleby(2)", "False"},
    {"1 is eq 1", "True"},
    {"1 is sameas 1", "True"},
    {"1 is ne(2)", "True"},
    {"1 is in [1,2]", "True"},
    {"'a' is in 'abc'", "True"},
    {"'ab' is lower", "True"},
    {"'AB' is upper", "True"},
    {"'upper' is filter", "True"},
    {"'odd' is test", "True"},
    {"'zz' is filter", "False"},
    {"2 is gt 1", "True"},
    {"2 is lt 1", "False"},
    {"1 is not even", "True"},
    {"'x' is escaped", "False"},
    {"1 if missing is defined else 2", "2"},
    {"no.foo is defined", "False"},
    {"s.foo is defined", "False"},
    {"d.items is defined", "True"},
    {"s.upper is defined", "True"},
    {"d|attr('b') is defined", "False"},
    {"loop is defined", "False"},
    {"caller is defined", "False"},
};
// clang-format on

TEST(JinjaTests, MeanWhatJinjaMeans) {
    for (const Example& example : kExamples)
        EXPECT_EQ(rendered_expression(example.source), example.expected) << example.source;
}

}  // namespace

}  // namespace heft::text::jinja
