// Lines from a person: edited and remembered on a terminal, plain otherwise.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace heft::app {

enum class Read { line, interrupted, end };

class LineReader {
  public:
    // `history`: where lines are remembered from one session to the next; empty: nowhere. The file
    // is for its owner alone.
    explicit LineReader(const std::filesystem::path& history);
    ~LineReader();
    LineReader(const LineReader&) = delete;
    LineReader& operator=(const LineReader&) = delete;

    bool interactive() const { return editor_ != nullptr; }

    // The next line, without its end. The prompt is shown on terminals only.
    Read read(const std::string& prompt, std::string& line);

    // Several lines as one text: a line that ends in a backslash goes on in the next; a text that
    // begins with """ goes on until a line ends in """.
    Read read_text(const std::string& prompt, std::string& text);

    struct Editor;

  private:
    std::unique_ptr<Editor> editor_;
};

// XDG_STATE_HOME/heft/chat_history, with its folder; empty if there is no such place.
std::filesystem::path history_path();

}  // namespace heft::app
