#include <cstdio>

#include <heft/heft.hpp>

int main() {
    auto model = heft::Model::open("tiny");
    if (!model) {
        std::fprintf(stderr, "%s\n", model.error().what.c_str());
        return 1;
    }
    heft::GenerateOptions options;
    options.temperature = 0;
    int pieces = 0;
    options.on_text = [&pieces](std::string_view) { return ++pieces > 0; };
    const heft::Message messages[] = {{"user", "Who are you?"}};
    const auto answer = model->chat(messages, options);
    if (!answer) {
        std::fprintf(stderr, "%s\n", answer.error().what.c_str());
        return 1;
    }
    std::printf("%s\n", answer->text.c_str());

    // A second model's guesses change nothing.
    heft::ModelOptions guessing;
    guessing.speculation = "tiny";
    auto second = heft::Model::open("tiny", guessing);
    if (!second) return 1;
    const auto again = second->chat(messages, options);
    if (!again || again->text != answer->text || again->guesses_right > again->guesses_checked)
        return 1;

    const auto tokens = model->tokenize(answer->text, false);
    const auto logits = model->logits(*tokens);
    const bool whole = *model->detokenize(*tokens) == answer->text && pieces > 1
                       && static_cast<int>(logits->size()) == model->vocabulary_size();
    return whole && !heft::Model::open("no/such/model") ? 0 : 1;
}
