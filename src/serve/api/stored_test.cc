// Responses that are kept: by whom, for how long, and what becomes of a hostile folder.
#include <fstream>
#include <future>

#include <sys/stat.h>

#include "../../../tests/temp_folder.h"
#include "serve/api/endpoint.h"
#include "serve/api/response_store.h"
#include "serve/api/test_api.h"

namespace heft::serve {
namespace {

using heft::testing::TempFolder;

StoredResponse response(const std::string& id, const std::string& owner,
                        const std::string& text = "Hello") {
    StoredResponse one;
    one.id = id;
    one.owner = owner;
    one.messages = {{.role = Role::user, .text = text},
                    {.role = Role::assistant,
                     .text = "\xC3\xA9",
                     .reasoning = "hm",
                     .calls = {{"c", "f", "{\"a\": 1}"}}}};
    one.body = "{\"id\":\"" + id + "\"}";
    return one;
}

Status put(ResponseStore& store, StoredResponse one) {
    std::promise<Status> done;
    store.put(std::move(one), [&](const Status& status) { done.set_value(status); });
    return done.get_future().get();
}

std::unique_ptr<ResponseStore> open(const TempFolder& folder, StoreLimits limits = {}) {
    auto store = ResponseStore::open(folder.path(), limits);
    if (!store) ADD_FAILURE() << store.error().what;
    return std::move(*store);
}

std::vector<std::filesystem::path> files(const TempFolder& folder) {
    std::vector<std::filesystem::path> all;
    for (const auto& one : std::filesystem::directory_iterator(folder / "responses"))
        if (one.path().filename() != "lock") all.push_back(one.path());
    return all;
}

TEST(ResponseStore, KeepsWhatIsPutForItsOwnerAlone) {
    const TempFolder folder;
    for (const bool on_disk : {false, true}) {
        auto store = on_disk ? open(folder) : std::make_unique<ResponseStore>();
        ASSERT_TRUE(put(*store, response("r", "alice")));
        ASSERT_TRUE(put(*store, response("r", "bob", "other")));
        // Not a pair that looks the same written down.
        ASSERT_TRUE(put(*store, response("ar", "b", "third")));
        if (on_disk) store.reset();
        if (on_disk) store = open(folder);
        EXPECT_EQ(store->find("r", "alice")->messages[0].text, "Hello");
        EXPECT_EQ(store->find("r", "bob")->messages[0].text, "other");
        EXPECT_FALSE(store->find("r", "ba"));
        const auto found = store->find("r", "alice");
        EXPECT_EQ(write_stored(*found), write_stored(response("r", "alice")));
        EXPECT_FALSE(store->erase("r", "carol"));
        EXPECT_TRUE(store->erase("r", "alice"));
        EXPECT_FALSE(store->find("r", "alice"));
        EXPECT_TRUE(store->find("r", "bob"));
        ASSERT_TRUE(put(*store, response("r", "bob", "newer")));  // replaces
        EXPECT_EQ(store->find("r", "bob")->messages[0].text, "newer");
    }
    EXPECT_EQ(files(folder).size(), 2U);
}

TEST(ResponseStore, TheOldestMakeRoom) {
    const TempFolder folder;
    const std::string text(1000, 'x');
    const std::size_t each = write_stored(response("0", "a", text)).size();
    for (const StoreLimits& limits :
         {StoreLimits{.n = 3, .bytes = 1 << 20}, StoreLimits{.n = 100, .bytes = 3 * each + 100}}) {
        for (const bool on_disk : {false, true}) {
            auto store = on_disk ? open(folder, limits) : std::make_unique<ResponseStore>(limits);
            for (const char* id : {"0", "1", "2", "3", "4"})
                ASSERT_TRUE(put(*store, response(id, "a", text)));
            EXPECT_FALSE(store->find("1", "a"));
            EXPECT_TRUE(store->find("4", "a"));
            const std::string huge(limits.bytes, 'x');
            EXPECT_FALSE(put(*store, response("5", "a", huge)));
            EXPECT_TRUE(store->find("4", "a"));
            if (on_disk) {
                EXPECT_EQ(files(folder).size(), 3U);
            }
        }
    }
}

TEST(ResponseStore, WhatIsTooOldIsGone) {
    const TempFolder folder;
    ASSERT_TRUE(put(*open(folder), response("r", "a")));
    const auto store = open(folder, {.age = std::chrono::seconds(-1)});
    EXPECT_FALSE(store->find("r", "a"));
    EXPECT_TRUE(files(folder).empty());
}

TEST(ResponseStore, FollowsAndBelievesNothingThatLiesInItsFolder) {
    const TempFolder folder;
    ASSERT_TRUE(put(*open(folder), response("r", "alice")));
    ASSERT_TRUE(put(*open(folder), response("s", "alice")));
    const auto mine = files(folder);
    ASSERT_EQ(mine.size(), 2U);
    // One owner's file under the name of another's; a link; a pipe; a folder; a torn one.
    const TempFolder elsewhere;
    elsewhere.write("secret", write_stored(response("r", "alice")));
    const auto name = [&](char c) { return folder / "responses" / std::string(64, c); };
    std::filesystem::create_symlink(elsewhere / "secret", name('a'));
    ASSERT_EQ(::mkfifo(name('b').c_str(), 0600), 0);
    std::filesystem::create_directory(name('c'));
    std::ofstream(name('d')) << "{\"schema\":";
    std::filesystem::copy_file(mine[0], name('e'));
    std::filesystem::copy_file(mine[0], mine[1], std::filesystem::copy_options::overwrite_existing);
    const auto store = open(folder);
    // Each has its own or nothing.
    const auto r = store->find("r", "alice");
    const auto s = store->find("s", "alice");
    EXPECT_NE(r.has_value(), s.has_value());
    EXPECT_EQ(r ? r->id : "r", "r");
    EXPECT_EQ(s ? s->id : "s", "s");
    EXPECT_TRUE(std::filesystem::exists(elsewhere / "secret"));
}

TEST(ResponseStore, OneServerAtATime) {
    const TempFolder folder;
    auto first = open(folder);
    const auto second = ResponseStore::open(folder.path(), {});
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().what.find("--state"), std::string::npos);
    first.reset();
    EXPECT_TRUE(ResponseStore::open(folder.path(), {}));
}

TEST(StoredResponse, ListsWhatItAnswered) {
    StoredResponse one = response("r", "a");
    one.messages.push_back({.role = Role::tool, .text = "3", .call_id = "c"});
    one.messages.push_back({.role = Role::assistant, .text = "Three."});
    const Json items = input_items(one);
    std::vector<std::string> types;
    for (const Json& item : items) types.push_back(item["type"]);
    EXPECT_EQ(types, (std::vector<std::string>{"message", "message", "function_call",
                                               "function_call_output"}));
    EXPECT_EQ(items[1]["content"][0]["type"], "output_text");
    EXPECT_EQ(items[3]["call_id"], "c");
}

TEST(StoredResponse, PagesOfItems) {
    const test::Said said = test::server().post(
        "/v1/responses", {{"input", Json::array({{{"role", "user"}, {"content", "one"}},
                                                 {{"role", "assistant"}, {"content", "two"}},
                                                 {{"role", "user"}, {"content", "three"}}})},
                          {"max_output_tokens", 2}});
    ASSERT_EQ(said.status, 200) << said.text;
    const std::string path = "/v1/responses/" + said.json["id"].get<std::string>() + "/input_items";
    const auto page = [&](const std::string& query) {
        return test::server().call("GET", path + query);
    };
    const Json all = page("").json;
    ASSERT_EQ(all["data"].size(), 3U);
    EXPECT_EQ(all["data"][0]["content"][0]["text"], "three");  // the latest first
    EXPECT_EQ(all["has_more"], false);
    const Json first = page("?limit=2").json;
    EXPECT_EQ(first["has_more"], true);
    const Json second = page("?after=" + first["last_id"].get<std::string>()).json;
    ASSERT_EQ(second["data"].size(), 1U);
    EXPECT_EQ(second["data"][0]["content"][0]["text"], "one");
    for (const char* wrong : {"?limit=0", "?limit=101", "?limit=x", "?order=up", "?after=none"})
        EXPECT_EQ(page(wrong).status, 400) << wrong;
    EXPECT_EQ(test::server().call("GET", path, "", "somebody").status, 404);
}

}  // namespace
}  // namespace heft::serve
