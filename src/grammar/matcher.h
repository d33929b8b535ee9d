// Following a text through a grammar, token by token. A Constraint is a grammar for one vocabulary,
// with what has been found out about both; a Matcher is one text's place in it.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "grammar/grammar.h"
#include "grammar/masks.h"
#include "grammar/vocabulary.h"

namespace heft::grammar {

// Safe to use from many threads; shared by all texts of a grammar, so that masks are made once.
// Memory is bounded: at MaskLimits a new, empty set of masks takes over.
class Constraint {
  public:
    static std::shared_ptr<Constraint> make(Grammar grammar,
                                            std::shared_ptr<const Vocabulary> vocabulary,
                                            MaskLimits limits = {});

    const Grammar& grammar() const { return grammar_; }
    const Vocabulary& vocabulary() const { return *vocabulary_; }
    std::size_t bytes() const;  // about; of what is its own

  private:
    friend class Matcher;
    Constraint(Grammar grammar, std::shared_ptr<const Vocabulary> vocabulary, MaskLimits limits);
    std::shared_ptr<Masks> masks();

    Grammar grammar_;
    std::shared_ptr<const Vocabulary> vocabulary_;  // shared by all grammars of a tokenizer
    MaskLimits limits_;
    mutable std::mutex mutex_;      // guards masks_
    std::shared_ptr<Masks> masks_;  // shared with matchers; replaced when it is full
};

// A value: a copy goes on independently, and keeping one is how to go back. Copies cost two
// reference counts. One thread at a time per matcher.
class Matcher {
  public:
    explicit Matcher(std::shared_ptr<Constraint> constraint);

    // Goes on by one token, or refuses it and stays where it is. An end-of-generation token is
    // accepted where the text can end; then nothing follows.
    bool accept(TokenId id);
    // The same for bytes: all or none.
    bool accept_bytes(std::string_view bytes);

    bool can_end() const { return !ended_ && node_ != nullptr && node_->accepting; }
    // Nothing but the end can follow.
    bool must_end() const;
    bool ended() const { return ended_; }

    // One bit per token of the vocabulary, in words of 64: set where accept() would succeed. `bits`
    // has Vocabulary::mask_words() words, all of which are written. After the end: none.
    void fill_mask(std::span<std::uint64_t> bits);

    // The bytes that must come next whatever the model says; empty where it has a choice.
    std::string forced(std::size_t most = 256);

    const Vocabulary& vocabulary() const { return constraint_->vocabulary(); }

  private:
    void move_on();

    std::shared_ptr<Constraint> constraint_;  // shared by all texts of the grammar
    std::shared_ptr<Masks> masks_;            // owns the node
    const Node* node_ = nullptr;
    bool ended_ = false;
};

}  // namespace heft::grammar
