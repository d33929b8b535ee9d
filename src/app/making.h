// What the verbs that make models (quantize, convert, merge) have in common: asking the licences,
// the record of lineage, room on the disk, progress, and where the result goes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/file_progress.h"
#include "app/use_flags.h"
#include "base/ed25519.h"
#include "base/result.h"
#include "format/gguf_writer.h"
#include "govern/passport.h"

namespace CLI {
class App;
}

namespace heft::app {

struct MakingFlags {
    std::string out;
    std::string shard_size;  // empty: one file
    std::string sign;        // a key's file; empty: unsigned
    UseFlags use;
    int n_threads = 0;
    bool accept_terms = false, dry_run = false, force = false, json = false;
};

// OUT, --shard-size, --sign, --accept-terms, --use, --fact, --dry-run, --force, --json and -t.
void add_making_flags(CLI::App& verb, MakingFlags& flags);

// "4GiB", "500MB", "1.5G", bytes without a letter. Errors: invalid.
Result<std::uint64_t> parse_size(const std::string& option, const std::string& text);

// What a result is made of: the models (or adapters) by what the person typed, and in what relation
// they stand to it.
// NOLINTNEXTLINE(bugprone-exception-escape): moving a tree of JSON throws nothing
struct Ingredient {
    std::string reference;
    std::string relation;                           // govern/gate.h: "itself", "merged", …
    std::vector<std::filesystem::path> files = {};  // of what is no model, such as an adapter
    nlohmann::ordered_json record = {};             // that such a thing carries; null: none
};
// NOLINTNEXTLINE(bugprone-exception-escape): moving a tree of JSON throws nothing
struct Leave {
    std::string verb;
    std::vector<Ingredient> made_of;
    nlohmann::ordered_json options;
    std::optional<std::uint64_t> seed = {};
};
// NOLINTNEXTLINE(bugprone-exception-escape): moving a tree of JSON throws nothing
struct Granted {
    nlohmann::ordered_json record;
    std::unique_ptr<govern::InputHashes> hashes;  // that the record will have; null: it has them
    std::string licence = {};  // its id, where the terms are those of one licence
    std::optional<SigningKey> key = {};

    const SigningKey* signing() const { return key ? &*key : nullptr; }
    // Waits for them. Errors: those of the files; cancelled.
    Status put_hashes(FileProgress& line);
};
// The passport of what is about to be made. What was accepted is said on stderr. Errors: invalid
// where the terms do not allow it, or not without --accept-terms, and where it cannot be signed.
Result<Granted> ask_leave(const Leave& leave, const MakingFlags& flags);

// What the gate said, as an error.
Error refused(const govern::GateOutcome& outcome);

// Whether OUT is a GGUF file, by its name, or a device that a file may be written to; else it is a
// folder.
bool names_gguf(const std::filesystem::path& out);

// So that readers of the file find it.
void set_licence(format::GgufWriter& writer, const Granted& granted);

// Refuses to write over an input, and over what exists without --force; and what the disk has no
// room for, less what an earlier attempt has written already.
Status check_place(const std::filesystem::path& out, const std::vector<std::filesystem::path>& in,
                   bool force);
Status check_room(const std::filesystem::path& out, std::uint64_t bytes);

// Whether it is a file, or nothing yet: no pipe and no device, which are written from beginning to
// end.
bool is_file_to_be(const std::filesystem::path& out);

// --sign, and the key that it names, if it does. Errors: invalid, where OUT cannot be signed.
void add_sign_flag(CLI::App& verb, std::string& file);
Result<std::optional<SigningKey>> signing_key(const std::string& file,
                                              const std::filesystem::path& out);

// "812 bytes", "4.46 GB".
std::string bytes_text(std::uint64_t bytes);

}  // namespace heft::app
