// Whether the server that the settings describe would start, be safe and fit this machine.
#include <algorithm>
#include <ctime>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "app/doctor/checks.h"
#include "app/machine.h"
#include "app/open_options.h"
#include "app/scaled.h"
#include "app/serve_flags.h"
#include "base/memory.h"
#include "engine/memory_plan.h"
#include "net/client.h"
#include "net/listener.h"
#include "net/tls.h"

namespace heft::app::doctor {

namespace {

namespace fs = std::filesystem;

// Of what a file may be read by others as well; 0 where it cannot be asked.
unsigned others_of(const std::string& file) {
    struct stat found {};
    return ::stat(file.c_str(), &found) == 0 ? found.st_mode & (S_IRWXG | S_IRWXO) : 0;
}

void models(const Patient& patient, Report& report) {
    for (const ServedModel& model : patient.models) {
        auto engine = open_description(model.path);
        if (!engine) {
            report.problem(fmt::format("{}: {}", model.name, engine.error().what),
                           "load the file again, or correct its path; `heft verify` looks closer");
            continue;
        }
        if (auto config = engine->config(); !config)
            report.problem(fmt::format("{}: {}", model.name, config.error().what),
                           "serve another model: this one cannot be run");
        else
            report.ok(
                fmt::format("{}: {} of {}, its headers agree with its length", model.name,
                            scaled_bytes(static_cast<double>(engine->checkpoint().file_bytes())),
                            (*config)->family->name));
    }
}

// What a server cannot do without: the plan by which it loads the model, but for adapters.
double needs(const ServedModel& model) {
    auto how = open_options_of(model.settings.open, op::Precision::fast);
    if (!how) return 0;
    how->weights = false;
    how->lora.clear();
    const auto engine = open_with(model.path, *how);
    if (!engine || engine->embedded()) return 0;
    const auto plan = engine::plan_memory(*engine, scheduler_options_of(model.settings));
    return plan ? static_cast<double>(plan->least()) : 0;
}

void plan(const Patient& patient, Report& report) {
    const auto free = static_cast<double>(free_memory_bytes());
    double all = 0, most = 0;
    std::string largest;
    for (const ServedModel& model : patient.models) {
        const double here = needs(model);
        all += here;
        if (here > most) largest = model.name;
        most = std::max(most, here);
    }
    const std::string what =
        fmt::format("{} for all models with room for one answer each, {} can be had",
                    scaled_bytes(all), scaled_bytes(free));
    if (free <= 0 || all <= free) return report.ok(what);
    if (most > free)
        return report.problem(fmt::format("{} alone needs {}, {} can be had", largest,
                                          scaled_bytes(most), scaled_bytes(free)),
                              "a smaller ctx_size or cache_size, a smaller quantisation "
                              "(`heft inspect` says what each needs), or more memory");
    report.advice(what,
                  "it works: models make room for each other, and are loaded again; for less "
                  "of that, a smaller ctx_size");
}

constexpr struct {
    long magic;
    std::string_view name;
} kRemote[] = {{0x6969, "NFS"},
               {0xff534d42, "CIFS"},
               {0xfe534d42, "SMB"},
               {0x65735546, "FUSE"},
               {0x01021997, "9P"}};

std::string first_rotational(dev_t device) {
    const std::string base = fmt::format("/sys/dev/block/{}:{}", major(device), minor(device));
    for (const char* file : {"/queue/rotational", "/../queue/rotational"})
        if (std::string line = first_line(base + file); !line.empty()) return line;
    return {};
}

void look_at_disk(const std::string& folder, Report& report) {
    struct statvfs room {};
    struct statfs kind {};
    struct stat found {};
    if (::statvfs(folder.c_str(), &room) != 0 || ::statfs(folder.c_str(), &kind) != 0
        || ::stat(folder.c_str(), &found) != 0)
        return report.problem(folder + " cannot be looked at", "create it, or correct the path");
    const double free = static_cast<double>(room.f_bavail) * static_cast<double>(room.f_frsize);
    const std::string what = fmt::format("{}: {} free", folder, scaled_bytes(free));
    for (const auto& remote : kRemote)
        if (kind.f_type == remote.magic)
            return report.advice(fmt::format("{}, by {}", what, remote.name),
                                 "weights are read from it whenever memory is short: keep them on "
                                 "a disk of this machine");
    if (first_rotational(found.st_dev) == "1")
        return report.advice(what + ", on a turning disk",
                             "a solid-state disk loads a model ten times as fast");
    constexpr double kLittle = 1e9;
    if (free < kLittle) return report.advice(what, "logs and downloads need room");
    report.ok(what);
}

void disk(const Patient& patient, Report& report) {
    std::vector<std::string> folders;
    for (const ServedModel& model : patient.models) {
        std::error_code ignored;
        if (model.path == "tiny" || !fs::exists(model.path, ignored)) continue;
        const fs::path path = fs::absolute(model.path, ignored);
        const std::string folder =
            (fs::is_directory(path, ignored) ? path : path.parent_path()).string();
        if (std::find(folders.begin(), folders.end(), folder) == folders.end())
            folders.push_back(folder);
    }
    if (folders.empty()) return report.ok("no model is a file");
    for (const std::string& folder : folders) look_at_disk(folder, report);
}

bool is_ours(const std::string& host, const ServeSettings& settings) {
    net::Url url;
    url.tls = !settings.certificate.empty() && !net::is_socket_path(host);
    url.host = host == "0.0.0.0" ? "127.0.0.1" : host == "::" ? "::1" : host;
    url.port = settings.port;
    if (net::is_socket_path(host)) url.socket = host;
    net::ClientOptions options;
    options.verify = false;  // of our own machine, and nothing is told to it
    options.connect_time = options.silence = std::chrono::seconds(2);
    net::Client client(url, options);
    const auto answer = client.ask({"GET", "/version", {}, {}});
    return answer && answer->body.find("\"commit\"") != std::string::npos;
}

void addresses(const Patient& patient, Report& report) {
    std::vector<std::string> hosts = patient.settings.hosts;
    if (hosts.empty()) hosts.emplace_back("127.0.0.1");
    for (const std::string& host : hosts) {
        const std::string where = net::is_socket_path(host)
                                      ? host
                                      : fmt::format("{} port {}", host, patient.settings.port);
        if (const auto opened = net::Listener::open(host, patient.settings.port))
            report.ok(where + " is free");
        else if (is_ours(host, patient.settings))
            report.ok(where + ": a server of heft answers there");
        else
            report.problem(opened.error().what, "another port, or end what listens there");
    }
}

void reach(const Patient& patient, Report& report) {
    const auto options = server_options_of(patient.settings);
    const auto keys = keys_of(patient.settings);
    if (!options) return report.problem(options.error().what, "name both files, or none");
    if (!keys) return report.problem(keys.error().what, "`heft keys add NAME --keys F` makes one");
    if (const Status good = check_reach(*options, !keys->empty(), patient.settings); !good)
        return report.problem(good.error().what, "`heft keys add NAME`, and keys: keys.yaml");
    const bool near = std::all_of(options->hosts.begin(), options->hosts.end(), is_nearby);
    const std::string what =
        fmt::format("{}, {} keys", near ? "this machine only" : "other machines", keys->size());
    if (!near && keys->empty())
        return report.advice(what + ", everybody may ask", "keys, and no allow_anonymous");
    if (!near && !options->tls)
        return report.advice(what + ", without TLS: keys and prompts can be read on the way",
                             "ssl_cert_file and ssl_key_file, or a proxy that does TLS");
    report.ok(what);
}

void secrets(const Patient& patient, Report& report) {
    const ServeSettings& settings = patient.settings;
    const struct {
        const std::string& file;
        const char* what;
    } rows[] = {{settings.api_key_file, "keys in clear"},
                {settings.keys_file, "hashes of keys"},
                {settings.key, "the key of TLS"}};
    bool any = false;
    for (const auto& [file, what] : rows) {
        if (file.empty()) continue;
        any = true;
        const unsigned others = others_of(file);
        const std::string sentence = fmt::format("{} ({})", file, what);
        const std::string remedy = fmt::format("chmod 600 {}", file);
        if (::access(file.c_str(), R_OK) != 0)
            report.problem(sentence + " cannot be read", "correct its path or its owner");
        else if ((others & (S_IWGRP | S_IWOTH)) != 0)
            report.problem(sentence + " can be written by others", remedy);
        else if ((others & S_IROTH) != 0)
            report.advice(sentence + " can be read by everybody here", remedy);
        else
            report.ok(sentence + " is for its owner only");
    }
    if (!settings.api_keys.empty())
        report.advice(
            "api_key: every program of this machine can see it in the list of processes, "
            "or in the file",
            "`heft keys add NAME` keeps a hash instead");
    if (!any && settings.api_keys.empty()) report.ok("there are none");
}

void tls(const Patient& patient, Report& report) {
    const ServeSettings& settings = patient.settings;
    if (settings.certificate.empty() || settings.key.empty()) return report.ok("not asked for");
    if (const auto loaded = net::Certificate::load({settings.certificate, settings.key}); !loaded)
        return report.problem(loaded.error().what, "files in PEM that belong to each other");
    const auto facts = net::look_at_certificate(settings.certificate);
    if (!facts) return report.problem(facts.error().what, "a certificate in PEM");
    constexpr std::int64_t kDay = 86'400, kSoon = 14;
    const std::int64_t days = facts->seconds_left / kDay;
    if (facts->seconds_left < 0)
        return report.problem(fmt::format("{} ended {} days ago", settings.certificate, -days),
                              "a new one in its place: a running server takes it by itself");
    if (days < kSoon)
        return report.advice(fmt::format("{} ends in {} days", settings.certificate, days),
                             "a new one in its place: a running server takes it by itself");
    if (facts->seconds_until > 0)
        return report.problem(settings.certificate + " is not valid yet",
                              "wait, or correct the clock");
    report.ok(fmt::format("{}: key and certificate belong together, valid for {} days",
                          settings.certificate, days));
}

void logs(const Patient& patient, Report& report) {
    const std::string& file = patient.settings.access_log;
    if (file.empty() || file == "-") return report.ok("no file is written");
    const fs::path folder = fs::absolute(file).parent_path();
    std::error_code ignored;
    const bool there = fs::exists(file, ignored);
    if (::access((there ? file : folder.string()).c_str(), W_OK) != 0)
        return report.problem(file + " cannot be written", "another owner, or another path");
    report.ok(file + " can be written");
}

void service(const Patient& /*patient*/, Report& report) {
    std::error_code ignored;
    if (!fs::exists("/run/systemd/system", ignored)) return report.ok("systemd does not run here");
    for (const char* folder :
         {"/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"})
        if (fs::exists(fs::path(folder) / "heft.service", ignored))
            return report.ok(fmt::format("{}/heft.service", folder));
    report.advice("there is no heft.service", "docs/operations.md, \"As a service\"");
}

constexpr Check kChecks[] = {
    {"models", "whether each model's files can be read and are whole, by their headers", models},
    {"plan", "whether weights and cache fit the memory", plan},
    {"disk", "room and kind of the disks that models are on", disk},
    {"addresses", "whether addresses and ports are free", addresses},
    {"reach", "who can reach the server, and what they need", reach},
    {"secrets", "who can read the files of keys", secrets},
    {"TLS", "whether certificate and key belong together and are valid", tls},
    {"logs", "whether the log can be written", logs},
    {"service", "whether systemd knows the server", service},
};

}  // namespace

std::span<const Check> server_checks() {
    return kChecks;
}

}  // namespace heft::app::doctor
