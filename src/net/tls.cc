#include "net/tls.h"

#include <string>

#include <boost/asio/ssl/context.hpp>
#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

namespace heft::net {

namespace ssl = boost::asio::ssl;

namespace {

using ErrorCode = boost::system::error_code;

Error unusable(const std::filesystem::path& file, const std::string& why) {
    return {Code::invalid, fmt::format("{}: cannot be used for TLS: {}", file.string(), why)};
}

Result<std::shared_ptr<ssl::context>> make_context(const Certificate::Files& files) {
    for (const auto& file : {files.certificate, files.key}) {
        std::error_code ignored;
        if (!std::filesystem::exists(file, ignored))
            return Error{Code::not_found, fmt::format("{}: no such file", file.string())};
    }
    auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
    ErrorCode error;
    context->set_options(ssl::context::default_workarounds | ssl::context::no_sslv2
                             | ssl::context::no_sslv3 | ssl::context::no_tlsv1
                             | ssl::context::no_tlsv1_1 | ssl::context::single_dh_use,
                         error);
    SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
    // A server that stops to ask for a password on a terminal does not start.
    context->set_password_callback(
        [](std::size_t, ssl::context::password_purpose) { return std::string(); }, error);
    context->use_certificate_chain_file(files.certificate.string(), error);
    if (error) return unusable(files.certificate, error.message());
    context->use_private_key_file(files.key.string(), ssl::context::pem, error);
    if (error) return unusable(files.key, error.message());
    if (SSL_CTX_check_private_key(context->native_handle()) != 1)
        return unusable(files.key, "it does not belong to " + files.certificate.string());
    return context;
}

}  // namespace

Result<std::unique_ptr<Certificate>> Certificate::load(const Files& files) {
    std::unique_ptr<Certificate> certificate(new Certificate());
    HEFT_OK(certificate->reload_from(files));
    return certificate;
}

std::shared_ptr<ssl::context> Certificate::current() const {
    const std::lock_guard lock(mutex_);
    return current_;
}

Certificate::Stamp Certificate::stamp(const Files& files) {
    std::error_code ignored;
    Stamp stamp;
    stamp.certificate = std::filesystem::last_write_time(files.certificate, ignored);
    stamp.key = std::filesystem::last_write_time(files.key, ignored);
    return stamp;
}

Status Certificate::reload() {
    Files files;
    {
        const std::lock_guard lock(mutex_);
        files = files_;
    }
    const Stamp now = stamp(files);  // before reading: what is written meanwhile is read again
    auto made = make_context(files);
    const std::lock_guard lock(mutex_);
    read_ = now;
    if (!made) return made.error();
    current_ = std::move(*made);
    return {};
}

Status Certificate::reload_from(const Files& files) {
    const Stamp now = stamp(files);
    HEFT_TRY(std::shared_ptr<ssl::context> made, make_context(files));
    const std::lock_guard lock(mutex_);
    files_ = files;
    read_ = now;
    current_ = std::move(made);
    return {};
}

bool Certificate::changed() const {
    const std::lock_guard lock(mutex_);
    return stamp(files_) != read_;
}

Result<CertificateFacts> look_at_certificate(const std::filesystem::path& file) {
    using Bio = std::unique_ptr<BIO, decltype(&::BIO_free)>;
    using X509Pointer = std::unique_ptr<X509, decltype(&::X509_free)>;
    const Bio bio(::BIO_new_file(file.c_str(), "r"), ::BIO_free);
    if (!bio) return Error{Code::not_found, fmt::format("{}: cannot be read", file.string())};
    const X509Pointer certificate(::PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr),
                                  ::X509_free);
    if (!certificate) return unusable(file, "it is no certificate in PEM");
    constexpr std::int64_t kDay = 86'400;
    // From now; ASN1_TIME_diff counts from the first time, and nullptr is now.
    const auto seconds_to = [](const ASN1_TIME* time) {
        int days = 0, seconds = 0;
        ::ASN1_TIME_diff(&days, &seconds, nullptr, time);
        return days * kDay + seconds;
    };
    return CertificateFacts{seconds_to(::X509_get0_notBefore(certificate.get())),
                            seconds_to(::X509_get0_notAfter(certificate.get()))};
}

}  // namespace heft::net
