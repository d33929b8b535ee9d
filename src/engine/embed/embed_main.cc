// Build tool: makes the GGUF file that the program carries, from the model's folder.
#include <cstdio>

#include "arch/arch.h"
#include "arch/proposal.h"
#include "convert/to_gguf.h"
#include "text/template_source.h"
#include "text/tokenizer.h"

namespace heft {
namespace {

Status embed(const char* folder, const char* out) {
    HEFT_TRY(const format::Checkpoint checkpoint, format::Checkpoint::open(folder));
    HEFT_TRY(const arch::Config config, arch::read_config(checkpoint));
    HEFT_TRY(const text::Tokenizer tokenizer, text::Tokenizer::load(checkpoint));
    convert::GgufOptions options;
    options.matrices = DType::bf16;
    options.name = "Seed, the tiny story model of heft";
    options.sampling = arch::proposed_sampling(checkpoint);
    HEFT_TRY(options.chat_template, text::template_source(checkpoint));
    return convert::to_gguf(checkpoint, config, &tokenizer, options, out);
}

}  // namespace
}  // namespace heft

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fputs("usage: heft-embed FOLDER OUT.gguf\n", stderr);
        return 2;
    }
    const auto done = heft::embed(argv[1], argv[2]);
    if (!done) std::fprintf(stderr, "heft-embed: %s\n", done.error().what.c_str());
    return done ? 0 : 1;
}
