#include "eval/base_logits.h"

#include <algorithm>
#include <cmath>

#include "eval/scores.h"

namespace heft::eval {

namespace {

constexpr std::string_view kMagic = "HEFTBASE";
constexpr std::uint32_t kVersion = 1;
constexpr double kExact = -8.317766166719343;  // ln(1/4096)
constexpr double kLowest = -30;  // less than e to this, of any number of ids, is nothing
constexpr int kSteps = 255;
constexpr std::uint32_t kLongestName = 4096;

template <class T>
void append(std::string& to, T value) {
    to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

struct Exact {
    std::uint32_t id;
    float logarithm;
};

// Windows of ids, with the positions that are kept.
std::vector<Window> windows_of(Bytes ids, std::uint32_t n_ctx, std::uint32_t first) {
    const std::size_t window_bytes = std::size_t{n_ctx} * sizeof(std::int32_t);
    std::vector<Window> out(ids.size() / window_bytes);
    for (std::size_t w = 0; w < out.size(); ++w) {
        out[w].ids.resize(n_ctx);
        std::memcpy(out[w].ids.data(), ids.data() + w * window_bytes, window_bytes);
        for (std::uint32_t p = first; p + 1 < n_ctx; ++p)
            out[w].positions.push_back(static_cast<int>(p));
    }
    return out;
}

}  // namespace

bool is_base_logits(Bytes bytes) {
    return as_text(bytes).starts_with(kMagic);
}

std::string base_header(std::string_view model, int n_vocab, std::span<const Window> windows) {
    std::string out(kMagic);
    const bool any = !windows.empty() && !windows.front().positions.empty();
    append(out, kVersion);
    append(out, static_cast<std::uint32_t>(n_vocab));
    append(out, static_cast<std::uint32_t>(any ? windows.front().ids.size() : 0));
    append(out, static_cast<std::uint32_t>(any ? windows.front().positions.front() : 0));
    append(out, static_cast<std::uint32_t>(windows.size()));
    model = model.substr(0, kLongestName);
    append(out, static_cast<std::uint32_t>(model.size()));
    out += model;
    for (const Window& window : windows)
        for (const std::int32_t id : window.ids) append(out, id);
    return out;
}

void append_base_row(std::span<const float> logits, std::int32_t token, std::string& to) {
    std::vector<double> p;
    log_softmax(logits, p);
    double least = kExact;
    double most = kLowest;
    std::vector<Exact> exact;
    for (std::size_t i = 0; i < p.size(); ++i) {
        if (!(p[i] >= kLowest)) p[i] = kLowest;  // also of what is no number
        if (p[i] >= kExact || i == static_cast<std::size_t>(token)) {
            exact.push_back({static_cast<std::uint32_t>(i), static_cast<float>(p[i])});
        } else {
            least = std::min(least, p[i]);
            most = std::max(most, p[i]);
        }
    }
    const double step = most > least ? (most - least) / kSteps : 0;
    append(to, static_cast<float>(least));
    append(to, static_cast<float>(step));
    append(to, static_cast<std::uint32_t>(exact.size()));
    for (const Exact& one : exact) append(to, one);
    const double per_step = step > 0 ? 1 / step : 0;
    for (const double x : p) {
        const double steps = std::clamp(std::round((x - least) * per_step), 0.0, 1.0 * kSteps);
        to += static_cast<char>(static_cast<std::uint8_t>(steps));
    }
}

Result<BaseLogits> BaseLogits::parse(Bytes bytes) {
    if (!is_base_logits(bytes))
        return Error{Code::corrupt, "does not begin as saved logits of a base do"};
    ByteReader in(bytes.subspan(kMagic.size()));
    HEFT_TRY(const auto version, in.take<std::uint32_t>());
    if (version != kVersion)
        return Error{Code::unsupported, "is saved logits of version " + std::to_string(version)
                                            + ", and this is version " + std::to_string(kVersion)};
    HEFT_TRY(const auto n_vocab, in.take<std::uint32_t>());
    HEFT_TRY(const auto n_ctx, in.take<std::uint32_t>());
    HEFT_TRY(const auto first, in.take<std::uint32_t>());
    HEFT_TRY(const auto n_windows, in.take<std::uint32_t>());
    HEFT_TRY(const auto name_length, in.take<std::uint32_t>());
    constexpr std::uint32_t kMost = INT32_MAX;
    if (n_vocab == 0 || n_vocab > kMost || n_ctx > kMost || n_ctx < 2 || first > n_ctx - 2
        || n_windows == 0 || name_length > kLongestName)
        return Error{Code::corrupt, "announces impossible numbers of tokens or windows"};
    HEFT_TRY(const Bytes name, in.take_bytes(name_length));
    HEFT_TRY(const Bytes ids,
             in.take_array(std::uint64_t{n_windows} * n_ctx, sizeof(std::int32_t)));
    for (std::size_t at = 0; at < ids.size(); at += sizeof(std::int32_t)) {
        const auto id = load<std::int32_t>(ids.data() + at);
        if (id < 0 || static_cast<std::uint32_t>(id) >= n_vocab)
            return Error{Code::corrupt,
                         "has token " + std::to_string(id) + ", which its vocabulary has not"};
    }
    // Before windows are made: each of their rows takes n_vocab bytes at least.
    const std::uint64_t n_rows = std::uint64_t{n_windows} * (n_ctx - 1 - first);
    if (n_rows > in.left() / n_vocab)
        return Error{Code::corrupt, "is cut off: it announces " + std::to_string(n_rows)
                                        + " rows of " + std::to_string(n_vocab) + " logits"};
    BaseLogits out(in);
    out.model_ = std::string(as_text(name));
    out.n_vocab_ = static_cast<int>(n_vocab);
    out.windows_ = windows_of(ids, n_ctx, first);
    return out;
}

Status BaseLogits::next(std::vector<float>& row) {
    HEFT_TRY(const auto least, rows_.take<float>());
    HEFT_TRY(const auto step, rows_.take<float>());
    HEFT_TRY(const auto n_exact, rows_.take<std::uint32_t>());
    HEFT_TRY(const Bytes exact, rows_.take_array(n_exact, sizeof(Exact)));
    HEFT_TRY(const Bytes steps, rows_.take_bytes(static_cast<std::uint64_t>(n_vocab_)));
    if (!(least >= 2 * kLowest && least <= 0) || !(step >= 0 && step <= 1))
        return Error{Code::corrupt, "a row of logits has impossible steps"};
    row.resize(steps.size());
    for (std::size_t i = 0; i < row.size(); ++i)
        row[i] = least + step * static_cast<float>(std::to_integer<int>(steps[i]));
    for (std::size_t i = 0; i < n_exact; ++i) {
        const auto one = load<Exact>(exact.data() + i * sizeof(Exact));
        if (one.id >= row.size() || !(one.logarithm >= 2 * kLowest && one.logarithm <= 1))
            return Error{Code::corrupt, "a row of logits has impossible entries"};
        row[one.id] = one.logarithm;
    }
    return {};
}

}  // namespace heft::eval
