// A folder that takes long to make. It grows under the name "NAME.partial" beside its place and
// takes its name, whole, when it is complete. What was stopped is gone on with by whoever makes the
// same again, which a key tells.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace heft::format {

class UnfinishedFolder {
  public:
    // `key`: whatever decides the result, as a short text. Nothing is touched.
    UnfinishedFolder(std::filesystem::path path, std::string key);

    // Whether what stands at `path` may make room: nothing, an empty folder, or one that heft made.
    // Errors: invalid. A slip of the pen must not remove a folder of something else.
    static Status may_replace(const std::filesystem::path& path);

    static std::filesystem::path partial(const std::filesystem::path& path);
    const std::filesystem::path& folder() const { return partial_; }  // where files go till then

    bool is_begun() const;  // by an earlier attempt at the same
    // Goes on with what is there if it is the same; else begins anew. Errors: invalid, where
    // something else is in the way; those of the disk.
    Status begin();
    // Puts it in its place. `replace`: what is there under the name goes away, after it.
    Status commit(bool replace);
    // As if it had never been.
    void discard();

  private:
    std::filesystem::path path_, partial_;
    std::string key_;
};

}  // namespace heft::format
