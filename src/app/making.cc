#include "app/making.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/build_info.h"
#include "app/console.h"
#include "app/release.h"
#include "app/scaled.h"
#include "format/resumable_file.h"
#include "format/unfinished_folder.h"

namespace heft::app {

namespace {

namespace fs = std::filesystem;

struct Unit {
    const char* name;
    double bytes;
};
constexpr Unit kUnits[] = {
    {"", 1},     {"k", 1e3},         {"kb", 1e3}, {"kib", 1024.0}, {"m", 1e6},
    {"mb", 1e6}, {"mib", 1048576.0}, {"g", 1e9},  {"gb", 1e9},     {"gib", 1073741824.0},
    {"t", 1e12}, {"tb", 1e12}};

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](char c) {
        return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    });
    return text;
}

struct Known {
    LocalRelease local;
    govern::Source source;
};

Result<govern::Source> source_of(const govern::Catalogue& catalogue, const Ingredient& one,
                                 govern::Use& use) {
    HEFT_TRY(LocalRelease local, open_local_release(one.reference));
    govern::Source source;
    source.parent.relation = one.relation;
    HEFT_TRY(source.parent.model, licence_of(catalogue, local));
    source.parent.folder = local.files.folder.parent_path();
    if (source.parent.model.is_multimodal)
        use.suggest("modality",
                    std::string(*source.parent.model.is_multimodal ? "multimodal" : "text-only"));
    source.files = one.files;
    source.record = one.record;
    if (!source.files.empty()) return source;
    if (!local.engine) return Error{Code::invalid, local.why_not_opened};
    source.files = local.engine->checkpoint().files();
    source.record = govern::carried_record(local.engine->checkpoint());
    return source;
}

std::string only_licence(const govern::Assessment& assessment) {
    const auto& terms = assessment.terms;
    if (terms.size() != 1 || terms.front().licences.size() != 1) return {};
    return terms.front().licences.front()->id;
}

// What an earlier attempt has written.
std::uint64_t begun_bytes(const fs::path& out) {
    const auto size_of = [](const fs::path& file) {
        std::error_code none;
        const std::uint64_t size = fs::file_size(file, none);
        return none ? 0 : size;
    };
    std::error_code error;
    std::uint64_t bytes = size_of(format::ResumableFile::unfinished(out));
    for (fs::directory_iterator it(format::UnfinishedFolder::partial(out), error), end;
         !error && it != end; it.increment(error))
        bytes += size_of(it->path());
    return bytes;
}

}  // namespace

void add_making_flags(CLI::App& verb, MakingFlags& flags) {
    verb.add_option("OUT", flags.out, "what is made; it appears whole")->required();
    verb.add_option("--shard-size", flags.shard_size, "several files of at most so much: 4GB")
        ->type_name("N");
    add_sign_flag(verb, flags.sign);
    verb.add_flag("--accept-terms", flags.accept_terms,
                  "the licences leave it to you, and you have settled it");
    verb.add_option("--use", flags.use.file, "what it is for (docs/licences.md)")->type_name("F");
    verb.add_option("--fact", flags.use.facts, "one fact of it")->type_name("K=V");
    verb.add_flag("--dry-run", flags.dry_run, "say what would be done, and do nothing");
    verb.add_flag("--force", flags.force, "write over OUT if it exists");
    verb.add_option("-t,--threads", flags.n_threads, "threads (all CPUs)")->type_name("N");
    verb.add_flag("--json", flags.json, fmt::format("one heft.{}/1 document", verb.get_name()));
}

Result<std::uint64_t> parse_size(const std::string& option, const std::string& text) {
    double number = 0;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    const std::string unit = lower(std::string(rest, end));
    for (const Unit& known : kUnits)
        if (error == std::errc() && unit == known.name && number > 0 && number < 1e15)
            return static_cast<std::uint64_t>(number * known.bytes);
    return Error{Code::invalid, option + " " + text + ": write it like 4GB or 500MiB"};
}

