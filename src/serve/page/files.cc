#include "serve/page/files.h"

#include <cstddef>

// NOLINTBEGIN(readability-identifier-naming): labels of files.S
extern "C" {
extern const char heft_page_index_begin[];
extern const char heft_page_index_end[];
extern const char heft_page_script_begin[];
extern const char heft_page_script_end[];
extern const char heft_page_style_begin[];
extern const char heft_page_style_end[];
extern const char heft_page_icon_begin[];
extern const char heft_page_icon_end[];
extern const char heft_page_licences_begin[];
extern const char heft_page_licences_end[];
}
// NOLINTEND(readability-identifier-naming)

namespace heft::serve {

namespace {

std::string_view between(const char* begin, const char* end) {
    return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace

std::span<const PageFile> page_files() {
    static const PageFile kFiles[] = {
        {"/", "text/html; charset=utf-8", between(heft_page_index_begin, heft_page_index_end)},
        {"/app.js", "text/javascript; charset=utf-8",
         between(heft_page_script_begin, heft_page_script_end)},
        {"/app.css", "text/css; charset=utf-8",
         between(heft_page_style_begin, heft_page_style_end)},
        {"/icon.svg", "image/svg+xml", between(heft_page_icon_begin, heft_page_icon_end)},
        {"/licences.md", "text/markdown; charset=utf-8",
         between(heft_page_licences_begin, heft_page_licences_end)},
    };
    return kFiles;
}

}  // namespace heft::serve
