#include "app/page.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace heft::app {
namespace {

TEST(Page, WhatAFileSaysIsTextAndNothingIsFetched) {
    openness::Release release;
    release.name = "<script>alert('x')</script>";
    release.at(0).where = "\"><img src=x>";
    release.notes = {"a & b"};
    const openness::Openness found = openness::judge(release);
    const std::string page = release_page("<script>m", nullptr, &release, &found);
    for (const char* never : {"<script", "<img", "http://", "https://", "url("})
        EXPECT_EQ(page.find(never), std::string::npos) << never;
    EXPECT_NE(page.find("&lt;script&gt;"), std::string::npos);
    EXPECT_NE(page.find("a &amp; b"), std::string::npos);
}

}  // namespace
}  // namespace heft::app
