// What sealing and opening one 1,100-byte packet costs, a profile a line: best and median of many short runs, so that a
// busy machine shows in the difference between the two.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <vector>

#include "crypto/srtp.hpp"

namespace {

using namespace tertulia;  // NOLINT(google-build-using-namespace): a program of one file

constexpr std::size_t kHeader = 12;
constexpr std::size_t kPacket = 1'100;
constexpr std::size_t kBatch = 64;  // packets a run of the clock; they and their ciphertext stay in the cache
constexpr int kRuns = 4'000;

struct Cost {
  double best_us;
  double median_us;
};

template <typename F>
Cost Measure(F&& run_batch) {
  std::vector<double> costs;
  costs.reserve(kRuns);
  for (int run = 0; run < kRuns; ++run) {
    const auto begin = std::chrono::steady_clock::now();
    run_batch();
    const std::chrono::duration<double, std::micro> spent = std::chrono::steady_clock::now() - begin;
    costs.push_back(spent.count() / kBatch);
  }
  std::sort(costs.begin(), costs.end());
  return {costs.front(), costs[costs.size() / 2]};
}

void Report(const char* name, SrtpProfile profile) {
  const std::vector<std::uint8_t> master(SizesOf(profile).key + SizesOf(profile).salt, 0x5A);
  auto sender = SrtpSender::Create(profile, master);
  const auto receiver = SrtpReceiver::Create(profile, master);
  std::array<std::uint8_t, kHeader> header{0x80, 96};
  const std::vector<std::uint8_t> payload(kPacket - kHeader, 7);
  std::vector<std::vector<std::uint8_t>> sealed(kBatch, std::vector<std::uint8_t>(kPacket + kSrtpMaxOverhead));
  std::uint16_t sequence = 0;
  std::size_t size = 0;
  const auto seal = [&] {
    for (auto& out : sealed) {
      WriteU16(&header[2], ++sequence);
      size = sender->Protect(header, payload, out).size;
    }
  };
  const Cost protect = Measure(seal);
  sender = SrtpSender::Create(profile, master);  // the receiver has to see it from the start, to count its rollovers
  sequence = 0;
  std::size_t opened = 0;
  const Cost both = Measure([&] {
    seal();
    for (auto& packet : sealed) opened += receiver->Unprotect(MutableBytes(packet).first(size)).ok() ? 1 : 0;
  });
  if (opened != kBatch * kRuns) std::printf("%zu packets were not opened\n", kBatch * kRuns - opened);
  std::printf("%-26s protect %.2f us (best %.2f), unprotect %.2f us (best %.2f)\n", name, protect.median_us,
              protect.best_us, both.median_us - protect.median_us, both.best_us - protect.best_us);
}

}  // namespace

int main() {
  Report("AEAD_AES_128_GCM", SrtpProfile::kAeadAes128Gcm);
  Report("AEAD_AES_256_GCM", SrtpProfile::kAeadAes256Gcm);
  Report("AES_CM_128_HMAC_SHA1_80", SrtpProfile::kAes128CmHmacSha1);
}
