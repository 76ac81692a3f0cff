// See v4l2-watch.h.
#include "v4l2-watch.h"

#include <errno.h>
#include <uv.h>

#include <new>

namespace opencamera {

// Lives until libuv has let go of the poll handle, which may be after the device was closed and freed.
struct V4l2Watch {
  uv_poll_t poll;
  napi_env env = nullptr;
  V4l2Handle* handle = nullptr;
  napi_ref device = nullptr;
  napi_ref callback = nullptr;
  napi_async_context context = nullptr;
  napi_async_cleanup_hook_handle hook = nullptr;
  // While JavaScript runs in the callback, the context is in use and is not destroyed.
  bool calling = false;
};

namespace {

void OnClosed(uv_handle_t* closed) {
  V4l2Watch* watch = static_cast<V4l2Watch*>(closed->data);
  // Tells the environment, if it is being torn down, that it may go on.
  if (watch->hook != nullptr) napi_remove_async_cleanup_hook(watch->hook);
  delete watch;
}

// Stops polling at once: the file descriptor is out of epoll when this returns, and may be closed.
void Detach(V4l2Watch* watch) {
  if (watch->handle == nullptr) return;
  watch->handle->watch = nullptr;
  watch->handle = nullptr;
  uv_poll_stop(&watch->poll);
  uv_close(reinterpret_cast<uv_handle_t*>(&watch->poll), OnClosed);
}

void ReleaseReferences(V4l2Watch* watch) {
  if (watch->context != nullptr) napi_async_destroy(watch->env, watch->context);
  if (watch->callback != nullptr) napi_delete_reference(watch->env, watch->callback);
  if (watch->device != nullptr) napi_delete_reference(watch->env, watch->device);
  watch->context = nullptr;
  watch->callback = nullptr;
  watch->device = nullptr;
}

// The thread ends while the watch is on. The references go with the environment.
void OnTearDown(napi_async_cleanup_hook_handle, void* data) { Detach(static_cast<V4l2Watch*>(data)); }

void OnPoll(uv_poll_t* poll, int status, int) {
  V4l2Watch* watch = static_cast<V4l2Watch*>(poll->data);
  if (watch->handle == nullptr) return;
  const napi_env env = watch->env;
  napi_handle_scope scope;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  napi_value callback = nullptr, device = nullptr, argument = nullptr;
  const bool ready = napi_get_reference_value(env, watch->callback, &callback) == napi_ok &&
                     napi_get_reference_value(env, watch->device, &device) == napi_ok &&
                     napi_create_int32(env, status, &argument) == napi_ok;
  // libuv has stopped the poll by itself.
  if (status < 0) Detach(watch);
  if (ready) {
    watch->calling = true;
    const napi_status called = napi_make_callback(env, watch->context, device, callback, 1, &argument, nullptr);
    watch->calling = false;
    if (called == napi_pending_exception) {
      napi_value error = nullptr;
      if (napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_fatal_exception(env, error);
    }
  }
  if (watch->handle == nullptr) ReleaseReferences(watch);
  napi_close_handle_scope(env, scope);
}

}  // namespace

int V4l2StartWatch(napi_env env, V4l2Handle* handle, napi_value device, napi_value callback) {
  if (handle->watch != nullptr) return -EBUSY;
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok || loop == nullptr) return -ENOTSUP;
  V4l2Watch* watch = new (std::nothrow) V4l2Watch();
  if (watch == nullptr) return -ENOMEM;
  watch->env = env;
  const int result = uv_poll_init(loop, &watch->poll, handle->device.fd());
  if (result < 0) {
    delete watch;
    return result;
  }
  watch->poll.data = watch;
  watch->handle = handle;
  handle->watch = watch;
  napi_value name = nullptr;
  const bool made = napi_create_string_utf8(env, "opencamera.v4l2", NAPI_AUTO_LENGTH, &name) == napi_ok &&
                    napi_async_init(env, nullptr, name, &watch->context) == napi_ok &&
                    napi_create_reference(env, callback, 1, &watch->callback) == napi_ok &&
                    napi_create_reference(env, device, 1, &watch->device) == napi_ok &&
                    napi_add_async_cleanup_hook(env, OnTearDown, watch, &watch->hook) == napi_ok;
  const int started = made ? uv_poll_start(&watch->poll, UV_READABLE, OnPoll) : -ENOMEM;
  if (started < 0) V4l2StopWatch(handle);
  return started;
}

void V4l2StopWatch(V4l2Handle* handle) {
  V4l2Watch* watch = handle->watch;
  if (watch == nullptr) return;
  Detach(watch);
  if (!watch->calling) ReleaseReferences(watch);
}

}  // namespace opencamera
