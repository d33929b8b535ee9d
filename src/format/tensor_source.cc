#include "format/tensor_source.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include "base/mapped_file.h"
#include "format/names.h"
#include "format/resumable_file.h"
#include "format/tensor_hashes.h"

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

Status write_pieces(ResumableFile& file, const std::vector<Piece>& pieces, TensorHashes* hashes) {
    const auto sink = [&file](Bytes bytes) { return file.write(bytes); };
    for (const Piece& piece : pieces) {
        const std::uint64_t at = file.position();
        if (!file.skip(piece.padded)) {
            HEFT_OK(produce_exactly(*piece.tensor, piece.bytes, sink));
            HEFT_OK(pad(piece.padded - piece.bytes, sink));
        }
        if (hashes != nullptr) hashes->add(*piece.tensor, file.descriptor(), at, piece.bytes);
    }
    return hashes != nullptr ? hashes->wait() : Status();
}

bool is_there(const std::filesystem::path& path, const Pieces& pieces) {
    std::uint64_t size = pieces.header.size();
    for (const Piece& piece : pieces.tensors) size += piece.padded;
    const auto file = MappedFile::open(path);
    return file && file->bytes().size() == size
           && as_text(file->bytes().first(pieces.header.size())) == pieces.header;
}

// Of a file that is complete.
Status hash_tensors(const std::filesystem::path& path, const Pieces& pieces, TensorHashes& hashes) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return Error{Code::not_found, path.string() + ": " + std::strerror(errno)};
    std::uint64_t at = pieces.header.size();
    for (const Piece& piece : pieces.tensors) {
        hashes.add(*piece.tensor, fd, at, piece.bytes);
        at += piece.padded;
    }
    Status status = hashes.wait();
    ::close(fd);
    return status;
}

// Nothing of a file stays that nobody will go on with.
Status ended(ResumableFile& file, Status status, TensorHashes* hashes) {
    if (!status && hashes != nullptr) hashes->give_up();
    if (!status && status.error().code != Code::cancelled) file.discard();
    return status;
}

}  // namespace

Status write_resumably(const std::filesystem::path& path, const Pieces& pieces,
                       const Finish& finish, TensorHashes* hashes) {
    if (!finish && is_there(path, pieces))
        return hashes != nullptr ? hash_tensors(path, pieces, *hashes) : Status();
    HEFT_TRY(ResumableFile file, ResumableFile::open(path, pieces.header));
    Status status = write_pieces(file, pieces.tensors, hashes);
    if (status && finish) status = finish_file(file, pieces.header.size(), finish);
    if (status) status = file.commit();
    return ended(file, std::move(status), hashes);
}

Status prepare_resumably(const std::filesystem::path& path, const Pieces& pieces,
                         TensorHashes* hashes) {
    if (is_there(path, pieces))
        return hashes != nullptr ? hash_tensors(path, pieces, *hashes) : Status();
    HEFT_TRY(ResumableFile file, ResumableFile::open(path, pieces.header));
    return ended(file, write_pieces(file, pieces.tensors, hashes), hashes);
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
