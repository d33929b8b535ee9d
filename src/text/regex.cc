#include "text/regex.h"

#include <array>
#include <string>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "text/regex_dialect.h"

namespace heft::text {

namespace {

constexpr std::size_t kPatternBytes = 1U << 16;
constexpr std::uint32_t kMatchSteps = 10'000'000;
constexpr std::uint32_t kHeapKib = 64U << 10;
constexpr std::size_t kJitStackBytes = 8U << 20;

Error refused(std::string_view pattern, std::string_view why) {
    constexpr std::size_t kShown = 80;
    std::string what = "the regular expression '" + std::string(pattern.substr(0, kShown));
    if (pattern.size() > kShown) what += "…";
    return {Code::unsupported, what + "' cannot be used: " + std::string(why)};
}

}  // namespace

struct RegexScratch::Impl {
    pcre2_match_data* data = pcre2_match_data_create(1, nullptr);
    pcre2_match_context* context = pcre2_match_context_create(nullptr);
    pcre2_jit_stack* stack = nullptr;

    Impl() {
        if (!context) return;
        pcre2_set_match_limit(context, kMatchSteps);
        pcre2_set_heap_limit(context, kHeapKib);
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl() {
        pcre2_match_data_free(data);
        pcre2_match_context_free(context);
        pcre2_jit_stack_free(stack);
    }

    // Most patterns live on the machine stack; the few that do not get a larger one, once.
    bool grow() {
        if (stack || !context) return false;
        stack = pcre2_jit_stack_create(32U << 10, kJitStackBytes, nullptr);
        if (stack) pcre2_jit_stack_assign(context, nullptr, stack);
        return stack != nullptr;
    }
};

RegexScratch::RegexScratch() : impl_(std::make_unique<Impl>()) {}
RegexScratch::RegexScratch(RegexScratch&&) noexcept = default;
RegexScratch& RegexScratch::operator=(RegexScratch&&) noexcept = default;
RegexScratch::~RegexScratch() = default;

struct Regex::Impl {
    pcre2_code* code = nullptr;

    explicit Impl(pcre2_code* compiled) : code(compiled) {}
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl() { pcre2_code_free(code); }

    static Result<std::unique_ptr<Impl>> compile(std::string_view pattern, std::string_view shown,
                                                 std::uint32_t options) {
        if (pattern.size() > kPatternBytes) return refused(shown, "it is too long");
        int error = 0;
        PCRE2_SIZE at = 0;
        pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()),
                                         pattern.size(), PCRE2_UTF | options, &error, &at, nullptr);
        if (!code) {
            std::array<PCRE2_UCHAR, 128> text{};
            pcre2_get_error_message(error, text.data(), text.size());
            return refused(shown, reinterpret_cast<const char*>(text.data()));
        }
        // Where there is no JIT, matching interprets: slower, the same result.
        pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
        return std::make_unique<Impl>(code);
    }
};

Regex::Regex(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

Result<Regex> Regex::compile(std::string_view pattern) {
    auto translated = translate_pattern(pattern);
    if (!translated) return refused(pattern, translated.error().what);
    // ^ and $ mean lines in Oniguruma.
    HEFT_TRY(auto impl, Impl::compile(*translated, pattern,
                                      PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C));
    return Regex(std::move(impl));
}

Result<Regex> Regex::literal(std::string_view text) {
    HEFT_TRY(auto impl, Impl::compile(text, text, PCRE2_LITERAL));
    return Regex(std::move(impl));
}

std::optional<RegexMatch> Regex::search(std::string_view text, std::size_t from,
                                        RegexScratch& scratch, bool with_empty) const {
    RegexScratch::Impl& state = scratch.impl();
    if (!state.data) return {};
    while (from < text.size()) {
        const int found =
            pcre2_match(impl_->code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from,
                        PCRE2_NO_UTF_CHECK, state.data, state.context);
        if (found == PCRE2_ERROR_JIT_STACKLIMIT && state.grow()) continue;
        if (found < 0) return {};
        const PCRE2_SIZE* span = pcre2_get_ovector_pointer(state.data);
        const bool counts = span[1] > span[0] || (with_empty && span[1] == span[0]);
        if (counts && span[0] >= from) return RegexMatch{span[0], span[1]};
        // An empty match (or, with \K, one that begins before `from`): look from the next
        // character.
        from = span[1] > from ? span[1] : from + 1;
        while (from < text.size() && (static_cast<unsigned char>(text[from]) & 0xC0) == 0x80)
            ++from;
    }
    return {};
}

}  // namespace heft::text
