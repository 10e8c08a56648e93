// What a viewer's network carries, and who gets how much of it.
#include <algorithm>

#include "router_impl.hpp"

namespace tertulia {

// The last step of every packet on its way to a viewer, be it media, repair or probe: it is stamped, then it leaves.
void Router::Impl::Transmit(RouterSession& viewer, MutableBytes header, HeaderWriter::Stamp stamp, Bytes payload) {
  switch (stamp.kind) {
    case SendStamp::kTransportCc:
      WriteU16(&header[stamp.offset], viewer.sent->Add(now_us, header.size() + payload.size(), 0));
      break;
    case SendStamp::kAbsSendTime:
      std::ranges::copy(AbsSendTimeValue(now_us), &header[stamp.offset]);
      break;
    case SendStamp::kNone:
      break;
  }
  output.SendRtp(viewer.handle, header, payload);
}

}  // namespace tertulia
