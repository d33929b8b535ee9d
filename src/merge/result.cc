#include "merge/result.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/mapped_file.h"
#include "base/sha256.h"
#include "format/output_file.h"
#include "format/unfinished_folder.h"
#include "merge/card.h"
#include "merge/gguf_result.h"
#include "merge/side_files.h"
#include "merge/weights.h"
#include "tensor/quant/quant.h"

namespace heft::merge {

namespace {

namespace fs = std::filesystem;

// Of two things that are made again, whichever is larger: room for names, papers and file systems.
constexpr std::uint64_t kSpareBytes = 64U << 20;

// What decides the result, as one hash: an attempt may only go on with what the same merge left.
Result<std::string> key_of(const Plan& plan, const MakeOptions& options) {
    nlohmann::ordered_json inputs = nlohmann::ordered_json::array();
    for (const Model& model : plan.models)
        for (const fs::path& file : model.checkpoint->files()) {
            std::error_code error;
            const auto size = fs::file_size(file, error);
            const auto time = fs::last_write_time(file, error).time_since_epoch().count();
            inputs.push_back({fs::absolute(file, error).string(), size, time});
        }
    const nlohmann::ordered_json all = {{"version", 1},
                                        {"recipe", plan.recipe.text},
                                        {"seed", options.seed},
                                        {"shard_bytes", options.shard_bytes},
                                        {"inputs", std::move(inputs)}};
    return sha256(as_bytes(all.dump()));
}

Status write_papers(const fs::path& folder, const Plan& plan, const Papers& papers,
                    const std::string& name) {
    HEFT_TRY(const std::vector<SideFile> files, side_files(plan));
    for (const SideFile& file : files) HEFT_OK(format::write_file(folder / file.name, file.text));
    HEFT_OK(format::write_file(folder / "README.md", papers.card));
    std::error_code error;
    fs::remove_all(folder / "licences", error);
    HEFT_TRY(const auto duties,
             govern::write_duties(papers.assessment, name, papers.copies, folder / "licences"));
    (void)duties;
    HEFT_TRY(const std::string lineage, papers.lineage());
    return format::write_file(folder / "heft.json", lineage);
}

class Maker {
  public:
    Maker(const Plan& plan, const Target& target, const Papers& papers, const MakeOptions& options)
        : plan_(plan),
          target_(target),
          papers_(papers),
          options_(options),
          pool_(options.n_threads),
          total_(plan.bytes_read()) {}

    Status make() {
        HEFT_TRY(const int wave, wave_for(plan_, pool_.size(), options_.max_ram));
        Scanner scanner(
            pool_, [this](std::uint64_t bytes) { return advance(bytes); }, wave);
        if (target_.is_gguf && plan_.layout == Layout::gguf) {
            HEFT_TRY(const Texts texts, gguf_texts());
            return write_gguf(plan_, target_.path, options_.type, texts, scanner);
        }
        HEFT_TRY(const std::string key, key_of(plan_, options_));
        format::UnfinishedFolder folder(target_.path, key);
        HEFT_OK(folder.begin());
        Status done = make_in(folder, scanner);
        if (!done && done.error().code != Code::cancelled) folder.discard();
        return done;
    }

  private:
    bool advance(std::uint64_t bytes) {
        done_ += bytes;
        return !options_.progress || options_.progress(done_, total_);
    }

    Result<Texts> gguf_texts() const {
        HEFT_TRY(std::string lineage, papers_.lineage());
        Texts texts = {{"heft.lineage", std::move(lineage)}};
        const DeclaredLicence licence = declared_licence(papers_.assessment);
        texts.emplace_back("general.license", licence.tag);
        if (!licence.name.empty()) texts.emplace_back("general.license.name", licence.name);
        return texts;
    }

    Status make_in(format::UnfinishedFolder& folder, Scanner& scanner) {
        const fs::path& partial = folder.folder();
        HEFT_TRY(const Shards shards,
                 write_shards(plan_, partial, options_.shard_bytes, scanner,
                              [this](std::uint64_t bytes) { (void)advance(bytes); }));
        (void)shards;
        const std::string name = target_.path.stem().string();
        HEFT_OK(write_papers(partial, plan_, papers_, name));
        if (!target_.is_gguf) return folder.commit(options_.replace);
        HEFT_TRY(const Texts texts, gguf_texts());
        HEFT_OK(folder_to_gguf(partial, target_.path, options_.type, name, texts));
        folder.discard();
        return {};
    }

