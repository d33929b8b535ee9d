// SHA-256 as 64 lower-case hex digits, and hex digits.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

struct evp_md_ctx_st;  // OpenSSL's

namespace heft {

// Of bytes that come one piece after the other.
class Sha256 {
  public:
    Sha256();
    void add(Bytes bytes);
    Result<std::string> hex();  // once, at the end

  private:
    std::unique_ptr<evp_md_ctx_st, void (*)(evp_md_ctx_st*)> context_;
    bool good_ = false;
};

Result<std::string> sha256(Bytes bytes);

// Bytes as lower-case hex digits, and back. Errors: invalid.
std::string hex_of(Bytes bytes);
Result<std::string> bytes_of_hex(std::string_view hex);

// Called now and then with the bytes hashed so far and in all; returning false cancels.
using HashProgress = std::function<bool(std::uint64_t done, std::uint64_t total)>;

// Reads the file in pieces; memory does not depend on its size. Errors: not_found, cancelled.
Result<std::string> sha256_file(const std::filesystem::path& path,
                                const HashProgress& progress = {});

// Of each, in their order; several at once, on as many threads as there are CPUs. `progress` is of
// them all and called from one thread at a time. Errors: as above, of the first that fails.
Result<std::vector<std::string>> sha256_files(const std::vector<std::filesystem::path>& paths,
                                              const HashProgress& progress = {});

}  // namespace heft
