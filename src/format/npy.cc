#include "format/npy.h"

#include <string>

#include "base/bytes.h"
#include "format/output_file.h"

namespace heft::format {

namespace {

constexpr std::size_t kAlignment = 64;  // of the data

std::string npy_header(std::uint64_t rows, std::uint64_t columns) {
    std::string header("\x93NUMPY\x01\x00\x00\x00", 10);
    header += "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(rows) + ", "
              + std::to_string(columns) + "), }";
    header.resize((header.size() + kAlignment) / kAlignment * kAlignment, ' ');
    header.back() = '\n';
    const std::size_t length = header.size() - 10;
    header[8] = static_cast<char>(length & 0xff);
    header[9] = static_cast<char>(length >> 8);
    return header;
}

}  // namespace

Status write_npy(const std::filesystem::path& path, std::span<const float> values,
                 std::uint64_t rows, std::uint64_t columns) {
    const bool fits = columns == 0
                          ? values.empty()
                          : values.size() % columns == 0 && values.size() / columns == rows;
    if (!fits)
        return Error{Code::invalid, path.string() + ": " + std::to_string(values.size())
                                        + " values are not an array of " + std::to_string(rows)
                                        + " x " + std::to_string(columns)};
    HEFT_TRY(OutputFile file, OutputFile::create(path));
    HEFT_OK(file.write(as_bytes(npy_header(rows, columns))));
    HEFT_OK(file.write(std::as_bytes(values)));
    return file.commit();
}

}  // namespace heft::format
