#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "govern/verify/verify.h"
#include "text/chat_template.h"
#include "text/template_source.h"

namespace heft::verify {

namespace {

using Json = nlohmann::ordered_json;

// Published templates stay far below; a short conversation needs no more.
constexpr std::size_t kSourceBytes = 256U << 10;
constexpr text::RenderLimits kLimits{.output_bytes = 1U << 20, .steps = 1'000'000, .depth = 200};

Json ordinary_conversation() {
    return {{"messages", Json::array({{{"role", "user"}, {"content", "Hello"}},
                                      {{"role", "assistant"}, {"content", "Hello to you."}},
                                      {{"role", "user"}, {"content", "Goodbye"}}})},
            {"add_generation_prompt", true},
            {"bos_token", "<s>"},
            {"eos_token", "</s>"}};
}

}  // namespace

void check_template(const format::Checkpoint& checkpoint, Report& report) {
    const auto source = text::template_source(checkpoint);
    if (!source) {
        if (source.error().code != Code::not_found)
            report.add(Severity::problem, "template", {}, source.error().what);
        return;
    }
    if (source->size() > kSourceBytes)
        report.add(Severity::warning, "template", {},
                   fmt::format("{} bytes long, far more than a template needs", source->size()));
    const auto parsed = text::ChatTemplate::parse(*source);
    if (!parsed) {
        report.add(Severity::problem, "template", {}, parsed.error().what);
        return;
    }
    const auto rendered = parsed->render(ordinary_conversation(), kLimits);
    if (rendered) return;
    // A template may refuse a conversation; what runs into a limit or fails does so for everyone.
    const bool refuses = rendered.error().code == Code::invalid;
    report.add(refuses ? Severity::note : Severity::problem, "template", {},
               "an ordinary conversation: " + rendered.error().what);
}

}  // namespace heft::verify
