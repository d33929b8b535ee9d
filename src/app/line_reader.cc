#include "app/line_reader.h"

#include <csignal>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <string_view>

#include <fcntl.h>
#include <histedit.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/console.h"
#include "base/user_folder.h"

namespace heft::app {

namespace {

constexpr int kRemembered = 1000;
constexpr std::string_view kQuotes = "\"\"\"";

volatile std::sig_atomic_t interrupted = 0;

void drop_line(int /*signal*/) {
    interrupted = 1;
}

// Ctrl-C at the prompt drops the line. Without SA_RESTART the editor's read() comes back.
class PromptSignals {
  public:
    PromptSignals() {
        interrupted = 0;
        struct sigaction action {};
        action.sa_handler = drop_line;
        ::sigaction(SIGINT, &action, &previous_);
    }
    ~PromptSignals() { ::sigaction(SIGINT, &previous_, nullptr); }
    PromptSignals(const PromptSignals&) = delete;
    PromptSignals& operator=(const PromptSignals&) = delete;

  private:
    struct sigaction previous_ {};
};

bool ends_with_quotes(const std::string& text) {
    return text.size() >= kQuotes.size() && std::string_view(text).ends_with(kQuotes);
}

}  // namespace

struct LineReader::Editor {
    EditLine* line = nullptr;
    History* history = nullptr;
    std::string path;
    std::string prompt;
};

namespace {

char* prompt_of(EditLine* line) {
    void* editor = nullptr;
    ::el_get(line, EL_CLIENTDATA, &editor);
    return static_cast<LineReader::Editor*>(editor)->prompt.data();
}

}  // namespace

LineReader::LineReader(const std::filesystem::path& history) {
    if (!is_terminal(stdin) || !is_terminal(stdout)) return;
    editor_ = std::make_unique<Editor>();
    editor_->line = ::el_init("heft", stdin, stdout, stderr);
    editor_->history = ::history_init();
    editor_->path = history.string();
    if (editor_->line == nullptr || editor_->history == nullptr) {
        editor_.reset();
        return;
    }
    HistEvent event{};
    ::history(editor_->history, &event, H_SETSIZE, kRemembered);
    ::history(editor_->history, &event, H_SETUNIQUE, 1);
    if (!editor_->path.empty()) ::history(editor_->history, &event, H_LOAD, editor_->path.c_str());
    ::el_set(editor_->line, EL_CLIENTDATA, editor_.get());
    ::el_set(editor_->line, EL_PROMPT, prompt_of);
    ::el_set(editor_->line, EL_EDITOR, "emacs");
    ::el_set(editor_->line, EL_HIST, ::history, editor_->history);
    ::el_source(editor_->line, nullptr);
}

LineReader::~LineReader() {
    if (!editor_) return;
    HistEvent event{};
    if (!editor_->path.empty()) {
        // The file is made first, so that nobody else can ever read it.
        const int file = ::open(editor_->path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (file >= 0) {
            ::fchmod(file, 0600);
            ::close(file);
            ::history(editor_->history, &event, H_SAVE, editor_->path.c_str());
        }
    }
    ::history_end(editor_->history);
    ::el_end(editor_->line);
}

Read LineReader::read(const std::string& prompt, std::string& line) {
    line.clear();
    if (!editor_) {
        if (!std::getline(std::cin, line)) return Read::end;
        if (!line.empty() && line.back() == '\r') line.pop_back();
        return Read::line;
    }
    const PromptSignals signals;
    editor_->prompt = prompt;
    int count = 0;
    const char* text = ::el_gets(editor_->line, &count);
    if (interrupted != 0) {
        ::el_reset(editor_->line);
        std::fputs("\n", stdout);
        return Read::interrupted;
    }
    if (text == nullptr || count <= 0) return Read::end;
    line.assign(text, static_cast<std::size_t>(count));
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
    if (!line.empty()) {
        HistEvent event{};
        ::history(editor_->history, &event, H_ENTER, line.c_str());
    }
    return Read::line;
}

Read LineReader::read_text(const std::string& prompt, std::string& text) {
    const std::string more = "... ";
    std::string line;
    Read got = read(prompt, text);
    if (got != Read::line) return got;
    if (text.starts_with(kQuotes)) {
        text.erase(0, kQuotes.size());
        while (!ends_with_quotes(text)) {
            got = read(more, line);
            if (got == Read::interrupted) return got;
            if (got == Read::end) return Read::line;  // what there is counts
            text += "\n" + line;
        }
        text.resize(text.size() - kQuotes.size());
        return Read::line;
    }
    while (!text.empty() && text.back() == '\\') {
        text.back() = '\n';
        got = read(more, line);
        if (got == Read::interrupted) return got;
        if (got == Read::end) return Read::line;
        text += line;
    }
    return Read::line;
}

std::filesystem::path history_path() {
    std::filesystem::path folder = user_folder("XDG_STATE_HOME", ".local/state");
    if (folder.empty()) return {};
    folder /= "heft";
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    if (failed) return {};
    return folder / "chat_history";
}

}  // namespace heft::app
