#include "net/client.h"

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <fmt/format.h>
#include <poll.h>
#include <sys/un.h>

namespace heft::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace ssl = asio::ssl;

namespace {

using ErrorCode = boost::system::error_code;
using Plain = beast::basic_stream<asio::generic::stream_protocol>;
using Secure = beast::ssl_stream<Plain>;
using Endpoint = asio::generic::stream_protocol::endpoint;
using Parser = http::response_parser<http::buffer_body>;

constexpr std::chrono::milliseconds kLook{50};  // at whether the user has had enough
constexpr std::size_t kPieceBytes = 16U << 10;

std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

bool is_interim(const Parser& parser) {
    return parser.get().result_int() / 100 == 1;
}

}  // namespace

struct Client::Impl {
    const Url url;
    const ClientOptions options;
    asio::io_context context{1};
    std::optional<ssl::context> tls;
    std::unique_ptr<Plain> plain;    // one of the two, while connected
    std::unique_ptr<Secure> secure;  // refers to `tls`
    beast::flat_buffer buffer;

    Impl(Url u, ClientOptions o) : url(std::move(u)), options(std::move(o)) {}

    bool cancelled() const { return options.cancel != nullptr && *options.cancel; }
    Plain& lowest() { return secure ? secure->next_layer() : *plain; }
    void disconnect() {
        secure.reset();
        plain.reset();
        buffer.clear();
    }

    template <class Start>
    ErrorCode wait(std::chrono::milliseconds time, Start start);
    Error explain(const ErrorCode& error, std::string_view doing) const;
    Status prepare_tls();
    Result<std::vector<Endpoint>> endpoints();
    Status connect();
    Status shake_hands();
    bool is_stale();

    template <class Stream>
    Result<ClientAnswer> exchange(Stream& stream, const ClientRequest& request,
                                  const std::function<bool(std::string_view)>& on_piece);
    template <class Stream>
    Status read_head(Stream& stream, std::optional<Parser>& parser, bool no_body);
    template <class Stream>
    Status read_body(Stream& stream, Parser& parser,
                     const std::function<bool(std::string_view)>& on_piece, ClientAnswer& answer);
};

// Runs one operation on the connection to its end.
template <class Start>
ErrorCode Client::Impl::wait(std::chrono::milliseconds time, Start start) {
    std::optional<ErrorCode> outcome;
    lowest().expires_after(time);
    start([&outcome](const ErrorCode& error, auto&&... /*more*/) { outcome = error; });
    context.restart();
    while (!outcome) {
        if (context.run_one_for(kLook) == 0 && context.stopped()) context.restart();
        if (!outcome && cancelled()) lowest().close();
    }
    return *outcome;
}

Error Client::Impl::explain(const ErrorCode& error, std::string_view doing) const {
    const std::string where = to_string(url);
    if (cancelled()) return {Code::cancelled, ""};
    if (error == beast::error::timeout)
        return {Code::exhausted, fmt::format("{} took too long to {}", where, doing)};
    if (error == http::error::partial_message || error == asio::error::connection_reset
        || error == http::error::end_of_stream)
        return {Code::corrupt,
                fmt::format("{} closed the connection before its answer was complete", where)};
    if (error.category() == http::make_error_code(http::error::bad_version).category())
        return {Code::corrupt, fmt::format("{} sends no HTTP: {}", where, error.message())};
    return {Code::not_found,
            fmt::format("{} cannot be reached: {}; is the server running, and is that its address?",
                        where, error.message())};
}

Status Client::Impl::prepare_tls() {
    if (!url.tls || tls) return {};
    tls.emplace(ssl::context::tls_client);
    SSL_CTX_set_min_proto_version(tls->native_handle(), TLS1_2_VERSION);
    ErrorCode error;
    tls->set_verify_mode(options.verify ? ssl::verify_peer : ssl::verify_none, error);
    if (options.authorities.empty())
        tls->set_default_verify_paths(error);
    else
        tls->load_verify_file(options.authorities.string(), error);
    if (!error) return {};
    tls.reset();
    return Error{Code::not_found, fmt::format("{}: no certificates of authorities are in it: {}",
                                              options.authorities.string(), error.message())};
}

Result<std::vector<Endpoint>> Client::Impl::endpoints() {
    std::vector<Endpoint> all;
    if (!url.socket.empty()) {
        if (url.socket.size() >= sizeof(sockaddr_un::sun_path))
            return Error{Code::invalid, url.socket + ": too long for the path of a socket"};
        all.emplace_back(asio::local::stream_protocol::endpoint(url.socket));
        return all;
    }
    ErrorCode error;
    asio::ip::tcp::resolver resolver(context);
    for (const auto& found : resolver.resolve(url.host, std::to_string(url.port), error))
        all.emplace_back(found.endpoint());
    if (error)
        return Error{Code::not_found,
                     fmt::format("{}: no such host: {}", url.host, error.message())};
    return all;
}

