// docs/api.md is what the tables say. HEFT_WRITE_DOCS=1 writes it anew.
#include "serve/api/document.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace heft::serve {
namespace {

TEST(Document, IsWhatTheTablesSay) {
    const std::string path = std::string(HEFT_SOURCE_DIR) + "/docs/api.md";
    const char* write = std::getenv("HEFT_WRITE_DOCS");
    if (write != nullptr) std::ofstream(path, std::ios::binary) << api_document();
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    EXPECT_EQ(text.str(), api_document()) << "write it anew: HEFT_WRITE_DOCS=1 document_test";
}

}  // namespace
}  // namespace heft::serve
