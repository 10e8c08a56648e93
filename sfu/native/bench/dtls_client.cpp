#include "dtls_client.hpp"

#include <openssl/err.h>
#include <openssl/srtp.h>

#include <array>
#include <cctype>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace tertulia::load {

namespace {

constexpr std::size_t kRecordHeader = 13;  // RFC 6347, 4.1
constexpr std::size_t kMtu = 1200;
constexpr std::string_view kExporterLabel = "EXTRACTOR-dtls_srtp";  // RFC 5764, 4.2

struct KeySizes {
  std::size_t key, salt;
};

// RFC 5764, 4.1.2 and RFC 7714, 14.2.
std::optional<KeySizes> SizesOf(unsigned long profile) {
  switch (profile) {
    case SRTP_AES128_CM_SHA1_80:
      return KeySizes{16, 14};
    case SRTP_AEAD_AES_128_GCM:
      return KeySizes{16, 12};
    case SRTP_AEAD_AES_256_GCM:
      return KeySizes{32, 12};
    default:
      return std::nullopt;
  }
}

bool SameFingerprint(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::toupper(static_cast<unsigned char>(a[i])) != std::toupper(static_cast<unsigned char>(b[i]))) return false;
  }
  return true;
}

// The certificate is self-signed: what counts is its fingerprint, compared after the handshake (RFC 8122, 6).
int AcceptAny(int /*preverified*/, X509_STORE_CTX* /*store*/) { return 1; }

}  // namespace

DtlsClient::DtlsClient(const Certificate& certificate, const std::string& profiles, std::string fingerprint,
                       SendDatagram send_datagram)
    : context_(SSL_CTX_new(DTLS_client_method())),
      fingerprint_(std::move(fingerprint)),
      send_datagram_(std::move(send_datagram)) {
  if (context_ == nullptr || SSL_CTX_use_certificate(context_.get(), certificate.x509()) != 1 ||
      SSL_CTX_use_PrivateKey(context_.get(), certificate.key()) != 1 ||
      SSL_CTX_set_tlsext_use_srtp(context_.get(), profiles.c_str()) != 0) {  // 0 is success here
    throw std::runtime_error("cannot prepare DTLS: is the SRTP profile known to this OpenSSL?");
  }
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, AcceptAny);
  SSL_CTX_set_options(context_.get(), SSL_OP_NO_QUERY_MTU);
  ssl_.reset(SSL_new(context_.get()));
  if (ssl_ == nullptr) throw std::runtime_error("cannot make a DTLS connection");
  SSL_set_mtu(ssl_.get(), static_cast<long>(kMtu));
  BIO* in = BIO_new(BIO_s_mem());
  BIO* out = BIO_new(BIO_s_mem());
  BIO_set_mem_eof_return(in, -1);
  SSL_set_bio(ssl_.get(), in, out);  // takes both
  SSL_set_connect_state(ssl_.get());
}

void DtlsClient::Start() {
  state_ = State::kHandshaking;
  Continue();
}

void DtlsClient::Receive(std::span<const std::uint8_t> datagram) {
  if (state_ != State::kHandshaking && state_ != State::kConnected) return;
  BIO_write(SSL_get_rbio(ssl_.get()), datagram.data(), static_cast<int>(datagram.size()));
  if (state_ == State::kHandshaking) {
    Continue();
    return;
  }
  std::array<std::uint8_t, 2048> ignored{};
  const int got = SSL_read(ssl_.get(), ignored.data(), static_cast<int>(ignored.size()));
  if (got <= 0 && SSL_get_error(ssl_.get(), got) == SSL_ERROR_ZERO_RETURN) state_ = State::kClosed;
  ERR_clear_error();
  Flush();
}

void DtlsClient::Advance() {
  if (state_ != State::kHandshaking) return;
  if (DTLSv1_handle_timeout(ssl_.get()) < 0) state_ = State::kFailed;
  ERR_clear_error();
  Flush();
}

void DtlsClient::Close() {
  if (state_ != State::kConnected) return;
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
  state_ = State::kClosed;
  Flush();
}

void DtlsClient::Continue() {
  const int result = SSL_do_handshake(ssl_.get());
  const int error = SSL_get_error(ssl_.get(), result);
  ERR_clear_error();
  Flush();
  if (result == 1) {
    Finish();
  } else if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
    state_ = State::kFailed;
  }
}

// A memory BIO forgets where datagrams ended, so they are cut again at record boundaries, as many as fit the MTU.
void DtlsClient::Flush() {
  const std::uint8_t* data = nullptr;
  BIO* out = SSL_get_wbio(ssl_.get());
  const long pending = BIO_get_mem_data(out, &data);
  const std::span<const std::uint8_t> all(data, pending > 0 ? static_cast<std::size_t>(pending) : 0);
  std::size_t begin = 0;
  std::size_t end = 0;
  while (end + kRecordHeader <= all.size()) {
    const std::size_t length = static_cast<std::size_t>(all[end + 11]) << 8 | all[end + 12];
    const std::size_t next = std::min(end + kRecordHeader + length, all.size());
    if (next - begin > kMtu && end > begin) {
      send_datagram_(all.subspan(begin, end - begin));
      begin = end;
    }
    end = next;
  }
  if (end > begin) send_datagram_(all.subspan(begin, end - begin));
  BIO_reset(out);
}

void DtlsClient::Finish() {
  state_ = State::kFailed;
  const X509Ptr peer(SSL_get1_peer_certificate(ssl_.get()));
  if (peer == nullptr || !SameFingerprint(Certificate::FingerprintOf(peer.get()), fingerprint_)) return;
  const SRTP_PROTECTION_PROFILE* profile = SSL_get_selected_srtp_profile(ssl_.get());
  const std::optional<KeySizes> sizes = profile == nullptr ? std::nullopt : SizesOf(profile->id);
  if (!sizes.has_value()) return;
  std::vector<std::uint8_t> material(2 * (sizes->key + sizes->salt));
  if (SSL_export_keying_material(ssl_.get(), material.data(), material.size(), kExporterLabel.data(),
                                 kExporterLabel.size(), nullptr, 0, 0) != 1) {
    return;
  }
  // Client key, server key, client salt, server salt (RFC 5764, 4.2).
  const auto part = [&](std::size_t offset, std::size_t size) {
    return std::span<const std::uint8_t>(material).subspan(offset, size);
  };
  const auto join = [](std::span<const std::uint8_t> key, std::span<const std::uint8_t> salt) {
    std::vector<std::uint8_t> both(key.begin(), key.end());
    both.insert(both.end(), salt.begin(), salt.end());
    return both;
  };
  keys_.profile = static_cast<std::uint16_t>(profile->id);
  keys_.send = join(part(0, sizes->key), part(2 * sizes->key, sizes->salt));
  keys_.receive = join(part(sizes->key, sizes->key), part(2 * sizes->key + sizes->salt, sizes->salt));
  state_ = State::kConnected;
}

}  // namespace tertulia::load
