#include "app/console.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "base/json_text.h"
#include "base/mapped_file.h"

namespace heft::app {

namespace {

Result<std::string> read_stdin(std::size_t limit) {
    std::string text;
    char chunk[1 << 16];
    for (;;) {
        const std::size_t got = std::fread(chunk, 1, sizeof chunk, stdin);
        text.append(chunk, got);
        if (text.size() > limit)
            return Error{Code::invalid, "standard input: is longer than the "
                                            + std::to_string(limit) + " bytes that are accepted"};
        if (got == 0) break;
    }
    if (std::ferror(stdin) != 0)
        return Error{Code::not_found, std::string("standard input: ") + std::strerror(errno)};
    return text;
}

bool no_was_answered = false;

}  // namespace

void answer_no() {
    no_was_answered = true;
}

bool answered_no() {
    return no_was_answered;
}

bool is_terminal(std::FILE* stream) {
    return ::isatty(::fileno(stream)) == 1;
}

bool wants_colour(std::FILE* stream) {
    const char* no_color = std::getenv("NO_COLOR");
    return is_terminal(stream) && (no_color == nullptr || *no_color == '\0');
}

void put(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
}

void put_json(const nlohmann::ordered_json& document) {
    put(json_text(document));
    put("\n");
}

void say(std::string_view line) {
    std::string text(line);
    text += '\n';
    std::fwrite(text.data(), 1, text.size(), stderr);
}

Status finish_output() {
    errno = 0;
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
        return Error{Code::exhausted, std::string("standard output: cannot be written: ")
                                          + std::strerror(errno != 0 ? errno : EIO)};
    return {};
}

Result<std::string> read_input(const std::string& path, std::size_t limit) {
    if (path == "-") return read_stdin(limit);
    return read_text(path, limit);
}

}  // namespace heft::app
