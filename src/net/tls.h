// The certificate and key of a server, read again when their files change. TLS 1.2 and 1.3.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>

#include "base/result.h"

namespace boost::asio::ssl {
class context;
}

namespace heft::net {

// Thread-safe.
class Certificate {
  public:
    struct Files {
        std::filesystem::path certificate;  // PEM: the server's first, then what vouches for it
        std::filesystem::path key;          // PEM, without a password
    };

    static Result<std::unique_ptr<Certificate>> load(const Files& files);

    // Connections that there are keep what they began with.
    std::shared_ptr<boost::asio::ssl::context> current() const;
    // After an error the old one stays in use.
    Status reload();
    Status reload_from(const Files& files);
    bool changed() const;  // the files, since they were read last

  private:
    struct Stamp {
        std::filesystem::file_time_type certificate, key;
        bool operator==(const Stamp&) const = default;
    };
    Certificate() = default;
    static Stamp stamp(const Files& files);

    mutable std::mutex mutex_;  // guards what follows
    Files files_;
    Stamp read_;
    std::shared_ptr<boost::asio::ssl::context> current_;
};

struct CertificateFacts {
    std::int64_t seconds_until = 0;  // it is valid; negative: it has begun
    std::int64_t seconds_left = 0;   // negative: it has ended
};
// Of the first certificate of a PEM file.
Result<CertificateFacts> look_at_certificate(const std::filesystem::path& file);

}  // namespace heft::net
