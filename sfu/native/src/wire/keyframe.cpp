#include "wire/keyframe.hpp"

#include "wire/av1.hpp"
#include "wire/h264.hpp"
#include "wire/vp8.hpp"
#include "wire/vp9.hpp"

namespace tertulia {

bool IsKeyFrame(Codec codec, Bytes payload) {
  switch (codec) {
    case Codec::kVp8:
      return IsVp8KeyFrame(payload);
    case Codec::kVp9:
      return IsVp9KeyFrame(payload);
    case Codec::kH264:
      return IsH264KeyFrame(payload);
    case Codec::kAv1:
      return IsAv1KeyFrame(payload);
    default:
      return false;
  }
}

}  // namespace tertulia
