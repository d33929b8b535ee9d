#include "merge/chat_templates.h"

#include <algorithm>
#include <vector>

#include "text/template_source.h"

namespace heft::merge {

namespace {

struct Named {
    std::string_view name, source;
};

constexpr Named kTemplates[] = {
    {"chatml",
     "{%- for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + "
     "message['content'] + '<|im_end|>\\n' }}{%- endfor %}{%- if add_generation_prompt %}"
     "{{ '<|im_start|>assistant\\n' }}{%- endif %}"},
    {"llama3",
     "{{ bos_token }}{%- for message in messages %}{{ '<|start_header_id|>' + message['role'] + "
     "'<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}{%- endfor %}"
     "{%- if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}"
     "{%- endif %}"},
    {"mistral",
     "{{ bos_token }}{%- for message in messages %}{%- if message['role'] == 'assistant' %}"
     "{{ ' ' + message['content'] + eos_token }}{%- else %}{{ '[INST] ' + message['content'] + "
     "' [/INST]' }}{%- endif %}{%- endfor %}"},
    {"alpaca",
     "{%- for message in messages %}{%- if message['role'] == 'system' %}{{ message['content'] + "
     "'\\n\\n' }}{%- elif message['role'] == 'user' %}{{ '### Instruction:\\n' + "
     "message['content'] + '\\n\\n' }}{%- else %}{{ '### Response:\\n' + message['content'] + "
     "eos_token + '\\n\\n' }}{%- endif %}{%- endfor %}{%- if add_generation_prompt %}"
     "{{ '### Response:\\n' }}{%- endif %}"},
    {"exaone",
     "{%- for message in messages %}{%- if message['role'] == 'user' %}{{ '[|user|]' + "
     "message['content'] + '\\n' }}{%- else %}{{ '[|' + message['role'] + '|]' + "
     "message['content'] + '[|endofturn|]\\n' }}{%- endif %}{%- endfor %}"
     "{%- if add_generation_prompt %}{{ '[|assistant|]' }}{%- endif %}"},
};

std::vector<std::string> own_templates(const Plan& plan) {
    std::vector<std::string> out;
    for (const Model& model : plan.models) {
        auto source = text::template_source(*model.checkpoint);
        out.push_back(source ? std::move(*source) : std::string());
    }
    return out;
}

}  // namespace

Result<std::optional<std::string>> chosen_template(const Plan& plan) {
    const std::string& chosen = plan.recipe.chat_template;
    if (chosen.empty()) return std::optional<std::string>();
    for (const Named& row : kTemplates)
        if (row.name == chosen) return std::optional(std::string(row.source));
    if (chosen == "auto") {
        const std::vector<std::string> own = own_templates(plan);
        const std::string* most = nullptr;
        std::ptrdiff_t votes = 0;
        for (const std::string& one : own) {
            const std::ptrdiff_t count = std::count(own.begin(), own.end(), one);
            if (one.empty() || count <= votes) continue;
            most = &one;
            votes = count;
        }
        return most == nullptr ? std::optional<std::string>() : std::optional(*most);
    }
    if (chosen.find('{') != std::string::npos) return std::optional(chosen);
    std::string names = "auto";
    for (const Named& row : kTemplates) names += ", " + std::string(row.name);
    return Error{Code::invalid, "chat_template \"" + chosen.substr(0, 60) + "\" is none of " + names
                                    + " and no Jinja"};
}

std::optional<std::string> template_note(const Plan& plan) {
    if (!plan.recipe.chat_template.empty()) return {};
    const std::vector<std::string> own = own_templates(plan);
    for (std::size_t i = 1; i < own.size(); ++i)
        if (own[i] != own.front() && !own[i].empty())
            return "the chat templates of " + plan.models[0].reference + " and "
                   + plan.models[i].reference
                   + " differ: the first is kept; a recipe's chat_template chooses another";
    return {};
}

}  // namespace heft::merge
