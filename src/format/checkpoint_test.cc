#include "format/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../../tests/shared_data.h"
#include "../../tests/temp_folder.h"
#include "format/gguf_writer.h"
#include "format/safetensors_writer.h"

namespace heft::format {
namespace {

using heft::testing::TempFolder;
using ::testing::HasSubstr;

TensorSource zeros(const std::string& name, DType type = DType::f32) {
    const auto bytes = static_cast<std::uint64_t>(dtype_info(type).block_bytes);
    const Shape shape = {1, dtype_info(type).block};
    return {name, type, shape, [bytes](const ByteSink& out) { return pad(bytes, out); }};
}

void write_safetensors(const std::filesystem::path& path, const std::vector<std::string>& names,
                       DType type = DType::f32) {
    SafetensorsWriter writer;
    for (const std::string& name : names) writer.add(zeros(name, type));
    ASSERT_TRUE(writer.write(path));
}

void write_gguf(const std::filesystem::path& path, const std::string& tensor) {
    GgufWriter writer;
    writer.set_string("general.architecture", "llama");
    writer.add(zeros(tensor));
    ASSERT_TRUE(writer.write(path));
}

void expect_error(const std::filesystem::path& path, Code code, const std::string& part) {
    const auto model = Checkpoint::open(path);
    ASSERT_FALSE(model) << part;
    EXPECT_EQ(model.error().code, code) << model.error().what;
    EXPECT_THAT(model.error().what, HasSubstr(part));
    EXPECT_THAT(model.error().what, HasSubstr(path.parent_path().string()));
}

TEST(Checkpoint, GgufFileAndFolder) {
    const TempFolder folder;
    write_gguf(folder / "m.gguf", "w");
    for (const auto& path : {folder.path(), folder / "m.gguf"}) {
        const auto model = Checkpoint::open(path);
        ASSERT_TRUE(model) << model.error().what;
        EXPECT_EQ(model->kind(), Kind::gguf);
        EXPECT_EQ(model->name(), path.string());
        EXPECT_EQ(model->files(), std::vector<std::filesystem::path>{folder / "m.gguf"});
        EXPECT_EQ(model->file_bytes(), std::filesystem::file_size(folder / "m.gguf"));
        EXPECT_NE(model->find("w"), nullptr);
        EXPECT_EQ(model->find("v"), nullptr);
        EXPECT_EQ(model->find(""), nullptr);
        EXPECT_FALSE(model->config());
        EXPECT_EQ(model->side_file("m.gguf").error().code, Code::not_found);
    }
    std::filesystem::rename(folder / "m.gguf", folder / "sha256-0123");  // as caches name files
    EXPECT_TRUE(Checkpoint::open(folder / "sha256-0123"));
}

TEST(Checkpoint, SeveralGgufModelsInAFolder) {
    const TempFolder folder;
    write_gguf(folder / "a.gguf", "w");
    write_gguf(folder / "b.gguf", "w");
    expect_error(folder.path(), Code::invalid, "(a.gguf, b.gguf)");
    EXPECT_TRUE(Checkpoint::open(folder / "b.gguf"));
}

TEST(Checkpoint, EmbeddedGguf) {
    GgufWriter writer;
    writer.add(zeros("w"));
    const auto bytes = writer.to_memory();
    auto model = Checkpoint::from_gguf(*bytes, "tiny");
    ASSERT_TRUE(model);
    const Checkpoint moved = std::move(*model);
    EXPECT_EQ(moved.name(), "tiny");
    EXPECT_EQ(moved.file_bytes(), bytes->size());
    ASSERT_NE(moved.find("w"), nullptr);
    EXPECT_THAT(Checkpoint::from_gguf(Bytes(*bytes).first(30), "tiny").error().what,
                ::testing::StartsWith("tiny: "));
}

TEST(Checkpoint, HuggingFaceFolder) {
    const TempFolder folder;
    folder.write("config.json", R"({"model_type":"llama"})");
    folder.write("tokenizer.json", "{}");
    write_safetensors(folder / "model.safetensors", {"b", "a"});
    for (const auto& path : {folder.path(), folder / "model.safetensors"}) {
        const auto model = Checkpoint::open(path);
        ASSERT_TRUE(model) << model.error().what;
        EXPECT_EQ(model->kind(), Kind::huggingface);
        EXPECT_EQ(model->folder(), folder.path());
        EXPECT_NE(model->find("a"), nullptr);
        EXPECT_EQ(json_string(*model->config(), "model_type"), "llama");
        const auto side = model->side_file("tokenizer.json");
        ASSERT_TRUE(side);
        EXPECT_EQ(as_text(side->bytes()), "{}");
        for (const char* absent : {"merges.txt", "../x", "/etc/passwd", "", ".", ".."})
            EXPECT_EQ(model->side_file(absent).error().code, Code::not_found) << absent;
    }
}

TEST(Checkpoint, WhatIsMissingIsNamed) {
    const TempFolder folder;
    expect_error(folder / "absent", Code::not_found, "no such file");
    expect_error(folder.path(), Code::not_found, "holds no model");
    folder.write("pytorch_model.bin", "PK");
    expect_error(folder.path(), Code::not_found, "no config.json");
    expect_error(folder / "pytorch_model.bin", Code::not_found, "no config.json");
    folder.write("config.json", "{}");
    expect_error(folder.path(), Code::corrupt, "pytorch_model.bin");
    std::filesystem::remove(folder / "pytorch_model.bin");
    folder.write("optimizer.pt", "PK");
    expect_error(folder.path(), Code::not_found, "no weights");
    write_safetensors(folder / "other.safetensors", {"a"});
    expect_error(folder.path(), Code::invalid, "other.safetensors");
    EXPECT_TRUE(Checkpoint::open(folder / "other.safetensors"));
    std::filesystem::remove(folder / "config.json");
    expect_error(folder.path(), Code::not_found, "config.json");
    expect_error(folder / "other.safetensors", Code::not_found, "config.json");
    folder.write("note.txt", "hello");
    expect_error(folder / "note.txt", Code::unsupported, "not a model file");
    folder.write("empty.gguf", "");
    expect_error(folder / "empty.gguf", Code::corrupt, "too few");
}

TEST(Checkpoint, Configs) {
    const TempFolder folder;
    write_safetensors(folder / "model.safetensors", {"a"});
    folder.write("config.json", "{");
    expect_error(folder.path(), Code::corrupt, "config.json: not valid JSON");
    folder.write("config.json", "[]");
    expect_error(folder.path(), Code::corrupt, "config.json: is not a JSON object");
}

TEST(Checkpoint, ShardIndexes) {
    const TempFolder folder;
    folder.write("config.json", "{}");
    write_safetensors(folder / "one.safetensors", {"a", "b"});
    write_safetensors(folder / "two.safetensors", {"c"});
    const auto index = [&folder](const std::string& map) {
        folder.write("model.safetensors.index.json", R"({"weight_map":)" + map + "}");
    };
    index(R"({"a":"one.safetensors","c":"two.safetensors","b":"one.safetensors"})");
    for (const auto& path : {folder.path(), folder / "two.safetensors"}) {
        const auto model = Checkpoint::open(path);
        ASSERT_TRUE(model) << model.error().what;
        EXPECT_EQ(model->tensors().size(), 3U);
    }
    index(R"({"a":"one.safetensors","d":"two.safetensors"})");
    expect_error(folder.path(), Code::corrupt, "two.safetensors: lacks tensor 'd'");
    index(R"({"a":"one.safetensors","c":"three.safetensors"})");
    expect_error(folder.path(), Code::not_found, "three.safetensors");
    for (const char* name : {"../one.safetensors", "/etc/passwd", "x/y.safetensors", "..", "",
                             ".hidden.safetensors", "one.bin", "x\\\\y.safetensors"}) {
        index(R"({"a":")" + std::string(name) + R"("})");
        expect_error(folder.path(), Code::corrupt, "model.safetensors.index.json");
    }
    index(R"({"a":"one.safetensors","a":"two.safetensors"})");
    expect_error(folder.path(), Code::corrupt, "'a' occurs twice");
    index(R"({"a":1})");
    expect_error(folder.path(), Code::corrupt, "no file name for tensor 'a'");
    index("{}");
    expect_error(folder.path(), Code::corrupt, "names no tensors");
    index("[]");
    expect_error(folder.path(), Code::corrupt, "no weight_map");
    write_safetensors(folder / "two.safetensors", {"c", "a"});
    index(R"({"a":"one.safetensors","c":"two.safetensors"})");
    expect_error(folder.path(), Code::corrupt, "'a' occurs twice");
}

TEST(Checkpoint, PackingsThatAreNotReadAreNamed) {
    const TempFolder folder;
    write_safetensors(folder / "model.safetensors", {"w.weight"});
    for (const char* method : {"aqlm", "hqq", "eetq", "quanto", "vptq", "higgs", "modelopt"}) {
        folder.write("config.json", R"({"quantization_config":{"quant_method":")"
                                        + std::string(method) + R"("}})");
        expect_error(folder.path(), Code::unsupported, method);
    }
    folder.write("config.json", R"({"quantization_config":{"bits":4}})");
    expect_error(folder.path(), Code::unsupported, "unnamed method");
    folder.write("config.json", R"({"quantization_config":null})");
    EXPECT_TRUE(Checkpoint::open(folder.path()));
}

