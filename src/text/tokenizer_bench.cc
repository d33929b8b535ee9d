// Megabytes per second of encoding and decoding. HEFT_BENCH_VOCABS (GGUF, tokenizer.json,
// tekken.json and tokenizer.model files, separated by ':') and HEFT_BENCH_TEXT name what is
// measured; without them it is the embedded model's tokenizer, and a text of its tokens.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>

#include <benchmark/benchmark.h>

#include "base/rng.h"
#include "format/gguf.h"
#include "text/tokenizer.h"

namespace heft::text {
namespace {

constexpr std::size_t kTextBytes = 1U << 20;

// The embedded model's, beside this file in the source tree.
std::string embedded_tokenizer() {
    constexpr std::string_view kHere = "src/text/tokenizer_bench.cc";
    std::string path = __FILE__;
    path.resize(path.size() - std::min(path.size(), kHere.size()));
    return path + "models/tiny/tokenizer.json";
}

Result<Tokenizer> open(const std::string& path) {
    HEFT_TRY(const MappedFile file, MappedFile::open(path));
    if (path.ends_with(".gguf")) {
        HEFT_TRY(const format::Gguf gguf, format::parse_gguf(file.bytes()));
        return Tokenizer::from_gguf(gguf.metadata);
    }
    if (path.ends_with("tekken.json")) return Tokenizer::from_tekken(as_text(file.bytes()));
    if (path.ends_with(".json")) return Tokenizer::from_tokenizer_json(as_text(file.bytes()), "");
    return Tokenizer::from_model_file(file.bytes(), "");
}

// What of the text does not come back, in words; empty if all does.
std::string lost(const Tokenizer& tokenizer, const std::string& text) {
    const auto back = tokenizer.decode(tokenizer.encode(text));
    if (back && *back == text) return {};
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string bytes;
    for (const char c : tokenizer.lacking_bytes()) {
        if (text.find(c) == std::string::npos) continue;
        const auto byte = static_cast<std::uint8_t>(c);
        bytes.append({' ', kHex[byte / 16], kHex[byte % 16]});
    }
    return bytes.empty() ? "text is normalised" : "no token says the bytes" + bytes;
}

void encode(benchmark::State& state, const Tokenizer& tokenizer, const std::string& text) {
    state.SetLabel(lost(tokenizer, text));
    for (auto _ : state) benchmark::DoNotOptimize(tokenizer.encode(text));
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}

void decode(benchmark::State& state, const Tokenizer& tokenizer, const std::string& text) {
    const auto ids = tokenizer.encode(text);
    for (auto _ : state) benchmark::DoNotOptimize(tokenizer.decode(ids));
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}

// Words in the frequency of a falling power, as in any text.
std::string made_text(const Tokenizer& tokenizer) {
    Rng rng(1);
    std::string text;
    while (text.size() < kTextBytes) {
        const std::uint64_t range = 1 + rng.next() % static_cast<std::uint64_t>(tokenizer.size());
        const auto id = static_cast<TokenId>(rng.next() % range);
        if (tokenizer.kind(id) != TokenKind::control) text += tokenizer.bytes_of(id);
    }
    return to_valid_utf8(text);
}

void add(const std::string& path, const std::string& given) {
    auto opened = open(path);
    if (!opened) return;
    const auto tokenizer = std::make_shared<const Tokenizer>(std::move(*opened));
    const auto text =
        std::make_shared<const std::string>(given.empty() ? made_text(*tokenizer) : given);
    const std::size_t folder = path.rfind('/', path.rfind('/') - 1);
    const std::string name = path.substr(folder == std::string::npos ? 0 : folder + 1);
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
    std::string text;
    if (file)
        if (const auto read = read_text(file))
            text = to_valid_utf8(std::string_view(*read).substr(0, kTextBytes));
    std::string list = (vocabs ? std::string(vocabs) : embedded_tokenizer()) + ":";
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
