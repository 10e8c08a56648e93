#include "crypto/srtp.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "support/hex.hpp"

namespace tertulia {
namespace {

using test::FromHex;
using test::ToHex;
using Packet = std::vector<std::uint8_t>;

SecretBytes Secret(const char* hex) {
  const Packet bytes = FromHex(hex);
  SecretBytes secret;
  secret.size = bytes.size();
  std::copy(bytes.begin(), bytes.end(), secret.data.begin());
  return secret;
}

// --- vectors of the RFCs

TEST(SrtpKeys, AreDerivedAsInRfc3711AppendixB3) {
  const auto keys = DeriveSrtpKeys(SrtpProfile::kAes128CmHmacSha1,
                                   FromHex("E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6"));
  ASSERT_TRUE(keys);
  EXPECT_EQ(ToHex(keys->rtp.key.bytes()), "c61e7a93744f39ee10734afe3ff7a087");
  EXPECT_EQ(ToHex(keys->rtp.salt.bytes()), "30cbbc08863d8c85d49db34a9ae1");
  EXPECT_EQ(ToHex(keys->rtp.auth_key.bytes()), "cebe321f6ff7716b6fd4ab49af256a156d38baa4");
}

TEST(SrtpKeys, OfTheWrongSizeAreRefused) {
  for (const std::size_t size : {0, 29, 31, 28, 44}) {
    EXPECT_FALSE(DeriveSrtpKeys(SrtpProfile::kAes128CmHmacSha1, Packet(size)));
  }
  EXPECT_FALSE(SrtpSender::Create(SrtpProfile::kAeadAes128Gcm, Packet(30)));
  EXPECT_FALSE(SrtpReceiver::Create(SrtpProfile::kAeadAes256Gcm, Packet(28)));
  EXPECT_FALSE(SrtpProfileFromNumber(2));
  EXPECT_EQ(SrtpProfileFromNumber(7), SrtpProfile::kAeadAes128Gcm);
}

TEST(PacketCipher, MakesTheKeyStreamOfRfc3711AppendixB2) {
  const SrtpKeys keys{Secret("2B7E151628AED2A6ABF7158809CF4F3C"), Secret("F0F1F2F3F4F5F6F7F8F9FAFBFCFD"),
                      Secret("0000000000000000000000000000000000000000")};
  const auto cipher = PacketCipher::Create(SrtpProfile::kAes128CmHmacSha1, keys, CipherUse::kEncrypt);
  const Packet zeros(48);
  Packet out(58);
  ASSERT_TRUE(cipher->Seal({0, 0}, {}, zeros, {}, out.data(), out.data() + 48));
  EXPECT_EQ(ToHex(Bytes(out).first(48)),
            "e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab41e95b3bb0a2e8dd477901e4fca894c0");
}

struct GcmVector {
  SrtpProfile profile;
  const char* key;
  const char* rtp;   // sections 16.1.1 and 16.2.1
  const char* rtcp;  // sections 17.1 and 17.2, without the index word
};

class Rfc7714 : public ::testing::TestWithParam<GcmVector> {};

TEST_P(Rfc7714, PacketsAreSealedAndOpened) {
  const GcmVector& vector = GetParam();
  const SrtpKeys keys{Secret(vector.key), Secret("517569642070726f2071756f"), {}};
  const auto seal = PacketCipher::Create(vector.profile, keys, CipherUse::kEncrypt);
  const auto open = PacketCipher::Create(vector.profile, keys, CipherUse::kDecrypt);
  const auto check = [&](PacketIndex id, const Packet& packet, std::size_t head, const Packet& trailer,
                         const char* sealed) {
    const Bytes plain = Bytes(packet).subspan(head);
    Packet out(plain.size() + 16);
    ASSERT_TRUE(seal->Seal(id, Bytes(packet).first(head), plain, trailer, out.data(), out.data() + plain.size()));
    EXPECT_EQ(ToHex(out), sealed);
    const MutableBytes text = MutableBytes(out).first(plain.size());
    ASSERT_TRUE(open->Open(id, Bytes(packet).first(head), text, trailer, Bytes(out).subspan(plain.size())));
    EXPECT_EQ(ToHex(text), ToHex(plain));
  };
  check({0x5501a0b2, 0xf17b},
        FromHex("8040f17b8041f8d35501a0b2 47616c6c696120657374206f6d6e6973206469766973"
                "6120696e207061727465732074726573"),
        12, {}, vector.rtp);
  check({0x4d617273, 0x5d4},
        FromHex("81c8000d4d617273 4e5450314e545032525450200000042a0000e9304c756e61"
                "deadbeefdeadbeefdeadbeefdeadbeefdeadbeef"),
        8, FromHex("800005d4"), vector.rtcp);
}

INSTANTIATE_TEST_SUITE_P(
    Vectors, Rfc7714,
    ::testing::Values(
        GcmVector{SrtpProfile::kAeadAes128Gcm, "000102030405060708090a0b0c0d0e0f",
                  "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833"
                  "899d7f27beb16a9152cf765ee4390cce",
                  "63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275b"
                  "c84aa45896cf4d2fc5abf87245d9eade"},
        GcmVector{SrtpProfile::kAeadAes256Gcm, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
                  "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b"
                  "7aa3db36dfffd6b0f9bb7878d7a76c13",
                  "d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de0476f1b6fad"
                  "1d1eb30c4446839f57ff6f6cb26ac3be"}));

// --- sessions, the same for every profile

Packet Rtp(std::uint16_t sequence, std::uint32_t ssrc = 1, std::size_t payload = 20) {
  Packet packet = FromHex("80600000 00000000 00000000");
  WriteU16(&packet[2], sequence);
  WriteU32(&packet[8], ssrc);
  packet.resize(packet.size() + payload, static_cast<std::uint8_t>(sequence));
  return packet;
}

Packet Rtcp(std::uint32_t ssrc = 1) {
  Packet packet = FromHex("80c9000100000000");
  WriteU32(&packet[4], ssrc);
  return packet;
}

class Srtp : public ::testing::TestWithParam<SrtpProfile> {
 protected:
  Srtp() : master_(SizesOf(GetParam()).key + SizesOf(GetParam()).salt, 0x42) {
    sender_ = SrtpSender::Create(GetParam(), master_);
    receiver_ = SrtpReceiver::Create(GetParam(), master_);
  }

