#include "arch/families/tables.h"

namespace heft::arch {

std::span<const Family* const> families() {
    // Where two share a GGUF name, the first is what a GGUF file of that name is called.
    static constexpr const Family* kAll[] = {&kLlama, &kMistral, &kQwen2, &kQwen3, &kGemma, &kPhi3};
    return kAll;
}

}  // namespace heft::arch
