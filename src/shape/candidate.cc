#include "shape/candidate.h"

namespace heft::shape {

namespace {

using convert::Weight;

constexpr std::uint64_t kMostKept = std::uint64_t{2} << 30;

// The bytes of the file, where they are what a GGUF file would have.
Bytes stored_bytes(const Weight& weight, DType type) {
    if (!weight.copy || type != weight.stored || !weight.mapped_in_order) return {};
    return weight.mapped.front();
}

}  // namespace

Candidates::Candidates(const GgufModel& model, const Imatrix* imatrix, ThreadPool& pool,
                       Progress progress)
    : model_(model), imatrix_(imatrix), encoder_(pool, std::move(progress)) {}

DType Candidates::own_type(const Weight& weight) {
    if (weight.copy && dtype_info(weight.stored).gguf_id >= 0) return weight.stored;
    return weight.matrix ? DType::f16 : DType::f32;
}

Result<Bytes> Candidates::bytes_of(std::size_t weight, DType type) {
    const Weight& from = model_.weights[weight];
    const auto [found, is_new] = encoded_.try_emplace({weight, type});
    Encoded& to = found->second;
    if (!is_new) return Bytes(to.bytes);
    EncodeJob job;
    job.type = type;
    if (imatrix_ != nullptr && dtype_info(type).block > 1)
        to.importance = imatrix_->importance(from.name, from.n_cols);
    job.importance = to.importance;
    const Status done = encoder_.encode(from, job, [&to](Bytes bytes) -> Status {
        to.bytes.insert(to.bytes.end(), bytes.begin(), bytes.end());
        return {};
    });
    if (!done) {
        encoded_.erase(found);
        return within("tensor " + from.name, done.error());
    }
    return Bytes(to.bytes);
}

// What is not asked for goes, where there is too much.
void Candidates::make_room(std::span<const DType> types) {
    std::uint64_t kept = 0;
    for (const auto& [key, encoded] : encoded_) kept += encoded.bytes.size();
    for (auto at = encoded_.begin(); at != encoded_.end() && kept > kMostKept;) {
        const bool wanted = types[at->first.first] == at->first.second;
        kept -= wanted ? 0 : at->second.bytes.size();
        at = wanted ? std::next(at) : encoded_.erase(at);
    }
}

Result<format::Checkpoint> Candidates::checkpoint(std::span<const DType> types) {
    if (metadata_.empty()) {
        HEFT_TRY(metadata_, model_.writer.to_memory());
    }
    make_room(types);
    std::vector<TensorView> tensors;
    for (std::size_t i = 0; i < model_.weights.size(); ++i) {
        const Weight& weight = model_.weights[i];
        TensorView& view = tensors.emplace_back();
        view.name = weight.name;
        view.type = types[i];
        view.shape = weight.shape;
        view.data = stored_bytes(weight, types[i]);
        if (view.data.empty()) {
            HEFT_TRY(view.data, bytes_of(i, types[i]));
        }
    }
    return format::Checkpoint::assembled(metadata_, std::move(tensors), "the model in a mix");
}

}  // namespace heft::shape
