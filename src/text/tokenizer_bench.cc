// Megabytes per second of encoding and decoding, for vocabularies and a text named by the
// environment: HEFT_BENCH_VOCABS (GGUF files, separated by ':') and HEFT_BENCH_TEXT.
#include <cstdlib>
#include <memory>
#include <string>

#include <benchmark/benchmark.h>

#include "format/gguf.h"
#include "text/tokenizer.h"

namespace heft::text {
namespace {

constexpr std::size_t kTextBytes = 1U << 20;

Result<Tokenizer> open(const std::string& path) {
    HEFT_TRY(const MappedFile file, MappedFile::open(path));
    HEFT_TRY(const format::Gguf gguf, format::parse_gguf(file.bytes()));
    return Tokenizer::from_gguf(gguf.metadata);
}

void encode(benchmark::State& state, const Tokenizer& tokenizer, const std::string& text) {
    const auto ids = tokenizer.encode(text);
    if (const auto back = tokenizer.decode(ids); !back || *back != text)
        return state.SkipWithError("the text does not survive");
    for (auto _ : state) benchmark::DoNotOptimize(tokenizer.encode(text));
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}

void decode(benchmark::State& state, const Tokenizer& tokenizer, const std::string& text) {
    const auto ids = tokenizer.encode(text);
    for (auto _ : state) benchmark::DoNotOptimize(tokenizer.decode(ids));
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}

void add(const std::string& path, const std::shared_ptr<const std::string>& text) {
    auto opened = open(path);
    if (!opened) return;
    const auto tokenizer = std::make_shared<const Tokenizer>(std::move(*opened));
    const std::string name = path.substr(path.rfind('/') + 1);
    benchmark::RegisterBenchmark(("encode/" + name).c_str(), [=](benchmark::State& state) {
        encode(state, *tokenizer, *text);
    });
    benchmark::RegisterBenchmark(("decode/" + name).c_str(), [=](benchmark::State& state) {
        decode(state, *tokenizer, *text);
    });
    benchmark::RegisterBenchmark(("load/" + name).c_str(), [=](benchmark::State& state) {
        for (auto _ : state) benchmark::DoNotOptimize(open(path));
    });
}

int register_all() {
    const char* vocabs = std::getenv("HEFT_BENCH_VOCABS");
    const char* file = std::getenv("HEFT_BENCH_TEXT");
    if (!vocabs || !file) return 0;
    auto read = read_text(file);
    if (!read) return 0;
    const auto text =
        std::make_shared<const std::string>(to_valid_utf8(read->substr(0, kTextBytes)));
    std::string list = std::string(vocabs) + ":";
    for (std::size_t at = 0; at < list.size();) {
        const std::size_t end = list.find(':', at);
        add(list.substr(at, end - at), text);
        at = end + 1;
    }
    return 0;
}

[[maybe_unused]] const int kRegistered = register_all();

}  // namespace
}  // namespace heft::text
