// The data plane's part of the addon: SRTP of a run of packets, and the run's way into the kernel. Two calls, because
// between them JavaScript asks the ring whether the bytes were intact. src/native/native-data-plane.ts describes them.
#pragma once

#include <node_api.h>

namespace opencamera {

// Puts an object `dataPlane` into `exports`: with the functions, or with `missing`, a text that says what the node
// binary does not have. False when JavaScript could not make it.
bool RegisterDataPlane(napi_env env, napi_value exports);

}  // namespace opencamera
