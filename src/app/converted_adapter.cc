#include "app/converted_adapter.h"

#include <system_error>

#include "app/folder_writer.h"
#include "app/model_flags.h"
#include "app/recorded_writing.h"
#include "app/yardstick.h"
#include "base/mapped_file.h"
#include "convert/adapter.h"
#include "govern/passport.h"
#include "shape/encoder.h"

namespace heft::app {

namespace {

namespace fs = std::filesystem;
using convert::AdapterBase;
using format::Kind;
using Json = nlohmann::ordered_json;

Status check_options(const ConvertOptions& o, Kind from) {
    if (!o.lora.empty())
        return Error{Code::invalid,
                     "--lora merges adapters into a model, and " + o.in + " is an adapter itself"};
    if (!o.making.shard_size.empty())
        return Error{Code::invalid, "an adapter is one file: leave out --shard-size"};
    if ((from == Kind::gguf) == names_gguf(o.making.out))
        return Error{Code::invalid,
                     o.in
                         + (from == Kind::gguf
                                ? ": is a GGUF file already; the name of a folder does not end in "
                                  ".gguf"
                                : ": is a PEFT folder already; the name of a GGUF file ends in "
                                  ".gguf")};
    return {};
}

Result<AdapterBase> open_base(const std::string& reference) {
    const fs::path config = fs::path(reference) / "config.json";
    std::error_code error;
    if (!fs::exists(config, error)) {
        HEFT_TRY(const engine::Engine model, open_description(reference));
        auto base = convert::adapter_base(model.checkpoint());
        if (!base) return within(reference, std::move(base.error()));
        return base;
    }
    HEFT_TRY(std::string text, read_text(config));
    auto base = convert::adapter_base(std::move(text));
    if (!base) return within(config.string(), std::move(base.error()));
    return base;
}

Result<AdapterBase> base_of(const ConvertOptions& o, const format::AdapterFiles& adapter) {
    if (!o.base.empty()) return open_base(o.base);
    if (auto noted = convert::noted_base(adapter)) return noted;
    const fs::path named = adapter.base;
    const fs::path beside = fs::absolute(o.in).parent_path();
    std::error_code error;
    for (const fs::path& place : {named, beside / named, beside / named.filename()})
        if (!adapter.base.empty() && fs::exists(place, error)) return open_base(place.string());
    const std::string name = adapter.base.empty() ? "" : " (" + adapter.base.substr(0, 200) + ")";
    return Error{Code::invalid, o.in + ": the model that it is for" + name
                                    + " has to be here; name it by --base M (a folder with its "
                                      "config.json will do)"};
}

Result<Granted> leave(const ConvertOptions& o, const format::AdapterFiles& adapter,
                      std::optional<DType> type) {
    Ingredient made_of{o.in, "adapter"};
    made_of.files = format::files_of(adapter);
    made_of.record = govern::parsed_record(govern::carried_text(adapter).value_or(""));
    const Json recorded{{"type", type ? dtype_info(*type).name : "as stored"}};
    HEFT_TRY(Granted out, ask_leave({"convert", {made_of}, recorded}, o.making));
    out.record["difference"] = not_measured("the result is an adapter");
    return out;
}

Result<Converted> into_gguf(const ConvertOptions& o, convert::AdapterGguf made, Granted granted,
                            ThreadPool& pool, FileProgress& line) {
    Converted out;
    out.n_tensors = made.weights.size();
    out.lineage = granted.record;
    std::uint64_t work = 0;
    for (const convert::FolderWeight& one : made.weights) work += one.weight.work();
    shape::Encoder encoder(pool, [&](std::uint64_t done) { return line.show_count(done, work); });
    for (convert::FolderWeight& one : made.weights)
        made.writer.add(encoder.source(std::move(one.weight), {one.type}));
    HEFT_TRY(out.bytes, made.writer.tensor_bytes_in_all());
    HEFT_OK(check_room(o.making.out, out.bytes));
    if (o.making.dry_run) return out;
    set_licence(made.writer, granted);
    line.begin("converting");
    HEFT_TRY(out.files, write_recorded(made.writer, {granted, line}, o.making));
    out.lineage = std::move(granted.record);
    return out;
}

Result<Converted> into_folder(const ConvertOptions& o, const convert::FolderModel& made,
                              Granted granted, ThreadPool& pool, FileProgress& line) {
    Converted out;
    out.lineage = granted.record;
    FolderWriter writer(made, pool, line);
    HEFT_TRY(out.bytes, writer.bytes());
    out.n_tensors = writer.n_tensors();
    HEFT_OK(check_room(o.making.out, out.bytes));
    if (o.making.dry_run) return out;
    line.begin("converting");
    HEFT_TRY(out.files, writer.write(o.making, granted));
    out.lineage = std::move(granted.record);
    return out;
}

}  // namespace

Result<Converted> convert_adapter(const ConvertOptions& o, std::optional<DType> type,
                                  ThreadPool& pool, FileProgress& line) {
    HEFT_TRY(const format::AdapterFiles adapter, format::open_adapter_files(o.in));
    HEFT_OK(check_options(o, adapter.kind));
    HEFT_OK(check_place(o.making.out, format::files_of(adapter), o.making.force));
    HEFT_TRY(const AdapterBase base, base_of(o, adapter));
    if (adapter.kind == Kind::gguf) {
        auto made = convert::adapter_folder(adapter, base, type);
        if (!made) return within(o.in, std::move(made.error()));
        HEFT_TRY(Granted granted, leave(o, adapter, type));
        return into_folder(o, *made, std::move(granted), pool, line);
    }
    auto made = convert::adapter_gguf(adapter, base, type);
    if (!made) return within(o.in, std::move(made.error()));
    HEFT_TRY(Granted granted, leave(o, adapter, type));
    return into_gguf(o, std::move(*made), std::move(granted), pool, line);
}

}  // namespace heft::app
