#include "wire/stun.hpp"

#include <gtest/gtest.h>

#include "support/hex.hpp"
#include "wire/digest.hpp"

namespace tertulia::stun {
namespace {

using test::FromHex;
using test::ToHex;

constexpr std::string_view kPassword = "VOkJxbRl1RmTxUk/WvJxBt";

// RFC 5769, 2.1 to 2.3.
const char* const kSampleRequest =
    "000100582112a442b7e7a701bc34d686fa87dfae 80220010 5354554e207465737420636c69656e74 00240004 6e0001ff"
    "80290008 932ff9b151263b36 00060009 6576746a3a68367659202020 00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
    "80280004 e57a3bcf";
const char* const kSampleResponseV4 =
    "0101003c2112a442b7e7a701bc34d686fa87dfae 8022000b 7465737420766563746f7220 00200008 0001a147e112a643"
    "00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7 80280004 c07d4c96";
const char* const kSampleResponseV6 =
    "010100482112a442b7e7a701bc34d686fa87dfae 8022000b 7465737420766563746f7220"
    "00200014 0002a1470113a9faa5d3f179bc25f4b5bed2b9d9 00080014 a382954e4be67bf11784c97c8292c275bfe3ed41"
    "80280004 c8fb0b4c";

TEST(Stun, ReadsTheSampleRequestOfRfc5769) {
  const auto bytes = FromHex(kSampleRequest);
  const auto message = Parse(bytes);
  ASSERT_TRUE(message);
  EXPECT_TRUE(message->Is(Type::kBindingRequest));
  EXPECT_EQ(message->username, "evtj:h6vY");
  EXPECT_EQ(LocalUfrag(message->username), "evtj");
  EXPECT_EQ(RemoteUfrag(message->username), "h6vY");
  EXPECT_EQ(message->priority, 0x6e0001ffU);
  EXPECT_EQ(message->controlled, 0x932ff9b151263b36U);
  EXPECT_FALSE(message->controlling);
  EXPECT_EQ(message->unknown_count, 0U);
  EXPECT_TRUE(VerifyFingerprint(*message));
  EXPECT_TRUE(VerifyIntegrity(*message, kPassword));
  EXPECT_FALSE(VerifyIntegrity(*message, "VOkJxbRl1RmTxUk/WvJxBu"));
}

TEST(Stun, ReadsTheSampleResponseOverIpv4OfRfc5769) {
  const auto bytes = FromHex(kSampleResponseV4);
  const auto message = Parse(bytes);
  ASSERT_TRUE(message);
  EXPECT_TRUE(message->Is(Type::kBindingSuccess));
  EXPECT_EQ(message->mapped, Address::V4(192, 0, 2, 1, 32853));
  EXPECT_TRUE(VerifyFingerprint(*message));
  EXPECT_TRUE(VerifyIntegrity(*message, kPassword));
}

TEST(Stun, ReadsTheSampleResponseOverIpv6OfRfc5769) {
  const auto bytes = FromHex(kSampleResponseV6);
  const auto message = Parse(bytes);
  ASSERT_TRUE(message);
  ASSERT_TRUE(message->mapped);
  EXPECT_TRUE(message->mapped->v6);
  EXPECT_EQ(message->mapped->port, 32853);
  EXPECT_EQ(ToHex(message->mapped->ip), "20010db8123456780011223344556677");
  EXPECT_TRUE(VerifyFingerprint(*message));
  EXPECT_TRUE(VerifyIntegrity(*message, kPassword));
}

TEST(Stun, AnyChangedByteBreaksFingerprintOrForm) {
  const auto good = FromHex(kSampleRequest);
  for (std::size_t i = 0; i < good.size(); ++i) {
    auto bytes = good;
    bytes[i] ^= 0x10;
    const auto message = Parse(bytes);
    EXPECT_FALSE(message && VerifyFingerprint(*message)) << "byte " << i;
  }
}

TEST(Stun, AnyCoveredByteBreaksIntegrity) {
  const auto good = FromHex(kSampleRequest);
  for (std::size_t i = 0; i + 8 < good.size(); ++i) {
    auto bytes = good;
    bytes[i] ^= 0x01;
    const auto message = Parse(bytes);
    EXPECT_FALSE(message && VerifyIntegrity(*message, kPassword)) << "byte " << i;
  }
}

TEST(Stun, TruncatedMessagesAreRefusedAtEveryLength) {
  const auto bytes = FromHex(kSampleRequest);
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(Parse(Bytes(bytes).first(size))) << size;
}

struct Malformed {
  const char* why;
  const char* hex;
};

class StunMalformed : public ::testing::TestWithParam<Malformed> {};

TEST_P(StunMalformed, IsRefused) { EXPECT_FALSE(Parse(FromHex(GetParam().hex))) << GetParam().why; }

INSTANTIATE_TEST_SUITE_P(
    Table, StunMalformed,
    ::testing::Values(
        Malformed{"first two bits set", "c00100002112a442000000000000000000000000"},
        Malformed{"wrong cookie", "000100002112a443000000000000000000000000"},
        Malformed{"length not a multiple of four", "000100022112a4420000000000000000000000000000"},
        Malformed{"length longer than the datagram", "000100042112a442000000000000000000000000"},
        Malformed{"bytes after the message", "000100002112a44200000000000000000000000000000000"},
        Malformed{"attribute overruns", "000100042112a44200000000000000000000000000060004"},
        Malformed{"attribute header cut", "000100042112a442000000000000000000000000 0006ffff"},
        Malformed{"priority of two bytes", "000100082112a442000000000000000000000000 0024000200000000"},
        Malformed{"use-candidate with a value", "000100082112a442000000000000000000000000 0025000400000000"},
        Malformed{"fingerprint of three bytes", "000100082112a442000000000000000000000000 8028000300000000"},
        Malformed{"integrity of four bytes", "000100082112a442000000000000000000000000 0008000400000000"},
        Malformed{"attribute after the fingerprint",
                  "000100102112a442000000000000000000000000 8028000400000000 0024000400000000"},
        Malformed{"mapped address of an unknown family",
                  "0101000c2112a442000000000000000000000000 002000080003000000000000"},
        Malformed{"IPv6 address cut to four bytes",
                  "0101000c2112a442000000000000000000000000 002000080002000000000000"},
        Malformed{"error code without a class", "011100082112a442000000000000000000000000 0009000400000000"},
        Malformed{"empty username", "000100042112a442000000000000000000000000 00060000"}));

TEST(Stun, NamesUnknownRequiredAttributesAndIgnoresOptionalOnes) {
  const auto bytes = FromHex("000100102112a442000000000000000000000000 7f01000400000000 ff01000400000000");
  const auto message = Parse(bytes);
  ASSERT_TRUE(message);
  ASSERT_EQ(message->unknown_count, 1U);
  EXPECT_EQ(message->unknown[0], 0x7f01);
}

TEST(Stun, RemembersOnlySoManyUnknownAttributes) {
  std::array<std::uint8_t, 256> buffer{};
  ByteWriter writer(buffer);
  writer.Put(FromHex("000100a02112a442000000000000000000000000"));
  for (int i = 0; i < 40; ++i) writer.Put(FromHex("7f010000"));
  const auto message = Parse(writer.written());
  ASSERT_TRUE(message);
  EXPECT_EQ(message->unknown_count, kMaxUnknown);
}

TEST(Stun, IgnoresAttributesBehindTheIntegrity) {
  std::array<std::uint8_t, 128> buffer{};
  ByteWriter writer(buffer);
  writer.Put(FromHex("000100202112a442000000000000000000000000 00080014"));
  writer.Zeros(20);
  writer.Put(FromHex("002400046e0001ff"));
  const auto message = Parse(writer.written());
  ASSERT_TRUE(message);
  EXPECT_FALSE(message->priority);
}

TEST(Stun, WrittenMessagesParseAndVerify) {
  std::array<std::uint8_t, 256> buffer{};
  const TransactionId transaction{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  Writer writer(buffer, Type::kBindingRequest, transaction);
  writer.AddUsername("abc:defgh");
  writer.AddPriority(77);
  writer.AddControlling(0x1122334455667788);
  writer.AddUseCandidate();
  const std::size_t size = writer.Finish("secret");
  ASSERT_GT(size, 0U);
  const auto message = Parse(Bytes(buffer).first(size));
  ASSERT_TRUE(message);
  EXPECT_EQ(message->transaction, transaction);
  EXPECT_EQ(message->username, "abc:defgh");
  EXPECT_EQ(message->priority, 77U);
  EXPECT_EQ(message->controlling, 0x1122334455667788U);
  EXPECT_TRUE(message->use_candidate);
  EXPECT_TRUE(VerifyFingerprint(*message));
  EXPECT_TRUE(VerifyIntegrity(*message, "secret"));
}

TEST(Stun, WrittenAddressesComeBack) {
  Address v6;
  v6.v6 = true;
  v6.port = 1;
  for (std::size_t i = 0; i < v6.ip.size(); ++i) v6.ip[i] = static_cast<std::uint8_t>(0xF0 + i);
  for (const Address& address : {Address::V4(203, 0, 113, 7, 65535), v6}) {
    std::array<std::uint8_t, 128> buffer{};
    Writer writer(buffer, Type::kBindingSuccess, {9, 9, 9});
    writer.AddXorMappedAddress(address);
    const auto message = Parse(Bytes(buffer).first(writer.Finish("k")));
    ASSERT_TRUE(message);
    EXPECT_EQ(message->mapped, address);
  }
}

TEST(Stun, ErrorResponsesNameCodeAndAttributes) {
  for (const ErrorCode code :
       {ErrorCode::kBadRequest, ErrorCode::kUnauthenticated, ErrorCode::kUnknownAttribute, ErrorCode::kRoleConflict}) {
    std::array<std::uint8_t, 128> buffer{};
    Writer writer(buffer, Type::kBindingError, {});
    writer.AddErrorCode(code);
    const std::array<std::uint16_t, 3> unknown{0x7001, 0x7002, 0x7003};
    writer.AddUnknownAttributes(unknown);
    const auto message = Parse(Bytes(buffer).first(writer.Finish({})));
    ASSERT_TRUE(message);
    EXPECT_EQ(message->error_code, static_cast<std::uint16_t>(code));
    EXPECT_EQ(message->integrity_offset, 0U);
    EXPECT_TRUE(VerifyFingerprint(*message));
  }
}

TEST(Stun, AMessageThatDoesNotFitIsNotWritten) {
  std::array<std::uint8_t, 128> buffer{};
  for (std::size_t room = 0; room < 68; ++room) {
    Writer writer(MutableBytes(buffer).first(room), Type::kBindingRequest, {});
    writer.AddUsername("abcd:efgh");
    EXPECT_EQ(writer.Finish("secret"), 0U) << room;
  }
}

TEST(Stun, AUsernameWithoutAColonHasNoFragments) {
  EXPECT_EQ(LocalUfrag("abcd"), "");
  EXPECT_EQ(RemoteUfrag("abcd"), "");
  EXPECT_EQ(LocalUfrag(":x"), "");
}

TEST(Digest, HmacSha1AgreesWithRfc2202) {
  EXPECT_EQ(
      ToHex(
          HmacSha1(test::AsBytes("Jefe")).Compute({test::AsBytes("what do ya want "), test::AsBytes("for nothing?")})),
      "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  const std::vector<std::uint8_t> long_key(80, 0xaa);
  EXPECT_EQ(
      ToHex(HmacSha1(long_key).Compute({test::AsBytes("Test Using Larger Than Block-Size Key - Hash Key First")})),
      "aa4ae5e15272d00e95705637ce8a3b55ed402112");
}

TEST(Digest, Crc32AgreesWithTheCheckValue) { EXPECT_EQ(Crc32(test::AsBytes("123456789")), 0xCBF43926U); }

}  // namespace
}  // namespace tertulia::stun
