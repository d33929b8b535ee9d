#include "serve/keys.h"

#include <algorithm>

#include <fmt/format.h>
#include <openssl/crypto.h>

#include "base/bytes.h"
#include "base/sha256.h"

namespace heft::serve {

namespace {

constexpr double kSecondsPerMinute = 60;

std::string presented(const HttpRequest& request) {
    constexpr std::string_view kBearer = "bearer ";
    if (const auto found = request.headers.find("authorization"); found != request.headers.end()) {
        const std::string& value = found->second;
        const bool is_bearer =
            value.size() > kBearer.size()
            && std::equal(kBearer.begin(), kBearer.end(), value.begin(), [](char a, char b) {
                   return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b - 'A' + 'a') : b);
               });
        if (is_bearer) {
            std::string key = value.substr(kBearer.size());
            return key.substr(std::min(key.find_first_not_of(' '), key.size()));
        }
    }
    const auto found = request.headers.find("x-api-key");
    return found == request.headers.end() ? std::string() : found->second;
}

Failure refusal(FailureKind kind, std::string message, std::string code, double retry_after = -1) {
    Failure failure;
    failure.kind = kind;
    failure.message = std::move(message);
    failure.code = std::move(code);
    failure.retry_after_s = retry_after;
    return failure;
}

}  // namespace

Result<std::string> hash_key(std::string_view key) {
    return sha256(Bytes(reinterpret_cast<const std::byte*>(key.data()), key.size()));
}

Keys::Keys(std::vector<Key> keys) : keys_(std::move(keys)) {}

void Keys::replace(std::vector<Key> keys) {
    const std::lock_guard lock(mutex_);
    keys_ = std::move(keys);
}

bool Keys::required() const {
    const std::lock_guard lock(mutex_);
    return !keys_.empty();
}

const Key* Keys::find(const std::string& name) const {
    const auto found =
        std::find_if(keys_.begin(), keys_.end(), [&](const Key& key) { return key.name == name; });
    return found == keys_.end() ? nullptr : &*found;
}

Keys::Entry Keys::identify(const HttpRequest& request) const {
    const std::lock_guard lock(mutex_);
    if (keys_.empty()) return {{"local", 0}, {}, false};
    const std::string key = presented(request);
    if (key.empty())
        return {{},
                refusal(FailureKind::unauthorized,
                        "This server needs an API key: send it as \"Authorization: Bearer KEY\" or "
                        "\"x-api-key: KEY\".",
                        "missing_api_key")};
    const auto hash = hash_key(key);
    const Key* found = nullptr;
    // All of them, always: the time taken says nothing of which one was close.
    for (const Key& one : keys_)
        if (hash && one.sha256.size() == hash->size()
            && CRYPTO_memcmp(one.sha256.data(), hash->data(), hash->size()) == 0)
            found = &one;
    if (found == nullptr)
        return {{},
                refusal(FailureKind::unauthorized, "This API key is not known here.",
                        "invalid_api_key")};
    return {{found->name, found->priority, found->admin}, {}};
}

void Keys::Bucket::fill(double per_minute, Clock::time_point now) {
    if (!begun) {
        begun = true;
        level = per_minute;
    } else {
        const double passed = std::chrono::duration<double>(now - filled).count();
        level = std::min(per_minute, level + per_minute * passed / kSecondsPerMinute);
    }
    filled = now;
}

std::optional<Failure> Keys::enter(const Caller& caller, Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    Account& account = accounts_[caller.name];
    const Key* key = find(caller.name);
    if (key == nullptr) {
        ++account.running;
        return std::nullopt;
    }
    if (key->concurrent > 0 && account.running >= key->concurrent)
        return refusal(FailureKind::rate_limited,
                       fmt::format("This API key may have {} requests at a time; wait for one to "
                                   "end.",
                                   key->concurrent),
                       "concurrency_limit_exceeded", 1);
    account.requests.fill(key->requests_per_minute, now);
    account.tokens.fill(key->tokens_per_minute, now);
    const auto wait = [](double missing, double per_minute) {
        return missing / per_minute * kSecondsPerMinute;
    };
    if (key->requests_per_minute > 0 && account.requests.level < 1)
        return refusal(
            FailureKind::rate_limited,
            fmt::format("This API key may make {} requests a minute.", key->requests_per_minute),
            "rate_limit_exceeded", wait(1 - account.requests.level, key->requests_per_minute));
    if (key->tokens_per_minute > 0 && account.tokens.level <= 0)
        return refusal(
            FailureKind::rate_limited,
            fmt::format("This API key may use {} tokens a minute.", key->tokens_per_minute),
            "token_limit_exceeded", wait(1 - account.tokens.level, key->tokens_per_minute));
    if (key->requests_per_minute > 0) account.requests.level -= 1;
    ++account.running;
    return std::nullopt;
}

void Keys::leave(const Caller& caller) {
    const std::lock_guard lock(mutex_);
    --accounts_[caller.name].running;
}

std::optional<Failure> Keys::permit(const Caller& caller, const std::string& model) const {
    const std::lock_guard lock(mutex_);
    const Key* key = find(caller.name);
    if (key == nullptr || key->models.empty()) return std::nullopt;
    if (std::find(key->models.begin(), key->models.end(), model) != key->models.end())
        return std::nullopt;
    return refusal(FailureKind::forbidden,
                   fmt::format("This API key may not use the model \"{}\".", model),
                   "model_not_allowed");
}

void Keys::spend(const std::string& name, std::int64_t tokens, Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    const Key* key = find(name);
    if (key == nullptr || key->tokens_per_minute <= 0) return;
    Bucket& bucket = accounts_[name].tokens;
    bucket.fill(key->tokens_per_minute, now);
    bucket.level -= static_cast<double>(tokens);
}

}  // namespace heft::serve
