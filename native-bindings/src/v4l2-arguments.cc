// See v4l2-arguments.h.
#include "v4l2-arguments.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <new>

#include "v4l2-watch.h"

namespace opencamera {

namespace {

// Marks the device objects, so that no other object is taken for one.
constexpr napi_type_tag kHandleTag = {0x6f70656e63616d65ULL, 0x76346c322d646576ULL};

void Finalize(napi_env, void* data, void*) {
  V4l2Handle* handle = static_cast<V4l2Handle*>(data);
  V4l2StopWatch(handle);
  delete handle;
}

// The names of what a device gives; glibc's strerrorname_np is younger than the oldest system that is served.
const char* NameOf(int error) {
  switch (error) {
    case EPERM: return "EPERM";
    case ENOENT: return "ENOENT";
    case EINTR: return "EINTR";
    case EIO: return "EIO";
    case ENXIO: return "ENXIO";
    case EBADF: return "EBADF";
    case EAGAIN: return "EAGAIN";
    case ENOMEM: return "ENOMEM";
    case EACCES: return "EACCES";
    case EBUSY: return "EBUSY";
    case ENODEV: return "ENODEV";
    case EINVAL: return "EINVAL";
    case ENOTTY: return "ENOTTY";
    case ENOSPC: return "ENOSPC";
    case EPIPE: return "EPIPE";
    case ERANGE: return "ERANGE";
    case EPROTO: return "EPROTO";
    case EOVERFLOW: return "EOVERFLOW";
    case EMFILE: return "EMFILE";
    case ENOTSUP: return "ENOTSUP";
    case ETIMEDOUT: return "ETIMEDOUT";
    default: return "EUNKNOWN";
  }
}

}  // namespace

V4l2Arguments::V4l2Arguments(napi_env env, napi_callback_info info) : env_(env) {
  if (napi_get_cb_info(env, info, &count_, values_, nullptr, nullptr) != napi_ok) count_ = 0;
  if (count_ > kMax) count_ = kMax;
}

bool V4l2Arguments::Refuse(size_t index, const char* expected) {
  char message[120];
  snprintf(message, sizeof message, "argument %u is not %s", static_cast<unsigned>(index), expected);
  napi_throw_type_error(env_, "ERR_INVALID_ARG_TYPE", message);
  return false;
}

bool V4l2Arguments::Handle(size_t index, V4l2Handle** handle) {
  bool tagged = false;
  void* data = nullptr;
  napi_valuetype type;
  if (index >= count_ || napi_typeof(env_, values_[index], &type) != napi_ok || type != napi_object ||
      napi_check_object_type_tag(env_, values_[index], &kHandleTag, &tagged) != napi_ok || !tagged ||
      napi_unwrap(env_, values_[index], &data) != napi_ok || data == nullptr)
    return Refuse(index, "a V4L2 device");
  *handle = static_cast<V4l2Handle*>(data);
  return true;
}

bool V4l2Arguments::Device(size_t index, V4l2Handle** handle) {
  if (!Handle(index, handle)) return false;
  if ((*handle)->device.IsOpen()) return true;
  V4l2Throw(env_, -EBADF, "v4l2");
  return false;
}

bool V4l2Arguments::Number(size_t index, double min, double max, double* number) {
  napi_valuetype type;
  if (index >= count_ || napi_typeof(env_, values_[index], &type) != napi_ok || type != napi_number ||
      napi_get_value_double(env_, values_[index], number) != napi_ok)
    return Refuse(index, "a number");
  // NaN fails the first comparison.
  if (!(*number >= min && *number <= max) || floor(*number) != *number)
    return Refuse(index, "a whole number in range");
  return true;
}

bool V4l2Arguments::Uint32(size_t index, uint32_t max, uint32_t* number) {
  double value;
  if (!Number(index, 0, max, &value)) return false;
  *number = static_cast<uint32_t>(value);
  return true;
}

bool V4l2Arguments::Type(size_t index, uint32_t* type) {
  if (!Uint32(index, UINT32_MAX, type)) return false;
  return V4l2IsKnownType(*type) || Refuse(index, "a buffer type");
}

bool V4l2Arguments::Flag(size_t index, bool* flag) {
  if (index < count_ && napi_get_value_bool(env_, values_[index], flag) == napi_ok) return true;
  return Refuse(index, "a boolean");
}

bool V4l2Arguments::Bytes(size_t index, uint8_t** bytes, size_t* length) {
  bool isArray = false;
  napi_typedarray_type type;
  void* data = nullptr;
  if (index >= count_ || napi_is_typedarray(env_, values_[index], &isArray) != napi_ok || !isArray ||
      napi_get_typedarray_info(env_, values_[index], &type, length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_uint8_array)
    return Refuse(index, "a Uint8Array");
  *bytes = static_cast<uint8_t*>(data);
  // Of a detached buffer.
  if (data == nullptr) *length = 0;
  return true;
}

bool V4l2Arguments::Text(size_t index, char* text, size_t capacity) {
  size_t length = 0;
  if (index >= count_ || napi_get_value_string_utf8(env_, values_[index], nullptr, 0, &length) != napi_ok)
    return Refuse(index, "a string");
  if (length == 0 || length >= capacity) return Refuse(index, "a text of a fitting length");
  if (napi_get_value_string_utf8(env_, values_[index], text, capacity, &length) != napi_ok)
    return Refuse(index, "a string");
  return strlen(text) == length || Refuse(index, "a text without a NUL byte");
}

bool V4l2Arguments::Function(size_t index, napi_value* function) {
  napi_valuetype type;
  if (index >= count_ || napi_typeof(env_, values_[index], &type) != napi_ok || type != napi_function)
    return Refuse(index, "a function");
  *function = values_[index];
  return true;
}

napi_value V4l2WrapHandle(napi_env env, V4l2Handle* handle) {
  napi_value object = nullptr;
  if (napi_create_object(env, &object) != napi_ok || napi_type_tag_object(env, object, &kHandleTag) != napi_ok ||
      napi_wrap(env, object, handle, Finalize, nullptr, nullptr) != napi_ok) {
    delete handle;
    return nullptr;
  }
  return object;
}

napi_value V4l2Throw(napi_env env, int negativeErrno, const char* syscall) {
  bool pending = false;
  if (napi_is_exception_pending(env, &pending) != napi_ok || pending) return nullptr;
  const int error = -negativeErrno;
  const char* name = NameOf(error);
  char reason[128];
  // The GNU form: gives the text, in `reason` or elsewhere.
  const char* text = strerror_r(error, reason, sizeof reason);
  char message[240];
  snprintf(message, sizeof message, "%s: %s", syscall, text);
  napi_value code, words, object, number, call;
  if (napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &code) == napi_ok &&
      napi_create_string_utf8(env, message, NAPI_AUTO_LENGTH, &words) == napi_ok &&
      napi_create_error(env, code, words, &object) == napi_ok &&
      napi_create_int32(env, error, &number) == napi_ok &&
      napi_set_named_property(env, object, "errno", number) == napi_ok &&
      napi_create_string_utf8(env, syscall, NAPI_AUTO_LENGTH, &call) == napi_ok &&
      napi_set_named_property(env, object, "syscall", call) == napi_ok)
    napi_throw(env, object);
  else
    napi_throw_error(env, name, message);
  return nullptr;
}

V4l2Object::V4l2Object(napi_env env) : env_(env) { good_ = napi_create_object(env, &object_) == napi_ok; }

V4l2Object& V4l2Object::Set(const char* name, double number) { return Set(name, V4l2Number(env_, number)); }

V4l2Object& V4l2Object::Set(const char* name, napi_value value) {
  good_ = good_ && value != nullptr && napi_set_named_property(env_, object_, name, value) == napi_ok;
  return *this;
}

V4l2Object& V4l2Object::SetText(const char* name, const void* text, size_t capacity) {
  napi_value value = nullptr;
  // Latin-1 takes every byte; what the driver wrote need not be UTF-8.
  const char* characters = static_cast<const char*>(text);
  if (napi_create_string_latin1(env_, characters, strnlen(characters, capacity), &value) != napi_ok) value = nullptr;
  return Set(name, value);
}

napi_value V4l2Number(napi_env env, double number) {
  napi_value value = nullptr;
  return napi_create_double(env, number, &value) == napi_ok ? value : nullptr;
}

napi_value V4l2Undefined(napi_env env) {
  napi_value value = nullptr;
  return napi_get_undefined(env, &value) == napi_ok ? value : nullptr;
}

}  // namespace opencamera
