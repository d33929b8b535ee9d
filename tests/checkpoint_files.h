// Checkpoints that a test changes: all tensors as floats, and the configuration.
#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "format/checkpoint.h"
#include "format/safetensors_writer.h"
#include "temp_folder.h"
#include "tensor/quant/quant.h"

namespace heft::testing {

using Json = nlohmann::ordered_json;

struct Array {
    Shape shape;
    std::vector<float> values;

    std::int64_t rows() const { return shape.front(); }
    std::int64_t cols() const { return static_cast<std::int64_t>(values.size()) / rows(); }
};

struct Files {
    Json config;
    std::map<std::string, Array> tensors;

    int number(const char* key) const { return config.at(key).get<int>(); }

    Array take(const std::string& name) {
        const auto found = tensors.find(name);
        if (found == tensors.end()) {
            ADD_FAILURE() << "no tensor " << name;
            return {{1}, {0}};
        }
        Array array = std::move(found->second);
        tensors.erase(found);
        return array;
    }

    // In every name, `from` becomes `to`.
    void rename(std::string_view from, std::string_view to) {
        std::map<std::string, Array> renamed;
        for (auto& [name, array] : tensors) {
            std::string changed = name;
            if (const auto at = changed.find(from); at != std::string::npos)
                changed.replace(at, from.size(), to);
            renamed.emplace(std::move(changed), std::move(array));
        }
        tensors = std::move(renamed);
    }

    // Of tensors whose names end so, all numbers.
    void scale(std::string_view ending, float factor) {
        for (auto& [name, array] : tensors)
            if (name.ends_with(ending))
                for (float& value : array.values) value *= factor;
    }
};

inline Array rows_of(const Array& array, std::int64_t first, std::int64_t count) {
    Array out{array.shape, {}};
    out.shape.front() = count;
    const auto from = array.values.begin() + first * array.cols();
    out.values.assign(from, from + count * array.cols());
    return out;
}

inline Array stacked(const std::vector<Array>& parts) {
    Array out{parts.front().shape, {}};
    out.shape.front() = 0;
    for (const Array& part : parts) {
        out.shape.front() += part.rows();
        out.values.insert(out.values.end(), part.values.begin(), part.values.end());
    }
    return out;
}

inline Array turned(const Array& array) {
    Array out{{array.shape[1], array.shape[0]}, {}};
    for (std::int64_t c = 0; c < array.cols(); ++c)
        for (std::int64_t r = 0; r < array.rows(); ++r)
            out.values.push_back(array.values[static_cast<std::size_t>(r * array.cols() + c)]);
    return out;
}

// Rows of q, k and v as they come in units, each with its share of all three.
inline Array in_units(const std::vector<Array>& parts, std::int64_t units) {
    std::vector<Array> out;
    for (std::int64_t unit = 0; unit < units; ++unit)
        for (const Array& part : parts)
            out.push_back(rows_of(part, unit * part.rows() / units, part.rows() / units));
    return stacked(out);
}

// The reverse.
inline std::vector<Array> out_of_units(const Array& fused, std::int64_t units) {
    const std::int64_t rows = fused.rows() / units / 3;
    std::vector<std::vector<Array>> parts(3);
    for (std::int64_t i = 0; i < units * 3; ++i)
        parts[static_cast<std::size_t>(i % 3)].push_back(rows_of(fused, i * rows, rows));
    return {stacked(parts[0]), stacked(parts[1]), stacked(parts[2])};
}

// Rows of heads whose halves rotate together, as neighbours.
inline Array neighbours(const Array& array, std::int64_t d_head) {
    std::vector<Array> out;
    for (std::int64_t row = 0; row < array.rows(); ++row) {
        const std::int64_t within = row % d_head;
        out.push_back(rows_of(array, row - within + within / 2 + within % 2 * (d_head / 2), 1));
    }
    return stacked(out);
}

inline Files read_files(const std::filesystem::path& folder) {
    Files files;
    const auto checkpoint = format::Checkpoint::open(folder);
    if (!checkpoint) {
        ADD_FAILURE() << checkpoint.error().what;
        return files;
    }
    files.config = Json::parse(std::ifstream(folder / "config.json"));
    for (const TensorView& view : checkpoint->tensors()) {
        const auto count = std::accumulate(view.shape.begin(), view.shape.end(), std::int64_t{1},
                                           std::multiplies<>());
        Array array{view.shape, std::vector<float>(static_cast<std::size_t>(count))};
        codec(view.type)->dequantise(view.data.data(), count, array.values.data());
        files.tensors.emplace(view.name, std::move(array));
    }
    return files;
}

inline void write_tensors(const std::map<std::string, Array>& tensors,
                          const std::filesystem::path& path) {
    format::SafetensorsWriter writer;
    for (const auto& [name, array] : tensors)
        writer.add({name, DType::f32, array.shape, [&values = array.values](const auto& out) {
                        return out(std::as_bytes(std::span(values)));
                    }});
    const auto written = writer.write(path);
    ASSERT_TRUE(written) << written.error().what;
}

inline void write_files(const Files& files, const TempFolder& folder) {
    folder.write("config.json", files.config.dump());
    write_tensors(files.tensors, folder / "model.safetensors");
}

}  // namespace heft::testing
