// An opened model and conversations with it: what the command line, the library and the server use.
// An Engine is immutable after opening but for its lazily loaded tokenizer and template (guarded);
// it outlives its sessions. Sessions of one engine share its threads: one call at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "arch/arch.h"
#include "base/result.h"
#include "base/threads.h"
#include "format/checkpoint.h"
#include "gen/sampling.h"
#include "gen/speculation.h"
#include "gen/stop.h"
#include "grammar/constraint_cache.h"
#include "model/model.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace heft::engine {

using text::TokenId;

class Engine;

struct OpenOptions {
    int n_threads = 0;  // 0: every CPU that the process may use
    op::Precision precision = op::Precision::fast;
    // Large models: settings that were measured on this machine (engine/tuning.h), at the first
    // opening. They decide which of several exact ways a sum is made, and so its last bits.
    bool tuned = true;
    // Of the cache; empty: what suits the precision (docs/decisions/0009).
    std::optional<DType> cache_keys = {}, cache_values = {};
    bool weights = true;  // false: names and numbers only, for inspecting and tokenizing
    struct Lora {
        std::filesystem::path path;  // a PEFT folder or a GGUF file
        float scale = 1;
        std::string name = {};  // none: applied to everything, all of these together
    };
    // Beside the weights. Requests choose among those that have names, one or none each. They are
    // read and checked also where weights are not.
    std::vector<Lora> lora = {};
    // The same bits for a token whatever is computed beside it: however a prompt is cut, however
    // many sequences there are. Costs speed (docs/cli.md).
    bool deterministic = false;
    const Engine* threads_of = nullptr;  // its threads rather than new ones; it outlives this one
};

class Engine {
  public:
    // `reference`: a folder, a .gguf or .safetensors file, or "tiny", the embedded model.
    static Result<Engine> open(const std::string& reference, const OpenOptions& options = {});
    // Of files that are opened already.
    static Result<Engine> of(format::Checkpoint checkpoint, const OpenOptions& options = {});

    Engine(Engine&&) noexcept;
    Engine& operator=(Engine&&) noexcept;
    ~Engine();

    bool embedded() const;  // whether this is the embedded toy model
    const format::Checkpoint& checkpoint() const;
    // An error when the checkpoint has no model (a vocabulary only) or an unknown one.
    Result<const arch::Config*> config() const;
    const model::Model& model() const;  // only when opened with weights
    // What Request::adapter means: the names of those that can be chosen, the first is number 1.
    const std::vector<std::string>& adapters() const;
    std::uint64_t adapter_bytes() const;  // memory of all adapters
    op::Context& context() const;
    ThreadPool& threads() const;
    // A cache for one sequence, of the types asked for at opening, which cache_types tells.
    Result<kv::Cache> make_cache(std::int64_t n_ctx, std::int64_t expected) const;
    kv::Types cache_types() const;

    // Loaded at first use. The error stays the same on every call.
    Result<const text::Tokenizer*> tokenizer() const;
    // The template's source, and the parsed template. Code::not_found when the model has none.
    Result<std::string> template_source() const;
    Result<const text::ChatTemplate*> chat_template() const;
    // What grammars have to know of the tokenizer, made at first use and shared. `with_marks`: the
    // control tokens that stand in the model's format of replies (text/reply_format.h) count as
    // their spelling; otherwise no control token is ever allowed.
    Result<std::shared_ptr<const grammar::Vocabulary>> vocabulary(bool with_marks = false) const;
    grammar::ConstraintCache& constraints() const;  // of both vocabularies
    // Variables every template sees besides the messages: bos_token, eos_token ….
    Result<nlohmann::ordered_json> template_variables() const;
    // What generation_config.json proposes, over heft's own defaults.
    gen::SamplingOptions sampling_defaults() const;

    struct Impl;

  private:
    explicit Engine(std::unique_ptr<Impl> impl);
    static Result<Engine> make(format::Checkpoint checkpoint, const OpenOptions& options,
                               bool embedded);

    std::unique_ptr<Impl> impl_;
};

// What an answer is held to: no token is drawn that cannot lead to a text of the grammar. Where
// that text ends, so does the answer.
struct Form {
    std::shared_ptr<grammar::Constraint> constraint = {};  // none: any text; of Engine::vocabulary
    // Empty, with no start_trigger: from the first token on. Else from the first of these that
    // comes up, which is part of the constrained text. If the rest of the token in which one ends
    // does not fit, the answer goes on without the grammar and `degraded` says so.
    std::vector<std::string> triggers = {};
    std::string start_trigger = {};  // the same, at the very beginning of the answer alone
    // What stands between these is not looked at: thoughts may speak of a trigger, and may come
    // before the text that is held from the start (if aside_open is one token).
    std::string aside_open = {}, aside_close = {};
    bool in_aside = false;  // the prompt opened one
};

