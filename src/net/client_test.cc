// The client against our own server, and against servers that keep to nothing.
#include "net/client.h"

#include <atomic>
#include <thread>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/server.h"

namespace heft::net {
namespace {

using namespace std::chrono_literals;

TEST(Url, IsTakenApart) {
    struct Row {
        const char* text;
        bool tls;
        const char* host;
        int port;
        const char *base, *authority;
    };
    for (const Row& row : {
             Row{"http://example.org", false, "example.org", 80, "", "example.org"},
             {"https://example.org/", true, "example.org", 443, "", "example.org"},
             {"https://example.org:8443/v1/x/", true, "example.org", 8443, "/v1/x",
              "example.org:8443"},
             {"127.0.0.1:8080", false, "127.0.0.1", 8080, "", "127.0.0.1:8080"},
             {"http://[::1]:8080", false, "::1", 8080, "", "[::1]:8080"},
             {"https://[::1]", true, "::1", 443, "", "[::1]"},
         }) {
        const auto url = parse_url(row.text);
        ASSERT_TRUE(url) << row.text << url.error().what;
        EXPECT_EQ(url->tls, row.tls) << row.text;
        EXPECT_EQ(url->host, row.host) << row.text;
        EXPECT_EQ(url->port, row.port) << row.text;
        EXPECT_EQ(url->base, row.base) << row.text;
        EXPECT_EQ(authority(*url), row.authority) << row.text;
    }
    const auto local = parse_url("unix:/run/heft.sock");
    ASSERT_TRUE(local);
    EXPECT_EQ(local->socket, "/run/heft.sock");
    for (const char* bad : {"", "http://", "ftp://x", "http://x:0", "http://x:70000", "http://x:8o",
                            "http://[::1", "http://key@x", "http://x/?a=b", "http://x y",
                            "http://x\r\nA: b", "unix:", "http://[::1]8080"})
        EXPECT_FALSE(parse_url(bad)) << bad;
}

class ClientTest : public ::testing::Test {
  protected:
    void SetUp() override {
        Callbacks calls;
        calls.on_error = [](int status, const std::string& sentence) {
            return Answer{status, "text/plain", sentence, {}};
        };
        calls.on_request = [this](Request request, std::shared_ptr<Exchange> exchange) {
            if (request.target == "/silent") {
                kept_ = std::move(exchange);
            } else if (request.target == "/stream") {
                exchange->begin(200, "text/plain", {});
                for (const char* piece : {"one ", "two ", "three"}) exchange->write(piece);
                exchange->end();
            } else if (request.target == "/endless") {
                exchange->begin(200, "text/plain", {});
                exchange->write("begun");
                exchange->when_gone([this] { gone_ = true; });
                kept_ = std::move(exchange);
            } else {
                exchange->send({request.target == "/404" ? 404 : 200,
                                "text/plain",
                                request.method + request.target + request.body,
                                {{"X-Two", "a"}, {"X-Two", "b"}}});
            }
        };
        ServerOptions options;
        options.port = 0;
        auto started = Server::start(options, calls);
        ASSERT_TRUE(started) << started.error().what;
        server_ = std::move(*started);
    }
    Url url() const { return *parse_url(server_->addresses().front().url); }

