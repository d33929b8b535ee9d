#include <algorithm>
#include <string_view>

#include "base/mapped_file.h"
#include "format/pytorch.h"
#include "govern/verify/verify.h"
#include "govern/words.h"

namespace heft::verify {

namespace {

struct NameRow {
    std::string_view pattern;
    Severity severity;
    const char* check;
    const char* what;
};

constexpr const char* kProgram = "a program; a model needs none";
constexpr const char* kPickle =
    "a pickle: opening it in Python runs whatever it holds; heft does not open it";

// The first row that fits a file's own name decides.
constexpr NameRow kNames[] = {
    {"*.pkl", Severity::problem, "code", kPickle},
    {"*.pickle", Severity::problem, "code", kPickle},
    {"*.dill", Severity::problem, "code", kPickle},
    {"*.joblib", Severity::problem, "code", kPickle},
    {"*.exe", Severity::problem, "unexpected", kProgram},
    {"*.dll", Severity::problem, "unexpected", kProgram},
    {"*.so", Severity::problem, "unexpected", kProgram},
    {"*.dylib", Severity::problem, "unexpected", kProgram},
    {"*.bat", Severity::problem, "unexpected", kProgram},
    {"*.ps1", Severity::problem, "unexpected", kProgram},
    {"*.sh", Severity::warning, "code", "a shell script; heft does not run it"},
    {"*.py", Severity::warning, "code",
     "Python code, which other programs run when told to trust it; heft does not"},
    {"*.h5", Severity::warning, "code", "a Keras file, whose Lambda layers are code"},
    {"*.keras", Severity::warning, "code", "a Keras file, whose Lambda layers are code"},
};

// Pickles in archives: read by heft's own reader, which executes nothing and says what they ask
// for.
constexpr std::string_view kTorch[] = {"*.bin", "*.pt", "*.pth", "*.ckpt"};

constexpr std::string_view kExpected[] = {
    "*.safetensors", "*.gguf",      "*.json",     "*.jsonl",  "*.txt",     "*.md",     "*.model",
    "*.jinja",       "*.yaml",      "*.yml",      "*.csv",    "*.parquet", "*.npz",    "*.npy",
    "*.tiktoken",    "*.vocab",     "*.merges",   "*.png",    "*.jpg",     "*.jpeg",   "*.svg",
    "*.gif",         "*.webp",      "*.pdf",      "*.sha256", "*SUMS*",    "LICENSE*", "LICENCE*",
    "NOTICE*",       "USE_POLICY*", "COPYRIGHT*", "README*",  "*.onnx",    "*.c",      "*.h"};

template <class Patterns>
bool any_matches(std::string_view name, const Patterns& patterns) {
    return std::any_of(std::begin(patterns), std::end(patterns),
                       [&](std::string_view pattern) { return govern::matches(pattern, name); });
}

// As a zip archive, a pickle of protocol 2 and later, or what older pickles begin with: a global,
// a mark, an empty list or dictionary. Loaders of PyTorch files take nothing else.
bool may_be_torch(Bytes bytes) {
    constexpr std::string_view first_bytes =
        "\x80"
        "c(]}";
    const std::string_view text = as_text(bytes);
    return !text.empty()
           && (text.starts_with("PK") || first_bytes.find(text.front()) != std::string_view::npos);
}

void check_torch(const std::filesystem::path& path, const std::string& name, Report& report) {
    auto file = MappedFile::open(path);
    if (!file) {
        report.add(Severity::problem, "file", name, file.error().what);
        return;
    }
    if (!may_be_torch(file->bytes())) {
        report.add(Severity::note, "unexpected", name,
                   "neither an archive nor a pickle: a kind of file that heft does not know");
        return;
    }
    const auto tensors = format::parse_pytorch(file->bytes());
    if (tensors)
        report.add(Severity::warning, "code", name,
                   "a format that can run code; this one holds tensors only, safetensors or GGUF "
                   "would be safer");
    else
        report.add(Severity::problem, "code", name,
                   "a format that can run code, and this one is not tensors only: "
                       + tensors.error().what);
}

}  // namespace

void check_files(const govern::ReleaseFiles& files, Report& report) {
    report.n_files = files.names.size();
    for (const std::string& name : files.names) {
        const std::filesystem::path path = files.folder / name;
        const std::string own = path.filename().string();
        const auto* const row =
            std::find_if(std::begin(kNames), std::end(kNames),
                         [&](const NameRow& known) { return govern::matches(known.pattern, own); });
        std::error_code error;
        if (!std::filesystem::exists(path, error)) {
            report.add(Severity::problem, "file", name, "a link that leads nowhere");
        } else if (row != std::end(kNames)) {
            report.add(row->severity, row->check, name, row->what);
        } else if (any_matches(own, kTorch)) {
            check_torch(path, name, report);
        } else if (!any_matches(own, kExpected)) {
            report.add(Severity::note, "unexpected", name,
                       "no part of a release that heft knows of");
        }
    }
    for (const std::string& note : files.notes) report.add(Severity::warning, "file", {}, note);
}

}  // namespace heft::verify
