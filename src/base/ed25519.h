// Signatures by Ed25519 (RFC 8032), with keys in PEM files as `openssl genpkey -algorithm ed25519`
// makes them. Public keys are 64 lower-case hex digits, signatures 128.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"

struct evp_pkey_st;  // OpenSSL's

namespace heft {

inline constexpr std::size_t kSignatureDigits = 128;

class SigningKey {
  public:
    // A private key. Errors: not_found; invalid, saying what it is instead: encrypted, another kind
    // of key, no key.
    static Result<SigningKey> read(const std::filesystem::path& pem);

    const std::string& public_key() const { return public_key_; }
    Result<std::string> sign(Bytes message) const;

  private:
    explicit SigningKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}

    std::shared_ptr<evp_pkey_st> key_;  // shared by copies: nothing changes it
    std::string public_key_;
};

// A public key. Errors: as SigningKey::read().
Result<std::string> read_public_key(const std::filesystem::path& pem);

// Whether the signature is the key's, of this message. Hex digits that are none, or too few: false.
// Errors: internal, where OpenSSL cannot tell.
Result<bool> is_signed_by(std::string_view public_key, Bytes message, std::string_view signature);

// What a key is told apart by: the SHA-256 of it in DER, as `openssl pkey -pubin -in PUB.pem
// -outform DER | sha256sum` has it. Errors: invalid.
Result<std::string> key_fingerprint(std::string_view public_key);

}  // namespace heft
