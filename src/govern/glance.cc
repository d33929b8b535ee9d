#include "govern/glance.h"

#include <algorithm>

namespace heft::govern {

namespace {

ActAnswer ask(const Catalogue& catalogue, const Chain& chain, const char* fact, Fact value) {
    Use use;
    use.state(fact, std::move(value));
    const Judgement judgement = assess(catalogue, chain, use).judgement;
    const auto decides = std::find_if(
        judgement.acts.rbegin(), judgement.acts.rend(),
        [&judgement](const ActAnswer& act) { return act.verdict == judgement.verdict; });
    ActAnswer none;
    none.verdict = judgement.verdict;
    return decides == judgement.acts.rend() ? none : *decides;
}

}  // namespace

Glance glance(const Catalogue& catalogue, const Chain& chain) {
    return {ask(catalogue, chain, "purpose", std::string("personal")),
            ask(catalogue, chain, "commercial", true),
            ask(catalogue, chain, "publish_model", true)};
}

Use usual_use() {
    Use use;
    for (const char* fact :
         {"commercial", "modify", "publish_model", "publish_finetune", "host_api"})
        use.state(fact, true);
    return use;
}

}  // namespace heft::govern