  // Empty if the sender refuses.
  Packet Protect(const Packet& packet, SrtpError expected = SrtpError::kNone) {
    Packet out(packet.size() + kSrtpMaxOverhead);
    const SrtpResult result = sender_->Protect(Bytes(packet).first(12), Bytes(packet).subspan(12), out);
    EXPECT_EQ(result.error, expected);
    out.resize(result.size);
    return out;
  }
  Packet ProtectRtcp(const Packet& packet) {
    Packet out(packet.size() + kSrtcpMaxOverhead);
    const SrtpResult result = sender_->ProtectRtcp(packet, out);
    EXPECT_TRUE(result.ok());
    out.resize(result.size);
    return out;
  }
  SrtpError Unprotect(Packet packet, const Packet* plain = nullptr) {
    const SrtpResult result = receiver_->Unprotect(packet);
    if (result.ok() && plain != nullptr) {
      EXPECT_EQ(ToHex(Bytes(packet).first(result.size)), ToHex(*plain));
    }
    return result.error;
  }
  SrtpError UnprotectRtcp(Packet packet) { return receiver_->UnprotectRtcp(packet).error; }

  Packet master_;
  std::unique_ptr<SrtpSender> sender_;
  std::unique_ptr<SrtpReceiver> receiver_;
};

INSTANTIATE_TEST_SUITE_P(Profiles, Srtp,
                         ::testing::Values(SrtpProfile::kAes128CmHmacSha1, SrtpProfile::kAeadAes128Gcm,
                                           SrtpProfile::kAeadAes256Gcm),
                         [](const auto& info) {
                           switch (info.param) {
                             case SrtpProfile::kAes128CmHmacSha1:
                               return "Aes128CmHmacSha1_80";
                             case SrtpProfile::kAeadAes128Gcm:
                               return "AeadAes128Gcm";
                             default:
                               return "AeadAes256Gcm";
                           }
                         });

TEST_P(Srtp, PacketsComeBackThroughThreeRollovers) {
  for (std::uint32_t i = 0; i < 200'000; i += 7) {
    const Packet plain = Rtp(static_cast<std::uint16_t>(65'000 + i));
    ASSERT_EQ(Unprotect(Protect(plain), &plain), SrtpError::kNone) << i;
  }
}

TEST_P(Srtp, ReorderedPacketsAcrossARolloverComeBackOnce) {
  std::vector<Packet> packets;
  for (std::uint32_t i = 0; i < 64; ++i) packets.push_back(Protect(Rtp(static_cast<std::uint16_t>(65'500 + i))));
  ASSERT_EQ(Unprotect(packets[0]), SrtpError::kNone);
  for (std::size_t i = packets.size() - 1; i > 0; --i) EXPECT_EQ(Unprotect(packets[i]), SrtpError::kNone) << i;
  for (const Packet& packet : packets) EXPECT_EQ(Unprotect(packet), SrtpError::kReplayed);
}

TEST_P(Srtp, APacketOlderThanTheWindowIsRefused) {
  const Packet old = Protect(Rtp(1));
  const Packet edge = Protect(Rtp(2));
  ASSERT_EQ(Unprotect(Protect(Rtp(1 + kSrtpReplayBits))), SrtpError::kNone);
  EXPECT_EQ(Unprotect(old), SrtpError::kReplayed);
  EXPECT_EQ(Unprotect(edge), SrtpError::kNone);
}

TEST_P(Srtp, AnyChangedByteIsNoticedAndMovesNothing) {
  const Packet genuine = Protect(Rtp(5));
  for (std::size_t i = 0; i < genuine.size(); ++i) {
    Packet forged = genuine;
    forged[i] ^= 0x04;
    EXPECT_NE(Unprotect(forged), SrtpError::kNone) << "byte " << i;
  }
  EXPECT_EQ(Unprotect(genuine), SrtpError::kNone) << "a forged packet must not move the window";
}

TEST_P(Srtp, AForgedSequenceFarAheadDoesNotShutOutTheStream) {
  ASSERT_EQ(Unprotect(Protect(Rtp(10))), SrtpError::kNone);
  Packet forged = Protect(Rtp(11));
  const Packet next = Protect(Rtp(12));
  WriteU16(&forged[2], 30'000);
  EXPECT_EQ(Unprotect(forged), SrtpError::kForged);
  EXPECT_EQ(Unprotect(next), SrtpError::kNone);
}

TEST_P(Srtp, NothingIsProtectedThatIsNotNewer) {
  Protect(Rtp(100));
  Protect(Rtp(100), SrtpError::kNotNewer);
  Protect(Rtp(99), SrtpError::kNotNewer);
  Protect(Rtp(100 + 32'768), SrtpError::kNotNewer);
  Protect(Rtp(100 + 32'767));
  Protect(Rtp(100, 2));
}

TEST_P(Srtp, AnIndexThatWasPassedOverIsUsedOnce) {
  EXPECT_EQ(Unprotect(Protect(Rtp(65'530))), SrtpError::kNone);
  EXPECT_EQ(Unprotect(Protect(Rtp(4))), SrtpError::kNone);  // after the turn of the number
  const Packet late = Rtp(65'533);
  EXPECT_EQ(Unprotect(Protect(late), &late), SrtpError::kNone);
  Protect(Rtp(65'533), SrtpError::kNotNewer);
  EXPECT_EQ(Unprotect(Protect(Rtp(2))), SrtpError::kNone);
  Protect(Rtp(2), SrtpError::kNotNewer);
  Protect(Rtp(65'530), SrtpError::kNotNewer);
  Protect(Rtp(65'529), SrtpError::kNotNewer);
  Protect(Rtp(3, 2));
  Protect(Rtp(2, 2), SrtpError::kNotNewer);  // another SSRC, which passed over nothing
  EXPECT_EQ(Unprotect(Protect(Rtp(5))), SrtpError::kNone);
}

TEST_P(Srtp, OfManyIndicesThatWerePassedOverTheOldestAreForgotten) {
  Protect(Rtp(0));
  Protect(Rtp(2));  // 1 is passed over, then more than are remembered
  for (std::uint16_t i = 0; i < SkippedIndices::kMax; ++i) Protect(Rtp(static_cast<std::uint16_t>(4 + 2 * i)));
  Protect(Rtp(1), SrtpError::kNotNewer);
  Protect(Rtp(3));
  Protect(Rtp(1'000));  // a gap too long to remember all of it
  Protect(Rtp(900), SrtpError::kNotNewer);
  Protect(Rtp(999));
}

TEST_P(Srtp, StoredCiphertextMayBeSentAgainAndIsTakenOnce) {
  const Packet sealed = Protect(Rtp(7));
  Protect(Rtp(8));
  EXPECT_EQ(Unprotect(sealed), SrtpError::kNone);
  EXPECT_EQ(Unprotect(sealed), SrtpError::kReplayed);
}

TEST_P(Srtp, ManySsrcsAreKeptApartUpToALimit) {
  for (std::uint32_t ssrc = 0; ssrc < kSrtpMaxReceiveSsrcs; ++ssrc) {
    EXPECT_EQ(Unprotect(Protect(Rtp(1, ssrc))), SrtpError::kNone);
  }
  EXPECT_EQ(Unprotect(Protect(Rtp(1, 5'000))), SrtpError::kTooManySsrcs);
  EXPECT_EQ(Unprotect(Protect(Rtp(2, 0))), SrtpError::kNone);
}

TEST_P(Srtp, ForgedPacketsTakeNoPlaceOfAnSsrc) {
  for (std::uint32_t ssrc = 0; ssrc < 10 * kSrtpMaxReceiveSsrcs; ++ssrc) {
    Packet forged = Protect(Rtp(1, ssrc));
    forged.back() ^= 1;
    EXPECT_EQ(Unprotect(forged), SrtpError::kForged);
  }
  EXPECT_EQ(Unprotect(Protect(Rtp(2, 1))), SrtpError::kNone);
}

TEST_P(Srtp, TheSenderHasALimitOfSsrcsToo) {
  for (std::uint32_t ssrc = 0; ssrc < kSrtpMaxSendSsrcs; ++ssrc) Protect(Rtp(1, ssrc));
  Protect(Rtp(1, kSrtpMaxSendSsrcs), SrtpError::kTooManySsrcs);
}

TEST_P(Srtp, PacketsOfEverySizeComeBack) {
  std::uint16_t sequence = 0;
  for (std::size_t size = 0; size < 1'200; size += 13) {
    const Packet plain = Rtp(++sequence, 1, size);
    EXPECT_EQ(Unprotect(Protect(plain), &plain), SrtpError::kNone) << size;
  }
}

TEST_P(Srtp, ShortPacketsAreMalformed) {
  const Packet sealed = Protect(Rtp(1, 1, 0));
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_EQ(Unprotect(Packet(sealed.begin(), sealed.begin() + static_cast<std::ptrdiff_t>(size))),
              SrtpError::kMalformed);
  }
  const Packet rtcp = ProtectRtcp(Rtcp());
  for (std::size_t size = 0; size < rtcp.size(); ++size) {
    EXPECT_EQ(UnprotectRtcp(Packet(rtcp.begin(), rtcp.begin() + static_cast<std::ptrdiff_t>(size))),
              SrtpError::kMalformed);
  }
}

TEST_P(Srtp, AnOutputThatIsTooSmallIsRefusedAndUsesNoIndex) {
  const Packet plain = Rtp(1);
  Packet out(plain.size() + SizesOf(GetParam()).tag - 1);
  EXPECT_EQ(sender_->Protect(Bytes(plain).first(12), Bytes(plain).subspan(12), out).error, SrtpError::kNoRoom);
  EXPECT_EQ(Unprotect(Protect(plain)), SrtpError::kNone);
}

TEST_P(Srtp, ReportsComeBackOnceAndInAnyOrder) {
  std::vector<Packet> packets;
  packets.reserve(40);
  for (int i = 0; i < 40; ++i) packets.push_back(ProtectRtcp(Rtcp(i % 2 == 0 ? 1 : 2)));
  std::swap(packets[3], packets[20]);
  for (const Packet& packet : packets) EXPECT_EQ(UnprotectRtcp(packet), SrtpError::kNone);
  for (const Packet& packet : packets) EXPECT_EQ(UnprotectRtcp(packet), SrtpError::kReplayed);
}

TEST_P(Srtp, AnyChangedByteOfAReportIsNoticed) {
  const Packet genuine = ProtectRtcp(Rtcp());
  for (std::size_t i = 0; i < genuine.size(); ++i) {
    Packet forged = genuine;
    forged[i] ^= 0x80;
    EXPECT_NE(UnprotectRtcp(forged), SrtpError::kNone) << "byte " << i;
  }
  EXPECT_EQ(UnprotectRtcp(genuine), SrtpError::kNone);
}

TEST_P(Srtp, ReportsOlderThanTheirWindowAreRefused) {
  const Packet old = ProtectRtcp(Rtcp());
  for (std::size_t i = 0; i < kSrtcpReplayBits; ++i) ASSERT_EQ(UnprotectRtcp(ProtectRtcp(Rtcp())), SrtpError::kNone);
  EXPECT_EQ(UnprotectRtcp(old), SrtpError::kReplayed);
}

struct IndexCase {
  std::uint64_t highest;
  std::uint16_t sequence;
  std::uint64_t index;
};

TEST(SrtpIndex, IsTheNearestToTheHighest) {
  for (const auto& [highest, sequence, index] : std::vector<IndexCase>{{5, 6, 6},
                                                                       {65'535, 0, 65'536},
                                                                       {65'536, 65'535, 65'535},
                                                                       {5, 65'530, 65'530},  // nothing lies below zero
                                                                       {0x5FFFF, 1, 0x60001},
                                                                       {0x60001, 0xFFFE, 0x5FFFE},
                                                                       {0x6A000, 0x9000, 0x69000},
                                                                       {0x6A000, 0x1000, 0x71000}}) {
    EXPECT_EQ(EstimateSrtpIndex(highest, sequence), index) << highest << " " << sequence;
  }
}

}  // namespace
}  // namespace tertulia