struct Request {
    std::vector<TokenId> prompt;  // the whole conversation so far; what is cached is not repeated
    gen::SamplingOptions sampling;
    gen::SpeculationOptions speculation;  // changes the speed, never the text
    std::vector<std::string> stop;        // stop strings
    Form form = {};
    int adapter = 0;     // of Engine::adapters(), from 1 on; 0: none
    int n_predict = -1;  // tokens to make at most; -1: until the context is full
    bool ignore_eos = false;
    bool truncate = false;  // cut the prompt's front, after its first token, rather than refuse it
    bool decode_text = true;  // false: ids only, for models without a tokenizer
    // Called with each new stretch of text (possibly empty) and the token that made it.
    std::function<void(std::string_view text, TokenId id)> on_token;
    // Called before that with every token as it was chosen, the ending one included.
    std::function<void(const gen::Choice& choice)> on_choice = {};
    const std::atomic<bool>* cancel = nullptr;  // set by another thread or a signal: stop soon
};

// What guessing came to in an answer.
struct Guessed {
    int n_checked = 0;  // guesses that were checked
    int n_right = 0;    // of those, accepted
    int n_passes = 0;   // of the model, for all tokens but the first
};

struct Reply {
    std::string text;
    std::vector<TokenId> ids;          // new ones, the ending token included if there was one
    std::vector<gen::Choice> choices;  // one per id when sampling.logprobs asks for them
    gen::FinishReason finish = gen::FinishReason::length;
    std::uint64_t seed = 0;  // the one that was used
    int n_prompt = 0;        // tokens of the prompt
    int n_cached = 0;        // of those, found in the cache
    double prefill_s = 0;
    double decode_s = 0;
    double sample_s = 0;  // of that, the sampler's part
    double text_s = 0;    // of that, for text: spelling, stop strings, on_token
    Guessed guessed;
    std::vector<std::string> degraded;  // what was cut, approximated or replaced
};

struct SessionOptions {
    std::int64_t n_ctx = 0;         // 0: the model's own
    int n_batch = 512;              // prompt tokens computed at once
    const Engine* draft = nullptr;  // guesses where that is asked for; outlives the session
};

class Session {
  public:
    // A draft model with another vocabulary is Code::invalid.
    static Result<Session> start(const Engine& engine, const SessionOptions& options = {});
    Session(Session&&) noexcept;
    Session& operator=(Session&&) noexcept;
    ~Session();

    // Answers a prompt. A prompt longer than the context is Code::invalid and says by how much; so
    // is asking for the guesses of a draft model that the session does not have.
    Result<Reply> generate(const Request& request);
    std::int64_t n_ctx() const;
    void reset();  // forgets the conversation

    struct Impl;

  private:
    explicit Session(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// Raw logits after the tokens at `positions` (ascending), one row of n_vocab each. `chunks`: how
// many tokens are fed at a time, repeated; empty: all at once.
Result<std::vector<float>> logits(const Engine& engine, std::span<const TokenId> ids,
                                  std::span<const int> positions, std::span<const int> chunks = {});

// A text to compute, and the positions in it (ascending) whose logits are wanted.
struct Passage {
    std::span<const TokenId> ids;
    std::span<const int> positions;
};

// The same of many texts, in the same memory. Not thread-safe.
class TextReader {
  public:
    explicit TextReader(const Engine& engine) : engine_(&engine) {}  // which outlives it

    // Valid until the next call.
    Result<std::span<const float>> logits(Passage text, std::span<const int> chunks = {});
    // Side by side in one pass, which is quicker for short texts: the rows of the first, then those
    // of the second, and so on.
    Result<std::span<const float>> logits(std::span<const Passage> texts);

  private:
    Status make_caches(std::span<const Passage> texts);
    void add_inputs(Passage text, std::int64_t from, std::int64_t to, kv::Cache& cache);

    const Engine* engine_;
    std::vector<kv::Cache> caches_;  // by a text's place; kept for others of its length
    std::vector<model::Input> inputs_;
    PagedVector<float> rows_;
};

// What the last norm gives for every token, one row of d_model each: the text's embeddings before
// pooling.
Result<std::vector<float>> hidden_states(const Engine& engine, std::span<const TokenId> ids,
                                         int adapter = 0);

}  // namespace heft::engine
