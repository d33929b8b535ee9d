// Statements, scopes and loops against jinja2 3.1.
#include <gtest/gtest.h>

#include "text/jinja/render_for_test.h"

namespace heft::text::jinja {

namespace {

// clang-format off
constexpr Example kExamples[] = {
    {"{% for g in users|groupby('age') %}{{ g.grouper }}:{{ g.list|map(attribute='name')|join('+') }};{% endfor %}{% for k, v in users|groupby('age') %}{{ k }}={{ v|length }};{% endfor %}{{ users|groupby('age') }}", "5:Al;30:bob+cy;5=1;30=2;[(5, [{'name': 'Al', 'age': 5, 'tags': []}]), (30, [{'name': 'bob', 'age': 30, 'tags': ['x', 'y']}, {'name': 'cy', 'age': 30, 'tags': ['z']}])]"},
    {"{% for x in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.previtem }}{{ loop.nextitem }}{{ loop.cycle('a','b') }}{{ loop.changed(x) }};{% endfor %}", "1032TrueFalse31aTrue;2121FalseFalse332bTrue;3210FalseTrue31aTrue;"},
    {"{% for x in [1,1,2] %}{{ loop.changed(x) }}{% endfor %}{% for a, b in [[1,2],[3,4]] %}{{ a }}-{{ b }};{% endfor %}{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}{% for k in d %}{{ k }}{% endfor %}{% for c in u %}{{ c }}.{% endfor %}", "TrueFalseTrue1-2;3-4;b=1;a=2;items=9;baitemsG.r.\303\274.\303\237.e."},
    {"{% for x in [] %}a{% else %}empty{% endfor %}{% for x in missing %}a{% else %}none{% endfor %}{% for x in l if x > 1 %}{{ x }}{{ loop.length }}{% else %}z{% endfor %}{% for x in l if x > 5 %}{{ x }}{% else %}z{% endfor %}", "emptynone3222z"},
    {"{% for x in range(10) %}{% if x == 2 %}{% continue %}{% endif %}{% if x == 5 %}{% break %}{% endif %}{{ x }}{% endfor %} {{ range(3) }} {{ range(1,10,3)|list }} {{ range(5,0,-2)|list }}", "0134 range(0, 3) [1, 4, 7] [5, 3, 1]"},
    {"{% for n in tree recursive %}{{ n.v }}d{{ loop.depth }}{% if n.c %}({{ loop(n.c) }}){% endif %}{% endfor %}", "1d1(2d23d2(4d3))"},
    {"{% set x = 1 %}{% for i in l %}{% set x = i %}{{ x }}{% endfor %}{{ x }}{% if true %}{% set x = 9 %}{% endif %}{{ x }}", "31219"},
    {"{% set ns = namespace(a=1, b='x') %}{% for i in l %}{% set ns.a = ns.a + i %}{% endfor %}{{ ns.a }}{{ ns.b }}{{ ns.c }}{{ ns['a'] }}", "7x7"},
    {"{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set (c, d2) = [3, 4] %}{{ c }}{{ d2 }}{% set blk %}x{{ a }}y{% endset %}{{ blk }}{% set up | upper | replace('X','Z') %}x{{ a }}{% endset %}{{ up }}", "1234x1yZ1"},
    {"{% macro m(a, b=2, c=a) %}[{{ a }},{{ b }},{{ c }}]{% endmacro %}{{ m(1) }}{{ m(1, 3) }}{{ m(b=5, a=4) }}{{ m() }}{{ m(*[7,8]) }}{{ m(**{'a':1}) }}", "[1,2,1][1,3,1][4,5,4][,2,][7,8,7][1,2,1]"},
    {"{% macro v() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ v(1,2,x=3) }}{% macro fact(n) %}{{ n * fact(n-1)|int if n > 1 else 1 }}{% endmacro %}{{ fact(5) }}", "(1, 2){'x': 3}120"},
    {"{% macro w(t) %}<{{ t }}>{{ caller() }}</{{ t }}>{% endmacro %}{% call w('b') %}hi{% endcall %}{% macro lst(u) %}{% for x in u %}{{ caller(x) }}{% endfor %}{% endmacro %}{% call(y) lst(l) %}({{ y }}){% endcall %}", "<b>hi</b>(3)(1)(2)"},
    {"{% set g = 5 %}{% macro uses() %}{{ g }}{{ h }}{% endmacro %}{% set h = 6 %}{{ uses() }}{% set g = 7 %}{{ uses() }}", "5676"},
    {"{% filter upper %}abc{{ s }}{% endfilter %}{% filter indent(2)|trim %}a\nb{% endfilter %}{% with a = 1, b = 2 %}{{ a }}{{ b }}{% endwith %}{{ a }}", "ABCHELLO, WORLDa\n  b12"},
    {"{% generation %}gen{{ s }}{% set q = 1 %}{% endgeneration %}{{ q }}{% raw %}{{ x }}{% endraw %}{# c #}z", "genHello, World{{ x }}z"},
    {"{% set c = cycler('a','b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}{{ c.reset() }}{{ c.current }}{% set j = joiner('|') %}{{ j() }}x{{ j() }}y{{ dict(a=1,b=2) }}{{ dict([('x',1)]) }}{{ dict({'a':1}, b=2) }}", "ababNoneax|y{'a': 1, 'b': 2}{'x': 1}{'a': 1, 'b': 2}"},
    {"{% set x = [1] %}{% set _ = x.append(2) %}{% set _ = x.extend([3,4]) %}{% set _ = x.insert(0, 0) %}{{ x }}{{ x.pop() }}{{ x.pop(0) }}{{ x }}{% set _ = x.remove(2) %}{% set _ = x.reverse() %}{{ x }}{% set _ = x.sort() %}{{ x }}{{ x.copy() }}", "[0, 1, 2, 3, 4]40[1, 2, 3][3, 1][1, 3][1, 3]"},
    {"{% set q = {'a':1} %}{% set _ = q.update({'b':2}) %}{% set _ = q.update(c=3) %}{{ q.pop('a') }}{{ q.pop('zz', 5) }}{{ q.setdefault('d', 4) }}{{ q }}{{ q.popitem() }}{{ q.copy() }}", "154{'b': 2, 'c': 3, 'd': 4}('d', 4){'b': 2, 'c': 3}"},
    {"{{ 0x1F }} {{ 1_000 }} {{ 0b11 }} {{ 0o17 }} {{ 1.5e3 }} {{ 'a' 'b' }} {{ '\\x41\\u00e9\\101\\'' }} {{ 'a\\qb' }} {{ \"x\\\ny\" }}", "31 1000 3 15 1500.0 ab A\303\251A' a\\qb xy"},
    {"{% for i in range(3) %}{% for j in range(2) %}{{ loop.index }}{% endfor %}{{ loop.index }}{% endfor %}{% for u in users if u.age > 10 %}{{ u.name }}{% if not loop.last %}, {% endif %}{% endfor %}", "121122123bob, cy"},
    {"{% for x in l %}{% if loop.first %}[{% endif %}{{ x }}{% if loop.last %}]{% endif %}{% endfor %}{% set l2 = l|map('string')|list %}{{ l2 }}{{ l|map('string') is sequence }}{{ l|select is iterable }}{% set it = l|select %}{{ it|list }}{{ it|list }}{% if []|select %}T{% endif %}", "[312]['3', '1', '2']FalseTrue[3, 1, 2][]T"},
    {"{% if l %}y{% endif %}{% if e %}n{% elif 0 %}m{% elif d %}k{% else %}z{% endif %}{% if none is none and 1 %}q{% endif %}", "ykq"},
};
// clang-format on

TEST(JinjaStatements, RenderAsJinjaDoes) {
    for (const Example& example : kExamples)
        EXPECT_EQ(rendered(example.source), example.expected) << example.source;
}

}  // namespace

}  // namespace heft::text::jinja