Result<Granted> ask_leave(const Leave& leave, const MakingFlags& flags) {
    HEFT_TRY(auto key, signing_key(flags.sign, flags.out));
    HEFT_TRY(const govern::Catalogue catalogue, govern::Catalogue::open());
    govern::Making making;
    making.verb = leave.verb;
    making.made_by = std::string("heft ") + build_info().version;
    making.options = leave.options;
    making.seed = leave.seed;
    making.accept_terms = flags.accept_terms;
    HEFT_TRY(making.use, use_of(flags.use, catalogue.vocabulary()));
    std::vector<govern::Source> sources;
    for (const Ingredient& one : leave.made_of) {
        HEFT_TRY(sources.emplace_back(), source_of(catalogue, one, making.use));
        // A dry run need not read gigabytes.
        if (flags.dry_run) sources.back().files.clear();
    }
    HEFT_TRY(govern::Passport made, govern::passport(catalogue, sources, making));
    govern::GateOutcome& outcome = made.outcome;
    if (!outcome.may_proceed) return refused(outcome);
    if (!outcome.why.empty()) say("heft: " + outcome.why);
    // The assessment points into the catalogue, and ends with it.
    return Granted{std::move(outcome.record), std::move(made.hashes),
                   only_licence(outcome.assessment), std::move(key)};
}

Status Granted::put_hashes(FileProgress& line) {
    if (!hashes) return {};
    bool is_waiting = false;
    HEFT_OK(hashes->put_into(record, [&](std::uint64_t done, std::uint64_t total) {
        if (!std::exchange(is_waiting, true)) line.begin("hashing");
        return line.show(done, total);
    }));
    hashes.reset();
    return {};
}

Error refused(const govern::GateOutcome& outcome) {
    std::string what = outcome.why.empty() ? "the licences do not allow it" : outcome.why;
    if (outcome.may_be_accepted) what += "; if you have settled that, say --accept-terms";
    return {Code::invalid, what};
}

bool names_gguf(const fs::path& out) {
    std::error_code error;
    const bool is_device =
        fs::exists(out, error) && !fs::is_directory(out, error) && !fs::is_regular_file(out, error);
    return out.extension() == ".gguf" || is_device;
}

void set_licence(format::GgufWriter& writer, const Granted& granted) {
    if (!granted.licence.empty()) writer.set_string("general.license", granted.licence);
}

Status check_place(const fs::path& out, const std::vector<fs::path>& in, bool force) {
    std::error_code error;
    for (const fs::path& file : in)
        if (fs::equivalent(file, out, error) || fs::equivalent(file.parent_path(), out, error))
            return Error{Code::invalid, out.string() + ": is the model itself; give the result "
                                            "another name"};
    const bool is_there = fs::is_regular_file(out, error)
                          || (fs::is_directory(out, error) && !fs::is_empty(out, error));
    if (!force && is_there)
        return Error{Code::invalid, out.string() + ": exists; say --force to write over it"};
    HEFT_OK(format::UnfinishedFolder::may_replace(out));
    // "name/" is a folder's name, too.
    const fs::path name = out.has_filename() ? out : out.parent_path();
    const fs::path folder = name.has_parent_path() ? name.parent_path() : fs::path(".");
    if (!fs::is_directory(folder, error))
        return Error{Code::not_found, folder.string() + ": there is no such folder to write into"};
    return {};
}

Status check_room(const fs::path& out, std::uint64_t bytes) {
    const fs::path folder = out.has_parent_path() ? out.parent_path() : fs::path(".");
    HEFT_TRY(std::uint64_t room, format::free_bytes(folder));
    room += begun_bytes(out);
    if (room >= bytes) return {};
    return Error{Code::exhausted, folder.string() + ": has room for " + bytes_text(room) + ", and "
                                      + bytes_text(bytes) + " are needed"};
}

bool is_file_to_be(const fs::path& out) {
    std::error_code error;
    return !fs::exists(out, error) || fs::is_regular_file(out, error);
}

void add_sign_flag(CLI::App& verb, std::string& file) {
    verb.add_option("--sign", file, "sign it: an Ed25519 key in PEM (docs/lineage.md)")
        ->type_name("KEY");
}

Result<std::optional<SigningKey>> signing_key(const std::string& file, const fs::path& out) {
    std::error_code error;
    if (file.empty()) return std::optional<SigningKey>();
    if (!is_file_to_be(out) && !fs::is_directory(out, error))
        return Error{Code::invalid, "--sign: " + out.string() + " is a pipe or a device; a signature "
                                    "stands at the beginning of a file and is known at its end"};
    HEFT_TRY(SigningKey key, SigningKey::read(file));
    return std::optional(std::move(key));
}

std::string bytes_text(std::uint64_t bytes) {
    if (bytes < 1000) return fmt::format("{} bytes", bytes);
    return scaled(static_cast<double>(bytes)) + "B";
}

}  // namespace heft::app
