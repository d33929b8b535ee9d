// Any bytes as the files of a release: a licence's text and a model card. Words have to be what the
// header says they are, and stay so when taken again; identification has to end.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "govern/catalogue.h"
#include "govern/identify.h"
#include "govern/lineage.h"
#include "govern/words.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto catalogue = heft::govern::Catalogue::built_in();
    if (!catalogue) std::abort();
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::string words = heft::govern::words_of(text);
    if (words != heft::govern::words_of(words)) std::abort();
    if (words.find("  ") != std::string::npos || words.starts_with(' ') || words.ends_with(' '))
        std::abort();
    heft::govern::ReleaseFiles files;
    files.name = std::string(text.substr(0, 40));
    const auto half = text.find('\0');
    files.texts.push_back({"LICENSE", std::string(text.substr(0, half))});
    if (half != std::string_view::npos)
        files.texts.push_back({"README.md", std::string(text.substr(half + 1))});
    const auto found = heft::govern::identify(*catalogue, files);
    if (!found) std::abort();
    const auto answer = heft::govern::assess(*catalogue, heft::govern::chain_of(*catalogue, *found),
                                             heft::govern::Use());
    if (answer.judgement.acts.empty()) std::abort();
    if (found->licences.empty() && heft::govern::is_allowed(answer.judgement.verdict)) std::abort();
    return 0;
}
