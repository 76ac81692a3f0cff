// The V4L2 part of the addon: thin, checked calls; which format, which control and what to do about a fault is decided
// in TypeScript (src/capture/v4l2-*.ts). src/native/v4l2.ts describes the functions.
#pragma once

#include <node_api.h>

namespace opencamera {

// Puts an object `v4l2` with the functions into `exports`. False when JavaScript could not make it.
bool RegisterV4l2(napi_env env, napi_value exports);

}  // namespace opencamera
