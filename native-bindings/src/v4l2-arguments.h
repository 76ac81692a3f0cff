// Checked arguments and results of the V4L2 functions: what a caller gave is looked at before anything is done with it.
//
// Node-API (node_api.h), version 8. A reader that fails has thrown a TypeError or RangeError into JavaScript and gives
// false; the function then returns nullptr at once. What the kernel refuses becomes an Error with `code` (ENODEV, …),
// `errno` and `syscall`, as Node's own are. Nothing here knows what the calls are for.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>

#include "v4l2-device.h"

namespace opencamera {

struct V4l2Watch;

// What a device object of JavaScript holds. Owned by it: closed and freed when it is collected, or when the thread ends.
struct V4l2Handle {
  V4l2Device device;
  V4l2Watch* watch = nullptr;
};

class V4l2Arguments {
 public:
  static constexpr size_t kMax = 8;

  V4l2Arguments(napi_env env, napi_callback_info info);

  napi_value self() const { return values_[0]; }
  // The open device at `index`.
  bool Device(size_t index, V4l2Handle** handle);
  // The device at `index`, open or not.
  bool Handle(size_t index, V4l2Handle** handle);
  // A whole number from `min` to `max`.
  bool Number(size_t index, double min, double max, double* number);
  bool Uint32(size_t index, uint32_t max, uint32_t* number);
  // A buffer type that this addon knows.
  bool Type(size_t index, uint32_t* type);
  bool Flag(size_t index, bool* flag);
  // The bytes of a Uint8Array, borrowed for the call.
  bool Bytes(size_t index, uint8_t** bytes, size_t* length);
  // A text without a NUL byte.
  bool Text(size_t index, char* text, size_t capacity);
  bool Function(size_t index, napi_value* function);

 private:
  bool Refuse(size_t index, const char* expected);

  napi_env env_;
  size_t count_ = kMax;
  napi_value values_[kMax] = {};
};

// A new device object around `handle`, which it owns from then on; nullptr when JavaScript cannot make one (the handle
// is freed then).
napi_value V4l2WrapHandle(napi_env env, V4l2Handle* handle);

// Throws the Error for `negativeErrno`; gives nullptr, to be returned.
napi_value V4l2Throw(napi_env env, int negativeErrno, const char* syscall);

// Builds a plain object; every failure is remembered and makes value() nullptr.
class V4l2Object {
 public:
  explicit V4l2Object(napi_env env);
  V4l2Object& Set(const char* name, double number);
  V4l2Object& Set(const char* name, napi_value value);
  // A text of the driver: at most `capacity` bytes, up to its NUL.
  V4l2Object& SetText(const char* name, const void* text, size_t capacity);
  napi_value value() const { return good_ ? object_ : nullptr; }

 private:
  napi_env env_;
  napi_value object_ = nullptr;
  bool good_ = true;
};

napi_value V4l2Number(napi_env env, double number);
napi_value V4l2Undefined(napi_env env);

}  // namespace opencamera
