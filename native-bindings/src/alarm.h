// A timer of the kernel (timerfd, CLOCK_MONOTONIC) in the event loop of the thread: late by some tens of microseconds, where
// libuv's own timers count whole milliseconds.
//
// Exports `alarm`: create(callback) → alarm, set(alarm, delayUs), cancel(alarm), close(alarm). The callback is called once for
// each set(), in the poll phase. An alarm that is set keeps the event loop alive. It is closed when its object is collected
// (which its callback must not lead to, as that is held) or its thread ends, if not before.
#pragma once

#include <node_api.h>

namespace opencamera {

// Adds the part to `exports`; false with an exception pending when that fails.
bool RegisterAlarm(napi_env env, napi_value exports);

}  // namespace opencamera