    std::atomic<bool> gone_{false};
    std::shared_ptr<Exchange> kept_;
    std::unique_ptr<Server> server_;
};

TEST_F(ClientTest, AsksManyTimesOverOneConnection) {
    Client client(url());
    for (int i = 0; i < 3; ++i) {
        const auto answer = client.ask({"POST", "/p", {{"X-A", "b"}}, "body"});
        ASSERT_TRUE(answer) << answer.error().what;
        EXPECT_EQ(answer->status, 200);
        EXPECT_EQ(answer->body, "POST/pbody");
        EXPECT_EQ(answer->header("x-two"), "a, b");
    }
    EXPECT_EQ(client.ask({"GET", "/404", {}, {}})->status, 404);
    EXPECT_EQ(client.ask({"HEAD", "/h", {}, {}})->body, "");
    EXPECT_EQ(client.ask({"GET", "/stream", {}, {}})->body, "one two three");
    EXPECT_EQ(server_->counters().accepted, 1U);
}

TEST_F(ClientTest, GivesPiecesAsTheyComeAndLeavesWhenTold) {
    Client client(url());
    std::string got;
    const auto all = client.ask({"GET", "/stream", {}, {}}, [&](std::string_view piece) {
        got += piece;
        return true;
    });
    ASSERT_TRUE(all);
    EXPECT_EQ(got, "one two three");
    EXPECT_TRUE(all->body.empty());
    const auto cut = client.ask({"GET", "/endless", {}, {}},
                                [](std::string_view piece) { return piece != "begun"; });
    ASSERT_TRUE(cut);
    EXPECT_TRUE(cut->cut_short);
    for (int i = 0; i < 500 && !gone_; ++i) std::this_thread::sleep_for(10ms);
    EXPECT_TRUE(gone_);
    EXPECT_TRUE(client.ask({"GET", "/again", {}, {}}));
}

TEST_F(ClientTest, WaitsOnlySoLongAndEndsWhenCancelled) {
    ClientOptions options;
    options.silence = 200ms;
    const auto late = Client(url(), options).ask({"GET", "/silent", {}, {}});
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, Code::exhausted);
    std::atomic<bool> cancel{false};
    options.silence = 60s;
    options.cancel = &cancel;
    std::thread other([&] {
        std::this_thread::sleep_for(100ms);
        cancel = true;
    });
    const auto ended = Client(url(), options).ask({"GET", "/silent", {}, {}});
    other.join();
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().code, Code::cancelled);
}

TEST_F(ClientTest, TakesNoMoreThanItIsTold) {
    ClientOptions options;
    options.body_bytes = 10;
    const auto answer = Client(url(), options).ask({"GET", "/stream", {}, {}});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Code::exhausted);
}

// Accepts once, says what it is told, and closes.
class Liar {
  public:
    explicit Liar(std::string says) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
        EXPECT_EQ(::listen(fd_, 1), 0);
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this, says = std::move(says)] {
            const int client = ::accept(fd_, nullptr, nullptr);
            char bytes[4096];
            (void)!::recv(client, bytes, sizeof bytes, 0);
            (void)!::send(client, says.data(), says.size(), MSG_NOSIGNAL);
            ::shutdown(client, SHUT_WR);
            (void)!::recv(client, bytes, sizeof bytes, 0);
            ::close(client);
        });
    }
    ~Liar() {
        thread_.join();
        ::close(fd_);
    }
    Liar(const Liar&) = delete;
    Liar& operator=(const Liar&) = delete;
    Url url() const { return *parse_url("http://127.0.0.1:" + std::to_string(port_)); }

  private:
    int fd_, port_ = 0;
    std::thread thread_;
};

TEST(Client, IsNotTakenInByBadServers) {
    const struct {
        std::string says;
        Code code;
    } rows[] = {
        {"", Code::corrupt},
        {"SSH-2.0-OpenSSH\r\n", Code::corrupt},
        {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", Code::corrupt},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", Code::corrupt},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", Code::corrupt},
        {"HTTP/1.1 200 OK\r\nA: " + std::string(1 << 20, 'a') + "\r\n\r\n", Code::corrupt},
    };
    for (const auto& row : rows) {
        const Liar liar(row.says);
        const auto answer = Client(liar.url()).ask({});
        ASSERT_FALSE(answer) << row.says.substr(0, 60);
        EXPECT_EQ(answer.error().code, row.code) << answer.error().what;
    }
    const Liar interim(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n"
        "HTTP/1.1 200 OK\r\n\r\nto the end");
    const auto answer = Client(interim.url()).ask({});
    ASSERT_TRUE(answer) << answer.error().what;
    EXPECT_EQ(answer->body, "to the end");
}

TEST(Client, SaysThatNobodyIsThere) {
    for (const char* url :
         {"http://127.0.0.1:1", "unix:/no/such/socket", "http://no-such-host.invalid"}) {
        const auto answer = Client(*parse_url(url)).ask({});
        ASSERT_FALSE(answer) << url;
        EXPECT_EQ(answer.error().code, Code::not_found) << answer.error().what;
    }
}

}  // namespace
}  // namespace heft::net
