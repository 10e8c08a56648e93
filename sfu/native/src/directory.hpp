// Whose datagram is this? Datagrams are told apart by the path they came on; the first check of a new path names its
// session by the fragment in USERNAME (RFC 8445, 7.3). Only authenticated checks put a path here.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "room.hpp"
#include "session.hpp"

namespace tertulia {

// A session in its room, with what has to go when it goes.
struct Member {
  Member(Room& its_room, SessionHost& host, Handle handle, IceCredentials local, IceCredentials remote, TimeUs now)
      : room(its_room), session(host, handle, its_room.handle(), std::move(local), std::move(remote), now) {}

  Room& room;
  Session session;
  bool in_router = false;
  std::vector<Handle> things;  // sources and slots
  std::vector<IcePath> paths;
  std::vector<std::string> ufrags;
  std::vector<RelayTarget> relays;  // mirrors of it on other workers
};

class Directory {
 public:
  [[nodiscard]] Member* Find(const IcePath& path) const;
  [[nodiscard]] Member* FindUfrag(std::string_view ufrag) const;

  void AddUfrag(Member& member, const std::string& ufrag);
  // The path sent an authenticated check of this member.
  void AddPath(Member& member, const IcePath& path);
  // Drops paths and fragments that the session's agent has dropped.
  void Prune(Member& member, TimeUs now);
  void Remove(Member& member);

 private:
  struct PathHash {
    std::size_t operator()(const IcePath& path) const {
      const AddressHash hash;
      return hash(path.remote) * 31 + hash(path.local);
    }
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  void RemovePath(const Member& member, const IcePath& path);

  std::unordered_map<IcePath, Member*, PathHash> paths_;
  std::unordered_map<std::string, Member*, TextHash, std::equal_to<>> ufrags_;
};

}  // namespace tertulia
