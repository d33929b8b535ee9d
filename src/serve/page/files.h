// The files of the page, as web/ builds them and the program carries them.
#pragma once

#include <span>
#include <string_view>

namespace heft::serve {

struct PageFile {
    std::string_view path;  // where it is served
    std::string_view type;
    std::string_view bytes;
};

std::span<const PageFile> page_files();

}  // namespace heft::serve
