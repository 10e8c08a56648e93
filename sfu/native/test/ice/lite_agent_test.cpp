#include "ice/lite_agent.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace tertulia {
namespace {

constexpr TimeUs kSecond = 1'000'000;
const Address kServer = Address::V4(192, 0, 2, 1, 7882);

IcePath From(std::uint16_t port) { return {kServer, Address::V4(198, 51, 100, 7, port)}; }

struct Sent {
  IcePath path;
  std::vector<std::uint8_t> bytes;
  [[nodiscard]] stun::Message message() const { return *stun::Parse(bytes); }
};

// A client, or somebody who would like to be taken for one.
struct Check {
  std::string username = "server:client";
  std::string pwd = "server password";
  bool nominate = false;
  bool claims_controlled = false;

  [[nodiscard]] std::vector<std::uint8_t> Bytes() const {
    std::vector<std::uint8_t> out(512);
    stun::Writer writer(out, stun::Type::kBindingRequest, {1, 2, 3});
    if (!username.empty()) writer.AddUsername(username);
    writer.AddPriority(1);
    if (claims_controlled) {
      writer.AddControlled(UINT64_MAX);
    } else {
      writer.AddControlling(5);
    }
    if (nominate) writer.AddUseCandidate();
    out.resize(writer.Finish(pwd));
    return out;
  }
};

class LiteAgentTest : public ::testing::Test, public LiteAgentOutput {
 protected:
  LiteAgentTest()
      : agent_(
            *this,
            [this](MutableBytes out) {
              for (std::uint8_t& byte : out) byte = ++random_;
            },
            {"server", "server password"}, {"client", "client password"}, 0) {}

  void SendStun(const IcePath& path, Bytes datagram) override {
    sent_.push_back({path, {datagram.begin(), datagram.end()}});
  }
  void OnIceState(IceState state) override { states_.push_back(state); }
  void OnPathChanged(const IcePath& path) override { paths_.push_back(path); }

  bool Receive(std::uint16_t port, const Check& check, TimeUs now) {
    return agent_.ReceiveStun(From(port), check.Bytes(), now);
  }
  // The last thing sent, parsed.
  [[nodiscard]] stun::Message Last() const { return sent_.back().message(); }

  [[nodiscard]] std::vector<Sent> Questions() const {
    std::vector<Sent> questions;
    for (const Sent& sent : sent_) {
      if (sent.message().Is(stun::Type::kBindingRequest)) questions.push_back(sent);
    }
    return questions;
  }
  // The client's answer to a question, from `port`.
  bool Answer(const Sent& question, std::uint16_t port, TimeUs now, const std::string& pwd = "client password",
              stun::Type type = stun::Type::kBindingSuccess) {
    std::vector<std::uint8_t> out(256);
    stun::Writer writer(out, type, question.message().transaction);
    if (type == stun::Type::kBindingSuccess) writer.AddXorMappedAddress(kServer);
    if (type == stun::Type::kBindingError) writer.AddErrorCode(stun::ErrorCode::kUnauthenticated);
    out.resize(writer.Finish(pwd));
    return agent_.ReceiveStun(From(port), out, now);
  }
  // Runs the timers up to `until`, each when it is due.
  void RunUntil(TimeUs until) {
    for (TimeUs next = agent_.NextWakeup(); next <= until; next = agent_.NextWakeup()) {
      agent_.Advance(next);
      ASSERT_GT(agent_.NextWakeup(), next) << "a timer that does not move on";
    }
  }
  void Connect(std::uint16_t port) {
    ASSERT_TRUE(Receive(port, {.nominate = true}, 0));
    agent_.OnDtlsConnected(0);
    sent_.clear();
  }

