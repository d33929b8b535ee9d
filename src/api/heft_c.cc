#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <string>

#include "heft/heft.h"
#include "heft/heft.hpp"

struct heft_model {  // NOLINT(readability-identifier-naming): a C name
    heft::Model model;
};

namespace {

thread_local std::string last_error;

// Nothing that C++ throws may pass into C.
template <class T, class Body>
T guarded(T failed, const Body& body) noexcept {
    try {
        last_error.clear();
        return body();
    } catch (const std::exception& problem) {
        last_error = problem.what();
    } catch (...) {
        last_error = "an unknown problem";
    }
    return failed;
}

char* copy(const std::string& text) {
    char* out = static_cast<char*>(std::malloc(text.size() + 1));
    if (out != nullptr) std::memcpy(out, text.c_str(), text.size() + 1);
    return out;
}

heft::GenerateOptions options_of(const heft_sampling* sampling, heft_on_text on_text, void* user) {
    heft::GenerateOptions options;
    if (sampling != nullptr) {
        options.max_tokens = sampling->max_tokens;
        options.temperature = sampling->temperature;
        options.top_k = sampling->top_k;
        options.top_p = sampling->top_p;
        options.min_p = sampling->min_p;
        options.repeat_penalty = sampling->repeat_penalty;
        options.seed = sampling->seed;
    }
    if (on_text != nullptr)
        options.on_text = [on_text, user](std::string_view text) {
            return on_text(std::string(text).c_str(), user) != 0;
        };
    return options;
}

char* text_of(const heft::Result<heft::Answer>& answer) {
    if (answer) return copy(answer->text);
    last_error = answer.error().what;
    return nullptr;
}

}  // namespace

const char* heft_version(void) {
    return heft::version();
}

const char* heft_last_error(void) {
    return last_error.c_str();
}

heft_model* heft_open(const char* reference, const heft_options* options) {
    return guarded<heft_model*>(nullptr, [&]() -> heft_model* {
        heft::ModelOptions how;
        if (options != nullptr) {
            how.threads = options->threads;
            how.context = options->context;
            how.exact = options->exact != 0;
            how.deterministic = options->deterministic != 0;
            if (options->speculation != nullptr) how.speculation = options->speculation;
        }
        auto model = heft::Model::open(reference, how);
        if (model) return new heft_model{std::move(*model)};
        last_error = model.error().what;
        return nullptr;
    });
}

void heft_close(heft_model* model) {
    delete model;
}

heft_sampling heft_default_sampling(void) {
    const heft::GenerateOptions defaults;
    return {defaults.max_tokens, defaults.temperature,    defaults.top_k, defaults.top_p,
            defaults.min_p,      defaults.repeat_penalty, defaults.seed};
}

int heft_vocabulary_size(const heft_model* model) {
    return model->model.vocabulary_size();
}

int64_t heft_tokenize(const heft_model* model, const char* text, int add_special, int32_t* tokens,
                      size_t room) {
    return guarded<int64_t>(-1, [&]() -> int64_t {
        const auto ids = model->model.tokenize(text, add_special != 0);
        if (!ids) {
            last_error = ids.error().what;
            return -1;
        }
        for (size_t i = 0; i < ids->size() && i < room; ++i) tokens[i] = (*ids)[i];
        return static_cast<int64_t>(ids->size());
    });
}

char* heft_generate(heft_model* model, const char* prompt, const heft_sampling* sampling,
                    heft_on_text on_text, void* user) {
    return guarded<char*>(nullptr, [&] {
        return text_of(
            model->model.generate(std::string_view(prompt), options_of(sampling, on_text, user)));
    });
}

char* heft_ask(heft_model* model, const char* message, const heft_sampling* sampling,
               heft_on_text on_text, void* user) {
    return guarded<char*>(nullptr, [&] {
        const heft::Message messages[] = {{"user", message}};
        return text_of(model->model.chat(messages, options_of(sampling, on_text, user)));
    });
}

void heft_free(char* text) {
    std::free(text);
}

int heft_logits(const heft_model* model, const int32_t* tokens, size_t count, float* logits) {
    return guarded(-1, [&] {
        const auto computed = model->model.logits({tokens, count});
        if (!computed) {
            last_error = computed.error().what;
            return -1;
        }
        std::memcpy(logits, computed->data(), computed->size() * sizeof(float));
        return 0;
    });
}