TEST(Checkpoint, PackedPartsWithoutSettingsAreNamed) {
    const TempFolder folder;
    folder.write("config.json", "{}");
    write_safetensors(folder / "model.safetensors", {"w.qweight"});
    expect_error(folder.path(), Code::unsupported, "'w.qweight'");
}

TEST(Checkpoint, AFolderMayBeInMemory) {
    const std::vector<float> numbers = {1, 2};
    const TensorView view{"w", DType::f32, {1, 2}, std::as_bytes(std::span(numbers))};
    const auto model = Checkpoint::assembled(
        {{"config.json", R"({"model_type":"llama"})"}, {"tokenizer.json", "{}"}, {"empty", ""}},
        {view}, "merged");
    ASSERT_TRUE(model) << model.error().what;
    EXPECT_EQ(model->kind(), Kind::huggingface);
    EXPECT_EQ(json_string(*model->config(), "model_type"), "llama");
    EXPECT_EQ(as_text(model->side_file("tokenizer.json")->bytes()), "{}");
    EXPECT_TRUE(model->side_file("empty")->bytes().empty());
    EXPECT_EQ(model->side_file("none").error().code, Code::not_found);
    EXPECT_TRUE(model->files().empty());
    EXPECT_EQ(model->find("w")->data.data(), view.data.data());
    EXPECT_EQ(Checkpoint::assembled(Checkpoint::Texts{}, {}, "merged").error().code,
              Code::not_found);
    EXPECT_EQ(Checkpoint::assembled(Checkpoint::Texts{{"config.json", "["}}, {}, "m").error().code,
              Code::corrupt);
}

TEST(Checkpoint, ReferenceModelsOpen) {
    const auto golden = heft::testing::shared_data() / "golden";
    HEFT_NEED_SHARED(golden);
    const struct {
        const char* name;
        std::size_t tensors, files;
    } table[] = {
        {"llama2", 30, 1},     {"llama3_tied", 38, 1}, {"deepseek_v3", 139, 2},
        {"falcon_40b", 19, 2}, {"gpt_oss", 71, 1},     {"qwen2", 38, 1},
    };
    for (const auto& row : table) {
        const auto model = Checkpoint::open(golden / row.name);
        ASSERT_TRUE(model) << model.error().what;
        EXPECT_EQ(model->tensors().size(), row.tensors) << row.name;
        EXPECT_EQ(model->files().size(), row.files) << row.name;
    }
}

}  // namespace
}  // namespace heft::format
