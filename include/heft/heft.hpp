// The heft library: open a model, tokenize, generate, look at logits. C++20; link heft::heft.
//
// Errors are values (heft/result.h); nothing here throws. A Model may be moved. It may be used by
// one thread at a time; several Models are independent of each other.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "heft/export.h"
#include "heft/result.h"

namespace heft {

using Token = std::int32_t;

struct ModelOptions {
    int threads = 0;  // 0: every CPU that the process may use
    std::int64_t context =
        0;               // tokens of prompt and answer together; 0: what the model was made for
    bool exact = false;  // compute in float32 throughout, to compare engines; slower
    // The same bits however a prompt is cut into batches; slower.
    bool deterministic = false;
    // Guesses of the next tokens, checked several at once; the text stays the same. "off", "ngram"
    // (from the text itself), or a smaller model with the same tokenizer, named like the model.
    std::string speculation = "off";
};

struct GenerateOptions {
    int max_tokens = -1;       // -1: until the model ends its answer or the context is full
    float temperature = 0.8F;  // 0: always the most probable token
    int top_k = 40;
    float top_p = 0.95F;
    float min_p = 0.05F;
    float repeat_penalty = 1.0F;
    std::int64_t seed = -1;         // -1: random; the answer tells which
    std::vector<std::string> stop;  // texts that end the answer; they are not part of it
    bool truncate = false;          // cut a prompt that is too long, rather than refuse it
    // Called with each new stretch of text, whole UTF-8 characters; returns false to stop.
    std::function<bool(std::string_view text)> on_text;
};

struct Message {
    std::string role;  // "system", "user", "assistant"
    std::string content;
};

struct Answer {
    std::string text;
    std::vector<Token> tokens;
    std::string finish_reason;  // "stop", "length", "cancelled"
    std::uint64_t seed = 0;
    int prompt_tokens = 0;
    double prefill_seconds = 0;
    double decode_seconds = 0;
    int guesses_checked = 0;
    int guesses_right = 0;
    std::vector<std::string> degraded;  // what was cut or replaced, in words; usually empty
};

class HEFT_EXPORT Model {
  public:
    // A folder in Hugging Face layout, a .gguf or .safetensors file, or "tiny", the built-in toy.
    static Result<Model> open(const std::string& reference, const ModelOptions& options = {});

    Model(Model&&) noexcept;
    Model& operator=(Model&&) noexcept;
    ~Model();

    Result<std::vector<Token>> tokenize(std::string_view text, bool add_special = true) const;
    Result<std::string> detokenize(std::span<const Token> tokens) const;

    // Continues a text as it is.
    Result<Answer> generate(std::string_view prompt, const GenerateOptions& options = {});
    // Continues tokens as they are.
    Result<Answer> generate(std::span<const Token> prompt, const GenerateOptions& options = {});
    // Answers the last message, through the model's chat template. What a conversation shares with
    // the one before is not computed again.
    Result<Answer> chat(std::span<const Message> messages, const GenerateOptions& options = {});

    // One number per token of the vocabulary, after the last of `tokens`.
    Result<std::vector<float>> logits(std::span<const Token> tokens) const;

    int vocabulary_size() const;
    std::int64_t context_size() const;

  private:
    struct Impl;
    explicit Model(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

HEFT_EXPORT const char* version();

}  // namespace heft
