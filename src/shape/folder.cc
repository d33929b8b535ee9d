#include "shape/folder.h"

namespace heft::shape {

std::size_t add_tensors(format::SafetensorsWriter& writer, const convert::FolderTensors& tensors,
                        Encoder& encoder, const convert::Advance& pairs) {
    std::size_t n = 0;
    for (const convert::FolderWeight& one : tensors.weights) {
        if (one.type == DType::mxfp4) {
            for (format::TensorSource& source : convert::mxfp4_pair(one.weight, pairs)) {
                writer.add(std::move(source));
                ++n;
            }
            continue;
        }
        EncodeJob job;
        job.type = one.type;
        writer.add(encoder.source(one.weight, job));
        ++n;
    }
    return n;
}

std::uint64_t work_of(const convert::FolderTensors& tensors) {
    std::uint64_t work = 0;
    for (const convert::FolderWeight& one : tensors.weights) work += one.weight.work();
    return work;
}

}  // namespace heft::shape
