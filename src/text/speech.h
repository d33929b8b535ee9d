// What a token says: the bytes that it adds to a text, as the decoder of its file has it. Steps
// work on one token at a time, so that text can be streamed; what concerns the whole text, a space
// at its start or end, is a flag. Immutable; safe to use from many threads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "text/normaliser.h"

namespace heft::text {

struct UnspellBytes {};  // GPT-2's characters to the bytes that they stand for
struct ByteTokens {};    // "<0xAB>" is that byte
struct Unescape {};      // \n, \x1f … of RWKV's GGUF files
struct StripEnds {       // so many of a character from each end
    std::string content;
    int start = 0, stop = 0;
};
struct JoinWords {  // WordPiece: a space before every token that has no prefix
    std::string prefix;
    bool cleanup = false;  // none before punctuation and English contractions
};
struct EndOfWord {  // a suffix that stands for a space
    std::string suffix;
};

using SpeechStep = std::variant<Replace, ReplaceText, UnspellBytes, ByteTokens, Unescape, StripEnds,
                                JoinWords, EndOfWord>;

struct Speech {
    std::vector<SpeechStep> steps;
    bool drops_first_space = false;  // of a text: encoding had put it there
    bool drops_last_space = false;
    bool joins_words = false;  // so that also added tokens have a space before them

    bool unspells_bytes() const;
    // Stops soon after the result has passed `limit` bytes.
    std::string say(std::string_view piece, RegexScratch& scratch, std::size_t limit) const;
};

inline constexpr std::string_view kSpaceMark = "\xE2\x96\x81";  // "▁", SentencePiece's space

Speech speech_of_bytes();  // byte-level BPE
Speech speech_of_marks();  // SentencePiece: "▁" is a space

// Byte of a token spelled "<0xAB>".
std::optional<std::uint8_t> byte_of_token(std::string_view text);

}  // namespace heft::text
