// Any bytes as a GGUF file of which a Hugging Face folder is to be made: a folder, or a sentence.
// What the file says of the folder that it was made of is as little to be trusted as the rest.
#include <cstddef>
#include <cstdint>
#include <span>

#include "arch/config_document.h"
#include "base/check.h"
#include "convert/folder_files.h"
#include "convert/source_notes.h"
#include "convert/tokenizer_files.h"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace heft;
    const auto gguf = format::Checkpoint::from_gguf(std::as_bytes(std::span(data, size)), "fuzz");
    if (!gguf) return 0;
    // Each by itself: a whole folder ends at the first that is wrong.
    const auto config = arch::config_document(*gguf);
    HEFT_CHECK(config || !config.error().what.empty());
    const auto tokenizer = convert::tokenizer_files(*gguf);
    HEFT_CHECK(tokenizer || !tokenizer.error().what.empty());
    for (const auto& tensor : convert::SourceNotes(gguf->metadata()).tensors())
        HEFT_CHECK(dtype_info(tensor.type).block > 0);
    const auto folder = convert::folder_model(*gguf, {});
    if (!folder) {
        HEFT_CHECK(!folder.error().what.empty());
        return 0;
    }
    for (const convert::SideFile& file : folder->files)
        HEFT_CHECK(file.name.find('/') == std::string::npos);
    return 0;
}
