#include "app/merge_terms.h"

#include <algorithm>

#include "app/build_info.h"
#include "govern/glance.h"
#include "govern/identify.h"
#include "govern/release_files.h"

namespace heft::app {

namespace {

const char* relation_of(const merge::Plan& plan, const merge::Model& model) {
    const bool is_base =
        plan.recipe.method->base != merge::Base::none && model.reference == plan.recipe.base;
    return is_base ? "base model" : "merged";
}

// Licences, use policies and notices among a model's files.
void copy_texts(const govern::ReleaseFiles& files, const govern::Identification& model,
                std::vector<govern::LicenceCopy>& copies) {
    for (const auto& file : files.texts) {
        const bool is_term = std::any_of(model.evidence.begin(), model.evidence.end(),
                                         [&](const govern::Evidence& evidence) {
                                             return evidence.where == file.name
                                                    && (evidence.role == govern::Role::weights
                                                        || evidence.role == govern::Role::policy);
                                         });
        if (is_term || file.name.starts_with("NOTICE"))
            copies.push_back({model.name, file.name, file.text});
    }
}

}  // namespace

Result<MergeTerms> terms_of(const govern::Catalogue& catalogue, const merge::Plan& plan,
                            const MergeAsked& asked) {
    HEFT_TRY(govern::Use use, use_of(asked.use, catalogue.vocabulary()));
    // A merge is mostly made to be used and shared: who does something else with it says so.
    if (use.facts().empty()) use = govern::usual_use();
    use.suggest("name", asked.name);
    MergeTerms out;
    for (const merge::Model& model : plan.models) {
        HEFT_TRY(govern::ReleaseFiles files, govern::read_release(model.path));
        if (model.checkpoint->kind() == format::Kind::gguf)
            files.metadata = govern::metadata_texts(model.checkpoint->metadata());
        HEFT_TRY(govern::Identification found, govern::identify(catalogue, files));
        copy_texts(files, found, out.copies);
        if (found.is_multimodal)
            use.suggest("modality", std::string(*found.is_multimodal ? "multimodal" : "text-only"));
        govern::Parent parent = {std::move(found), relation_of(plan, model),
                                 files.folder.parent_path()};
        out.sources.push_back({std::move(parent), {}, govern::carried_record(*model.checkpoint)});
    }
    out.making.verb = "merge";
    out.making.made_by = std::string("heft ") + build_info().version;
    out.making.options = {{"method", plan.recipe.method->name}, {"recipe", plan.recipe.text}};
    out.making.options.update(asked.options);
    out.making.seed = asked.seed;
    out.making.use = std::move(use);
    out.making.accept_terms = asked.accept_terms;
    HEFT_TRY(govern::Passport made, govern::passport(catalogue, out.sources, out.making));
    out.outcome = std::move(made.outcome);
    for (std::size_t i = 0; i < plan.models.size(); ++i)
        out.sources[i].files = plan.models[i].checkpoint->files();
    return out;
}

}  // namespace heft::app
