#include "app/model_card.h"

#include <nlohmann/json.hpp>

#include "app/at_glance.h"
#include "app/release.h"
#include "govern/verdict.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;

void add_sentences(const govern::Vocabulary& words, Json& act) {
    if (const auto verdict = govern::verdict_of(act["verdict"].get<std::string>()))
        act["sentence"] = govern::sentence(*verdict);
    Json questions = Json::array();
    for (const Json& name : act["missing"])
        if (const govern::FactRow* fact = words.fact(name.get<std::string>()))
            questions.push_back(fact->asks);
    act["questions"] = std::move(questions);
}

Result<Json> made(const std::string& reference, engine::Engine described) {
    HEFT_TRY(const govern::Catalogue catalogue, govern::Catalogue::open());
    HEFT_TRY(LocalRelease local, local_release(reference, std::move(described)));
    HEFT_TRY(Json card, at_glance(catalogue, local));
    Json names = Json::array();
    for (const Json& id : card["licence"]["ids"]) {
        const govern::Licence* found = catalogue.find(id.get<std::string>());
        names.push_back(found == nullptr ? id : Json(found->name));
    }
    card["licence"]["names"] = std::move(names);
    for (const char* act : {"private_use", "commercial_use", "redistribution"})
        add_sentences(catalogue.vocabulary(), card["licence"][act]);
    card["openness"]["sentence"] = spoken_openness(card["openness"]);
    return card;
}

}  // namespace

Json model_card(const std::string& reference, engine::Engine described) {
    auto card = made(reference, std::move(described));
    return card ? std::move(*card) : Json{{"error", card.error().what}};
}

}  // namespace heft::app
