#include "golden_run.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "arch/arch.h"

namespace heft::testing {

bool known_family(const std::filesystem::path& folder) {
    const auto checkpoint = format::Checkpoint::open(folder);
    if (!checkpoint) return false;
    const auto config = arch::read_config(*checkpoint);
    return config || config.error().code != Code::unsupported;
}

std::unique_ptr<Loaded> load(const std::filesystem::path& path) {
    auto checkpoint = format::Checkpoint::open(path);
    if (!checkpoint) {
        ADD_FAILURE() << checkpoint.error().what;
        return nullptr;
    }
    auto config = arch::read_config(*checkpoint);
    if (!config) {
        ADD_FAILURE() << config.error().what;
        return nullptr;
    }
    auto model = model::Model::load(*checkpoint, *config);
    if (!model) {
        ADD_FAILURE() << model.error().what;
        return nullptr;
    }
    return std::make_unique<Loaded>(Loaded{std::move(*checkpoint), std::move(*model)});
}

PagedVector<float> run(const Loaded& loaded, op::Context& context, const Golden& golden,
                       const std::vector<int>& chunks) {
    const auto length = static_cast<int>(golden.prompt.size());
    auto cache = loaded.model.make_cache(length, context.precision, length);
    if (!cache) return {};
    PagedVector<float> logits;
    std::size_t next = 0;
    for (int from = 0; from < length;) {
        const int size = std::min(chunks[next++ % chunks.size()], length - from);
        std::vector<model::Input> inputs;
        for (int i = from; i < from + size; ++i) {
            const bool want = std::find(golden.positions.begin(), golden.positions.end(), i)
                              != golden.positions.end();
            inputs.push_back({golden.prompt[static_cast<std::size_t>(i)], i, &*cache, want});
        }
        const auto status = loaded.model.forward(context, inputs, logits);
        EXPECT_TRUE(status);
        from += size;
    }
    return logits;
}

}  // namespace heft::testing
