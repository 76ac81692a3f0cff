// The addon's entry: each part puts one object of functions into the exports.
//
// It is loaded once a thread (JavaScript environment), also again after a worker was restarted, so it keeps nothing in
// globals: what a function needs hangs on the objects that JavaScript holds. Loading costs no system call but what a
// part says of itself.
#include <node_api.h>

#include "alarm.h"
#include "data-plane.h"
#include "v4l2.h"

NAPI_MODULE_INIT() {
  // A part that fails has an exception pending, which the loader turns into the reason that is logged.
  if (!opencamera::RegisterDataPlane(env, exports)) return nullptr;
  if (!opencamera::RegisterAlarm(env, exports)) return nullptr;
  if (!opencamera::RegisterV4l2(env, exports)) return nullptr;
  return exports;
}
