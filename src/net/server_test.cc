// The server against clients that behave badly, over real sockets.
#include "net/server.h"

#include <atomic>
#include <thread>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/target.h"

namespace heft::net {
namespace {

using namespace std::chrono_literals;

class Client {
  public:
    explicit Client(int port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    }
    ~Client() { close(); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    Client& send(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n <= 0) break;
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
        return *this;
    }
    // Until the text comes, the server closes, or five seconds are over.
    std::string read_until(std::string_view text) {
        std::string got;
        while (got.find(text) == std::string::npos) {
            pollfd wait{fd_, POLLIN, 0};
            if (::poll(&wait, 1, 5000) <= 0) break;
            char bytes[4096];
            const ssize_t n = ::recv(fd_, bytes, sizeof bytes, 0);
            if (n <= 0) return got + "<closed>";
            got.append(bytes, static_cast<std::size_t>(n));
        }
        return got;
    }
    void finish() const { ::shutdown(fd_, SHUT_WR); }
    void close() {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }

  private:
    int fd_;
};

// Answers "/hello" at once; "/stream" never ends, and fills as fast as it may; "/wait" is kept.
class ServerTest : public ::testing::Test {
  protected:
    void start(const Limits& limits = {}) {
        Callbacks calls;
        calls.on_error = [](int status, const std::string& sentence) {
            return Answer{status, "text/plain", sentence, {}};
        };
        calls.on_request = [this](Request request, std::shared_ptr<Exchange> exchange) {
            handle(request, std::move(exchange));
        };
        ServerOptions options;
        options.port = 0;
        options.limits = limits;
        auto started = Server::start(options, calls);
        ASSERT_TRUE(started) << started.error().what;
        server_ = std::move(*started);
    }
    void TearDown() override {
        server_.reset();
        if (filler_.joinable()) filler_.join();
    }
    int port() const { return server_->addresses().front().port; }

    void handle(const Request& request, std::shared_ptr<Exchange> exchange) {
        if (request.target == "/wait") {
            exchange->when_gone([this] { gone_ = true; });
            kept_ = std::move(exchange);
            ++kept_so_far_;
        } else if (request.target == "/stream") {
            filler_ = std::thread([this, exchange] {
                exchange->begin(200, "text/plain", {});
                while (!exchange->gone()) {
                    exchange->write(std::string(8192, 'x'));
                    std::this_thread::sleep_for(100us);
                }
                gone_ = true;
            });
        } else {
            exchange->send({200,
                            "text/plain",
                            request.method + " " + request.target + " " + request.body,
                            {}});
        }
    }
    void await_kept(int n) const {
        while (kept_so_far_ < n) std::this_thread::sleep_for(1ms);
    }
    bool becomes_gone() const {
        for (int i = 0; i < 500 && !gone_; ++i) std::this_thread::sleep_for(10ms);
        return gone_;
    }

