#include "serve/api/fields.h"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace heft::serve {

namespace {

std::optional<std::int64_t> parse_id(std::string_view text) {
    std::int64_t id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error != std::errc{} || end != text.data() + text.size()) return {};
    return id;
}

std::optional<Failure> add_bias(const Json& bias, std::optional<std::int64_t> id, Draft& draft) {
    constexpr std::int64_t kMostId = 0x7fffffff;
    if (!id || *id < 0 || *id > kMostId)
        return invalid("logit_bias", "a key of logit_bias is no token id");
    const bool forbids = bias.is_boolean() && !bias.get<bool>();
    if (!bias.is_number() && !forbids)
        return invalid("logit_bias", "a bias has to be a number from -100 to 100");
    const double number = forbids ? -100.0 : bias.get<double>();
    if (!(number >= -100 && number <= 100))
        return invalid("logit_bias", fmt::format("the bias {} of token {} has to be from -100 to "
                                                 "100",
                                                 number, *id));
    // -100 is how the API says "never".
    const float value = number <= -100 ? gen::kImpossible : static_cast<float>(number);
    draft.request.sampling.logit_bias.push_back({static_cast<engine::TokenId>(*id), value});
    return {};
}

bool is_ids(const Json& value) {
    return value.is_array() && !value.empty() && value[0].is_number();
}

std::optional<Failure> add_prompt(const Json& value, const char* name,
                                  std::vector<Prompt>& prompts) {
    if (value.is_string()) {
        prompts.emplace_back(value.get<std::string>());
        return {};
    }
    if (!is_ids(value))
        return invalid(name, fmt::format("{} has to be a text, a list of token ids, or a list of "
                                         "these",
                                         name));
    std::vector<engine::TokenId> ids;
    for (const Json& id : value) {
        if (!id.is_number_integer() || id.get<double>() < 0 || id.get<double>() > 0x7fffffff)
            return invalid(name, fmt::format("{} has something in it that is no token id", name));
        ids.push_back(id.get<engine::TokenId>());
    }
    prompts.emplace_back(std::move(ids));
    return {};
}

std::optional<Failure> add_prompts(const Json& value, const char* name, std::size_t most,
                                   std::vector<Prompt>& prompts) {
    if (!value.is_array() || is_ids(value)) return add_prompt(value, name, prompts);
    if (value.size() > most)
        return invalid(name,
                       fmt::format("{} has {} items; {} are allowed", name, value.size(), most));
    for (const Json& each : value)
        if (auto failure = add_prompt(each, name, prompts)) return failure;
    return {};
}

}  // namespace

std::string indexed(std::string_view name, std::size_t index) {
    return fmt::format("{}[{}]", name, index);
}

std::optional<Failure> take_model(const Json& value, Draft& draft) {
    draft.request.model = draft.embedding.model = value.get<std::string>();
    return {};
}

std::optional<Failure> take_stop(const Json& value, Draft& draft) {
    if (value.is_string()) {
        if (!value.get_ref<const std::string&>().empty())
            draft.request.stop.push_back(value.get<std::string>());
        return {};
    }
    for (const Json& each : value) {
        if (!each.is_string()) return invalid("", "a stop sequence has to be a text");
        draft.request.stop.push_back(each.get<std::string>());
    }
    return {};
}

std::optional<Failure> take_logit_bias(const Json& value, Draft& draft) {
    if (value.size() > kMostBiases)
        return invalid("logit_bias", fmt::format("there are {} biases; {} are allowed",
                                                 value.size(), kMostBiases));
    if (value.is_object()) {
        for (const auto& [key, bias] : value.items())
            if (auto failure = add_bias(bias, parse_id(key), draft)) return failure;
        return {};
    }
    for (const Json& pair : value) {
        if (!pair.is_array() || pair.size() != 2 || !pair[0].is_number_integer())
            return invalid("logit_bias", "a bias in a list has to be [token id, number]");
        if (auto failure = add_bias(pair[1], pair[0].get<std::int64_t>(), draft)) return failure;
    }
    return {};
}

std::optional<Failure> take_prompts(const Json& value, Draft& draft) {
    return add_prompts(value, "prompt", kMostPrompts, draft.request.prompts);
}

std::optional<Failure> take_inputs(const Json& value, Draft& draft) {
    return add_prompts(value, "input", kMostInputs, draft.embedding.inputs);
}

std::optional<std::chrono::seconds> parse_duration(const Json& value) {
    constexpr double kMost = 1e9;  // thirty years
    if (value.is_number()) {
        const auto number = value.get<double>();
        if (!(std::abs(number) <= kMost)) return {};
        return std::chrono::seconds(static_cast<std::int64_t>(number));
    }
    constexpr std::pair<std::string_view, double> kUnits[] = {
        {"ns", 1e-9}, {"us", 1e-6}, {"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3600}};
    std::string_view text = value.get_ref<const std::string&>();
    const bool negative = text.substr(0, 1) == "-";
    if (negative) text.remove_prefix(1);
    double sum = 0;
    if (text.empty()) return {};
    while (!text.empty()) {
        double number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error != std::errc{} || !std::isfinite(number) || number < 0) return {};
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        const std::string_view unit = text.substr(0, text.find_first_of("0123456789."));
        double scale = unit.empty() ? 1 : 0;
        for (const auto& [name, seconds] : kUnits)
            if (unit == name) scale = seconds;
        if (scale <= 0) return {};
        text.remove_prefix(unit.size());
        sum += number * scale;
        if (!(sum <= kMost)) return {};
    }
    return std::chrono::seconds(static_cast<std::int64_t>(negative ? -std::ceil(sum) : sum));
}

std::optional<Failure> take_keep_alive(const Json& value, Draft& draft) {
    const auto parsed = parse_duration(value);
    if (!parsed)
        return invalid("keep_alive", "keep_alive has to be seconds, or a duration such as \"5m\"");
    draft.request.keep_alive = draft.embedding.keep_alive = parsed;
    if (!draft.request.caller.admin)
        draft.degrade("keep_alive: only an administrator says how long a model stays loaded");
    return {};
}

std::optional<Failure> take_template_variables(const Json& value, Draft& draft) {
    draft.request.template_variables = value;
    return {};
}

std::optional<Failure> take_grammar(const Json& value, Draft& draft) {
    draft.request.form.shape = ReplyShape::grammar;
    draft.request.form.source = value.get<std::string>();
    return {};
}

std::optional<Failure> take_stream_options(const Json& value, Draft& draft) {
    for (const auto& [name, option] : value.items()) {
        const std::string& key = name;
        if (key == "include_usage" && option.is_boolean())
            draft.request.stream_usage = option.get<bool>();
        else if (key != "include_obfuscation" && !option.is_null())
            return invalid("stream_options." + key,
                           "stream_options has include_usage, true or false, and nothing else",
                           "unknown_parameter");
    }
    return {};
}

std::optional<Failure> take_effort(const Json& value, Draft& draft) {
    const auto effort = value.get<std::string>();
    for (const char* known : {"none", "minimal", "low", "medium", "high", "xhigh"}) {
        if (effort != known) continue;
        draft.request.think = effort != "none";
        draft.request.template_variables["reasoning_effort"] = effort;
        return {};
    }
    return invalid("", "the effort has to be none, minimal, low, medium, high or xhigh",
                   "invalid_value");
}

}  // namespace heft::serve
