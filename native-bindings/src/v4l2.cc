// See v4l2.h. Every function reads and checks its arguments, makes one call of V4l2Device, and gives what came of it.
#include "v4l2.h"

#include <errno.h>
#include <string.h>

#include <new>

#include "v4l2-arguments.h"
#include "v4l2-query.h"
#include "v4l2-watch.h"

namespace opencamera {

namespace {

// Longest path of Linux, its NUL included.
constexpr size_t kPathBytes = 4096;
// Microseconds of an output buffer's time: a hundred years.
constexpr double kTimestampUsMax = 3.2e15;

// (path) → device
napi_value Open(napi_env env, napi_callback_info info) {
  V4l2Arguments arguments(env, info);
  char path[kPathBytes];
  if (!arguments.Text(0, path, sizeof path)) return nullptr;
  V4l2Handle* handle = new (std::nothrow) V4l2Handle();
  if (handle == nullptr) return V4l2Throw(env, -ENOMEM, "open");
  const int result = handle->device.Open(path);
  if (result >= 0) return V4l2WrapHandle(env, handle);
  delete handle;
  return V4l2Throw(env, result, "open");
}

// (device): ends the watch, stops, unmaps, closes; a closed device may be closed again
napi_value Close(napi_env env, napi_callback_info info) {
  V4l2Arguments arguments(env, info);
  V4l2Handle* handle;
  if (!arguments.Handle(0, &handle)) return nullptr;
  V4l2StopWatch(handle);
  handle->device.Close();
  return V4l2Undefined(env);
}

napi_value FormatObject(napi_env env, const V4l2Format& format) {
  return V4l2Object(env)
      .Set("width", format.width)
      .Set("height", format.height)
      .Set("pixelFormat", format.pixelFormat)
      .Set("bytesPerLine", format.bytesPerLine)
      .Set("sizeImage", format.sizeImage)
      .Set("planes", format.planes)
      .value();
}

// (device, type, width, height, pixelFormat, bytesPerLine, sizeImage)
// → { width, height, pixelFormat, bytesPerLine, sizeImage, planes }, what the driver made of it
napi_value SetFormat(napi_env env, napi_callback_info info) {
  V4l2Arguments arguments(env, info);
  V4l2Handle* handle;
  uint32_t type;
  V4l2Format format = {};
  if (!arguments.Device(0, &handle) || !arguments.Type(1, &type) || !arguments.Uint32(2, UINT32_MAX, &format.width) ||
      !arguments.Uint32(3, UINT32_MAX, &format.height) || !arguments.Uint32(4, UINT32_MAX, &format.pixelFormat) ||
      !arguments.Uint32(5, UINT32_MAX, &format.bytesPerLine) || !arguments.Uint32(6, UINT32_MAX, &format.sizeImage))
    return nullptr;
  const int result = handle->device.SetFormat(type, &format);
  return result < 0 ? V4l2Throw(env, result, "VIDIOC_S_FMT") : FormatObject(env, format);
}

// (device, type, numerator, denominator) → the seconds a frame that the driver took, { numerator, denominator }
napi_value SetInterval(napi_env env, napi_callback_info info) {
  V4l2Arguments arguments(env, info);
  V4l2Handle* handle;
  uint32_t type, numerator, denominator;
  if (!arguments.Device(0, &handle) || !arguments.Type(1, &type) || !arguments.Uint32(2, UINT32_MAX, &numerator) ||
      !arguments.Uint32(3, UINT32_MAX, &denominator))
    return nullptr;
  v4l2_streamparm parameters;
  memset(&parameters, 0, sizeof parameters);
  parameters.type = type;
  // The capture and the output part begin with the same three fields but are not the same type.
  v4l2_fract& period =
      V4l2IsOutput(type) ? parameters.parm.output.timeperframe : parameters.parm.capture.timeperframe;
  period.numerator = numerator;
  period.denominator = denominator;
  const int result = handle->device.Control(VIDIOC_S_PARM, &parameters);
  if (result < 0) return V4l2Throw(env, result, "VIDIOC_S_PARM");
  return V4l2Object(env).Set("numerator", period.numerator).Set("denominator", period.denominator).value();
}

// (device, id, value): VIDIOC_S_EXT_CTRLS of one control
napi_value SetControl(napi_env env, napi_callback_info info) {
  V4l2Arguments arguments(env, info);
  V4l2Handle* handle;
  uint32_t id;
  double value;
  if (!arguments.Device(0, &handle) || !arguments.Uint32(1, UINT32_MAX, &id) ||
      !arguments.Number(2, INT32_MIN, INT32_MAX, &value))
    return nullptr;
  v4l2_ext_control control;
  memset(&control, 0, sizeof control);
  control.id = id;
  control.value = static_cast<int32_t>(value);
  v4l2_ext_controls controls;
  memset(&controls, 0, sizeof controls);
  controls.which = V4L2_CTRL_WHICH_CUR_VAL;
  controls.count = 1;
  controls.controls = &control;
  const int result = handle->device.Control(VIDIOC_S_EXT_CTRLS, &controls);
  return result < 0 ? V4l2Throw(env, result, "VIDIOC_S_EXT_CTRLS") : V4l2Undefined(env);
}

// (device, type, count, imported) → how many buffers there are; mapped, or for imported DMA buffers
napi_value RequestBuffers(napi_env env, napi_callback_info info) {
  V4l2Arguments arguments(env, info);
  V4l2Handle* handle;
  uint32_t type, count;
  bool imported;
  if (!arguments.Device(0, &handle) || !arguments.Type(1, &type) || !arguments.Uint32(2, kV4l2BuffersMax, &count) ||
      !arguments.Flag(3, &imported))
    return nullptr;
  const int result = handle->device.RequestBuffers(type, count, imported ? V4L2_MEMORY_DMABUF : V4L2_MEMORY_MMAP);
  return result < 0 ? V4l2Throw(env, result, "VIDIOC_REQBUFS") : V4l2Number(env, result);
}

// (device, type): makes DMA buffers of the mapped ones
napi_value ExportBuffers(napi_env env, napi_callback_info info) {
  V4l2Arguments arguments(env, info);
  V4l2Handle* handle;
  uint32_t type;
  if (!arguments.Device(0, &handle) || !arguments.Type(1, &type)) return nullptr;
  const int result = handle->device.ExportBuffers(type);
  return result < 0 ? V4l2Throw(env, result, "VIDIOC_EXPBUF") : V4l2Undefined(env);
}

// (device, type, index, bytesUsed, timestampUs): a mapped buffer; the last two count for output queues
napi_value QueueMapped(napi_env env, napi_callback_info info) {
  V4l2Arguments arguments(env, info);
  V4l2Handle* handle;
  uint32_t type, index, bytesUsed;
  double timestampUs;
  if (!arguments.Device(0, &handle) || !arguments.Type(1, &type) || !arguments.Uint32(2, UINT32_MAX, &index) ||
      !arguments.Uint32(3, UINT32_MAX, &bytesUsed) || !arguments.Number(4, 0, kTimestampUsMax, &timestampUs))
    return nullptr;
  const int result = handle->device.Queue(type, index, bytesUsed, timestampUs, -1, 0);
  return result < 0 ? V4l2Throw(env, result, "VIDIOC_QBUF") : V4l2Undefined(env);
}

// (device, type, index, bytesUsed, timestampUs, source, sourceType, sourceIndex): the source's exported buffer
napi_value QueueImported(napi_env env, napi_callback_info info) {
  V4l2Arguments arguments(env, info);
  V4l2Handle *handle, *source;
  uint32_t type, index, bytesUsed, sourceType, sourceIndex;
  double timestampUs;
  if (!arguments.Device(0, &handle) || !arguments.Type(1, &type) || !arguments.Uint32(2, UINT32_MAX, &index) ||
      !arguments.Uint32(3, UINT32_MAX, &bytesUsed) || !arguments.Number(4, 0, kTimestampUsMax, &timestampUs) ||
      !arguments.Device(5, &source) || !arguments.Type(6, &sourceType) ||
      !arguments.Uint32(7, UINT32_MAX, &sourceIndex))
    return nullptr;
  const V4l2Buffer* exported = source->device.Readable(sourceType, sourceIndex);
  const int result =
      exported == nullptr
          ? -EINVAL
          : handle->device.Queue(type, index, bytesUsed, timestampUs, exported->dmabuf, exported->length);
  return result < 0 ? V4l2Throw(env, result, "VIDIOC_QBUF") : V4l2Undefined(env);
}

// (device, type) → { index, bytesUsed, dataOffset, lengthBytes, flags, sequence, timestampUs }; undefined: none is ready
napi_value Dequeue(napi_env env, napi_callback_info info) {
  V4l2Arguments arguments(env, info);
  V4l2Handle* handle;
  uint32_t type;
  if (!arguments.Device(0, &handle) || !arguments.Type(1, &type)) return nullptr;
  V4l2Dequeued dequeued;
  const int result = handle->device.Dequeue(type, &dequeued);
  if (result == -EAGAIN) return V4l2Undefined(env);
  if (result < 0) return V4l2Throw(env, result, "VIDIOC_DQBUF");
  const V4l2Buffer* buffer = handle->device.BufferOf(type, dequeued.index);
  return V4l2Object(env)
      .Set("index", dequeued.index)
      .Set("bytesUsed", dequeued.bytesUsed)
      .Set("dataOffset", dequeued.dataOffset)
      .Set("lengthBytes", buffer == nullptr ? 0.0 : static_cast<double>(buffer->length))
      .Set("flags", dequeued.flags)
      .Set("sequence", dequeued.sequence)
      .Set("timestampUs", dequeued.timestampUs)
      .value();
}

// (device, type, index, offset, target): fills the whole Uint8Array from the buffer
napi_value Read(napi_env env, napi_callback_info info) {
  V4l2Arguments arguments(env, info);
  V4l2Handle* handle;
  uint32_t type, index, offset;
  uint8_t* target;
  size_t length;
  if (!arguments.Device(0, &handle) || !arguments.Type(1, &type) || !arguments.Uint32(2, UINT32_MAX, &index) ||
      !arguments.Uint32(3, UINT32_MAX, &offset) || !arguments.Bytes(4, &target, &length))
    return nullptr;
  const V4l2Buffer* buffer = handle->device.Readable(type, index);
  if (buffer == nullptr || offset > buffer->length || length > buffer->length - offset)
    return V4l2Throw(env, -ERANGE, "read");
  if (length > 0) memcpy(target, static_cast<const uint8_t*>(buffer->start) + offset, length);
  return V4l2Undefined(env);
}

// (device, type, index, offset, lengthBytes, target, targetType, targetIndex): from one device's buffer into another's
napi_value Copy(napi_env env, napi_callback_info info) {
  V4l2Arguments arguments(env, info);
  V4l2Handle *handle, *targetHandle;
  uint32_t type, index, offset, length, targetType, targetIndex;
  if (!arguments.Device(0, &handle) || !arguments.Type(1, &type) || !arguments.Uint32(2, UINT32_MAX, &index) ||
      !arguments.Uint32(3, UINT32_MAX, &offset) || !arguments.Uint32(4, UINT32_MAX, &length) ||
      !arguments.Device(5, &targetHandle) || !arguments.Type(6, &targetType) ||
      !arguments.Uint32(7, UINT32_MAX, &targetIndex))
    return nullptr;
  const V4l2Buffer* source = handle->device.Readable(type, index);
  const V4l2Buffer* target = targetHandle->device.Readable(targetType, targetIndex);
  if (source == nullptr || target == nullptr || source == target || offset > source->length ||
      length > source->length - offset || length > target->length)
    return V4l2Throw(env, -ERANGE, "copy");
  memcpy(target->start, static_cast<const uint8_t*>(source->start) + offset, length);
  return V4l2Undefined(env);
}

// (device, type, on)
napi_value Stream(napi_env env, napi_callback_info info) {
  V4l2Arguments arguments(env, info);
  V4l2Handle* handle;
  uint32_t type;
  bool on;
  if (!arguments.Device(0, &handle) || !arguments.Type(1, &type) || !arguments.Flag(2, &on)) return nullptr;
  const int result = handle->device.Stream(type, on);
  return result < 0 ? V4l2Throw(env, result, on ? "VIDIOC_STREAMON" : "VIDIOC_STREAMOFF") : V4l2Undefined(env);
}

// (device, callback): see v4l2-watch.h
napi_value Watch(napi_env env, napi_callback_info info) {
  V4l2Arguments arguments(env, info);
  V4l2Handle* handle;
  napi_value callback;
  if (!arguments.Device(0, &handle) || !arguments.Function(1, &callback)) return nullptr;
  const int result = V4l2StartWatch(env, handle, arguments.self(), callback);
  return result < 0 ? V4l2Throw(env, result, "poll") : V4l2Undefined(env);
}

}  // namespace

bool RegisterV4l2(napi_env env, napi_value exports) {
  constexpr struct {
    const char* name;
    napi_callback function;
  } kFunctions[] = {
      {"open", Open},
      {"close", Close},
      {"queryCapabilities", V4l2QueryCapabilities},
      {"enumerateFormats", V4l2EnumerateFormats},
      {"enumerateSizes", V4l2EnumerateSizes},
      {"enumerateIntervals", V4l2EnumerateIntervals},
      {"queryControl", V4l2QueryControl},
      {"setControl", SetControl},
      {"setFormat", SetFormat},
      {"setInterval", SetInterval},
      {"requestBuffers", RequestBuffers},
      {"exportBuffers", ExportBuffers},
      {"queueMapped", QueueMapped},
      {"queueImported", QueueImported},
      {"dequeue", Dequeue},
      {"read", Read},
      {"copy", Copy},
      {"stream", Stream},
      {"watch", Watch},
  };
  napi_value part = nullptr;
  if (napi_create_object(env, &part) != napi_ok) return false;
  for (const auto& [name, function] : kFunctions) {
    napi_value value = nullptr;
    if (napi_create_function(env, name, NAPI_AUTO_LENGTH, function, nullptr, &value) != napi_ok ||
        napi_set_named_property(env, part, name, value) != napi_ok)
      return false;
  }
  return napi_set_named_property(env, exports, "v4l2", part) == napi_ok;
}

}  // namespace opencamera