    std::unique_ptr<Server> server_;
    std::shared_ptr<Exchange> kept_;
    std::thread filler_;
    std::atomic<bool> gone_{false};
    std::atomic<int> kept_so_far_{0};
};

constexpr std::string_view kHost = " HTTP/1.1\r\nHost: x\r\n";

std::string get(std::string_view target) {
    return "GET " + std::string(target) + std::string(kHost) + "\r\n";
}

TEST_F(ServerTest, AnswersOneAfterTheOtherOnOneConnection) {
    start();
    Client client(port());
    for (const char* target : {"/a", "/b", "/c"})
        EXPECT_NE(client.send(get(target)).read_until(target).find("200 OK"), std::string::npos);
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrderEvenToAHalfClosedClient) {
    start();
    Client client(port());
    client.send(get("/a") + get("/b") + get("/c")).finish();
    const std::string all = client.read_until("<never>");
    EXPECT_LT(all.find("GET /a"), all.find("GET /b"));
    EXPECT_LT(all.find("GET /b"), all.find("GET /c"));
    EXPECT_NE(all.find("GET /c"), std::string::npos);
}

TEST_F(ServerTest, ReadsChunkedBodiesByteByByte) {
    start();
    Client client(port());
    const std::string request =
        "POST /p" + std::string(kHost)
        + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    for (const char byte : request) client.send({&byte, 1});
    EXPECT_NE(client.read_until("abcde").find("POST /p abcde"), std::string::npos);
}

TEST_F(ServerTest, RefusesWithAStatusAndCloses) {
    Limits limits;
    limits.header_time = 600ms;
    start(limits);
    const std::string post = "POST /p" + std::string(kHost);
    const struct {
        std::string sent, status;
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(1 << 20, 'a') + "\r\n\r\n", " 431 "},
        {post + "Content-Length: 1000000000\r\n\r\n", " 413 "},
        {post + "Transfer-Encoding: chunked\r\n\r\n7fffffff\r\n", " 413 "},
        {post + "Transfer-Encoding: chunked\r\n\r\n" + std::string(1 << 20, '1'), " 400 "},
        {post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", " 400 "},
        {post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\n", " 400 "},
        {post + "Content-Length: -1\r\n\r\n", " 400 "},
        {"GET /" + std::string(9000, 'a') + std::string(kHost) + "\r\n", " 414 "},
        {"GET / HTTP/1.1\r\n\r\n", " 400 "},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", " 400 "},
        {std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11), " 400 "},
        {"\r\n\r\n\r\n", " 400 "},
        {"GET / HTTP/1.1\r\nHost: x\r\n", " 408 "},  // and nothing more
    };
    for (const auto& row : rows) {
        Client client(port());
        const std::string answer = client.send(row.sent).read_until("<never>");
        EXPECT_EQ(answer.substr(8, 5), row.status) << row.sent.substr(0, 80) << "\n" << answer;
        EXPECT_NE(answer.find("<closed>"), std::string::npos);
    }
}

TEST_F(ServerTest, HeadHasALengthAndNoBody) {
    start();
    Client client(port());
    client.send("HEAD /h" + std::string(kHost) + "Connection: close\r\n\r\n");
    const std::string answer = client.read_until("<never>");
    EXPECT_NE(answer.find("Content-Length: 8\r\n"), std::string::npos);
    EXPECT_NE(answer.find("\r\n\r\n<closed>"), std::string::npos);
}

TEST_F(ServerTest, NoticesThatAClientHasGoneWhileItComputes) {
    start();
    Client client(port());
    client.send(get("/wait"));
    await_kept(1);
    EXPECT_FALSE(gone_);
    client.close();
    EXPECT_TRUE(becomes_gone());
    EXPECT_EQ(server_->counters().left, 1U);
}

TEST_F(ServerTest, AnswersAClientThatHasClosedItsHalf) {
    start();
    Client client(port());
    client.send(get("/wait")).finish();
    await_kept(1);
    std::this_thread::sleep_for(100ms);
    EXPECT_FALSE(gone_);
    kept_->send({200, "text/plain", "late", {}});
    const std::string answer = client.read_until("<never>");
    EXPECT_NE(answer.find(" 200 OK"), std::string::npos);
    EXPECT_NE(answer.find("late<closed>"), std::string::npos);
    EXPECT_EQ(server_->counters().left, 0U);
}

TEST_F(ServerTest, NoticesThatAHalfClosedClientHasGone) {
    start();
    Client client(port());
    client.send(get("/wait")).finish();
    await_kept(1);
    // It has read everything so far: its system says nothing when it goes.
    EXPECT_NE(client.read_until("\r\n\r\n").find(" 100 "), std::string::npos);
    EXPECT_FALSE(gone_);
    client.close();
    EXPECT_TRUE(becomes_gone());
    EXPECT_EQ(server_->counters().left, 1U);
}

TEST_F(ServerTest, ChangedLimitsAreForLaterRequests) {
    start();
    Client client(port());
    EXPECT_NE(client.send(get("/a")).read_until("GET /a").find(" 200 "), std::string::npos);
    Limits limits;
    limits.target_bytes = 8;
    server_->set_limits(limits);
    EXPECT_NE(client.send(get("/a-longer-one")).read_until("\r\n").find(" 414 "),
              std::string::npos);
}

TEST_F(ServerTest, GivesUpAClientThatDoesNotRead) {
    Limits limits;
    limits.out_bytes = 256U << 10;
    start(limits);
    Client client(port());
    client.send(get("/stream"));
    EXPECT_TRUE(becomes_gone());
    EXPECT_EQ(server_->counters().slow, 1U);
}

TEST_F(ServerTest, AStreamLetGoOfIsCutOffAndAnUnansweredRequestIs500) {
    start();
    Client client(port());
    client.send(get("/wait"));
    await_kept(1);
    kept_.reset();
    EXPECT_NE(client.read_until("no answer").find(" 500 "), std::string::npos);
    client.send(get("/wait"));
    await_kept(2);
    kept_->begin(200, "text/plain", {});
    kept_->write("part");
    EXPECT_NE(client.read_until("part").find("chunked"), std::string::npos);
    kept_.reset();
    const std::string rest = client.read_until("<never>");
    EXPECT_EQ(rest.find("0\r\n\r\n"), std::string::npos);
    EXPECT_NE(rest.find("<closed>"), std::string::npos);
}

TEST_F(ServerTest, StopWaitsForAnswersUntilTheDeadline) {
    start();
    Client client(port()), idle(port());
    client.send(get("/wait"));
    await_kept(1);
    std::thread answerer([this] {
        std::this_thread::sleep_for(100ms);
        kept_->send({200, "text/plain", "late", {}});
    });
    EXPECT_TRUE(server_->stop(Clock::now() + 5s));
    answerer.join();
    EXPECT_NE(client.read_until("<never>").find("late"), std::string::npos);
}

TEST_F(ServerTest, StopCutsOffWhatDoesNotEnd) {
    start();
    Client client(port());
    client.send(get("/wait"));
    await_kept(1);
    EXPECT_FALSE(server_->stop(Clock::now() + 100ms));
    EXPECT_TRUE(gone_);
}

TEST(Target, TakesApart) {
    const auto target = parse_target("/a%20b/c?x=1&y=a+b%26&x=2&z");
    ASSERT_TRUE(target);
    EXPECT_EQ(target->path, "/a b/c");
    EXPECT_EQ(target->query,
              (std::map<std::string, std::string>{{"x", "1"}, {"y", "a b&"}, {"z", ""}}));
    for (const char* bad : {"", "*", "a", "/%", "/%2", "/%zz", "/%00", "ftp://x/"})
        EXPECT_FALSE(parse_target(bad)) << bad;
}

}  // namespace
}  // namespace heft::net
