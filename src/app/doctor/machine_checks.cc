// Whether this machine is good for models.
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/resource.h>
#include <sys/timex.h>
#include <unistd.h>

#include "app/doctor/checks.h"
#include "app/machine.h"
#include "app/scaled.h"
#include "base/memory.h"
#include "base/threads.h"
#include "kernel/table.h"

namespace heft::app::doctor {

namespace {

void instruction_sets(const Patient& /*patient*/, Report& report) {
    std::vector<std::string> found;
    for (const kernel::Table* table : kernel::usable()) found.emplace_back(table->name);
    const std::string used = kernel::best().name;
    const std::string what = fmt::format("{}; {} of {}", cpu_name(), used, fmt::join(found, ", "));
    const char* forced = std::getenv("HEFT_ISA");
    if (forced != nullptr && *forced != '\0')
        return report.advice(what + fmt::format(", because HEFT_ISA={} says so", forced),
                             "unset HEFT_ISA: heft takes the best one by itself");
    if (used == "scalar")
        return report.problem(what,
                              "none of the vector instructions that heft has code for is "
                              "there: in a virtual machine, pass the host's processor on");
    report.ok(what);
}

int physical_cores() {
    std::set<std::string> cores;
    const int n = static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN));
    for (int i = 0; i < n; ++i) {
        const std::string siblings = first_line(
            fmt::format("/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", i));
        cores.insert(siblings.empty() ? std::to_string(i) : siblings);
    }
    return static_cast<int>(cores.size());
}

void threads(const Patient& patient, Report& report) {
    const int usable = usable_cpus(), cores = physical_cores();
    const int online = static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN));
    const std::string what =
        fmt::format("{} of {} CPUs may be used, on {} cores", usable, online, cores);
    int asked = 0;
    for (const ServedModel& model : patient.models)
        asked = std::max(asked, model.settings.open.n_threads);
    if (asked > usable)
        return report.advice(
            fmt::format("{}; {} threads are asked for", what, asked),
            fmt::format("threads: {} (more would only wait for each other)", usable));
    if (usable > cores && asked == 0)
        return report.advice(what + "; two threads share a core",
                             fmt::format("compare `heft bench -t {}` with `-t {}`: one thread a "
                                         "core is often as fast",
                                         cores, usable));
    report.ok(what);
}

void memory(const Patient& /*patient*/, Report& report) {
    const auto total = static_cast<double>(memory_bytes());
    const auto free = static_cast<double>(free_memory_bytes());
    const std::string limit = first_line("/sys/fs/cgroup/memory.max");
    std::string what = fmt::format("{} of {} can be had", scaled_bytes(free), scaled_bytes(total));
    if (!limit.empty() && limit != "max")
        what += fmt::format("; the control group has {} at most",
                            scaled_bytes(std::strtod(limit.c_str(), nullptr)));
    constexpr double kLittle = 0.1;
    if (total > 0 && free < kLittle * total)
        return report.advice(what,
                             "end what else uses memory, or raise the group's limit "
                             "(MemoryMax= of the unit, --memory of docker)");
    report.ok(what);
}

void huge_pages(const Patient& /*patient*/, Report& report) {
    const std::string line = first_line("/sys/kernel/mm/transparent_hugepage/enabled");
    const std::size_t open = line.find('['), close = line.find(']');
    if (open == std::string::npos || close == std::string::npos)
        return report.ok("the system does not say");
    const std::string mode = line.substr(open + 1, close - open - 1);
    if (mode == "never")
        return report.advice("transparent huge pages: never",
                             "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled: fewer "
                             "misses in the address tables");
    report.ok("transparent huge pages: " + mode);
}

void locked_memory(const Patient& /*patient*/, Report& report) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return report.ok("the system does not say");
    report.ok(limit.rlim_cur == RLIM_INFINITY
                  ? std::string("no limit; heft locks nothing")
                  : fmt::format("at most {}; heft locks nothing",
                                scaled_bytes(static_cast<double>(limit.rlim_cur))));
}

void governor(const Patient& /*patient*/, Report& report) {
    const std::string mode = first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
    if (mode.empty()) return report.ok("the system does not say, as virtual machines do");
    if (mode == "powersave")
        return report.advice("frequency governor: powersave",
                             "`cpupower frequency-set -g performance`, where answers matter more "
                             "than power");
    report.ok("frequency governor: " + mode);
}

void open_files(const Patient& /*patient*/, Report& report) {
    constexpr rlim_t kEnough = 16'384 + 128;  // connections, and files of the server's own
    constexpr rlim_t kLittle = 1'024;
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return report.ok("the system does not say");
    const std::string what = fmt::format("{} at most: so many clients at a time", limit.rlim_max);
    const std::string remedy = fmt::format("LimitNOFILE={} of the unit, or `ulimit -n`", kEnough);
    if (limit.rlim_max <= kLittle) return report.problem(what, remedy);
    if (limit.rlim_max < kEnough) return report.advice(what, remedy);
    report.ok(what);
}

void clock(const Patient& /*patient*/, Report& report) {
    constexpr std::time_t k2025 = 1'735'689'600;
    if (std::time(nullptr) < k2025)
        return report.problem("the clock says a year before 2025",
                              "set it: certificates are judged by it");
    timex state{};
    const int outcome = ::adjtimex(&state);  // asks only
    if (outcome == TIME_ERROR || (state.status & STA_UNSYNC) != 0)
        return report.advice("the clock is not kept by a time server, as far as the system says",
                             "`timedatectl set-ntp true`: logs and certificates go by it");
    report.ok("kept by a time server");
}

constexpr Check kChecks[] = {
    {"instructions", "which vector instructions the processor has, and which are used",
     instruction_sets},
    {"threads", "processors that may be used, cores, and the threads asked for", threads},
    {"memory", "memory that can be had, and the control group's limit", memory},
    {"huge pages", "transparent huge pages", huge_pages},
    {"locked memory", "the limit of locked memory", locked_memory},
    {"governor", "what governs the processor's frequency", governor},
    {"open files", "the limit of open files, and so of clients", open_files},
    {"clock", "whether the clock can be right", clock},
};

}  // namespace

std::string first_line(const std::string& file) {
    std::ifstream in(file);
    std::string line;
    std::getline(in, line);
    return line;
}

std::string_view to_string(Verdict verdict) {
    switch (verdict) {
        case Verdict::ok: return "ok";
        case Verdict::advice: return "advice";
        case Verdict::problem: return "problem";
    }
    return "";
}

Verdict Report::worst() const {
    Verdict worst = Verdict::ok;
    for (const Finding& finding : findings_) worst = std::max(worst, finding.verdict);
    return worst;
}

std::span<const Check> machine_checks() {
    return kChecks;
}

}  // namespace heft::app::doctor
