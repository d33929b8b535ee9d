#include "app/ids.h"

#include <charconv>

#include <fmt/format.h>

namespace heft::app {

Result<std::vector<int>> parse_numbers(std::string_view text, std::string_view what) {
    constexpr std::string_view between = ", \t\r\n[]";
    std::vector<int> numbers;
    std::size_t at = text.find_first_not_of(between);
    while (at != std::string_view::npos) {
        const std::size_t end = std::min(text.find_first_of(between, at), text.size());
        const std::string_view word = text.substr(at, end - at);
        int number = 0;
        const auto parsed = std::from_chars(word.data(), word.data() + word.size(), number);
        if (parsed.ec != std::errc{} || parsed.ptr != word.data() + word.size())
            return Error{Code::invalid,
                         fmt::format("{}: \"{}\" is not a whole number that fits 32 bits", what,
                                     word.substr(0, 40))};
        numbers.push_back(number);
        at = text.find_first_not_of(between, end);
    }
    return numbers;
}

Result<std::vector<text::TokenId>> parse_ids(std::string_view text, std::string_view what,
                                             int n_vocab) {
    HEFT_TRY(const std::vector<int> ids, parse_numbers(text, what));
    for (const int id : ids) {
        if (id < 0 || (n_vocab > 0 && id >= n_vocab))
            return Error{Code::invalid,
                         n_vocab > 0 ? fmt::format("{}: there is no token {}; ids go from 0 to {}",
                                                   what, id, n_vocab - 1)
                                     : fmt::format("{}: there is no token {}", what, id)};
    }
    return std::vector<text::TokenId>(ids.begin(), ids.end());
}

}  // namespace heft::app
