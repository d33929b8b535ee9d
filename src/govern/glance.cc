#include "govern/glance.h"

namespace heft::govern {

namespace {

Verdict ask(const Catalogue& catalogue, const Chain& chain, const char* fact, Fact value) {
    Use use;
    use.state(fact, std::move(value));
    return assess(catalogue, chain, use).judgement.verdict;
}

}  // namespace

Glance glance(const Catalogue& catalogue, const Chain& chain) {
    return {ask(catalogue, chain, "purpose", std::string("personal")),
            ask(catalogue, chain, "commercial", true),
            ask(catalogue, chain, "publish_model", true)};
}

}  // namespace heft::govern
