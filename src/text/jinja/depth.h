// Counts one level for as long as it lives.
#pragma once

namespace heft::text::jinja {

class Depth {
  public:
    explicit Depth(int& depth) : depth_(depth), before_(depth++) {}
    Depth(const Depth&) = delete;
    Depth& operator=(const Depth&) = delete;
    ~Depth() { depth_ = before_; }

  private:
    int& depth_;
    int before_;
};

}  // namespace heft::text::jinja
