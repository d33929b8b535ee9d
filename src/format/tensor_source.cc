#include "format/tensor_source.h"

#include <algorithm>
#include <array>

#include "base/mapped_file.h"
#include "format/names.h"
#include "format/resumable_file.h"

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

namespace {

Status finish_file(ResumableFile& file, std::size_t header_bytes, const Finish& finish) {
    HEFT_TRY(const MappedFile all, file.look());
    HEFT_TRY(const std::string header, finish(all.bytes()));
    if (header.size() != header_bytes)
        return Error{Code::internal, "the beginning of the file has changed its length"};
    return file.begin_with(header);
}

Status write_pieces(ResumableFile& file, std::span<const Piece> pieces) {
    const auto sink = [&file](Bytes bytes) { return file.write(bytes); };
    for (const Piece& piece : pieces) {
        if (file.skip(piece.padded)) continue;
        HEFT_OK(produce_exactly(*piece.tensor, piece.bytes, sink));
        HEFT_OK(pad(piece.padded - piece.bytes, sink));
    }
    return {};
}

bool is_there(const std::filesystem::path& path, const std::string& header,
              std::span<const Piece> pieces) {
    std::uint64_t size = header.size();
    for (const Piece& piece : pieces) size += piece.padded;
    const auto file = MappedFile::open(path);
    return file && file->bytes().size() == size
           && as_text(file->bytes().first(header.size())) == header;
}

}  // namespace

Status write_resumably(const std::filesystem::path& path, const std::string& header,
                       std::span<const Piece> pieces, const Finish& finish) {
    if (is_there(path, header, pieces)) return {};
    HEFT_TRY(ResumableFile file, ResumableFile::open(path, header));
    Status status = write_pieces(file, pieces);
    if (status && finish) status = finish_file(file, header.size(), finish);
    if (status) status = file.commit();
    if (!status && status.error().code != Code::cancelled) file.discard();
    return status;
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
