#include "govern/verify/verify.h"

#include <algorithm>

namespace heft::verify {

void Report::add(Severity severity, std::string check, std::string file, std::string what) {
    findings.push_back({severity, std::move(check), std::move(file), std::move(what)});
}

bool Report::sound() const {
    return std::none_of(findings.begin(), findings.end(), [](const Finding& finding) {
        return finding.severity == Severity::problem;
    });
}

const char* severity_name(Severity severity) {
    switch (severity) {
        case Severity::problem: return "problem";
        case Severity::warning: return "warning";
        case Severity::note: return "note";
    }
    return "";
}

}  // namespace heft::verify
