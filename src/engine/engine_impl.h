// What an Engine holds. Private to this module.
#pragma once

#include <mutex>
#include <optional>

#include "engine/engine.h"

namespace heft::engine {

struct Engine::Impl {
    bool embedded = false;
    format::Checkpoint checkpoint;
    Result<arch::Config> config = Error{Code::internal, "not read"};
    std::optional<model::Model> model;
    std::optional<ThreadPool> pool;
    std::optional<op::Context> context;
    kv::Types cache_types;
    std::vector<std::string> adapters;  // that requests may choose
    std::uint64_t adapter_bytes = 0;
    grammar::ConstraintCache constraints;

    std::mutex lazily;  // guards what follows
    std::optional<Result<text::Tokenizer>> tokenizer;
    std::optional<Result<text::ChatTemplate>> chat_template;
    std::shared_ptr<const grammar::Vocabulary> vocabularies[2];  // shared by grammars; marks second
};

}  // namespace heft::engine