    const Plan& plan_;
    const Target& target_;
    const Papers& papers_;
    const MakeOptions& options_;
    ThreadPool pool_;
    std::uint64_t total_;
    std::uint64_t done_ = 0;
};

Status check_room(const Plan& plan, const Target& target, const MakeOptions& options) {
    std::error_code error;
    fs::path folder = fs::absolute(target.path, error).parent_path();
    while (!fs::exists(folder, error) && folder.has_relative_path()) folder = folder.parent_path();
    const auto space = fs::space(folder, error);
    if (error) return {};
    std::uint64_t wanted = plan.bytes_out() + kSpareBytes;
    // A folder of weights is made first.
    if (target.is_gguf && plan.layout == Layout::huggingface) wanted += plan.bytes_out();
    std::uint64_t there = 0;
    if (can_go_on(plan, target, options))
        for (fs::directory_iterator it(target.partial(), error), end; !error && it != end;
             it.increment(error))
            if (it->is_regular_file(error)) there += it->file_size(error);
    if (space.available + there >= wanted) return {};
    return Error{Code::exhausted, folder.string() + ": has " + std::to_string(space.available >> 20)
                                      + " MiB free, and the merge needs "
                                      + std::to_string(wanted >> 20) + " MiB"};
}

}  // namespace

fs::path Target::partial() const {
    return format::UnfinishedFolder::partial(path);
}

Target target_of(const fs::path& path) {
    std::string name = path.string();
    while (name.size() > 1 && name.back() == '/') name.pop_back();
    return {name, name.ends_with(".gguf")};
}

Status check_target(const Plan& plan, const Target& target, const MakeOptions& options) {
    std::error_code error;
    for (const Model& model : plan.models)
        if (fs::equivalent(model.path, target.path, error))
            return Error{Code::invalid, target.path.string() + ": is a model that goes into the "
                                                               "merge; name another result"};
    const bool is_there = fs::exists(target.path, error);
    const bool is_empty_folder =
        fs::is_directory(target.path, error) && fs::is_empty(target.path, error);
    if (is_there && target.is_gguf == fs::is_directory(target.path, error))
        return Error{Code::invalid,
                     target.path.string() + ": is there and not of the kind that is to be made"};
    if (is_there && !is_empty_folder && !options.replace)
        return Error{Code::invalid,
                     target.path.string() + ": is there already; --force replaces it"};
    HEFT_OK(format::UnfinishedFolder::may_replace(target.path));
    if (options.type && !target.is_gguf)
        return Error{Code::invalid,
                     "--type is for GGUF results; a folder's type is the recipe's "
                     "dtype"};
    if (options.type) {
        const Codec* type = codec(*options.type);
        if (type == nullptr || type->quantise == nullptr || dtype_info(*options.type).gguf_id < 0)
            return Error{Code::unsupported,
                         std::string("heft cannot write type ") + dtype_info(*options.type).name};
    }
    if (plan.layout == Layout::gguf && !target.is_gguf)
        return Error{Code::unsupported,
                     "all models are GGUF files, of which no Hugging Face folder can be made; name "
                     "a result that ends in .gguf"};
    if (plan.layout == Layout::gguf) {
        HEFT_OK(check_gguf(plan));
    } else {
        HEFT_TRY(const auto files, side_files(plan));  // whatever they need is there
        (void)files;
        const bool is_known =
            std::any_of(plan.models.begin(), plan.models.end(),
                        [](const Model& model) { return model.config.has_value(); });
        if (target.is_gguf && !is_known)
            return Error{Code::unsupported, "no GGUF file can be made of architecture "
                                                + plan.models.front().architecture
                                                + "; merge into a folder"};
    }
    return check_room(plan, target, options);
}

bool can_go_on(const Plan& plan, const Target& target, const MakeOptions& options) {
    const auto key = key_of(plan, options);
    return key && format::UnfinishedFolder(target.path, *key).is_begun();
}

Status make(const Plan& plan, const Target& target, const Papers& papers,
            const MakeOptions& options) {
    return Maker(plan, target, papers, options).make();
}

}  // namespace heft::merge
