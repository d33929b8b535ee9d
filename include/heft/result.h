// A value or the reason there is none. std::expected arrives with C++23; this is the part we use.
// Errors are values: nothing in heft throws. Not thread-safe, like any value.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace heft {

// What went wrong, for a caller to branch on and for the exit code. The text is for a person.
enum class Code {
    invalid,      // the request itself: an option, a prompt that is too long
    not_found,    // no such file, or not readable
    corrupt,      // bytes that contradict themselves or their format
    unsupported,  // well-formed, but something that heft does not (yet) do
    exhausted,    // memory or another bounded resource
    cancelled,    // the user stopped it
    internal,     // our own mistake, caught before it did harm
};

struct Error {
    Code code = Code::invalid;
    std::string what;  // one sentence: file, what, where
};

template <class T>
class [[nodiscard]] Result {
  public:
    Result(T value)
        : state_(std::in_place_index<0>, std::move(value)) {
    }  // NOLINT(google-explicit-constructor)
    Result(Error error)
        : state_(std::in_place_index<1>, std::move(error)) {
    }  // NOLINT(google-explicit-constructor)

    explicit operator bool() const { return state_.index() == 0; }

    T& operator*() { return *std::get_if<0>(&state_); }
    const T& operator*() const { return *std::get_if<0>(&state_); }
    T* operator->() { return std::get_if<0>(&state_); }
    const T* operator->() const { return std::get_if<0>(&state_); }

    Error& error() { return *std::get_if<1>(&state_); }
    const Error& error() const { return *std::get_if<1>(&state_); }

  private:
    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
  public:
    Result() = default;
    Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

    explicit operator bool() const { return !error_; }

    Error& error() { return *error_; }
    const Error& error() const { return *error_; }

  private:
    std::optional<Error> error_;
};

using Status = Result<void>;

// The same error, told from one level up: "model.gguf: tensor runs past the end".
inline Error within(const std::string& where, Error error) {
    error.what.insert(0, where + ": ");
    return error;
}

#define HEFT_CAT2(a, b) a##b
#define HEFT_CAT(a, b)  HEFT_CAT2(a, b)

// Binds a Result's value, or hands its error to our caller.
#define HEFT_TRY(lhs, expr)                                                        \
    auto HEFT_CAT(r_, __LINE__) = (expr);                                          \
    if (!HEFT_CAT(r_, __LINE__)) return std::move(HEFT_CAT(r_, __LINE__).error()); \
    lhs = std::move(*HEFT_CAT(r_, __LINE__))

// Hands on the error of a Status; there is no value to bind.
#define HEFT_OK(expr)                                                           \
    do {                                                                        \
        if (auto status_ = (expr); !status_) return std::move(status_.error()); \
    } while (false)

}  // namespace heft
