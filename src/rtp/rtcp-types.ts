/** The RTCP numbers that writer and parser share: packet types of RFC 3550 §12.1 and RFC 4585 §6.1, and their formats. */

export const rtcpHeaderBytes = 4;
export const reportBlockBytes = 24;

/** Packet types (PT). */
export const RtcpType = {
  senderReport: 200,
  receiverReport: 201,
  sourceDescription: 202,
  goodbye: 203,
  transportFeedback: 205,
  payloadFeedback: 206,
} as const;

/** Feedback message types (FMT) of transport-layer feedback (RFC 4585 §6.2). */
export const TransportFeedback = { genericNack: 1 } as const;

/** Feedback message types (FMT) of payload-specific feedback (RFC 4585 §6.3, RFC 5104 §4.3.1). */
export const PayloadFeedback = { pictureLossIndication: 1, fullIntraRequest: 4 } as const;
