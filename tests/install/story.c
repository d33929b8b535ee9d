#include <heft/heft.h>
#include <stdio.h>

static int count(const char* text, void* user) {
    (void)text;
    ++*(int*)user;
    return 1;
}

int main(void) {
    heft_options how = {0};
    how.speculation = "ngram";
    heft_model* model = heft_open("tiny", &how);
    if (model == NULL) {
        fprintf(stderr, "%s\n", heft_last_error());
        return 1;
    }
    heft_sampling sampling = heft_default_sampling();
    sampling.temperature = 0;
    int pieces = 0;
    char* text = heft_ask(model, "Who are you?", &sampling, count, &pieces);
    int32_t tokens[8];
    const int64_t n = heft_tokenize(model, "a fox", 1, tokens, 8);
    if (text != NULL) printf("%s\n", text);
    const int good = text != NULL && pieces > 1 && n > 1 && heft_open("no/such/model", NULL) == NULL
                     && heft_last_error()[0] != '\0';
    heft_free(text);
    heft_close(model);
    return good ? 0 : 1;
}
