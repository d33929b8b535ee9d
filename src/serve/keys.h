// API keys: who may ask, and how much. A key is 256 random bits, so that its SHA-256 can be kept
// in its place without being guessed; it is compared in constant time. The file is YAML:
//
//   keys:
//     - name: alice
//       sha256: 9f86d0…            # `heft keys add` makes it
//       requests_per_minute: 60    # all of these may be left out: no limit
//       tokens_per_minute: 20000
//       concurrent: 4
//       models: [tiny]
//       priority: 1
//       admin: true                # may unload models and stop the server; else false
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "serve/exchange.h"
#include "serve/failure.h"

namespace heft::serve {

struct Key {
    std::string name;
    std::string sha256;                                     // hex, of the key's text
    double requests_per_minute = 0, tokens_per_minute = 0;  // 0: no limit
    int concurrent = 0;                                     // 0: no limit
    std::vector<std::string> models;                        // none: all
    int priority = 0;
    bool admin = false;  // may unload models and stop the server
};

Result<std::vector<Key>> parse_keys(std::string_view yaml, const std::string& file);
Result<std::vector<Key>> read_keys(const std::filesystem::path& file);
std::string write_keys(const std::vector<Key>& keys);  // the YAML
// In one step, so that a crash leaves the old file or the new one; readable by its owner only.
Status save_keys(const std::filesystem::path& file, const std::vector<Key>& keys);
Result<std::string> make_key();  // "heft-…"
Result<std::string> hash_key(std::string_view key);

// Thread-safe. Time is given, so that tests have their own.
class Keys {
  public:
    // No keys: everybody is "local" and may do everything.
    explicit Keys(std::vector<Key> keys = {});
    void replace(std::vector<Key> keys);  // what was spent so far stays spent
    bool required() const;

    struct Entry {
        Caller caller;
        std::optional<Failure> failure;
        bool has_key = true;  // else no keys are in use
    };
    // Whose key is it? Counts nothing.
    Entry identify(const HttpRequest& request) const;
    // One more request of the caller: an answer refuses it. Otherwise leave() follows.
    std::optional<Failure> enter(const Caller& caller, Clock::time_point now);
    void leave(const Caller& caller);
    std::optional<Failure> permit(const Caller& caller, const std::string& model) const;
    void spend(const std::string& name, std::int64_t tokens, Clock::time_point now);

  private:
    // Fills steadily up to a minute's worth; may be overdrawn, for a request's tokens are known
    // only when it is over.
    struct Bucket {
        double level = 0;
        Clock::time_point filled;
        bool begun = false;
        void fill(double per_minute, Clock::time_point now);
    };
    struct Account {
        Bucket requests, tokens;
        int running = 0;
    };
    const Key* find(const std::string& name) const;

    mutable std::mutex mutex_;
    std::vector<Key> keys_;
    std::map<std::string, Account> accounts_;
};

}  // namespace heft::serve
