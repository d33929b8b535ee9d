#include "govern/duties_folder.h"

#include <algorithm>
#include <fstream>
#include <set>

namespace heft::govern {

namespace {

// Which file the duties of a kind go to, and what stands at its top.
struct DutyFile {
    std::string_view kind, file, heading;
    bool literal_only;  // the words to reproduce, and nothing else
};
constexpr DutyFile kFiles[] = {
    {"notice", "NOTICE", "", true},
    {"display", "DISPLAY.txt", "Display these lines where they can be seen:", true},
    {"credit", "DISPLAY.txt", "Display these lines where they can be seen:", true},
    {"prefix", "NAME.txt", "The name of the model has to begin with:", true},
    {"pass_down", "TERMS-TO-PASS-ON.md", "Put these into your own terms, as enforceable:", false},
    {"policy", "TERMS-TO-PASS-ON.md", "Put these into your own terms, as enforceable:", false},
    {"terms", "TERMS-TO-PASS-ON.md", "Put these into your own terms, as enforceable:", false},
};

std::string safe_name(const std::string& name) {
    std::string out;
    for (const char c : name) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
                           || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+';
        out += plain ? c : '_';
    }
    return out.empty() || out.front() == '.' ? "_" + out : out;
}

Status write(const std::filesystem::path& file, const std::string& text) {
    std::ofstream stream(file, std::ios::binary);
    stream << text;
    stream.close();
    if (!stream) return Error{Code::not_found, file.string() + ": cannot be written"};
    return {};
}

std::string lines_for(const Assessment& assessment, std::string_view file) {
    std::set<std::string> lines;
    std::string heading;
    for (const Duty& duty : assessment.judgement.duties)
        for (const DutyFile& row : kFiles) {
            if (row.kind != duty.kind || row.file != file) continue;
            heading = row.heading;
            if (row.literal_only && !duty.literal.empty()) lines.insert(duty.literal);
            if (!row.literal_only)
                lines.insert("- " + duty.text + " (" + duty.licence + ", " + duty.clause + ")");
        }
    if (lines.empty()) return {};
    std::string text = heading.empty() ? "" : heading + "\n\n";
    for (const std::string& line : lines) text += line + "\n";
    if (file != "TERMS-TO-PASS-ON.md") return text;
    for (const Terms& terms : assessment.terms)
        for (const Licence* licence : terms.licences)
            if (licence->has_use_policy)
                text += "\n" + licence->name + ", use policy: " + licence->use_policy + "\n";
    return text;
}

std::string checklist(const Assessment& assessment, const std::string& model,
                      const std::vector<LicenceCopy>& copies) {
    std::string text = "# Duties that come with " + model
                       + "\n\nVerdict: " + std::string(sentence(assessment.judgement.verdict))
                       + ". This is not legal advice.\n\n";
    for (const Duty& duty : assessment.judgement.duties) {
        text += "- [ ] " + duty.text;
        if (!duty.literal.empty()) text += ": \"" + duty.literal + "\"";
        text += " (" + duty.licence + ", " + duty.clause + ")\n";
    }
    if (assessment.judgement.duties.empty()) text += "None for this use.\n";
    for (const Terms& terms : assessment.terms) {
        const bool has_copy =
            std::any_of(copies.begin(), copies.end(),
                        [&terms](const LicenceCopy& copy) { return copy.of == terms.of; });
        if (has_copy) continue;
        for (const Licence* licence : terms.licences)
            text += "- [ ] get the text of " + licence->name + ", which is not in the files of "
                    + terms.of + ": " + licence->sources.front() + "\n";
    }
    return text;
}

}  // namespace

Result<std::vector<std::string>> write_duties(const Assessment& assessment,
                                              const std::string& model,
                                              const std::vector<LicenceCopy>& copies,
                                              const std::filesystem::path& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error || !std::filesystem::is_directory(folder, error))
        return Error{Code::not_found, folder.string() + ": cannot be made"};
    if (!std::filesystem::is_empty(folder, error))
        return Error{Code::invalid,
                     folder.string() + ": has files in it; name a new or empty folder"};
    std::vector<std::string> written;
    const auto put = [&](const std::string& name, const std::string& text) -> Status {
        if (text.empty()) return {};
        written.push_back(name);
        return write(folder / name, text);
    };
    for (const LicenceCopy& copy : copies) {
        std::string name = safe_name(copy.file_name);
        if (std::find(written.begin(), written.end(), name) != written.end())
            name.insert(0, safe_name(copy.of) + ".");
        HEFT_OK(put(name, copy.text));
    }
    for (const char* file : {"NOTICE", "DISPLAY.txt", "NAME.txt", "TERMS-TO-PASS-ON.md"}) {
        const bool is_copied = std::find(written.begin(), written.end(), file) != written.end();
        HEFT_OK(put(is_copied ? std::string(file) + ".added" : file, lines_for(assessment, file)));
    }
    HEFT_OK(put("CHECKLIST.md", checklist(assessment, model, copies)));
    return written;
}

}  // namespace heft::govern
