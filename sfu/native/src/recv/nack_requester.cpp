#include "recv/nack_requester.hpp"

#include <algorithm>

namespace tertulia {

NackRequester::Arrival NackRequester::OnPacket(std::int64_t sequence, TimeUs now) {
  Arrival arrival;
  if (!newest_) {
    newest_ = sequence;
    return arrival;
  }
  if (sequence <= *newest_) {
    const auto found =
        std::lower_bound(missing_.begin(), missing_.end(), sequence,
                         [](const Missing& entry, std::int64_t value) { return entry.sequence < value; });
    if (found != missing_.end() && found->sequence == sequence) {
      arrival.was_missing = true;
      if (found->tries == 1) {
        arrival.response_us = now - found->asked_us;
      }
      missing_.erase(found);
    }
    return arrival;
  }
  const auto gap = static_cast<std::uint64_t>(sequence - *newest_ - 1);
  if (gap > kMaxMissing) {
    // More than can be asked for: the stream was interrupted.
    given_up_ += gap + missing_.size();
    missing_.clear();
    due_us_ = kNever;
  } else if (gap != 0) {
    if (missing_.capacity() == 0) {
      missing_.reserve(kMaxMissing);
    }
    if (missing_.size() + gap > kMaxMissing) {
      const std::size_t oldest = missing_.size() + gap - kMaxMissing;
      missing_.erase(missing_.begin(), missing_.begin() + static_cast<std::ptrdiff_t>(oldest));
      given_up_ += oldest;
    }
    for (std::int64_t i = *newest_ + 1; i < sequence; ++i) {
      missing_.push_back({i, now, 0, now + kReorderUs, 0});
    }
    due_us_ = std::min(due_us_, now + kReorderUs);
  }
  newest_ = sequence;
  return arrival;
}

void NackRequester::Forget(std::int64_t before) {
  const auto end = std::lower_bound(missing_.begin(), missing_.end(), before,
                                    [](const Missing& entry, std::int64_t value) { return entry.sequence < value; });
  missing_.erase(missing_.begin(), end);
}

void NackRequester::Reset() {
  newest_.reset();
  missing_.clear();
  due_us_ = kNever;
}

std::size_t NackRequester::Poll(TimeUs now, TimeUs retry_us, std::span<std::uint16_t> out) {
  if (due_us_ > now) {
    return 0;
  }
  const auto is_given_up = [&](const Missing& entry) {
    return entry.due_us <= now && (entry.tries == kMaxTries || now - entry.since_us > give_up_us_);
  };
  given_up_ += std::erase_if(missing_, is_given_up);
  std::size_t count = 0;
  due_us_ = kNever;
  for (Missing& entry : missing_) {
    if (entry.due_us <= now && count < out.size()) {
      out[count++] = static_cast<std::uint16_t>(entry.sequence);
      ++entry.tries;
      entry.asked_us = now;
      entry.due_us = now + retry_us;
    }
    due_us_ = std::min(due_us_, entry.due_us);
  }
  return count;
}

}  // namespace tertulia
