#include <cmath>

#include <fmt/format.h>

#include "text/jinja/format.h"
#include "text/jinja/words.h"

namespace heft::text::jinja {

namespace {

class PercentFormat {
  public:
    PercentFormat(Heap& heap, const Value& format, const Value& args)
        : heap_(heap), format_(format.text()), args_(args), out_(heap) {}

    Result<Value> run(bool markup);

  private:
    bool tuple() const { return args_.is(Kind::list) && args_.list().flavor == Flavor::tuple; }
    Result<Value> next();
    Result<Value> named();
    Result<FormatSpec> spec();
    Status conversion();
    Status add(char type, const Value& value, FormatSpec spec);

    Heap& heap_;
    std::string_view format_;
    const Value& args_;
    Builder out_;
    std::size_t at_ = 0;
    std::size_t used_ = 0;
};

Result<Value> PercentFormat::next() {
    const std::size_t count = tuple() ? args_.list().items.size() : 1;
    if (used_ >= count) return type_error("not enough arguments for format string");
    ++used_;
    return tuple() ? args_.list().items[used_ - 1] : args_;
}

Result<Value> PercentFormat::named() {
    const std::size_t end = format_.find(')', at_);
    if (end == std::string_view::npos) return type_error("incomplete format key");
    if (!args_.is(Kind::dict)) return type_error("format requires a mapping");
    const std::string_view key = format_.substr(at_, end - at_);
    at_ = end + 1;
    const Value* value = args_.dict().find(key);
    if (value == nullptr)
        return type_error(fmt::format("the format names '{}', which is not given", key));
    return *value;
}

Result<FormatSpec> PercentFormat::spec() {
    FormatSpec spec;
    bool left = false;
    bool zero = false;
    for (; at_ < format_.size(); ++at_) {
        const char flag = format_[at_];
        if (flag == '-') {
            left = true;
        } else if (flag == '0') {
            zero = true;
        } else if (flag == '+' || (flag == ' ' && spec.sign != '+')) {
            spec.sign = flag;
        } else if (flag == '#') {
            spec.alternate = true;
        } else if (flag != ' ') {
            break;
        }
    }
    const auto number = [&]() -> Result<std::size_t> {
        if (at_ >= format_.size() || format_[at_] != '*') return read_number(format_, at_);
        ++at_;
        HEFT_TRY(const Value given, next());
        if (!given.is_whole() || given.as_int() < 0 || given.as_int() > 1'000'000) {
            return type_error("* wants a small integer");
        }
        return static_cast<std::size_t>(given.as_int());
    };
    HEFT_TRY(spec.width, number());
    if (at_ < format_.size() && format_[at_] == '.') {
        ++at_;
        HEFT_TRY(const std::size_t precision, number());
        spec.precision = static_cast<int>(precision);
    }
    spec.align = left ? '<' : (zero ? '=' : '>');
    if (zero && !left) spec.fill = '0';
    return spec;
}

Status PercentFormat::add(char type, const Value& value, FormatSpec spec) {
    const bool text = type == 's' || type == 'r' || type == 'a' || type == 'c';
    if (text) {
        spec.fill = ' ';
        if (spec.align == '=') spec.align = '>';
    }
    if (type == 'c' && value.is_whole()) {
        spec.type = 'c';
        return add_formatted(heap_, out_, value, spec);
    }
    if (text) {
        HEFT_TRY(const Value shown,
                 type == 'r' || type == 'a' ? to_repr(heap_, value) : to_str(heap_, value));
        return add_formatted(heap_, out_, shown, spec);
    }
    if (value.is_undefined()) return type_error(std::string(value.complaint()));
    if (!value.is_number()) {
        return type_error(
            fmt::format("%{} format: a number is required, not {}", type, type_name(value)));
    }
    const bool whole = type == 'd' || type == 'i' || type == 'u';
    spec.type = whole ? 'd' : type;
    if (whole && value.is(Kind::real)) {
        if (std::fabs(value.as_real()) >= 9.2e18 || std::isnan(value.as_real())) {
            return type_error("cannot convert the float to an integer");
        }
        return add_formatted(heap_, out_,
                             Value::integer(static_cast<std::int64_t>(value.as_real())), spec);
    }
    if (!whole && std::string_view("eEfFgGxXo").find(type) == std::string_view::npos) {
        return type_error(fmt::format("unsupported format character '{}'", type));
    }
    return add_formatted(heap_, out_, value, spec);
}

Status PercentFormat::conversion() {
    Value value;
    if (at_ < format_.size() && format_[at_] == '(') {
        ++at_;
        HEFT_TRY(value, named());
    }
    HEFT_TRY(const FormatSpec layout, spec());
    if (at_ >= format_.size()) return type_error("incomplete format");
    const char type = format_[at_++];
    if (type == '%') {
        out_.add('%');
        return {};
    }
    if (value.is_absent()) {
        HEFT_TRY(value, next());
    }
    return add(type, value, layout);
}

Result<Value> PercentFormat::run(bool markup) {
    while (at_ < format_.size()) {
        const std::size_t sign = std::min(format_.find('%', at_), format_.size());
        out_.add(format_.substr(at_, sign - at_));
        at_ = sign + 1;
        if (sign == format_.size()) break;
        HEFT_OK(heap_.spend(1));
        HEFT_OK(conversion());
    }
    // Python asks of mappings and lists only that they can be subscripted.
    const bool lenient = args_.is(Kind::dict) || (args_.is(Kind::list) && args_.list().indexable());
    const bool all_used = tuple() ? used_ == args_.list().items.size() : used_ == 1 || lenient;
    if (!all_used) return type_error("not all arguments converted during string formatting");
    return out_.value(markup);
}

}  // namespace

Result<Value> percent_format(Heap& heap, const Value& format, const Value& args) {
    HEFT_OK(heap.spend_bytes(format.text().size()));
    return PercentFormat(heap, format, args).run(format.is_markup());
}

}  // namespace heft::text::jinja
