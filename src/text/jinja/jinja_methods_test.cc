// Methods of str, list and dict against Python.
#include <gtest/gtest.h>

#include "text/jinja/render_for_test.h"

namespace heft::text::jinja {

namespace {

// clang-format off
constexpr Example kExamples[] = {
    {"d.items()", "dict_items([('b', 1), ('a', 2), ('items', 9)])"},
    {"d.get('zz')", "None"},
    {"d.get('zz', 4)", "4"},
    {"d.values()", "dict_values([1, 2, 9])"},
    {"s.split(',')", "['Hello', ' World']"},
    {"' a  b '.split()", "['a', 'b']"},
    {"'a,b,c'.split(',',1)", "['a', 'b,c']"},
    {"'a,b,c'.rsplit(',',1)", "['a,b', 'c']"},
    {"' a  b c'.split(none,1)", "['a', 'b c']"},
    {"' a  b c '.rsplit(none,1)", "[' a  b', 'c']"},
    {"''.split()", "[]"},
    {"''.split(',')", "['']"},
    {"'  x '.strip()", "x"},
    {"'  x '.lstrip()", "x "},
    {"'  x '.rstrip()", "  x"},
    {"'xxaxx'.strip('x')", "a"},
    {"'abcba'.lstrip('ab')", "cba"},
    {"'\303\251e'.strip('\303\251')", "e"},
    {"s.startswith('He')", "True"},
    {"s.endswith(('x','ld'))", "True"},
    {"s.startswith('l', 2)", "True"},
    {"s.find('o')", "4"},
    {"s.rfind('o')", "8"},
    {"s.find('zz')", "-1"},
    {"s.count('l')", "3"},
    {"u.find('e')", "4"},
    {"s.index('W')", "7"},
    {"''.count('')", "1"},
    {"s.upper()", "HELLO, WORLD"},
    {"s.lower()", "hello, world"},
    {"\"they're bill's\".title()", "They'Re Bill'S"},
    {"'aBC'.capitalize()", "Abc"},
    {"u.upper()", "GR\303\234SSE"},
    {"'aBc'.swapcase()", "AbC"},
    {"s.replace('l','L')", "HeLLo, WorLd"},
    {"s.replace('l','L',1)", "HeLlo, World"},
    {"'abc'.replace('','-')", "-a-b-c-"},
    {"'abc'.replace('','-',2)", "-a-bc"},
    {"''.replace('','x')", "x"},
    {"'-'.join(['a','b'])", "a-b"},
    {"'{} {1} {a}'.replace('{1}','{}').format(1,2,a=3)", "1 2 3"},
    {"'{0:>5}|{0:<5}|{0:^5}|{1:.2f}|{1:08.3f}'.format('x', 3.14159)", "    x|x    |  x  |3.14|0003.142"},
    {"'{:,}'.format(1234567)", "1,234,567"},
    {"'{a[b]} {c.x}'.format(a={'b':1}, c={'x':2})", "1 2"},
    {"'{!r}'.format('a')", "'a'"},
    {"'{{}}'.format()", "{}"},
    {"'{:*^9}'.format('mid')", "***mid***"},
    {"'{:x} {:b} {:#x}'.format(255,5,255)", "ff 101 0xff"},
    {"'{:d}'.format(3)", "3"},
    {"'{:5}|{:<5}|'.format(3, 3)", "    3|3    |"},
    {"'{:e}'.format(1234.5)", "1.234500e+03"},
    {"'{:%}'.format(0.25)", "25.000000%"},
    {"l.index(2)", "2"},
    {"l.count(1)", "1"},
    {"'a-b'.partition('-')", "('a', '-', 'b')"},
    {"'a-b-c'.rpartition('-')", "('a-b', '-', 'c')"},
    {"'abc'.removeprefix('a')", "bc"},
    {"'x'.ljust(3)", "x  "},
    {"'x'.rjust(3,'*')", "**x"},
    {"'x'.center(4,'-')", "-x--"},
    {"'-7'.zfill(4)", "-007"},
    {"'a\\nb\\r\\nc'.splitlines()", "['a', 'b', 'c']"},
    {"'a\\tb'.expandtabs(4)", "a   b"},
    {"'12'.isdigit()", "True"},
    {"'aB'.isalpha()", "True"},
    {"''.isalpha()", "False"},
    {"' '.isspace()", "True"},
    {"'a1'.isalnum()", "True"},
    {"'Ab'.istitle()", "True"},
    {"'AB'.isupper()", "True"},
    {"'ab'.islower()", "True"},
    {"'b' in {'b':1}.keys()", "True"},
    {"'a'.join('xyz')", "xayaz"},
};
// clang-format on

TEST(JinjaMethods, MeanWhatPythonMeans) {
    for (const Example& example : kExamples)
        EXPECT_EQ(rendered_expression(example.source), example.expected) << example.source;
}

}  // namespace

}  // namespace heft::text::jinja
