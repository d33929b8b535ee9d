// Any bytes as a configuration of heft serve: read, or refused with every mistake in a line of its
// own. What is read keeps to the ranges of its settings.
#include <cstddef>
#include <cstdint>
#include <string>

#include "app/serve_config.h"
#include "app/serve_flags.h"
#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    heft::app::ServeSettings settings;
    if (const auto read = heft::app::parse_serve_config(text, "f", "/etc/heft", settings); !read) {
        HEFT_CHECK(read.error().what.rfind("f:", 0) == 0);
        return 0;
    }
    for (const auto& setting : heft::app::server_settings())
        HEFT_CHECK(check_range(setting, settings, ""));
    for (heft::app::ServedModel& model : settings.models) {
        HEFT_CHECK(!model.path.empty());
        for (const auto& setting : heft::app::model_settings())
            HEFT_CHECK(check_range(setting, model.settings, ""));
    }
    (void)heft::app::sources_of(settings);
    return 0;
}
