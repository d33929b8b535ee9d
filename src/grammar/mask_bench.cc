// mask_bench: masks of a real vocabulary of 100,000 to 200,000 tokens along random valid texts; the
// time of one fill_mask(), by whether the grammar has been used before. HEFT_SHARED: where the
// reference data stands.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <benchmark/benchmark.h>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/mapped_file.h"
#include "base/rng.h"
#include "grammar/matcher.h"
#include "text/tokenizer.h"

namespace heft::grammar {
namespace {

using Json = nlohmann::ordered_json;

std::shared_ptr<const Vocabulary> real_vocabulary() {
    static const std::shared_ptr<const Vocabulary> words = [] {
        const char* shared = std::getenv("HEFT_SHARED");
        const auto path = std::filesystem::path(shared == nullptr ? "../shared" : shared) / "data"
                          / "real" / "tokenizers" / "llama3" / "tokenizer.model";
        const auto file = MappedFile::open(path);
        if (!file) return std::shared_ptr<const Vocabulary>();
        const auto tokenizer = text::Tokenizer::from_model_file(file->bytes(), "");
        if (!tokenizer) return std::shared_ptr<const Vocabulary>();
        return std::make_shared<const Vocabulary>(token_bytes(*tokenizer));
    }();
    return words;
}

Grammar schema(const char* text) {
    return *Grammar::from_json_schema(Json::parse(text));
}

// Long tokens rather than short ones, as a model would have it; the end as soon as it is allowed
// after some tokens.
TokenId pick(const Vocabulary& words, const std::vector<std::uint64_t>& bits, int n, Rng& rng) {
    std::vector<TokenId> allowed;
    TokenId longest = 0;
    for (std::size_t w = 0; w < bits.size(); ++w)
        for (std::uint64_t rest = bits[w]; rest != 0; rest &= rest - 1)
            allowed.push_back(static_cast<TokenId>(w * 64)
                              + static_cast<TokenId>(__builtin_ctzll(rest)));
    for (const TokenId id : allowed)
        if (words.ends_generation(id)) return id;
    const auto any = [&] { return allowed[rng.next() % allowed.size()]; };
    longest = any();
    if (n > 12) {  // texts are to end: what closes a string or a list, where it may come
        for (int tries = 0; tries < 40; ++tries) {
            const TokenId id = any();
            const std::string_view bytes = words.bytes_of(id);
            if (bytes.find_first_of("\"]}") != std::string_view::npos && rng.next() % 4 == 0)
                return id;
        }
    }
    return longest;
}

void masks(benchmark::State& state, const Grammar& grammar) {
    const auto words = real_vocabulary();
    if (words == nullptr) {
        state.SkipWithError("no vocabulary");
        return;
    }
    std::vector<std::uint64_t> bits(words->mask_words());
    std::vector<double> cold, warm;
    while (state.KeepRunning()) {
        const auto constraint = Constraint::make(grammar, words);
        for (std::uint64_t text = 0; text < 60; ++text) {
            Matcher matcher(constraint);
            Rng rng(text);
            for (int n = 0; n < 200 && !matcher.ended(); ++n) {
                const auto start = Clock::now();
                matcher.fill_mask(bits);
                (text < 3 ? cold : warm).push_back(seconds_since(start) * 1e6);
                if (!matcher.accept(pick(*words, bits, n, rng))) break;
            }
        }
    }
    const auto mean = [](const std::vector<double>& all) {
        double sum = 0;
        for (const double one : all) sum += one;
        return all.empty() ? 0 : sum / static_cast<double>(all.size());
    };
    std::vector<double> all = cold;
    all.insert(all.end(), warm.begin(), warm.end());
    std::sort(all.begin(), all.end());
    state.counters["n"] = static_cast<double>(all.size());
    state.counters["median_us"] = all[all.size() / 2];
    state.counters["mean_us"] = mean(all);
    state.counters["p99_us"] = all[all.size() * 99 / 100];
    state.counters["first3_us"] = mean(cold);
    state.counters["later_us"] = mean(warm);
}

void any_json(benchmark::State& state) {
    masks(state, Grammar::any_json_object());
}

void flat_object(benchmark::State& state) {
    masks(state, schema(R"({"type":"object","properties":{"name":{"type":"string"},
        "age":{"type":"integer","minimum":0,"maximum":150},"email":{"type":"string",
        "format":"email"},"tags":{"type":"array","items":{"type":"string"},"maxItems":8}},
        "required":["name","age","email","tags"],"additionalProperties":false})"));
}

void bounded_strings(benchmark::State& state) {
    masks(state, schema(R"({"type":"object","properties":{"title":{"type":"string",
        "minLength":1,"maxLength":80},"body":{"type":"string","maxLength":2000}},
        "required":["title","body"]})"));
}

void recursive(benchmark::State& state) {
    masks(state, schema(R"({"$ref":"#/$defs/n","$defs":{"n":{"type":"object","properties":{
        "tag":{"enum":["div","p","span"]},"text":{"type":"string"},"children":{"type":"array",
        "items":{"$ref":"#/$defs/n"}}},"required":["tag","text","children"]}}})"));
}

void open_object(benchmark::State& state) {
    masks(state, schema(R"({"type":"object","properties":{"kind":{"const":"x"},
        "when":{"type":"string","format":"date-time"}},"required":["kind","when"],
        "additionalProperties":true})"));
}

BENCHMARK(any_json)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(flat_object)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(bounded_strings)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(recursive)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(open_object)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace heft::grammar
