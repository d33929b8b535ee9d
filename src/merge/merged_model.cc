#include "merge/merged_model.h"

#include <map>
#include <memory>
#include <utility>

#include "arch/tensors.h"
#include "merge/gguf_metadata.h"
#include "tensor/rows.h"

namespace heft::merge {

namespace {

// As it is stored, whatever it is.
TensorView copied(const PlannedTensor& tensor) {
    TensorView view = *tensor.models.front().tensor->view;
    view.name = tensor.name;
    return view;
}

Result<TensorView> view_of(const Plan& plan, const PlannedTensor& tensor, const Means& means,
                           std::vector<std::vector<std::byte>>& vectors) {
    if (tensor.is_buffer) return copied(tensor);
    TensorView view{tensor.name, tensor.type, tensor.shape, {}};
    HEFT_TRY(const std::uint64_t bytes, tensor_bytes(tensor.type, tensor.shape));
    auto rows = std::make_shared<const MergedRows>(plan, tensor, means);
    if (tensor.shape.size() > 1) {
        view.repack = std::move(rows);
        return view;
    }
    if (Status made = rows->prepare({}); !made)
        return within("tensor " + tensor.name, std::move(made.error()));
    auto& vector = vectors.emplace_back(bytes);
    rows->rows(0, heft::rows_of(view), vector.data());
    view.data = vector;
    return view;
}

bool is_read_by_rows(const arch::Tensor& tensor) {
    return tensor.load != arch::Load::transposed && tensor.cols != arch::Dim::none;
}

class Holder {
  public:
    Holder(const format::Checkpoint& merged, ThreadPool& pool) : merged_(merged), pool_(pool) {}

    Result<Held> hold() {
        HEFT_TRY(const arch::Config config, arch::read_config(merged_));
        for (const arch::Tensor& tensor : config.family->tensors) {
            if (tensor.hf == nullptr || is_read_by_rows(tensor)) continue;
            const int layers = arch::per_layer(tensor) ? config.n_layer : 1;
            for (int layer = 0; layer < layers; ++layer)
                for (int expert = 0; expert < arch::copies(tensor.hf, config); ++expert) {
                    HEFT_TRY(const arch::Located at,
                             arch::locate(merged_, config, tensor, layer, expert));
                    if (at.view != nullptr && at.view->repack)
                        HEFT_OK(add(*at.view, {tensor.hf, expert}));
                }
        }
        return std::move(held_);
    }

  private:
    // Of the tensors that a GGUF tensor is made of no two stand in the same place of the table.
    using Place = std::pair<std::string_view, int>;  // name, expert

    Status add(const TensorView& view, const Place& place) {
        if (&held_.overlay.of(view) != &view) return {};  // a fused one has several rows there
        HEFT_TRY(const std::uint64_t bytes, tensor_bytes(view.type, view.shape));
        HeldRows::Room& room = rooms_[place];
        if (!room) {
            room = std::make_shared<std::vector<std::byte>>(bytes);
            held_.bytes += bytes;
        }
        if (room->size() != bytes)
            return Error{Code::unsupported, "tensor " + view.name
                                                + " has another size than in other layers; merge "
                                                  "into a folder"};
        TensorView whole = view;
        whole.repack = std::make_shared<const HeldRows>(view, room, pool_);
        whole.data = *room;
        held_.overlay.set(view, std::move(whole));
        return {};
    }

    const format::Checkpoint& merged_;
    ThreadPool& pool_;
    std::map<Place, HeldRows::Room> rooms_;
    Held held_;
};

}  // namespace

Result<MergedModel> merged_model(const Plan& plan, const std::string& name, const Means& means) {
    MergedModel out;
    std::vector<TensorView> views;
    views.reserve(plan.tensors.size());
    for (const PlannedTensor& tensor : plan.tensors) {
        HEFT_TRY(views.emplace_back(), view_of(plan, tensor, means, out.vectors));
    }
    if (plan.layout == Layout::gguf) {
        HEFT_TRY(out.metadata, gguf_metadata(plan, name));
        HEFT_TRY(out.checkpoint,
                 format::Checkpoint::assembled(Bytes(out.metadata), std::move(views), name));
        return out;
    }
    HEFT_TRY(out.files, side_files(plan));
    format::Checkpoint::Texts texts;
    for (const SideFile& file : out.files) texts.emplace(file.name, file.text);
    HEFT_TRY(out.checkpoint,
             format::Checkpoint::assembled(std::move(texts), std::move(views), name));
    return out;
}

Result<Held> hold_columns(const format::Checkpoint& merged, ThreadPool& pool) {
    return Holder(merged, pool).hold();
}

}  // namespace heft::merge
