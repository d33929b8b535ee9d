/* The heft library for C, over heft.hpp. All strings are UTF-8 and end with a zero byte. Every
 * function that can fail returns NULL or a negative number and leaves a sentence for
 * heft_last_error(), which is per thread. A model may be used by one thread at a time. */
#ifndef HEFT_HEFT_H
#define HEFT_HEFT_H

#include <stddef.h>
#include <stdint.h>

#include "heft/export.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct heft_model heft_model;

typedef struct heft_options {
    int threads;             /* 0: every CPU that the process may use */
    int64_t context;         /* 0: what the model was made for */
    int exact;               /* not 0: float32 throughout */
    int deterministic;       /* not 0: the same bits however a prompt is cut; slower */
    const char* speculation; /* "off" (also NULL), "ngram", or the name of a smaller model */
} heft_options;

typedef struct heft_sampling {
    int max_tokens; /* -1: until the model ends its answer */
    float temperature;
    int top_k;
    float top_p;
    float min_p;
    float repeat_penalty;
    int64_t seed; /* -1: random */
} heft_sampling;

/* Called with each new stretch of text; returns 0 to stop, anything else to go on. */
typedef int (*heft_on_text)(const char* text, void* user);

HEFT_EXPORT const char* heft_version(void);
HEFT_EXPORT const char* heft_last_error(void);

/* `options` may be NULL. Free with heft_close. */
HEFT_EXPORT heft_model* heft_open(const char* reference, const heft_options* options);
HEFT_EXPORT void heft_close(heft_model* model);

HEFT_EXPORT heft_sampling heft_default_sampling(void);
HEFT_EXPORT int heft_vocabulary_size(const heft_model* model);

/* Writes at most `room` ids to `tokens` and returns how many there are in all. */
HEFT_EXPORT int64_t heft_tokenize(const heft_model* model, const char* text, int add_special,
                                  int32_t* tokens, size_t room);

/* The new text, to be freed with heft_free. `sampling`, `on_text` and `user` may be NULL. */
HEFT_EXPORT char* heft_generate(heft_model* model, const char* prompt,
                                const heft_sampling* sampling, heft_on_text on_text, void* user);
/* One message of a user, answered through the model's chat template. */
HEFT_EXPORT char* heft_ask(heft_model* model, const char* message, const heft_sampling* sampling,
                           heft_on_text on_text, void* user);
HEFT_EXPORT void heft_free(char* text);

/* Logits after the last token, heft_vocabulary_size() numbers; 0, or -1 on an error. */
HEFT_EXPORT int heft_logits(const heft_model* model, const int32_t* tokens, size_t count,
                            float* logits);

#ifdef __cplusplus
}
#endif

#endif
