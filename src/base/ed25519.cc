#include "base/ed25519.h"

#include <array>
#include <cstring>
#include <utility>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/mapped_file.h"
#include "base/sha256.h"

namespace heft {

namespace {

using Key = std::shared_ptr<evp_pkey_st>;

constexpr std::size_t kMostPem = 1U << 16;
constexpr std::size_t kKeyBytes = 32, kSignatureBytes = kSignatureDigits / 2;
constexpr const char* kMake = "`openssl genpkey -algorithm ed25519 -out key.pem` makes one";
constexpr const char* kPublic = "`openssl pkey -in key.pem -pubout -out pub.pem` makes one";

Error invalid(const std::filesystem::path& file, const std::string& what) {
    ERR_clear_error();
    return {Code::invalid, file.string() + ": " + what};
}

// Asks nobody for a password.
int no_password(char* /*to*/, int /*size*/, int /*writing*/, void* /*context*/) {
    return -1;
}

unsigned char* raw(std::string& bytes) {
    return reinterpret_cast<unsigned char*>(bytes.data());
}

const unsigned char* raw(Bytes bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

bool is_ed25519(const Key& key) {
    return EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_ED25519;
}

std::string kind_of(const Key& key) {
    const char* name = EVP_PKEY_get0_type_name(key.get());
    return name != nullptr ? name : "unknown";
}

Result<std::string> raw_public(const Key& key) {
    std::string bytes(kKeyBytes, '\0');
    std::size_t size = bytes.size();
    if (EVP_PKEY_get_raw_public_key(key.get(), raw(bytes), &size) != 1 || size != kKeyBytes)
        return Error{Code::internal, "OpenSSL does not give the public key"};
    return hex_of(as_bytes(bytes));
}

// nullptr: none in the text.
Key parsed(const std::string& text, bool is_private) {
    const std::unique_ptr<BIO, int (*)(BIO*)> in(
        BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free);
    if (!in) return nullptr;
    EVP_PKEY* key = is_private ? PEM_read_bio_PrivateKey(in.get(), nullptr, no_password, nullptr)
                               : PEM_read_bio_PUBKEY(in.get(), nullptr, no_password, nullptr);
    return {key, EVP_PKEY_free};
}

// nullptr: not as long as a key.
Key of_raw(std::string_view public_key) {
    const auto bytes = bytes_of_hex(public_key);
    if (!bytes || bytes->size() != kKeyBytes) return nullptr;
    return {EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, raw(as_bytes(*bytes)),
                                        bytes->size()),
            EVP_PKEY_free};
}

bool has(const std::string& text, const char* what) {
    return text.find(what) != std::string::npos;
}

}  // namespace

Result<SigningKey> SigningKey::read(const std::filesystem::path& pem) {
    HEFT_TRY(std::string text, read_text(pem, kMostPem));
    const Key key = parsed(text, true);
    const bool is_encrypted = has(text, "ENCRYPTED");
    const bool is_public = has(text, "BEGIN PUBLIC KEY");
    OPENSSL_cleanse(text.data(), text.size());
    if (!key && is_encrypted)
        return invalid(pem,
                       "is encrypted; give a copy without a password, which `openssl pkey "
                       "-in key.pem -out plain.pem` makes");
    if (!key && is_public) return invalid(pem, "is a public key; signing takes the private one");
    if (!key) return invalid(pem, std::string("has no private key in PEM; ") + kMake);
    if (!is_ed25519(key))
        return invalid(pem, "is a key of kind " + kind_of(key) + "; Ed25519 is needed: " + kMake);
    SigningKey out(key);
    HEFT_TRY(out.public_key_, raw_public(key));
    return out;
}

Result<std::string> SigningKey::sign(Bytes message) const {
    const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                     EVP_MD_CTX_free);
    std::string signature(kSignatureBytes, '\0');
    std::size_t size = signature.size();
    if (!context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) != 1
        || EVP_DigestSign(context.get(), raw(signature), &size, raw(message), message.size()) != 1
        || size != kSignatureBytes)
        return Error{Code::internal, "OpenSSL cannot sign with the key"};
    return hex_of(as_bytes(signature));
}

Result<std::string> read_public_key(const std::filesystem::path& pem) {
    HEFT_TRY(const std::string text, read_text(pem, kMostPem));
    const Key key = parsed(text, false);
    if (!key && has(text, "PRIVATE KEY"))
        return invalid(pem,
                       std::string("is a private key; to check takes the public one: ") + kPublic);
    if (!key) return invalid(pem, std::string("has no public key in PEM; ") + kPublic);
    if (!is_ed25519(key))
        return invalid(pem, "is a key of kind " + kind_of(key) + "; those that heft signs with "
                                                                 "are of Ed25519");
    return raw_public(key);
}

Result<bool> is_signed_by(std::string_view public_key, Bytes message, std::string_view signature) {
    const Key key = of_raw(public_key);
    const auto bytes = bytes_of_hex(signature);
    if (!key || !bytes || bytes->size() != kSignatureBytes) return false;
    const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                     EVP_MD_CTX_free);
    if (!context || EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1)
        return Error{Code::internal, "OpenSSL cannot check signatures of Ed25519"};
    const int found = EVP_DigestVerify(context.get(), raw(as_bytes(*bytes)), bytes->size(),
                                       raw(message), message.size());
    ERR_clear_error();
    return found == 1;
}

Result<std::string> key_fingerprint(std::string_view public_key) {
    const Key key = of_raw(public_key);
    unsigned char* der = nullptr;
    const int size = key ? i2d_PUBKEY(key.get(), &der) : -1;
    if (size <= 0) return Error{Code::invalid, "is no public key of Ed25519"};
    const std::unique_ptr<unsigned char, void (*)(unsigned char*)> held(
        der, [](unsigned char* bytes) { OPENSSL_free(bytes); });
    return sha256({reinterpret_cast<const std::byte*>(der), static_cast<std::size_t>(size)});
}

}  // namespace heft
