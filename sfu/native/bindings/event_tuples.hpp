// Events as Python tuples: ("name", ...).
#pragma once

#include <nanobind/nanobind.h>

#include "events.hpp"

namespace tertulia::bindings {

[[nodiscard]] nanobind::tuple ToTuple(const Event& event);

}  // namespace tertulia::bindings
