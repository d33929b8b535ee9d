// A file of a stored response, whatever it holds, is read or refused; what is read is written and
// read again the same.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "serve/api/endpoint.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace heft::serve;  // NOLINT(google-build-using-namespace)
    const auto response = read_stored({reinterpret_cast<const char*>(data), size});
    if (!response) return 0;
    const std::string text = write_stored(*response);
    const auto again = read_stored(text);
    HEFT_CHECK(again && write_stored(*again) == text);
    HEFT_CHECK(!dumped(input_items(*response)).empty());
    return 0;
}