  std::uint8_t random_ = 0;
  std::vector<Sent> sent_;
  std::vector<IceState> states_;
  std::vector<IcePath> paths_;
  LiteAgent agent_;
};

TEST_F(LiteAgentTest, AnswersACheckWithTheAddressThatItCameFrom) {
  ASSERT_TRUE(Receive(1000, {}, 0));
  ASSERT_EQ(sent_.size(), 1U);
  EXPECT_EQ(sent_[0].path, From(1000));
  const stun::Message answer = Last();
  EXPECT_TRUE(answer.Is(stun::Type::kBindingSuccess));
  EXPECT_EQ(answer.mapped, From(1000).remote);
  EXPECT_EQ(answer.transaction, (stun::TransactionId{1, 2, 3}));
  EXPECT_TRUE(stun::VerifyIntegrity(answer, "server password"));
  EXPECT_TRUE(stun::VerifyFingerprint(answer));
  EXPECT_EQ(paths_, std::vector{From(1000)});
  EXPECT_EQ(states_, std::vector{IceState::kConnected});
  EXPECT_TRUE(agent_.Knows(From(1000)));
  EXPECT_FALSE(agent_.Knows(From(1001)));
  EXPECT_FALSE(agent_.proven());
}

struct Refusal {
  const char* why;
  Check check;
  std::uint16_t code;
  bool authenticated;
};

class LiteAgentRefusal : public LiteAgentTest, public ::testing::WithParamInterface<Refusal> {};

TEST_P(LiteAgentRefusal, IsAnsweredWithItsCode) {
  const Refusal& refusal = GetParam();
  EXPECT_EQ(Receive(1000, refusal.check, 0), refusal.authenticated) << refusal.why;
  ASSERT_EQ(sent_.size(), 1U);
  EXPECT_TRUE(Last().Is(stun::Type::kBindingError));
  EXPECT_EQ(Last().error_code, refusal.code) << refusal.why;
  EXPECT_EQ(stun::VerifyIntegrity(Last(), "server password"), refusal.authenticated);
  EXPECT_FALSE(agent_.path());
  EXPECT_TRUE(states_.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Table, LiteAgentRefusal,
    ::testing::Values(Refusal{"no username", {.username = ""}, 400, false},
                      Refusal{"no integrity", {.pwd = ""}, 400, false},
                      Refusal{"another's fragment", {.username = "other:client"}, 401, false},
                      Refusal{"a username without a colon", {.username = "server"}, 401, false},
                      Refusal{"the wrong password", {.pwd = "client password"}, 401, false},
                      Refusal{"a client that claims to be controlled", {.claims_controlled = true}, 487, true}));

TEST_F(LiteAgentTest, NamesTheAttributesThatItDoesNotKnow) {
  std::vector<std::uint8_t> out(256);
  stun::Writer writer(out, stun::Type::kBindingRequest, {1});
  writer.AddUsername("server:client");
  writer.AddAttribute(0x7F01, {});
  ASSERT_TRUE(agent_.ReceiveStun(From(1000), Bytes(out).first(writer.Finish("server password")), 0));
  EXPECT_EQ(Last().error_code, 420);
  EXPECT_TRUE(stun::VerifyIntegrity(Last(), "server password"));
  const std::vector<std::uint8_t> attribute{0x00, 0x0A, 0x00, 0x02, 0x7F, 0x01, 0x00, 0x00};
  const auto& bytes = sent_.back().bytes;
  EXPECT_NE(std::search(bytes.begin(), bytes.end(), attribute.begin(), attribute.end()), bytes.end());
  EXPECT_FALSE(agent_.path());
}

TEST_F(LiteAgentTest, DropsWhatHasNoFingerprintOrIsNoBinding) {
  auto bytes = Check{}.Bytes();
  bytes.back() ^= 1;
  EXPECT_FALSE(agent_.ReceiveStun(From(1000), bytes, 0));
  std::vector<std::uint8_t> out(128);
  stun::Writer indication(out, stun::Type::kBindingIndication, {});
  EXPECT_FALSE(agent_.ReceiveStun(From(1000), Bytes(out).first(indication.Finish("server password")), 0));
  EXPECT_FALSE(agent_.ReceiveStun(From(1000), {}, 0));
  EXPECT_TRUE(sent_.empty());
}

TEST_F(LiteAgentTest, AnswersStrangersOnlySoOften) {
  for (TimeUs now = 0; now < kSecond; now += 1'000) EXPECT_FALSE(Receive(1000, {.pwd = "wrong"}, now));
  EXPECT_EQ(sent_.size(), 10U);
}

TEST_F(LiteAgentTest, ALaterNominationMovesThePathWhenItHasAnswered) {
  Connect(1000);
  ASSERT_TRUE(Receive(2000, {.nominate = true}, kSecond));
  EXPECT_EQ(agent_.path(), From(1000)) << "an address is a claim until it has answered";
  const auto questions = Questions();
  ASSERT_EQ(questions.size(), 1U);
  EXPECT_EQ(questions[0].path, From(2000));
  const stun::Message question = questions[0].message();
  EXPECT_EQ(question.username, "client:server");
  EXPECT_TRUE(question.controlled);
  EXPECT_TRUE(question.priority);
  EXPECT_TRUE(stun::VerifyIntegrity(question, "client password"));
  ASSERT_TRUE(Answer(questions[0], 2000, kSecond + 1));
  EXPECT_EQ(agent_.path(), From(2000));
  EXPECT_EQ(paths_, (std::vector{From(1000), From(2000)}));
}

TEST_F(LiteAgentTest, ACheckThatDoesNotNominateMovesNothing) {
  Connect(1000);
  ASSERT_TRUE(Receive(2000, {}, kSecond));
  EXPECT_TRUE(Questions().empty());
}

TEST_F(LiteAgentTest, ANominationBeforeDtlsMustAnswerToo) {
  ASSERT_TRUE(Receive(1000, {}, 0));
  ASSERT_TRUE(Receive(2000, {.nominate = true}, 1));
  EXPECT_EQ(agent_.path(), From(1000));
  ASSERT_TRUE(Answer(Questions().at(0), 2000, 2));
  EXPECT_EQ(agent_.path(), From(2000));
  EXPECT_TRUE(agent_.proven());
}

struct BadAnswer {
  const char* why;
  std::uint16_t port;
  const char* pwd;
  stun::Type type;
};

class LiteAgentBadAnswer : public LiteAgentTest, public ::testing::WithParamInterface<BadAnswer> {};

TEST_P(LiteAgentBadAnswer, DoesNotMoveThePath) {
  Connect(1000);
  Receive(2000, {.nominate = true}, kSecond);
  Answer(Questions().at(0), GetParam().port, kSecond, GetParam().pwd, GetParam().type);
  EXPECT_EQ(agent_.path(), From(1000)) << GetParam().why;
}

INSTANTIATE_TEST_SUITE_P(
    Table, LiteAgentBadAnswer,
    ::testing::Values(BadAnswer{"from another address", 3000, "client password", stun::Type::kBindingSuccess},
                      BadAnswer{"under another password", 2000, "server password", stun::Type::kBindingSuccess},
                      BadAnswer{"without integrity", 2000, "", stun::Type::kBindingSuccess},
                      BadAnswer{"an error", 2000, "client password", stun::Type::kBindingError}));

TEST_F(LiteAgentTest, AQuestionIsRepeatedAndGivenUp) {
  Connect(1000);
  Receive(2000, {.nominate = true}, 0);
  for (TimeUs now = 0; now < 20 * kSecond; now += kSecond / 10) {
    Receive(1000, {}, now);
    agent_.Advance(now);
  }
  const auto questions = Questions();
  ASSERT_EQ(questions.size(), static_cast<std::size_t>(LiteAgent::kMaxTransmissions));
  for (const Sent& question : questions) EXPECT_EQ(question.message().transaction, questions[0].message().transaction);
  Answer(questions[0], 2000, 20 * kSecond);
  EXPECT_EQ(agent_.path(), From(1000)) << "too late";
}

TEST_F(LiteAgentTest, AnAnswerToARepetitionCounts) {
  Connect(1000);
  Receive(2000, {.nominate = true}, 0);
  RunUntil(kSecond);
  ASSERT_GT(Questions().size(), 1U);
  EXPECT_TRUE(Answer(Questions().back(), 2000, kSecond));
  EXPECT_EQ(agent_.path(), From(2000));
  EXPECT_FALSE(Answer(Questions().back(), 2000, kSecond)) << "answered already";
}

TEST_F(LiteAgentTest, QuestionsToClaimedAddressesAreLimited) {
  Connect(1000);
  for (TimeUs now = 0; now < kSecond; now += 1'000) {
    Receive(static_cast<std::uint16_t>(2000 + now / 1'000), {.nominate = true}, now);
  }
  EXPECT_EQ(Questions().size(), 10U);
}

TEST_F(LiteAgentTest, RemembersFewAddressesAndNeverForgetsTheOneInUse) {
  Connect(1000);
  for (std::uint16_t i = 0; i < 100; ++i) Receive(static_cast<std::uint16_t>(2000 + i), {}, 1 + i);
  EXPECT_TRUE(agent_.Knows(From(1000)));
  std::size_t known = 0;
  for (std::uint16_t i = 0; i < 100; ++i) known += agent_.Knows(From(static_cast<std::uint16_t>(2000 + i))) ? 1 : 0;
  EXPECT_EQ(known, LiteAgent::kMaxPaths - 1);
  EXPECT_TRUE(agent_.Knows(From(2099)));
}

TEST_F(LiteAgentTest, MediaFromElsewhereIsAClaimOnceThePathIsSilent) {
  Connect(1000);
  agent_.OnAuthenticatedPacket(From(1000), kSecond);
  agent_.OnAuthenticatedPacket(From(2000), kSecond + 50'000);
  EXPECT_TRUE(Questions().empty()) << "it may have been under way";
  agent_.OnAuthenticatedPacket(From(2000), kSecond + 150'000);
  ASSERT_EQ(Questions().size(), 1U);
  EXPECT_EQ(agent_.path(), From(1000));
  Answer(Questions()[0], 2000, kSecond + 160'000);
  EXPECT_EQ(agent_.path(), From(2000));
}

TEST_F(LiteAgentTest, MediaBeforeAnyCheckMakesNoPath) {
  agent_.OnAuthenticatedPacket(From(2000), 0);
  EXPECT_FALSE(agent_.path());
}

TEST_F(LiteAgentTest, TrialDecryptsAreLimited) {
  int allowed = 0;
  for (TimeUs now = 0; now < kSecond; now += 1'000) allowed += agent_.MayClaim(now) ? 1 : 0;
  EXPECT_EQ(allowed, 10);
}

TEST_F(LiteAgentTest, ASilentClientIsDisconnectedAndThenFailed) {
  Connect(1000);
  RunUntil(5 * kSecond - 1);
  EXPECT_EQ(agent_.state(), IceState::kConnected);
  RunUntil(5 * kSecond);
  EXPECT_EQ(agent_.state(), IceState::kDisconnected);
  RunUntil(15 * kSecond - 1);
  EXPECT_EQ(agent_.state(), IceState::kDisconnected);
  RunUntil(15 * kSecond);
  EXPECT_EQ(agent_.state(), IceState::kFailed);
  EXPECT_EQ(states_, (std::vector{IceState::kConnected, IceState::kDisconnected, IceState::kFailed}));
}

TEST_F(LiteAgentTest, AClientThatChecksEverySixSecondsStaysConnectedByAnsweringOurs) {
  Connect(1000);
  for (int i = 1; i <= 10; ++i) {
    const TimeUs check = i * 6 * kSecond;
    RunUntil(check - 2 * kSecond);
    ASSERT_FALSE(Questions().empty());
    Answer(Questions().back(), 1000, check - 2 * kSecond);
    RunUntil(check);
    Receive(1000, {}, check);
  }
  EXPECT_EQ(states_, std::vector{IceState::kConnected});
}

TEST_F(LiteAgentTest, MediaAloneKeepsTheClientConnectedButGivesNoConsent) {
  Connect(1000);
  for (TimeUs now = 0; now < 15 * kSecond; now += kSecond / 2) {
    agent_.OnAuthenticatedPacket(From(1000), now);
    RunUntil(now);
  }
  EXPECT_EQ(states_, std::vector{IceState::kConnected});
  RunUntil(15 * kSecond);
  EXPECT_EQ(agent_.state(), IceState::kFailed);
}

TEST_F(LiteAgentTest, ACheckBringsADisconnectedClientBack) {
  Connect(1000);
  RunUntil(6 * kSecond);
  ASSERT_EQ(agent_.state(), IceState::kDisconnected);
  Receive(1000, {}, 6 * kSecond);
  EXPECT_EQ(agent_.state(), IceState::kConnected);
}

TEST_F(LiteAgentTest, ChecksOnAnotherAddressGiveNoConsentToTheOneInUse) {
  Connect(1000);
  for (TimeUs now = 0; now <= 15 * kSecond; now += kSecond) {
    Receive(2000, {}, now);
    RunUntil(now);
  }
  EXPECT_EQ(agent_.state(), IceState::kFailed);
}

TEST_F(LiteAgentTest, WithoutAnyCheckItFailsAfterHalfAMinute) {
  RunUntil(30 * kSecond - 1);
  EXPECT_EQ(agent_.state(), IceState::kChecking);
  RunUntil(30 * kSecond);
  EXPECT_EQ(agent_.state(), IceState::kFailed);
  EXPECT_EQ(agent_.NextWakeup(), INT64_MAX);
}

TEST_F(LiteAgentTest, BothCredentialsAreGoodForSomeSecondsAfterARestart) {
  Connect(1000);
  agent_.Restart({"server2", "server password 2"}, {"client2", "client password 2"}, kSecond);
  EXPECT_TRUE(Receive(1000, {}, kSecond)) << "the old ones";
  EXPECT_TRUE(stun::VerifyIntegrity(Last(), "server password"));
  const Check renewed{.username = "server2:client2", .pwd = "server password 2"};
  EXPECT_TRUE(Receive(1000, renewed, kSecond));
  EXPECT_TRUE(stun::VerifyIntegrity(Last(), "server password 2"));
  EXPECT_FALSE(Receive(1000, {.username = "server2:client2"}, kSecond)) << "the old password with the new name";
  EXPECT_TRUE(agent_.HasLocalUfrag("server", kSecond));
  EXPECT_TRUE(agent_.HasLocalUfrag("server2", kSecond));
  agent_.Advance(12 * kSecond);
  EXPECT_FALSE(Receive(1000, {}, 12 * kSecond));
  EXPECT_FALSE(agent_.HasLocalUfrag("server", 12 * kSecond));
  EXPECT_TRUE(Receive(1000, renewed, 12 * kSecond));
}

TEST_F(LiteAgentTest, AfterARestartANewAddressIsAskedUnderTheCredentialsItUses) {
  Connect(1000);
  agent_.Restart({"server2", "server password 2"}, {"client2", "client password 2"}, 0);
  Receive(2000, {.nominate = true}, 0);
  ASSERT_EQ(Questions().size(), 1U);
  EXPECT_EQ(Questions()[0].message().username, "client:server") << "a new port with the old credentials";
  Receive(3000, {.username = "server2:client2", .pwd = "server password 2", .nominate = true}, kSecond);
  ASSERT_EQ(Questions().size(), 2U);
  EXPECT_EQ(Questions()[1].message().username, "client2:server2");
  EXPECT_TRUE(stun::VerifyIntegrity(Questions()[1].message(), "client password 2"));
  EXPECT_TRUE(Answer(Questions()[1], 3000, kSecond, "client password 2"));
  EXPECT_EQ(agent_.path(), From(3000));
}

TEST_F(LiteAgentTest, TheSameRemoteFromAnotherLocalAddressIsAnotherPath) {
  Connect(1000);
  const IcePath other{Address::V4(203, 0, 113, 9, 7882), From(1000).remote};
  EXPECT_TRUE(agent_.ReceiveStun(other, Check{.nominate = true}.Bytes(), kSecond));
  EXPECT_EQ(sent_.front().path, other) << "answers leave from the address that was hit";
  EXPECT_EQ(agent_.path(), From(1000));
  EXPECT_EQ(Questions().at(0).path, other);
}

TEST_F(LiteAgentTest, ConsentTimesCanBeShortened) {
  LiteAgent hasty(*this, [](MutableBytes) {}, {"server", "server password"}, {"client", "client password"}, 0,
                  {.disconnected_after_us = 200'000, .failed_after_us = 600'000});
  hasty.ReceiveStun(From(1), Check{}.Bytes(), 0);
  sent_.clear();
  hasty.Advance(100'000);
  EXPECT_EQ(Questions().size(), 1U) << "asks after half of the time";
  hasty.Advance(200'000);
  EXPECT_EQ(hasty.state(), IceState::kDisconnected);
  hasty.Advance(600'000);
  EXPECT_EQ(hasty.state(), IceState::kFailed);
}

}  // namespace
}  // namespace tertulia
