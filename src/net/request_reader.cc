#include "net/request_reader.h"

#include <algorithm>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <fmt/format.h>

namespace heft::net {

namespace http = boost::beast::http;

namespace {

using ErrorCode = boost::system::error_code;
using View = boost::beast::string_view;

std::string lower(View name) {
    std::string text(name);
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

// Collects what Beast recognises. Beast checks the grammar, the lengths and that a message does
// not say its length in two ways.
class Parser : public http::basic_parser<true> {
  public:
    Request request;
    int n_hosts = 0;

  private:
    void on_request_impl(http::verb /*known*/, View method, View target, int version,
                         ErrorCode& /*error*/) override {
        request.method.assign(method.data(), method.size());
        request.target.assign(target.data(), target.size());
        request.http_1_1 = version >= 11;
    }
    void on_response_impl(int /*status*/, View /*reason*/, int /*version*/,
                          ErrorCode& /*error*/) override {}
    void on_field_impl(http::field known, View name, View value, ErrorCode& /*error*/) override {
        if (known == http::field::host) ++n_hosts;
        std::string& all = request.headers[lower(name)];
        if (!all.empty()) all += ", ";
        all.append(value.data(), value.size());
    }
    void on_header_impl(ErrorCode& /*error*/) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>& /*length*/,
                           ErrorCode& /*error*/) override {}
    // Room is made as bytes come, not as they are announced.
    std::size_t on_body_impl(View bytes, ErrorCode& /*error*/) override {
        request.body.append(bytes.data(), bytes.size());
        return bytes.size();
    }
    void on_chunk_header_impl(std::uint64_t /*size*/, View /*extensions*/,
                              ErrorCode& /*error*/) override {}
    std::size_t on_chunk_body_impl(std::uint64_t /*remain*/, View bytes,
                                   ErrorCode& error) override {
        return on_body_impl(bytes, error);
    }
    void on_finish_impl(ErrorCode& /*error*/) override {}
};

struct Refusal {
    int status;
    std::string sentence;
};

Refusal refusal_of(const ErrorCode& error, const Limits& limits) {
    if (error == http::error::header_limit || error == http::error::buffer_overflow)
        return {431,
                fmt::format("The request's head is larger than {} bytes.", limits.header_bytes)};
    if (error == http::error::body_limit)
        return {413, fmt::format("The request's body is larger than {} bytes, the most that this "
                                 "server takes; the operator can change that by --max-body.",
                                 limits.body_bytes)};
    if (error == http::error::bad_version)
        return {505, "This server speaks HTTP/1.1 and HTTP/1.0."};
    return {400, fmt::format("This is no HTTP request: {}.", error.message())};
}

}  // namespace

struct RequestReader::Impl {
    const Limits& limits;
    Parser parser;
    State state = State::head;
    Refusal refusal{};

    explicit Impl(const Limits& l) : limits(l) {
        parser.eager(false);
        parser.header_limit(static_cast<std::uint32_t>(l.header_bytes));
        parser.body_limit(l.body_bytes);
    }

    void fail(Refusal why) {
        refusal = std::move(why);
        state = State::failed;
    }

    void finish_head() {
        Request& request = parser.request;
        request.keep_alive = parser.keep_alive();
        if (request.target.size() > limits.target_bytes)
            return fail({414, fmt::format("The request's target is longer than {} bytes.",
                                          limits.target_bytes)});
        if (parser.n_hosts > 1 || (request.http_1_1 && parser.n_hosts == 0))
            return fail({400, "A request names its host once, in the header Host."});
        state = parser.is_done() ? State::done : State::body;
    }
};

RequestReader::RequestReader(const Limits& limits) : impl_(std::make_unique<Impl>(limits)) {}
RequestReader::~RequestReader() = default;

std::size_t RequestReader::read(std::string_view bytes) {
    Parser& parser = impl_->parser;
    std::size_t taken = 0;
    while (!parser.is_done() && impl_->state != State::failed && taken < bytes.size()) {
        ErrorCode error;
        const std::string_view rest = bytes.substr(taken);
        const std::size_t n =
            parser.put(boost::asio::const_buffer(rest.data(), rest.size()), error);
        taken += n;
        if (error == http::error::need_more) break;
        if (error) {
            impl_->fail(refusal_of(error, impl_->limits));
            break;
        }
        if (impl_->state == State::head && parser.is_header_done()) {
            impl_->finish_head();
            parser.eager(true);
            return taken;
        }
    }
    if (parser.is_done() && impl_->state == State::body) impl_->state = State::done;
    // A chunk's first line is all that Beast keeps unread, and it has no limit for that.
    if (impl_->state == State::body && bytes.size() - taken > impl_->limits.header_bytes)
        impl_->fail({400, "This is no HTTP request: a chunk's first line never ends."});
    return taken;
}

RequestReader::State RequestReader::state() const {
    return impl_->state;
}

const Request& RequestReader::request() const {
    return impl_->parser.request;
}

bool RequestReader::expects_continue() const {
    const std::string* expect = request().header("expect");
    return expect != nullptr && lower(*expect) == "100-continue";
}

Request RequestReader::take() {
    return std::move(impl_->parser.request);
}

int RequestReader::status() const {
    return impl_->refusal.status;
}

const std::string& RequestReader::sentence() const {
    return impl_->refusal.sentence;
}

}  // namespace heft::net
