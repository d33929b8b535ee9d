// Memory by the page, for what is large: address space whose pages come with the first write, in
// large ones (2 MB) where the system has them. The first touch of a page is slow, under a
// hypervisor up to 12 microseconds, and 512 times rarer so.
#pragma once

#include <cstddef>
#include <limits>
#include <new>
#include <utility>
#include <vector>

#include "base/result.h"

namespace heft {

class Pages {
  public:
    // Zeros. Errors: exhausted, where there is no address space for as much.
    static Result<Pages> reserve(std::size_t bytes);

    Pages() = default;
    Pages(Pages&& other) noexcept;
    Pages& operator=(Pages&& other) noexcept;
    ~Pages();

    std::byte* data() const { return data_; }  // where a page begins
    std::size_t size() const { return size_; }

    // For who keeps count of them otherwise: gives them away, to be given back to free().
    std::byte* release();
    static void free(std::byte* data, std::size_t bytes);  // as many as were asked for

  private:
    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

// Grows to the largest need and stays; what it held is lost when it grows.
class WorkMemory {
  public:
    // Room for so many, where a page begins. Throws std::bad_alloc.
    template <class T>
    T* at_least(std::size_t count) {
        if (pages_.size() / sizeof(T) < count) grow(count, sizeof(T));
        return reinterpret_cast<T*>(pages_.data());
    }

  private:
    void grow(std::size_t count, std::size_t bytes_each);

    Pages pages_;
};

template <class T>
struct PageAllocator {
    using value_type = T;  // NOLINT(readability-identifier-naming): as allocators are asked

    PageAllocator() = default;
    template <class U>
    PageAllocator(const PageAllocator<U>& /*other*/) noexcept {}  // NOLINT(*-explicit-*)

    T* allocate(std::size_t count) {
        if (count > std::numeric_limits<std::size_t>::max() / sizeof(T)) throw std::bad_alloc();
        auto pages = Pages::reserve(count * sizeof(T));
        if (!pages) throw std::bad_alloc();
        return reinterpret_cast<T*>(pages->release());
    }
    void deallocate(T* at, std::size_t count) noexcept {
        Pages::free(reinterpret_cast<std::byte*>(at), count * sizeof(T));
    }

    // What is added without a value is not set to zero first.
    template <class U>
    void construct(U* at) noexcept {
        ::new (static_cast<void*>(at)) U;
    }
    template <class U, class... Args>
    void construct(U* at, Args&&... args) {
        ::new (static_cast<void*>(at)) U(std::forward<Args>(args)...);
    }

    template <class U>
    bool operator==(const PageAllocator<U>& /*other*/) const {
        return true;
    }
};

// For large results, whose elements resize() leaves unset.
template <class T>
using PagedVector = std::vector<T, PageAllocator<T>>;

}  // namespace heft
