// See v4l2-query.h.
#include "v4l2-query.h"

#include <errno.h>
#include <string.h>

#include "v4l2-arguments.h"

namespace opencamera {

namespace {

constexpr uint32_t kListMax = 64;

// Reads a list of the driver: `fill` asks for one entry and gives its object, or nullptr behind the last one with
// *error 0, or with what went wrong.
template <typename Fill>
napi_value ReadList(napi_env env, const char* syscall, Fill fill) {
  napi_value list = nullptr;
  if (napi_create_array(env, &list) != napi_ok) return nullptr;
  for (uint32_t i = 0; i < kListMax; i++) {
    int error = 0;
    const napi_value entry = fill(i, &error);
    if (entry == nullptr) {
      // ENOTTY: the driver has no such list, which is no fault either.
      if (error == -EINVAL || error == -ENOTTY) return list;
      return error == 0 ? nullptr : V4l2Throw(env, error, syscall);
    }
    if (napi_set_element(env, list, i, entry) != napi_ok) return nullptr;
  }
  return list;
}

}  // namespace

napi_value V4l2QueryCapabilities(napi_env env, napi_callback_info info) {
  V4l2Arguments arguments(env, info);
  V4l2Handle* handle;
  if (!arguments.Device(0, &handle)) return nullptr;
  v4l2_capability capability;
  memset(&capability, 0, sizeof capability);
  const int result = handle->device.Control(VIDIOC_QUERYCAP, &capability);
  if (result < 0) return V4l2Throw(env, result, "VIDIOC_QUERYCAP");
  const bool ownCaps = (capability.capabilities & V4L2_CAP_DEVICE_CAPS) != 0;
  return V4l2Object(env)
      .SetText("driver", capability.driver, sizeof capability.driver)
      .SetText("card", capability.card, sizeof capability.card)
      .SetText("busInfo", capability.bus_info, sizeof capability.bus_info)
      .Set("capabilities", ownCaps ? capability.device_caps : capability.capabilities)
      .value();
}

napi_value V4l2EnumerateFormats(napi_env env, napi_callback_info info) {
  V4l2Arguments arguments(env, info);
  V4l2Handle* handle;
  uint32_t type;
  if (!arguments.Device(0, &handle) || !arguments.Type(1, &type)) return nullptr;
  return ReadList(env, "VIDIOC_ENUM_FMT", [&](uint32_t i, int* error) -> napi_value {
    v4l2_fmtdesc format;
    memset(&format, 0, sizeof format);
    format.index = i;
    format.type = type;
    *error = handle->device.Control(VIDIOC_ENUM_FMT, &format);
    if (*error < 0) return nullptr;
    return V4l2Object(env)
        .Set("pixelFormat", format.pixelformat)
        .SetText("description", format.description, sizeof format.description)
        .Set("flags", format.flags)
        .value();
  });
}

napi_value V4l2EnumerateSizes(napi_env env, napi_callback_info info) {
  V4l2Arguments arguments(env, info);
  V4l2Handle* handle;
  uint32_t pixelFormat;
  if (!arguments.Device(0, &handle) || !arguments.Uint32(1, UINT32_MAX, &pixelFormat)) return nullptr;
  return ReadList(env, "VIDIOC_ENUM_FRAMESIZES", [&](uint32_t i, int* error) -> napi_value {
    v4l2_frmsizeenum size;
    memset(&size, 0, sizeof size);
    size.index = i;
    size.pixel_format = pixelFormat;
    *error = handle->device.Control(VIDIOC_ENUM_FRAMESIZES, &size);
    // A range is the only entry; some drivers give it again for every index.
    if (*error >= 0 && i > 0 && size.type != V4L2_FRMSIZE_TYPE_DISCRETE) *error = -EINVAL;
    if (*error < 0) return nullptr;
    const bool one = size.type == V4L2_FRMSIZE_TYPE_DISCRETE;
    return V4l2Object(env)
        .Set("minWidth", one ? size.discrete.width : size.stepwise.min_width)
        .Set("maxWidth", one ? size.discrete.width : size.stepwise.max_width)
        .Set("stepWidth", one ? 0 : size.stepwise.step_width)
        .Set("minHeight", one ? size.discrete.height : size.stepwise.min_height)
        .Set("maxHeight", one ? size.discrete.height : size.stepwise.max_height)
        .Set("stepHeight", one ? 0 : size.stepwise.step_height)
        .value();
  });
}

napi_value V4l2EnumerateIntervals(napi_env env, napi_callback_info info) {
  V4l2Arguments arguments(env, info);
  V4l2Handle* handle;
  uint32_t pixelFormat, width, height;
  if (!arguments.Device(0, &handle) || !arguments.Uint32(1, UINT32_MAX, &pixelFormat) ||
      !arguments.Uint32(2, UINT32_MAX, &width) || !arguments.Uint32(3, UINT32_MAX, &height))
    return nullptr;
  return ReadList(env, "VIDIOC_ENUM_FRAMEINTERVALS", [&](uint32_t i, int* error) -> napi_value {
    v4l2_frmivalenum interval;
    memset(&interval, 0, sizeof interval);
    interval.index = i;
    interval.pixel_format = pixelFormat;
    interval.width = width;
    interval.height = height;
    *error = handle->device.Control(VIDIOC_ENUM_FRAMEINTERVALS, &interval);
    if (*error >= 0 && i > 0 && interval.type != V4L2_FRMIVAL_TYPE_DISCRETE) *error = -EINVAL;
    if (*error < 0) return nullptr;
    const v4l2_fract& period =
        interval.type == V4L2_FRMIVAL_TYPE_DISCRETE ? interval.discrete : interval.stepwise.min;
    return V4l2Object(env).Set("numerator", period.numerator).Set("denominator", period.denominator).value();
  });
}

napi_value V4l2QueryControl(napi_env env, napi_callback_info info) {
  V4l2Arguments arguments(env, info);
  V4l2Handle* handle;
  uint32_t id;
  if (!arguments.Device(0, &handle) || !arguments.Uint32(1, UINT32_MAX, &id)) return nullptr;
  v4l2_queryctrl control;
  memset(&control, 0, sizeof control);
  control.id = id;
  const int result = handle->device.Control(VIDIOC_QUERYCTRL, &control);
  if (result == -EINVAL || result == -ENOTTY) return V4l2Undefined(env);
  if (result < 0) return V4l2Throw(env, result, "VIDIOC_QUERYCTRL");
  return V4l2Object(env)
      .Set("type", control.type)
      .Set("minimum", control.minimum)
      .Set("maximum", control.maximum)
      .Set("step", control.step)
      .Set("defaultValue", control.default_value)
      .Set("flags", control.flags)
      .value();
}

}  // namespace opencamera
