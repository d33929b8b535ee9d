// GGUF metadata built in memory, for tests.
#pragma once

#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "format/metadata.h"
#include "text/tokenizer.h"

namespace heft::text::testing {

class TestMetadata {
  public:
    void text(std::string_view key, std::string_view value) {
        add(key, format::MetaType::string, std::string(value));
    }
    void flag(std::string_view key, bool value) {
        add(key, format::MetaType::boolean, std::string(1, value ? '\1' : '\0'));
    }
    void integer(std::string_view key, std::uint32_t value) {
        add(key, format::MetaType::u32, bytes_of(value));
    }
    void texts(std::string_view key, const std::vector<std::string>& values) {
        std::string data;
        for (const auto& value : values)
            data.append(bytes_of(std::uint64_t{value.size()})).append(value);
        add_array(key, format::MetaType::string, values.size(), std::move(data));
    }
    void floats(std::string_view key, const std::vector<float>& values) {
        std::string data;
        for (const float value : values) data += bytes_of(value);
        add_array(key, format::MetaType::f32, values.size(), std::move(data));
    }
    void integers(std::string_view key, const std::vector<std::int32_t>& values) {
        std::string data;
        for (const auto value : values) data += bytes_of(value);
        add_array(key, format::MetaType::i32, values.size(), std::move(data));
    }

    // As a GGUF writer would store it.
    void vocabulary(const Vocabulary& vocabulary) {
        text("tokenizer.ggml.model", vocabulary.model);
        if (!vocabulary.pre.empty()) text("tokenizer.ggml.pre", vocabulary.pre);
        texts("tokenizer.ggml.tokens", vocabulary.tokens);
        if (!vocabulary.scores.empty()) floats("tokenizer.ggml.scores", vocabulary.scores);
        if (!vocabulary.merges.empty()) texts("tokenizer.ggml.merges", vocabulary.merges);
        std::vector<std::int32_t> types;
        for (const TokenKind kind : vocabulary.kinds) types.push_back(static_cast<int>(kind) + 1);
        integers("tokenizer.ggml.token_type", types);
        if (vocabulary.model == "llama" || vocabulary.model == "t5")
            flag("tokenizer.ggml.add_space_prefix", vocabulary.add_space_prefix);
        if (vocabulary.model == "t5")
            flag("tokenizer.ggml.remove_extra_whitespaces", vocabulary.remove_extra_whitespaces);
        if (!vocabulary.precompiled_charsmap.empty())
            add_array("tokenizer.ggml.precompiled_charsmap", format::MetaType::u8,
                      vocabulary.precompiled_charsmap.size(), vocabulary.precompiled_charsmap);
    }

    const format::Metadata& get() const { return metadata_; }

  private:
    template <class T>
    static std::string bytes_of(const T& value) {
        std::string out(sizeof value, '\0');
        std::memcpy(out.data(), &value, sizeof value);
        return out;
    }
    std::string_view keep(std::string text) { return kept_.emplace_back(std::move(text)); }

    void add(std::string_view key, format::MetaType type, std::string data) {
        format::MetaValue value;
        value.type = type;
        value.data = as_bytes(keep(std::move(data)));
        metadata_.add(keep(std::string(key)), value);
    }
    void add_array(std::string_view key, format::MetaType item, std::size_t count,
                   std::string data) {
        format::MetaValue value;
        value.type = format::MetaType::array;
        value.item_type = item;
        value.count = count;
        value.data = as_bytes(keep(std::move(data)));
        metadata_.add(keep(std::string(key)), value);
    }

    std::deque<std::string> kept_;
    format::Metadata metadata_;
};

}  // namespace heft::text::testing
