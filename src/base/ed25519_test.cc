#include "base/ed25519.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../../tests/temp_folder.h"
#include "base/sha256.h"

namespace heft {
namespace {

using ::testing::HasSubstr;

// RFC 8032, 7.1, tests 1 and 2: as PEM, PKCS #8 of the secret keys.
constexpr const char* kFirst =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";
constexpr const char* kFirstPublic =
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
constexpr const char* kFirstPublicPem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
    "-----END PUBLIC KEY-----\n";
constexpr const char* kFirstSignature =
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b4"
    "6bd25bf5f0595bbe24655141438e7a100b";
constexpr const char* kSecondPublic =
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
constexpr const char* kSecondSignature =
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d"
    "8c387b2eaeb4302aeeb00d291612bb0c00";

constexpr const char* kEncrypted =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjtKt1irQWNkwICCAAw\n"
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEA2rGNw3NVgSh5zD8Df9bUwEQMPi\n"
    "MsLy+Ddld4XfkYWA9gNeCeJU4SlQh+8hQ1BLPC4hzumXYImkHmakyTHxntE5zprb\n"
    "1s1WdmW2cRoVWF+6soI=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";
constexpr const char* kX25519 =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VuBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";

TEST(Ed25519, KnownAnswers) {
    const testing::TempFolder folder;
    folder.write("key.pem", kFirst);
    const auto key = SigningKey::read(folder / "key.pem");
    ASSERT_TRUE(key) << key.error().what;
    EXPECT_EQ(key->public_key(), kFirstPublic);
    EXPECT_EQ(*key->sign({}), kFirstSignature);
    EXPECT_TRUE(*is_signed_by(kFirstPublic, {}, kFirstSignature));
    EXPECT_TRUE(*is_signed_by(kSecondPublic, as_bytes("r"), kSecondSignature));
    folder.write("pub.pem", kFirstPublicPem);
    EXPECT_EQ(*read_public_key(folder / "pub.pem"), kFirstPublic);
}

TEST(Ed25519, AnythingElseIsNotSigned) {
    EXPECT_FALSE(*is_signed_by(kFirstPublic, as_bytes("x"), kFirstSignature));
    EXPECT_FALSE(*is_signed_by(kSecondPublic, {}, kFirstSignature));
    EXPECT_FALSE(*is_signed_by("", {}, kFirstSignature));
    EXPECT_FALSE(*is_signed_by(kFirstPublic, {}, ""));
    EXPECT_FALSE(*is_signed_by(std::string(64, 'g'), {}, kFirstSignature));
    const std::string signature = kFirstSignature;
    EXPECT_FALSE(*is_signed_by(kFirstPublic, {}, signature + "00"));
    for (std::size_t i = 0; i < signature.size(); ++i) {
        std::string other = signature;
        other[i] = other[i] == '0' ? '1' : '0';
        EXPECT_FALSE(*is_signed_by(kFirstPublic, {}, other)) << i;
    }
}

TEST(Ed25519, WhatIsNoKeyIsToldApart) {
    const testing::TempFolder folder;
    const std::pair<const char*, const char*> private_cases[] = {
        {kEncrypted, "encrypted"},
        {kX25519, "X25519"},
        {kFirstPublicPem, "public key"},
        {"", "openssl genpkey"},
        {"-----BEGIN PRIVATE KEY-----\nAAAA\n", "openssl genpkey"}};
    for (const auto& [text, part] : private_cases) {
        folder.write("key.pem", text);
        const auto key = SigningKey::read(folder / "key.pem");
        ASSERT_FALSE(key) << text;
        EXPECT_EQ(key.error().code, Code::invalid);
        EXPECT_THAT(key.error().what, HasSubstr(part));
        EXPECT_THAT(key.error().what, HasSubstr("key.pem"));
    }
    const std::pair<const char*, const char*> public_cases[] = {{kFirst, "-pubout"},
                                                                {"nonsense", "-pubout"}};
    for (const auto& [text, part] : public_cases) {
        folder.write("pub.pem", text);
        const auto key = read_public_key(folder / "pub.pem");
        ASSERT_FALSE(key);
        EXPECT_THAT(key.error().what, HasSubstr(part));
    }
    EXPECT_EQ(SigningKey::read(folder / "none").error().code, Code::not_found);
    EXPECT_EQ(read_public_key(folder / "none").error().code, Code::not_found);
}

// As `openssl pkey -pubin -in pub.pem -outform DER | sha256sum` has it.
TEST(Ed25519, AFingerprintIsThatOfTheDer) {
    const std::string der = *bytes_of_hex("302a300506032b6570032100" + std::string(kFirstPublic));
    EXPECT_EQ(*key_fingerprint(kFirstPublic), *sha256(as_bytes(der)));
    EXPECT_FALSE(key_fingerprint("12"));
}

TEST(Hex, ThereAndBack) {
    EXPECT_EQ(hex_of(as_bytes(std::string_view("\x00\x7f\xff", 3))), "007fff");
    EXPECT_EQ(*bytes_of_hex("007fff"), std::string("\x00\x7f\xff", 3));
    for (const char* bad : {"0", "0g", "AB", "0x"}) EXPECT_FALSE(bytes_of_hex(bad)) << bad;
}

}  // namespace
}  // namespace heft
