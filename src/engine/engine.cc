#include "engine/engine.h"

#include <algorithm>

#include "base/check.h"
#include "base/memory.h"
#include "engine/embedded.h"
#include "engine/engine_impl.h"
#include "engine/tuning.h"
#include "op/parallel.h"
#include "text/reply_format.h"

namespace heft::engine {

namespace {

constexpr std::string_view kEmbeddedName = "tiny";

Result<format::Checkpoint> open_checkpoint(const std::string& reference) {
    if (reference == kEmbeddedName)
        return format::Checkpoint::from_gguf(embedded_model(), std::string(kEmbeddedName));
    return format::Checkpoint::open(reference);
}

// A model that fits a cache is not worth the half second that measuring takes once; and float32 is
// for comparing, so that nothing of it should depend on a measurement.
bool wants_tuning(const Engine::Impl& impl, const OpenOptions& options) {
    constexpr std::uint64_t large = 128U << 20;
    return options.tuned && options.precision == op::Precision::fast
           && impl.checkpoint.file_bytes() >= large;
}

std::vector<Bytes> files_of(const Engine::Impl& impl) {
    if (impl.embedded) return {embedded_model()};
    std::vector<Bytes> files;
    for (const MappedFile& file : impl.checkpoint.maps()) files.push_back(file.bytes());
    return files;
}

// So that the first token does not wait for one page of the weights after the other. Not of a file
// that does not fit: its pages would push each other out.
void enter_weights(Engine::Impl& impl) {
    if (impl.checkpoint.file_bytes() > static_cast<std::uint64_t>(free_memory_bytes())) return;
    constexpr std::size_t piece = 1U << 21;
    std::vector<Bytes> pieces;
    for (Bytes left : files_of(impl))
        for (; !left.empty(); left = left.subspan(std::min(piece, left.size())))
            pieces.push_back(left.first(std::min(piece, left.size())));
    op::for_each(*impl.context, static_cast<int>(pieces.size()),
                 [&](int i, int) { enter_mapped(pieces[static_cast<std::size_t>(i)]); });
}

Bytes largest_file(const Engine::Impl& impl) {
    Bytes largest;
    for (const Bytes file : files_of(impl))
        if (file.size() > largest.size()) largest = file;
    return largest;
}

Status add_adapter(Engine::Impl& impl, const OpenOptions::Lora& lora) {
    if (!impl.config) return within(impl.checkpoint.name(), impl.config.error());
    HEFT_TRY(model::Adapter adapter,
             model::load_adapter(lora.path, impl.checkpoint, *impl.config, lora.scale));
    impl.adapter_bytes += model::bytes_of(adapter);
    if (!lora.name.empty()) impl.adapters.push_back(lora.name);
    if (!impl.model) return {};
    if (lora.name.empty()) return impl.model->add_adapter(std::move(adapter));
    HEFT_TRY(const int number, impl.model->offer_adapter(std::move(adapter)));
    HEFT_CHECK(static_cast<std::size_t>(number) == impl.adapters.size());
    return {};
}

}  // namespace

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;
Engine::~Engine() = default;

Result<Engine> Engine::open(const std::string& reference, const OpenOptions& options) {
    HEFT_TRY(format::Checkpoint checkpoint, open_checkpoint(reference));
    return make(std::move(checkpoint), options, reference == kEmbeddedName);
}

Result<Engine> Engine::of(format::Checkpoint checkpoint, const OpenOptions& options) {
    return make(std::move(checkpoint), options, false);
}

Result<Engine> Engine::make(format::Checkpoint checkpoint, const OpenOptions& options,
                            bool embedded) {
    auto impl = std::make_unique<Impl>();
    impl->embedded = embedded;
    impl->checkpoint = std::move(checkpoint);
    impl->config = arch::read_config(impl->checkpoint);
    const kv::Types usual = model::usual_types(options.precision);
    impl->cache_types = {options.cache_keys.value_or(usual.keys),
                         options.cache_values.value_or(usual.values)};
    if (options.weights) {
        const std::string& name = impl->checkpoint.name();
        if (!impl->config) return within(name, impl->config.error());
        auto model = model::Model::load(impl->checkpoint, *impl->config);
        if (!model) return within(name, model.error());
        impl->model.emplace(std::move(*model));
        if (options.threads_of == nullptr) impl->pool.emplace(options.n_threads);
        ThreadPool& pool = impl->pool ? *impl->pool : options.threads_of->threads();
        impl->context.emplace(
            op::Context{pool, kernel::best(), options.precision, options.deterministic});
        enter_weights(*impl);
        if (wants_tuning(*impl, options))
            impl->context->tuning = tuning_for(pool, kernel::best(), largest_file(*impl));
    }
    for (const OpenOptions::Lora& lora : options.lora) HEFT_OK(add_adapter(*impl, lora));
    return Engine(std::move(impl));
}

bool Engine::embedded() const {
    return impl_->embedded;
}

const format::Checkpoint& Engine::checkpoint() const {
    return impl_->checkpoint;
}

Result<const arch::Config*> Engine::config() const {
    if (!impl_->config) return within(impl_->checkpoint.name(), impl_->config.error());
    const arch::Config* config = &*impl_->config;
    return config;
}

const model::Model& Engine::model() const {
    HEFT_CHECK(impl_->model);
    return *impl_->model;
}

const std::vector<std::string>& Engine::adapters() const {
    return impl_->adapters;
}

std::uint64_t Engine::adapter_bytes() const {
    return impl_->adapter_bytes;
}

op::Context& Engine::context() const {
    HEFT_CHECK(impl_->context);
    return *impl_->context;
}

ThreadPool& Engine::threads() const {
    HEFT_CHECK(impl_->context);
    return impl_->context->pool;
}

kv::Types Engine::cache_types() const {
    return impl_->cache_types;
}

Result<kv::Cache> Engine::make_cache(std::int64_t n_ctx, std::int64_t expected) const {
    return model().make_cache(n_ctx, impl_->cache_types, expected);
}

Result<const text::Tokenizer*> Engine::tokenizer() const {
    const std::lock_guard lock(impl_->lazily);
    if (!impl_->tokenizer) impl_->tokenizer.emplace(text::Tokenizer::load(impl_->checkpoint));
    if (!*impl_->tokenizer) return within(impl_->checkpoint.name(), impl_->tokenizer->error());
    const text::Tokenizer* tokenizer = &**impl_->tokenizer;
    return tokenizer;
}

Result<std::shared_ptr<const grammar::Vocabulary>> Engine::vocabulary(bool with_marks) const {
    HEFT_TRY(const text::Tokenizer* words, tokenizer());
    HEFT_TRY(const arch::Config* shape, config());
    const auto source = with_marks ? template_source() : Result<std::string>(std::string());
    const std::lock_guard lock(impl_->lazily);
    auto& vocabulary = impl_->vocabularies[with_marks ? 1 : 0];
    if (vocabulary != nullptr) return vocabulary;
    grammar::TokenBytes tokens = grammar::token_bytes(*words, static_cast<int>(shape->n_vocab));
    if (source && !source->empty()) {
        const text::ReplyFormat& format = text::reply_format_of_template(*source);
        tokens.bytes_of = [words, &format, usual = std::move(tokens.bytes_of)](TokenId id) {
            const bool is_mark = words->kind(id) == text::TokenKind::control
                                 && text::is_marker(format, words->piece(id));
            return is_mark ? std::string(words->piece(id)) : usual(id);
        };
    }
    vocabulary = std::make_shared<const grammar::Vocabulary>(tokens);
    return vocabulary;
}

grammar::ConstraintCache& Engine::constraints() const {
    return impl_->constraints;
}

Result<const text::ChatTemplate*> Engine::chat_template() const {
    HEFT_TRY(const std::string source, template_source());
    const std::lock_guard lock(impl_->lazily);
    if (!impl_->chat_template) impl_->chat_template.emplace(text::ChatTemplate::parse(source));
    if (!*impl_->chat_template) {
        Error error =
            within(impl_->checkpoint.name() + ": chat template", impl_->chat_template->error());
        if (error.code == Code::invalid) error.code = Code::corrupt;  // the file's fault
        return error;
    }
    const text::ChatTemplate* parsed = &**impl_->chat_template;
    return parsed;
}

}  // namespace heft::engine
