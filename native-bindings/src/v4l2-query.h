// What can be asked of a V4L2 device without changing it: capabilities, formats, sizes, intervals, controls.
//
// Linux media documentation: VIDIOC_QUERYCAP, ENUM_FMT, ENUM_FRAMESIZES, ENUM_FRAMEINTERVALS, QUERYCTRL. Lists are read
// until the driver says EINVAL, 64 entries at most, so that no driver can hold the thread.
#pragma once

#include <node_api.h>

namespace opencamera {

// (device) → { driver, card, busInfo, capabilities }; the capabilities are those of this very node.
napi_value V4l2QueryCapabilities(napi_env env, napi_callback_info info);
// (device, type) → [{ pixelFormat, description, flags }]
napi_value V4l2EnumerateFormats(napi_env env, napi_callback_info info);
// (device, pixelFormat) → [{ minWidth, maxWidth, stepWidth, minHeight, maxHeight, stepHeight }]; steps 0: one size
napi_value V4l2EnumerateSizes(napi_env env, napi_callback_info info);
// (device, pixelFormat, width, height) → [{ numerator, denominator }] seconds a frame; of a range its shortest first
napi_value V4l2EnumerateIntervals(napi_env env, napi_callback_info info);
// (device, id) → { type, minimum, maximum, step, defaultValue, flags }, or undefined where there is no such control
napi_value V4l2QueryControl(napi_env env, napi_callback_info info);

}  // namespace opencamera
