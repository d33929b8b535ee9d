#include "base/pages.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include <sys/mman.h>

namespace heft {

namespace {

constexpr std::size_t kLargePage = std::size_t{1} << 21;

// Less than half a large page is not worth one.
constexpr bool is_large(std::size_t bytes) {
    return bytes >= kLargePage / 2;
}

constexpr std::size_t mapped_size(std::size_t bytes) {
    return is_large(bytes) ? (bytes + kLargePage - 1) / kLargePage * kLargePage : bytes;
}

// nullptr: there is no room.
std::byte* map(std::size_t bytes) {
    void* at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at == MAP_FAILED ? nullptr : static_cast<std::byte*>(at);
}

// From where a large page begins: maps one more and gives back what is left over on both sides.
std::byte* map_large(std::size_t bytes) {
    std::byte* const at = map(bytes + kLargePage);
    if (at == nullptr) return nullptr;
    const std::size_t before =
        (kLargePage - reinterpret_cast<std::uintptr_t>(at) % kLargePage) % kLargePage;
    if (before > 0) ::munmap(at, before);
    if (before < kLargePage) ::munmap(at + before + bytes, kLargePage - before);
    // Advice: that it may fail matters to nobody.
    (void)::madvise(at + before, bytes, MADV_HUGEPAGE);
    return at + before;
}

}  // namespace

Result<Pages> Pages::reserve(std::size_t bytes) {
    Pages pages;
    if (bytes == 0) return pages;
    if (bytes < std::numeric_limits<std::size_t>::max() - 2 * kLargePage) {
        pages.size_ = mapped_size(bytes);
        pages.data_ = is_large(bytes) ? map_large(pages.size_) : map(pages.size_);
    }
    if (pages.data_ == nullptr)
        return Error{Code::exhausted, "no memory for " + std::to_string(bytes) + " bytes"};
    return pages;
}

Pages::Pages(Pages&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Pages& Pages::operator=(Pages&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
}

Pages::~Pages() {
    free(data_, size_);
}

std::byte* Pages::release() {
    size_ = 0;
    return std::exchange(data_, nullptr);
}

void Pages::free(std::byte* data, std::size_t bytes) {
    if (data != nullptr) ::munmap(data, mapped_size(bytes));
}

void WorkMemory::grow(std::size_t count, std::size_t bytes_each) {
    std::size_t bytes = 0;
    if (__builtin_mul_overflow(count, bytes_each, &bytes)) throw std::bad_alloc();
    // Room that is not touched costs nothing, and growing often does.
    auto pages = Pages::reserve(std::max(bytes, 2 * pages_.size()));
    if (!pages) throw std::bad_alloc();
    pages_ = std::move(*pages);
}

}  // namespace heft
