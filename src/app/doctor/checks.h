// What `heft doctor` looks at: rows of tables, each a function that adds findings.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/serve_settings.h"

namespace heft::app::doctor {

enum class Verdict : std::uint8_t {
    ok,
    advice,   // it works, and could be better
    problem,  // it does not work, or is not safe
};
std::string_view to_string(Verdict verdict);

struct Finding {
    Verdict verdict = Verdict::ok;
    std::string check;
    std::string what;
    std::string remedy = {};  // what to change; empty where all is well
};

// What is examined: this machine, and the server that the settings describe.
struct Patient {
    ServeSettings settings;
    std::vector<ServedModel> models;
};

class Report {
  public:
    void begin(std::string_view check) { check_ = check; }
    void ok(std::string what) { findings_.push_back({Verdict::ok, check_, std::move(what)}); }
    void advice(std::string what, std::string remedy) {
        findings_.push_back({Verdict::advice, check_, std::move(what), std::move(remedy)});
    }
    void problem(std::string what, std::string remedy) {
        findings_.push_back({Verdict::problem, check_, std::move(what), std::move(remedy)});
    }
    const std::vector<Finding>& findings() const { return findings_; }
    Verdict worst() const;

  private:
    std::string check_;
    std::vector<Finding> findings_;
};

struct Check {
    std::string_view name;
    std::string_view what;  // for docs/operations.md
    void (*look)(const Patient& patient, Report& report);
};

std::span<const Check> machine_checks();
std::span<const Check> server_checks();

// Small files of /proc and /sys; empty where there is none.
std::string first_line(const std::string& file);

}  // namespace heft::app::doctor
