// Does this payload begin a picture that needs nothing before it? One question for every codec.
#pragma once

#include "tertulia/types.hpp"
#include "wire/bytes.hpp"

namespace tertulia {

// False for codecs whose pictures cannot be recognised.
[[nodiscard]] bool IsKeyFrame(Codec codec, Bytes payload);

}  // namespace tertulia
