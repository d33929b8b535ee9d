#include "format/tensor_source.h"

#include <algorithm>
#include <array>

#include "format/names.h"

namespace heft::format {

TensorSource source_of(const TensorView& tensor) {
    return {tensor.name, tensor.type, tensor.shape,
            [data = tensor.data](const ByteSink& out) { return out(data); }};
}

Status produce_exactly(const TensorSource& source, std::uint64_t bytes, const ByteSink& out) {
    std::uint64_t done = 0;
    const auto counted = [&done, bytes, &out](Bytes piece) -> Status {
        if (piece.size() > bytes - done)
            return Error{Code::internal, "more than its " + std::to_string(bytes) + " bytes came"};
        done += piece.size();
        return out(piece);
    };
    Status status = source.produce ? source.produce(counted) : Status();
    if (status && done != bytes)
        status = Error{Code::internal, "only " + std::to_string(done) + " of its "
                                           + std::to_string(bytes) + " bytes came"};
    if (!status) return within("tensor " + in_quotes(source.name), std::move(status.error()));
    return {};
}

Status pad(std::uint64_t zeros, const ByteSink& out) {
    static constexpr std::array<std::byte, 4096> kZeros{};
    while (zeros > 0) {
        const auto piece = std::min<std::uint64_t>(zeros, kZeros.size());
        HEFT_OK(out(Bytes(kZeros).first(piece)));
        zeros -= piece;
    }
    return {};
}

}  // namespace heft::format
