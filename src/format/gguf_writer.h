// Writer of GGUF v3 files. Metadata is held in memory; tensors come from producers, one after the
// other, so that memory stays within what one producer needs. Files appear whole or not at all.
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "format/metadata.h"
#include "format/tensor_hashes.h"
#include "format/tensor_source.h"

namespace heft::format {

template <class T>
constexpr MetaType meta_type_of() {
    static_assert(std::is_arithmetic_v<T> && sizeof(T) <= 8);
    if constexpr (std::is_same_v<T, bool>) return MetaType::boolean;
    if constexpr (std::is_floating_point_v<T>)
        return sizeof(T) == 4 ? MetaType::f32 : MetaType::f64;
    constexpr bool is_signed = std::is_signed_v<T>;
    switch (sizeof(T)) {
        case 1: return is_signed ? MetaType::i8 : MetaType::u8;
        case 2: return is_signed ? MetaType::i16 : MetaType::u16;
        case 4: return is_signed ? MetaType::i32 : MetaType::u32;
        default: return is_signed ? MetaType::i64 : MetaType::u64;
    }
}

// A value as it stands in a file, after its key: its type and its bytes.
std::string encoded(const MetaValue& value);

class GgufWriter {
  public:
    explicit GgufWriter(std::uint32_t alignment = 32) : alignment_(alignment) {}

    // The value's C++ type is its type in the file: set("x", std::uint32_t{1}), set("y", true).
    // Setting a key again replaces it. "general.alignment" and "split.*" are the writer's own and
    // ignored here.
    template <class T>
    void set(std::string_view key, T value) {
        put(key, {meta_type_of<T>(), MetaType::u8, 1, std::as_bytes(std::span(&value, 1))});
    }
    template <class T>
    void set_array(std::string_view key, std::span<const T> items) {
        put(key, {MetaType::array, meta_type_of<T>(), items.size(), std::as_bytes(items)});
    }
    void set_string(std::string_view key, std::string_view value);
    void set_strings(std::string_view key, std::span<const std::string> items);
    void copy(const MetaEntry& entry) { put(entry.key, entry.value); }  // from another file

    void add(TensorSource tensor) { tensors_.push_back(std::move(tensor)); }

    // Errors: invalid (names, shapes, types that GGUF has not), and those of the disk and the
    // producers. May be called again if the producers can.
    Status write(const std::filesystem::path& path, Writing how = Writing::at_once) const;
    // The same, resumably, of a file that says something of itself: the value of a key that is set
    // to a text, of the same length, is found when all else is written, from the file (of several
    // the first one) and the hashes of all tensors.
    using Text = std::function<Result<std::string>(Bytes file, const std::vector<HashedTensor>&)>;
    struct Saying {
        std::string_view key;
        Text text;
        int n_threads = 0;  // that hash
    };
    Status write_with(const std::filesystem::path& path, const Saying& saying) const;
    // Bytes of the tensors, as write() will store them.
    Result<std::uint64_t> tensor_bytes_in_all() const;
    Result<std::vector<std::byte>> to_memory() const;

    // Writes "stem-00001-of-0000N.gguf" …, each with at most max_bytes of tensors (or one tensor),
    // and returns their paths. Each names the whole that it is a part of (kWholeKey).
    Result<std::vector<std::filesystem::path>> write_parts(const std::filesystem::path& stem,
                                                           std::uint64_t max_bytes) const;
    // The same, resumably. All are written before the first of them has its name, and the first
    // part, without which none is a model, is named last: what stood under these names before stays
    // until then, and never opens together with parts of the new.
    Result<std::vector<std::filesystem::path>> write_parts_with(const std::filesystem::path& stem,
                                                                std::uint64_t max_bytes,
                                                                const Saying& saying) const;
    // Their names.
    Result<std::vector<std::filesystem::path>> part_names(const std::filesystem::path& stem,
                                                          std::uint64_t max_bytes) const;

    std::size_t n_tensors() const { return tensors_.size(); }
    std::size_t n_keys() const { return keys_.size(); }

  private:
    struct Key {
        std::string name;
        std::string value;  // type and bytes, as they stand in the file
    };
    struct Part {
        std::size_t begin = 0, end = 0;  // of tensors_
        std::size_t number = 0, count = 1;
        std::string whole = {};           // of several: what tells these from others' parts
        std::filesystem::path file = {};  // of several
    };

    void put(std::string_view key, const MetaValue& value);
    Result<std::vector<std::uint64_t>> check() const;  // bytes of every tensor
    Result<std::vector<Part>> parts(const std::filesystem::path& stem, std::uint64_t max_bytes,
                                    const std::vector<std::uint64_t>& bytes) const;
    std::string header(const Part& part, const std::vector<std::uint64_t>& bytes) const;
    Pieces pieces_of(const Part& part, const std::vector<std::uint64_t>& bytes) const;
    // What gives a file its beginning when all of it is written.
    Finish finish_of(const Saying& saying, const Part& part,
                     const std::vector<std::uint64_t>& bytes, const TensorHashes& hashes) const;
    Status write_all(const std::vector<Part>& parts, const Saying& saying,
                     const std::vector<std::uint64_t>& bytes) const;
    std::vector<Key> part_keys(const Part& part) const;
    Status emit(const Part& part, const std::vector<std::uint64_t>& bytes,
                const ByteSink& out) const;
    Status write_at_once(const std::filesystem::path& path, const Part& part,
                         const std::vector<std::uint64_t>& bytes) const;
    std::uint64_t aligned(std::uint64_t bytes) const;

    std::uint32_t alignment_;
    std::vector<Key> keys_;
    std::vector<TensorSource> tensors_;
};

}  // namespace heft::format
