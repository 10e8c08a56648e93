#include "recv/twcc_recorder.hpp"

#include <algorithm>

#include "wire/twcc.hpp"

namespace tertulia {

void TwccRecorder::Record(std::uint16_t sequence, std::uint32_t media_ssrc, TimeUs now) {
  const std::int64_t number = unwrapper_.Unwrap(sequence);
  media_ssrc_ = media_ssrc;
  if (!started_) {
    started_ = true;
    base_ = end_ = number;
  }
  if (number >= end_) {
    if (number - end_ >= kWindow) {
      // A jump further than the window: what was not reported yet is given up, the bound matters more.
      arrivals_.fill(kNone);
      base_ = end_ = number;
    }
    for (std::int64_t i = end_; i < number; ++i) {
      At(i) = kNone;
    }
    end_ = number + 1;
    base_ = std::max(base_, end_ - kWindow);
  } else if (number < base_) {
    // Late: say it after all, together with what was said about its successors.
    if (number < end_ - kWindow || At(number) != kNone) {
      return;
    }
    base_ = number;
  } else if (At(number) != kNone) {
    return;
  }
  At(number) = now;
  if (due_us_ == kNever) {
    due_us_ = now + kIntervalUs;
  }
}

std::size_t TwccRecorder::Write(MutableBytes out, std::uint32_t sender_ssrc) {
  std::array<TimeUs, kWindow> arrivals;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled below, as far as used
  const auto count = static_cast<std::size_t>(end_ - base_);
  for (std::size_t i = 0; i < count; ++i) {
    arrivals[i] = At(base_ + static_cast<std::int64_t>(i));
  }
  const twcc::Built built = twcc::Build(out, sender_ssrc, media_ssrc_, feedback_count_,
                                        static_cast<std::uint16_t>(base_), std::span(arrivals).first(count));
  if (built.bytes == 0 || built.statuses == 0) {
    base_ = end_;
    due_us_ = kNever;
    return 0;
  }
  ++feedback_count_;
  base_ += static_cast<std::int64_t>(built.statuses);
  return built.bytes;
}

}  // namespace tertulia
