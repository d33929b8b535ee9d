#include "serve/reply_reader.h"

namespace heft::serve {

namespace {

class PlainReader : public ReplyReader {
  public:
    std::vector<Part> push(std::string_view text, engine::TokenId /*id*/) override {
        if (text.empty()) return {};
        return {{Part::Kind::text, std::string(text)}};
    }
    std::vector<Part> finish() override { return {}; }
    std::vector<std::string> degraded() const override { return {}; }
};

}  // namespace

std::unique_ptr<ReplyReader> make_reply_reader(const engine::Engine& /*engine*/,
                                               const Request& /*request*/) {
    return std::make_unique<PlainReader>();
}

}  // namespace heft::serve
