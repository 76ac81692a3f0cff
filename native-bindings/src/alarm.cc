// See alarm.h.
#include "alarm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <uv.h>

#include <new>

namespace opencamera {
namespace {

constexpr napi_type_tag kAlarmTag = {0x6f70656e63616d65, 0x616c61726d000001};
// An hour: no timer of a camera waits longer, and every product below stays within 64 bits.
constexpr double kDelayUsMax = 3.6e9;

// Lives until libuv has let go of the poll handle and JavaScript of the object, whichever is later.
struct Alarm {
  uv_poll_t poll;
  napi_env env = nullptr;
  int fd = -1;
  napi_ref callback = nullptr;
  napi_async_context context = nullptr;
  napi_async_cleanup_hook_handle hook = nullptr;
  bool collected = false;
  bool closed = false;
};

void FreeIfUnused(Alarm* alarm) {
  if (alarm->closed && alarm->collected) delete alarm;
}

void OnClosed(uv_handle_t* handle) {
  Alarm* alarm = static_cast<Alarm*>(handle->data);
  alarm->closed = true;
  // Tells the environment, if it is being torn down, that it may go on.
  if (alarm->hook != nullptr) napi_remove_async_cleanup_hook(alarm->hook);
  alarm->hook = nullptr;
  FreeIfUnused(alarm);
}

// Out of epoll when this returns. The references go with the environment where it is torn down.
void Close(Alarm* alarm) {
  if (alarm->fd < 0) return;
  uv_poll_stop(&alarm->poll);
  close(alarm->fd);
  alarm->fd = -1;
  uv_close(reinterpret_cast<uv_handle_t*>(&alarm->poll), OnClosed);
}

void OnTearDown(napi_async_cleanup_hook_handle, void* data) { Close(static_cast<Alarm*>(data)); }

void OnCollected(napi_env, void* data, void*) {
  Alarm* alarm = static_cast<Alarm*>(data);
  alarm->collected = true;
  Close(alarm);
  if (alarm->callback != nullptr) napi_delete_reference(alarm->env, alarm->callback);
  if (alarm->context != nullptr) napi_async_destroy(alarm->env, alarm->context);
  alarm->callback = nullptr;
  alarm->context = nullptr;
  FreeIfUnused(alarm);
}

void OnPoll(uv_poll_t* poll, int, int) {
  Alarm* alarm = static_cast<Alarm*>(poll->data);
  uint64_t expirations = 0;
  // Set again or cancelled since epoll saw it: there is nothing to read, and nothing to tell.
  if (alarm->fd < 0 || read(alarm->fd, &expirations, sizeof expirations) != sizeof expirations) return;
  uv_unref(reinterpret_cast<uv_handle_t*>(poll));
  const napi_env env = alarm->env;
  napi_handle_scope scope;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  napi_value callback = nullptr, receiver = nullptr;
  if (napi_get_reference_value(env, alarm->callback, &callback) == napi_ok && callback != nullptr &&
      napi_get_global(env, &receiver) == napi_ok &&
      napi_make_callback(env, alarm->context, receiver, callback, 0, nullptr, nullptr) == napi_pending_exception) {
    napi_value error = nullptr;
    if (napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_fatal_exception(env, error);
  }
  napi_close_handle_scope(env, scope);
}

napi_value Throw(napi_env env, const char* message) {
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", message);
  return nullptr;
}

napi_value ThrowErrno(napi_env env, int error, const char* syscall) {
  char message[160];
  snprintf(message, sizeof message, "%s: %s", syscall, strerror(error));
  napi_throw_error(env, nullptr, message);
  return nullptr;
}

// The alarm of the first argument, open or not; nullptr with an exception pending for anything else.
Alarm* AlarmOf(napi_env env, napi_value value) {
  bool tagged = false;
  void* data = nullptr;
  napi_valuetype type = napi_undefined;
  if (value == nullptr || napi_typeof(env, value, &type) != napi_ok || type != napi_object ||
      napi_check_object_type_tag(env, value, &kAlarmTag, &tagged) != napi_ok || !tagged ||
      napi_unwrap(env, value, &data) != napi_ok) {
    Throw(env, "the argument is not an alarm");
    return nullptr;
  }
  return static_cast<Alarm*>(data);
}

napi_value Create(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value callback = nullptr;
  napi_valuetype type = napi_undefined;
  if (napi_get_cb_info(env, info, &count, &callback, nullptr, nullptr) != napi_ok || count < 1 ||
      napi_typeof(env, callback, &type) != napi_ok || type != napi_function)
    return Throw(env, "the callback is not a function");
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok || loop == nullptr) return Throw(env, "there is no event loop");
  Alarm* alarm = new (std::nothrow) Alarm();
  if (alarm == nullptr) return ThrowErrno(env, ENOMEM, "alarm");
  alarm->env = env;
  alarm->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (alarm->fd < 0) {
    const int error = errno;
    delete alarm;
    return ThrowErrno(env, error, "timerfd_create");
  }
  const int failure = uv_poll_init(loop, &alarm->poll, alarm->fd);
  if (failure < 0) {
    close(alarm->fd);
    delete alarm;
    return ThrowErrno(env, -failure, "uv_poll_init");
  }
  alarm->poll.data = alarm;
  napi_value object = nullptr, name = nullptr;
  const bool wrapped = napi_create_object(env, &object) == napi_ok &&
                       napi_wrap(env, object, alarm, OnCollected, nullptr, nullptr) == napi_ok;
  // Nobody will collect an object that was not made.
  if (!wrapped) alarm->collected = true;
  const bool made = wrapped && napi_type_tag_object(env, object, &kAlarmTag) == napi_ok &&
                    napi_create_string_utf8(env, "opencamera.alarm", NAPI_AUTO_LENGTH, &name) == napi_ok &&
                    napi_async_init(env, nullptr, name, &alarm->context) == napi_ok &&
                    napi_create_reference(env, callback, 1, &alarm->callback) == napi_ok &&
                    napi_add_async_cleanup_hook(env, OnTearDown, alarm, &alarm->hook) == napi_ok &&
                    uv_poll_start(&alarm->poll, UV_READABLE, OnPoll) == 0;
  uv_unref(reinterpret_cast<uv_handle_t*>(&alarm->poll));
  if (!made) {
    Close(alarm);
    return Throw(env, "the alarm cannot be made");
  }
  return object;
}

// Sets the kernel's timer; 0 stops it.
napi_value SetTime(napi_env env, Alarm* alarm, uint64_t delayNs) {
  if (alarm->fd < 0) return Throw(env, "the alarm is closed");
  itimerspec time = {};
  time.it_value.tv_sec = static_cast<time_t>(delayNs / 1000000000);
  time.it_value.tv_nsec = static_cast<long>(delayNs % 1000000000);
  if (timerfd_settime(alarm->fd, 0, &time, nullptr) != 0) return ThrowErrno(env, errno, "timerfd_settime");
  uv_handle_t* handle = reinterpret_cast<uv_handle_t*>(&alarm->poll);
  if (delayNs > 0)
    uv_ref(handle);
  else
    uv_unref(handle);
  return nullptr;
}

napi_value Set(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value values[2] = {};
  if (napi_get_cb_info(env, info, &count, values, nullptr, nullptr) != napi_ok) return Throw(env, "no arguments");
  Alarm* alarm = AlarmOf(env, values[0]);
  if (alarm == nullptr) return nullptr;
  double delayUs = 0;
  if (count < 2 || napi_get_value_double(env, values[1], &delayUs) != napi_ok || !(delayUs >= 0) ||
      delayUs > kDelayUsMax)
    return Throw(env, "the delay is not a number of microseconds from 0 to an hour");
  // A time of zero would stop the timer; one nanosecond is at once.
  const uint64_t delayNs = static_cast<uint64_t>(delayUs * 1000);
  return SetTime(env, alarm, delayNs > 0 ? delayNs : 1);
}

napi_value Cancel(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value value = nullptr;
  if (napi_get_cb_info(env, info, &count, &value, nullptr, nullptr) != napi_ok) return Throw(env, "no arguments");
  Alarm* alarm = AlarmOf(env, value);
  return alarm == nullptr ? nullptr : SetTime(env, alarm, 0);
}

napi_value CloseAlarm(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value value = nullptr;
  if (napi_get_cb_info(env, info, &count, &value, nullptr, nullptr) != napi_ok) return Throw(env, "no arguments");
  Alarm* alarm = AlarmOf(env, value);
  if (alarm == nullptr || alarm->fd < 0) return nullptr;
  Close(alarm);
  if (alarm->callback != nullptr) napi_delete_reference(env, alarm->callback);
  alarm->callback = nullptr;
  return nullptr;
}

}  // namespace

bool RegisterAlarm(napi_env env, napi_value exports) {
  const napi_property_descriptor functions[] = {
      {"create", nullptr, Create, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"set", nullptr, Set, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"cancel", nullptr, Cancel, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"close", nullptr, CloseAlarm, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
  };
  napi_value part = nullptr;
  return napi_create_object(env, &part) == napi_ok &&
         napi_define_properties(env, part, sizeof functions / sizeof functions[0], functions) == napi_ok &&
         napi_set_named_property(env, exports, "alarm", part) == napi_ok;
}

}  // namespace opencamera
