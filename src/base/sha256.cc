#include "base/sha256.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <utility>

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/threads.h"

namespace heft {

namespace {

constexpr std::size_t kPiece = 1U << 20;

Error failed(const std::filesystem::path& path) {
    return {Code::not_found, path.string() + ": " + std::strerror(errno)};
}

Result<std::string> hash(int fd, const std::filesystem::path& path, const HashProgress& progress) {
    struct stat info {};
    if (::fstat(fd, &info) != 0) return failed(path);
    const auto total = static_cast<std::uint64_t>(info.st_size);
    std::vector<std::byte> piece(kPiece);
    Sha256 hasher;
    for (std::uint64_t done = 0;;) {
        const ssize_t got = ::read(fd, piece.data(), piece.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failed(path);
        if (got == 0) return hasher.hex();
        hasher.add({piece.data(), static_cast<std::size_t>(got)});
        done += static_cast<std::uint64_t>(got);
        if (progress && !progress(done, total))
            return Error{Code::cancelled, path.string() + ": hashing was stopped"};
    }
}

int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

}  // namespace

Sha256::Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    good_ = context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1;
}

void Sha256::add(Bytes bytes) {
    good_ = good_ && EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1;
}

Result<std::string> Sha256::hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (!good_ || EVP_DigestFinal_ex(context_.get(), digest.data(), &size) != 1)
        return Error{Code::internal, "OpenSSL cannot compute SHA-256"};
    return hex_of(std::as_bytes(std::span(digest).first(size)));
}

std::string hex_of(Bytes bytes) {
    static constexpr char kHex[] = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const std::byte byte : bytes) {
        text += kHex[std::to_integer<unsigned>(byte) >> 4];
        text += kHex[std::to_integer<unsigned>(byte) & 0xf];
    }
    return text;
}

Result<std::string> bytes_of_hex(std::string_view hex) {
    std::string bytes;
    if (hex.size() % 2 != 0) return Error{Code::invalid, "an odd number of hex digits"};
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        const int high = digit_of(hex[i]), low = digit_of(hex[i + 1]);
        if (high < 0 || low < 0)
            return Error{Code::invalid, "something else than lower-case hex digits"};
        bytes += static_cast<char>(high * 16 + low);
    }
    return bytes;
}

Result<std::string> sha256(Bytes bytes) {
    Sha256 hasher;
    hasher.add(bytes);
    return hasher.hex();
}

Result<std::string> sha256_file(const std::filesystem::path& path, const HashProgress& progress) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return failed(path);
    auto hex = hash(fd, path, progress);
    ::close(fd);
    return hex;
}

Result<std::vector<std::string>> sha256_files(const std::vector<std::filesystem::path>& paths,
                                              const HashProgress& progress) {
    std::uint64_t total = 0;
    std::error_code ignored;
    for (const auto& path : paths) total += std::filesystem::file_size(path, ignored);
    std::vector<Result<std::string>> hashes(paths.size(), std::string());
    std::atomic<std::size_t> next{0};
    std::atomic<bool> failed{false};
    std::mutex mutex;
    std::uint64_t all_done = 0;
    const auto hash_one = [&](std::size_t i) {
        std::uint64_t before = 0;
        hashes[i] = sha256_file(paths[i], [&](std::uint64_t done, std::uint64_t) {
            const std::lock_guard lock(mutex);
            all_done += done - std::exchange(before, done);
            return !failed && (!progress || progress(all_done, total));
        });
        if (!hashes[i]) failed = true;
    };
    ThreadPool pool(static_cast<int>(std::clamp<std::size_t>(paths.size(), 1, 256)));
    pool.run([&](int, int) {
        for (std::size_t i = next++; i < paths.size() && !failed; i = next++) hash_one(i);
    });
    std::vector<std::string> out;
    const Error* stopped = nullptr;
    for (auto& hash : hashes) {
        if (hash) {
            out.push_back(std::move(*hash));
            continue;
        }
        // Where one failed, the others were stopped for it.
        if (stopped == nullptr || stopped->code == Code::cancelled) stopped = &hash.error();
    }
    if (stopped != nullptr) return *stopped;
    return out;
}

}  // namespace heft