Status Client::Impl::connect() {
    HEFT_OK(prepare_tls());
    HEFT_TRY(const std::vector<Endpoint> all, endpoints());
    ErrorCode error = asio::error::host_not_found;
    for (const Endpoint& endpoint : all) {
        disconnect();
        plain = std::make_unique<Plain>(context);
        error = wait(options.connect_time,
                     [&](auto done) { plain->async_connect(endpoint, std::move(done)); });
        if (!error) break;
    }
    if (error) {
        disconnect();
        return explain(error, "be reached");
    }
    return url.tls ? shake_hands() : Status{};
}

Status Client::Impl::shake_hands() {
    secure = std::make_unique<Secure>(std::move(*plain), *tls);
    plain.reset();
    SSL_set_tlsext_host_name(secure->native_handle(), url.host.c_str());
    ErrorCode error;
    if (options.verify) secure->set_verify_callback(ssl::host_name_verification(url.host), error);
    error = wait(options.connect_time, [&](auto done) {
        secure->async_handshake(ssl::stream_base::client, std::move(done));
    });
    if (!error) return {};
    const long verdict = SSL_get_verify_result(secure->native_handle());
    disconnect();
    if (verdict != X509_V_OK
        || error.message().find("certificate verify failed") != std::string::npos)
        return Error{Code::invalid,
                     fmt::format("{}: its certificate is not trusted: {}", to_string(url),
                                 verdict != X509_V_OK ? X509_verify_cert_error_string(verdict)
                                                      : "it is not for this name")};
    return explain(error, "begin TLS");
}

// The server has closed a kept connection, or said something that nobody asked for.
bool Client::Impl::is_stale() {
    pollfd look{lowest().socket().native_handle(), POLLIN, 0};
    return ::poll(&look, 1, 0) != 0;
}

template <class Stream>
Status Client::Impl::read_head(Stream& stream, std::optional<Parser>& parser, bool no_body) {
    do {
        parser.emplace();
        parser->header_limit(static_cast<std::uint32_t>(options.head_bytes));
        parser->body_limit(boost::none);
        parser->skip(no_body);
        const ErrorCode error = wait(options.silence, [&](auto done) {
            http::async_read_header(stream, buffer, *parser, std::move(done));
        });
        if (error) return explain(error, "answer");
    } while (is_interim(*parser));
    return {};
}

template <class Stream>
Status Client::Impl::read_body(Stream& stream, Parser& parser,
                               const std::function<bool(std::string_view)>& on_piece,
                               ClientAnswer& answer) {
    std::vector<char> piece(kPieceBytes);
    while (!parser.is_done()) {
        auto& body = parser.get().body();
        body.data = piece.data();
        body.size = piece.size();
        const ErrorCode error = wait(options.silence, [&](auto done) {
            http::async_read_some(stream, buffer, parser, std::move(done));
        });
        const std::string_view got(piece.data(), piece.size() - body.size);
        if (!got.empty() && on_piece && !on_piece(got)) {
            answer.cut_short = true;
            return {};
        }
        if (!on_piece) {
            if (got.size() > options.body_bytes - answer.body.size())
                return Error{Code::exhausted, fmt::format("{} answers with more than {} bytes",
                                                          to_string(url), options.body_bytes)};
            answer.body += got;
        }
        if (error && error != http::error::need_buffer) return explain(error, "send its answer");
    }
    return {};
}

template <class Stream>
Result<ClientAnswer> Client::Impl::exchange(Stream& stream, const ClientRequest& request,
                                            const std::function<bool(std::string_view)>& on_piece) {
    http::request<http::string_body> message;
    message.method_string(request.method);
    message.target(url.base + request.target);
    message.version(11);
    message.set(http::field::host, authority(url));
    message.set(http::field::user_agent, "heft");
    for (const auto& [name, value] : request.headers) message.set(name, value);
    message.body() = request.body;
    if (!request.body.empty() || request.method != "GET") message.prepare_payload();
    // A server may refuse before it has read all: its answer is worth more than the error here.
    const ErrorCode unsent = wait(
        options.silence, [&](auto done) { http::async_write(stream, message, std::move(done)); });
    std::optional<Parser> parser;
    if (const Status read = read_head(stream, parser, request.method == "HEAD"); !read)
        return unsent ? explain(unsent, "take the request") : read.error();
    ClientAnswer answer;
    answer.status = static_cast<int>(parser->get().result_int());
    for (const auto& field : parser->get()) {
        std::string& all = answer.headers[lower(std::string(field.name_string()))];
        all += (all.empty() ? "" : ", ") + std::string(field.value());
    }
    HEFT_OK(read_body(stream, *parser, on_piece, answer));
    if (unsent || answer.cut_short || !parser->keep_alive()) disconnect();
    return answer;
}

Client::Client(Url url, ClientOptions options)
    : impl_(std::make_unique<Impl>(std::move(url), std::move(options))) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

Result<ClientAnswer> Client::ask(const ClientRequest& request,
                                 const std::function<bool(std::string_view)>& on_piece) {
    Impl& impl = *impl_;
    const bool connected = impl.plain != nullptr || impl.secure != nullptr;
    if (!connected || impl.is_stale()) HEFT_OK(impl.connect());
    auto answer = impl.secure ? impl.exchange(*impl.secure, request, on_piece)
                              : impl.exchange(*impl.plain, request, on_piece);
    if (!answer) impl.disconnect();
    return answer;
}

}  // namespace heft::net
