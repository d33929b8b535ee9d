#include "app/serve_config.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "app/did_you_mean.h"
#include "app/serve_flags.h"

namespace heft::app {
namespace {

// One value that each kind of setting takes, and one that it does not.
template <class Of>
std::pair<std::string, std::string> values_of(const Setting<Of>& setting) {
    if (std::holds_alternative<bool& (*)(Of&)>(setting.place)) return {"true", "3"};
    if (std::holds_alternative<int& (*)(Of&)>(setting.place)
        || std::holds_alternative<std::int64_t& (*)(Of&)>(setting.place))
        return {std::to_string(setting.most), std::to_string(setting.most) + "0"};
    return {"some text", "{a: map}"};
}

template <class Of>
void try_all(std::span<const Setting<Of>> table, Of& (*part)(ServeSettings&)) {
    for (const auto& setting : table) {
        const auto& [good, bad] = values_of(setting);
        const std::string key = key_of(setting.flag);
        ServeSettings settings, usual;
        const Status read = parse_serve_config(key + ": " + good, "f", "", settings);
        EXPECT_TRUE(read) << key << ": " << (read ? "" : read.error().what);
        EXPECT_FALSE(same(setting, part(settings), part(usual))) << key << " was not taken";
        const Status refused = parse_serve_config("\n" + key + ": " + bad, "f", "", settings);
        ASSERT_FALSE(refused) << key << " takes " << bad;
        EXPECT_EQ(refused.error().what.rfind("f:2: " + key, 0), 0U) << refused.error().what;
    }
}

TEST(ServeConfig, TakesEverySettingAndChecksIt) {
    try_all<ServeSettings>(server_settings(), [](ServeSettings& s) -> ServeSettings& { return s; });
    try_all<ModelSettings>(model_settings(),
                           [](ServeSettings& s) -> ModelSettings& { return s.model; });
}

TEST(ServeConfig, NamesAreUnique) {
    std::set<std::string> keys;
    for (const auto& setting : server_settings())
        EXPECT_TRUE(keys.insert(key_of(setting.flag)).second) << setting.flag;
    for (const auto& setting : model_settings())
        EXPECT_TRUE(keys.insert(key_of(setting.flag)).second) << setting.flag;
}

TEST(ServeConfig, PathsBeginAtTheFilesFolder) {
    ServeSettings settings;
    ASSERT_TRUE(
        parse_serve_config("keys: k.yaml\naccess_log: \"-\"\nssl_key_file: /etc/key\n"
                           "lora: [a, ../b]\nmodels: [{path: tiny}, {path: m/x.gguf}]\n",
                           "f", "/etc/heft", settings));
    EXPECT_EQ(settings.keys_file, "/etc/heft/k.yaml");
    EXPECT_EQ(settings.access_log, "-");
    EXPECT_EQ(settings.key, "/etc/key");
    EXPECT_EQ(settings.model.open.lora, (std::vector<std::string>{"/etc/heft/a", "/etc/b"}));
    ASSERT_EQ(settings.models.size(), 2U);
    EXPECT_EQ(settings.models[0].path, "tiny");
    EXPECT_EQ(settings.models[1].path, "/etc/heft/m/x.gguf");
}

TEST(ServeConfig, ModelsTakeWhatAllHaveWhereverItStands) {
    ServeSettings settings;
    ASSERT_TRUE(parse_serve_config(
        "models:\n  - {path: a}\n  - {path: b, ctx_size: 7}\nctx_size: 5\n", "f", "", settings));
    EXPECT_EQ(settings.models[0].settings.n_ctx, 5);
    EXPECT_EQ(settings.models[1].settings.n_ctx, 7);
}

TEST(ServeConfig, ModelsWhoseSettingsDifferAreToldApart) {
    ServeSettings settings;
    settings.words = {"a=tiny", "b=tiny"};
    const auto sources = sources_of(settings);
    ASSERT_TRUE(sources);
    EXPECT_EQ((*sources)[0].settings, (*sources)[1].settings);
    for (const auto& setting : model_settings()) {
        if (setting.applies != Applies::reloaded || setting.flag == "--lora") continue;
        ServeSettings other = settings;
        const std::string value = setting.unit == "T" ? "f32" : values_of(setting).first;
        ASSERT_TRUE(parse_serve_config(key_of(setting.flag) + ": " + value, "f", "", other));
        const auto changed = sources_of(other);
        ASSERT_TRUE(changed) << setting.flag << changed.error().what;
        EXPECT_NE((*changed)[0].settings, (*sources)[0].settings) << setting.flag;
    }
}

TEST(DidYouMean, FindsSlipsAndNothingElse) {
    const std::vector<std::string> known = {"port", "host", "ctx_size", "cache_size"};
    EXPECT_EQ(did_you_mean("prot", known), "port");
    EXPECT_EQ(did_you_mean("hosts", known), "host");
    EXPECT_EQ(did_you_mean("ctxsize", known), "ctx_size");
    EXPECT_EQ(did_you_mean("completely_different", known), "");
    EXPECT_EQ(did_you_mean(std::string(1 << 20, 'x'), known), "");
}

}  // namespace
}  // namespace heft::app
