// Templates that want too much end in an error: time, memory, output and the stack are bounded.
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "text/jinja/parser.h"
#include "text/jinja/render_for_test.h"

namespace heft::text::jinja {

namespace {

constexpr RenderLimits kSmall{.output_bytes = 1U << 20U, .steps = 200'000, .depth = 100};
constexpr std::size_t kMany = 100'000;

std::string repeated(std::string_view piece, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += piece;
    return text;
}

void expect_exhausted(const std::string& source) {
    const auto text = try_render(source, kSmall);
    ASSERT_FALSE(text) << source.substr(0, 100);
    EXPECT_EQ(text.error().code, Code::exhausted)
        << source.substr(0, 100) << ": " << text.error().what;
}

TEST(JinjaLimits, StopTextThatGrows) {
    for (const char* source : {
             "{{ 'a' * 10000000000 }}",
             "{{ [1] * 10000000000 }}",
             "{% set ns = namespace(x='a') %}{% for i in range(100) %}{% set ns.x = ns.x + ns.x "
             "%}{% endfor %}",
             "{% set ns = namespace(x=[1]) %}{% for i in range(100) %}{% set ns.x = ns.x + ns.x "
             "%}{% endfor %}",
             "{{ ('a' * 10000)|replace('a', 'b' * 10000) }}",
             "{{ ('ab' * 5000)|replace('', 'b' * 10000) }}",
             "{{ (('a' * 10000)|list)|join('b' * 10000) }}",
             "{{ ('a\n' * 10000)|indent(10000) }}",
             "{{ 'a\nb'|indent(10000000000) }}",
             "{{ 'a'|center(10000000000) }}",
             "{{ 'a'.ljust(10000000000) }}",
             "{{ '1'.zfill(10000000000) }}",
             "{{ '%90000000d'|format(1) }}",
             "{{ '{:>90000000}'.format(1) }}",
             "{{ [[[[1]]]]|tojson(indent=100000000) }}",
             "{{ ('\t' * 10000).expandtabs(1000000) }}",
             "{{ [1]|batch(10000000000, 1)|list }}",
             "{{ [1]|slice(10000000000)|list }}",
             "{{ range(10 ** 18) }}",
             "{% for i in range(100000) %}{{ 'a' * 100000 }}{% endfor %}",
             "{% macro m() %}{% for i in range(1000) %}{{ 'a' * 10000 }}{% endfor %}{% endmacro "
             "%}{{ m()|length }}",
             "{% set x = 'a' * 500000 %}{{ x ~ x ~ x ~ x ~ x ~ x ~ x ~ x ~ x ~ x }}",
         }) {
        expect_exhausted(source);
    }
}

TEST(JinjaLimits, StopWorkThatGrows) {
    for (const char* source : {
             "{% for a in range(10000) %}{% for b in range(10000) %}{% endfor %}{% endfor %}",
             "{% set x = 'é' * 100000 %}{% for i in range(100000) %}{{ x[i] }}{% endfor %}",
             "{% set x = 'a' * 500000 %}{% for i in range(100000) %}{% if 'b' in x %}{% endif %}{% "
             "endfor %}",
             "{% set x = [1] * 50000 %}{% for i in range(50000) %}{% set _ = x.pop(0) %}{% endfor "
             "%}",
             "{% set x = ('a' * 1000)|list %}{% for i in range(100000) %}{% if 'b' in x %}{% endif "
             "%}{% endfor %}",
         }) {
        expect_exhausted(source);
    }
}

TEST(JinjaLimits, SearchIsLinear) {
    const std::string source =
        "{% set x = 'a' * 400000 %}{% set y = 'a' * 200000 ~ 'b' %}"
        "{{ x.find(y) }} {{ x.rfind('b' ~ y) }} {{ y in x }} {{ x.count(y) }} {{ x.split(y)|length "
        "}}";
    EXPECT_EQ(rendered(source), "-1 -1 False 0 1");
}

TEST(JinjaLimits, StopRecursion) {
    for (const char* source : {
             "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
             "{% macro m() %}{{ [[[1 if (m() + 1) * 2 > 1 else 1]]] }}{% endmacro %}{{ m() }}",
             "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
             "{% macro m() %}{% call m() %}{% endcall %}{{ caller() }}{% endmacro %}{% call m() "
             "%}x{% endcall %}",
         }) {
        expect_exhausted(source);
    }
}

TEST(JinjaLimits, NestedValuesDoNotNestTheStack) {
    const std::string deep =
        "{% set ns = namespace(x=[], y=[]) %}{% for i in range(10000) %}"
        "{% set ns.x = [ns.x] %}{% set ns.y = [ns.y] %}{% endfor %}";
    expect_exhausted(deep + "{{ ns.x }}");
    expect_exhausted(deep + "{{ ns.x|tojson }}");
    expect_exhausted(deep + "{{ ns.x == ns.y }}");
    expect_exhausted("{% set x = [] %}{% set _ = x.append(x) %}{{ x }}");
}

TEST(JinjaLimits, ParsingIsBounded) {
    const std::pair<const char*, const char*> nested[] = {
        {"{{ ", "("},
        {"{{ ", "["},
        {"{{ ", "{1:"},
        {"{{ ", "not "},
        {"{{ ", "- "},
        {"{{ 1", " if 1 else 1"},
        {"{{ d", "[d"},
        {"{{ ", "f("},
        {"", "{% if 1 %}"},
        {"", "{% for x in l %}"},
        {"", "{% filter upper %}"},
        {"{% set ", "("},
    };
    for (const auto& [begin, piece] : nested) {
        const auto parsed =
            ChatTemplate::parse(begin + repeated(piece, kMany / std::string(piece).size()));
        EXPECT_FALSE(parsed) << piece;
    }
    EXPECT_FALSE(ChatTemplate::parse(std::string(kMaxSourceBytes + 1, 'a')));
}

TEST(JinjaLimits, ChainsAreNotNesting) {
    const std::pair<const char*, const char*> chains[] = {
        {"{{ 1", "+1"},      {"{{ 1", "~1"},   {"{{ 1", " and 1"},
        {"{{ 1", "|string"}, {"{{ l", "[0:]"}, {"{{ 1", "<=1"},
    };
    for (const auto& [begin, piece] : chains) {
        const auto text = try_render(begin + repeated(piece, 10'000) + " }}");
        EXPECT_TRUE(text) << piece << ": " << (text ? "" : text.error().what);
    }
    EXPECT_EQ(rendered("{% if 0 %}" + repeated("{% elif 0 %}", 10'000) + "{% else %}x{% endif %}"),
              "x");
}

TEST(JinjaLimits, RealisticAccumulationFits) {
    const std::string source =
        "{% set ns = namespace(x='') %}{% for i in range(2000) %}"
        "{% set ns.x = ns.x ~ 'x' * 250 %}{% endfor %}{{ ns.x|length }}";
    EXPECT_EQ(rendered(source), "500000");
}

TEST(JinjaLimits, OneTemplateServesManyThreads) {
    const auto parsed =
        ChatTemplate::parse("{% for u in users %}{{ u.name ~ '/' ~ 'é' }}{% endfor %}");
    ASSERT_TRUE(parsed);
    std::vector<std::thread> threads;
    std::vector<std::string> texts(4);
    for (std::string& text : texts) {
        threads.emplace_back([&parsed, &text] {
            for (int i = 0; i < 50; ++i) {
                const auto made = parsed->render(test_variables());
                text = made ? *made : made.error().what;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    for (const std::string& text : texts) EXPECT_EQ(text, "bob/éAl/écy/é");
}

}  // namespace

}  // namespace heft::text::jinja
