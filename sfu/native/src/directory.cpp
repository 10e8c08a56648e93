#include "directory.hpp"

#include <algorithm>

namespace tertulia {

Member* Directory::Find(const IcePath& path) const {
  const auto found = paths_.find(path);
  return found == paths_.end() ? nullptr : found->second;
}

Member* Directory::FindUfrag(std::string_view ufrag) const {
  const auto found = ufrags_.find(ufrag);
  return found == ufrags_.end() ? nullptr : found->second;
}

void Directory::AddUfrag(Member& member, const std::string& ufrag) {
  if (ufrags_.try_emplace(ufrag, &member).second) {
    member.ufrags.push_back(ufrag);
  }
}

void Directory::AddPath(Member& member, const IcePath& path) {
  const auto [place, is_new] = paths_.try_emplace(path, &member);
  if (!is_new) {
    if (place->second == &member) {
      return;
    }
    std::erase(place->second->paths, path);  // the port was used by a session that no longer holds it
    place->second = &member;
  }
  member.paths.push_back(path);
  if (member.paths.size() > LiteAgent::kMaxPaths) {
    std::erase_if(member.paths, [&](const IcePath& old) {
      const bool drop = !member.session.ice().Knows(old);
      if (drop) {
        RemovePath(member, old);
      }
      return drop;
    });
  }
}

void Directory::Prune(Member& member, TimeUs now) {
  if (member.ufrags.size() < 2) {
    return;
  }
  std::erase_if(member.ufrags, [&](const std::string& ufrag) {
    return !member.session.ice().HasLocalUfrag(ufrag, now) && ufrags_.erase(ufrag) > 0;
  });
}

void Directory::Remove(Member& member) {
  for (const IcePath& path : member.paths) {
    RemovePath(member, path);
  }
  for (const std::string& ufrag : member.ufrags) {
    ufrags_.erase(ufrag);
  }
}

void Directory::RemovePath(const Member& member, const IcePath& path) {
  const auto found = paths_.find(path);
  if (found != paths_.end() && found->second == &member) {
    paths_.erase(found);
  }
}

}  // namespace tertulia
