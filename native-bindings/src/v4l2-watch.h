// Tells JavaScript when a device has a buffer ready: uv_poll on its file descriptor, in the event loop of the thread.
//
// So the loop sleeps in one epoll with everything else it waits for, and a picture costs one wake-up. The callback is
// called with 0, or with a negative errno when the device can no longer be polled (unplugged; the watch has then ended).
// A watch keeps its device object alive, and keeps the event loop alive. When a worker is terminated while a watch is
// on, an asynchronous clean-up hook closes the poll handle before the loop is torn down.
#pragma once

#include "v4l2-arguments.h"

namespace opencamera {

// Starts to watch; the handle must be open and not watched. Gives 0 or -errno.
int V4l2StartWatch(napi_env env, V4l2Handle* handle, napi_value device, napi_value callback);

// Ends the watch if there is one: the callback is not called any more. May be called from within the callback.
void V4l2StopWatch(V4l2Handle* handle);

}  // namespace opencamera
