#include "app/text_argument.h"

#include <cstdio>

#include "app/console.h"

namespace heft::app {

Result<std::string> text_argument(const std::string& text, bool given, const std::string& file) {
    if (given && !file.empty())
        return Error{Code::invalid, "there is both a TEXT and --file; give one of them"};
    if (!file.empty()) return read_input(file);
    if (given) return text == "-" ? read_input("-") : Result<std::string>(text);
    if (is_terminal(stdin))
        return Error{Code::invalid,
                     "there is no text; add it as an argument, with --file, or pipe "
                     "it in"};
    return read_input("-");
}

}  // namespace heft::app
