/**
 * Bounds and times of a viewer's transport, each with its reason.
 */

/** Largest datagram that is looked at, bytes: DTLS and RTCP stay below an Ethernet frame. */
export const datagramBytesMax = 2048;

/** Candidate pairs of one viewer: 50 offered candidates times two address families, and some that checks reveal. */
export const pairsMax = 128;

/** DTLS datagrams kept from before their pair is valid: a ClientHello and its repetition, from two addresses. */
export const earlyDatagramsMax = 4;

/** Time between two steps of the check list, ms; RFC 8445 §14.2 wants at least 5 ms between checks. */
export const checkIntervalMs = 10;

/** First wait for an answer to a check, ms; doubles up to the second number (RFC 8445 §14.3 asks for 500). */
export const checkRetransmitMs = 500;
export const checkRetransmitMsMax = 1600;

/**
 * Checks to one address that never answers: 9 within about 12 s, then it gets no more packets (anti-amplification).
 */
export const checksMax = 9;

/** Consent checks within the consent time-out (RFC 7675 §5.1: every 4–6 s of 30 s; the same proportion). */
export const consentChecksPerTimeout = 5;

/**
 * How long an answer waits for STUN and TURN servers, ms, when none of a kind has answered yet: two round trips, a
 * look-up and a repetition over a mobile network. Host candidates alone are enough to go on, and there is no
 * trickling.
 */
export const gatherMsMax = 1000;

/** Moments of the requests to a STUN server, and when it counts as silent; a little before the answer must go, ms. */
export const stunRequestTimesMs: readonly number[] = [0, 200, 600];
export const stunWaitMs = 900;

/** What answers right after the first server may still come into the answer, ms: other interfaces, other servers. */
export const gatherGraceMs = 20;

/** Time for opening a relayed base, ms: one that comes after the answer can still be checked from. */
export const relayOpenMsMax = 3000;

/** Relayed bases of one viewer: each is a socket here and an allocation there. */
export const relaysMax = 2;

/** How long a STUN or TURN server that failed is left alone, and what a name resolved to is believed, ms. */
export const serverMemoryMs = 60_000;

/** Servers and names remembered at a time: more than two lists of servers. */
export const serverMemoryMax = 64;

/** Look-ups at a time: each holds one of the process's four file-system threads while the name server is silent. */
export const lookupsMax = 2;

/**
 * Waits before a request to a TURN server is sent again, ms; the last one ends it (RFC 8489 §6.2.1 begins with 500).
 */
export const turnRetransmitMs: readonly number[] = [250, 500, 1000, 2000, 4000];

/** Largest message of a TURN server, bytes: a datagram of a peer within a Data indication, or a long nonce. */
export const turnMessageBytesMax = 4096;

/** Peers that one allocation talks to: one of each offered candidate, and some that checks reveal. */
export const turnChannelsMax = 64;

/** Datagrams that wait for a channel: a check and its repetition, and the first of the handshake. */
export const turnChannelQueueMax = 4;

/** A permission lasts 300 s, a channel 600 s (RFC 8656 §9, §12): both are made anew by a channel bind well before. */
export const turnBindMs = 240_000;
export const turnChannelMs = 590_000;

/** How long a peer that the TURN server refused is not asked for again, ms. */
export const turnRefusalMs = 10_000;

/** Lifetime asked of a TURN server, s (RFC 8656 §3.2's default). */
export const turnLifetimeSeconds = 600;

/** How long a close waits for the TURN server to confirm, ms. */
export const turnReleaseMs = 1000;

/** Local addresses of one viewer: each is a socket. */
export const localAddressesMax = 8;

/** Socket buffers in bytes: a burst of a key frame must fit. The kernel may give less (net.core.wmem_max). */
export const sendBufferBytes = 2 * 1024 * 1024;
export const receiveBufferBytes = 256 * 1024;

/**
 * First wait before a DTLS flight is repeated, ms; doubles up to the second number. WebRTC starts at 50. It is short
 * because browsers lose a ClientHello that comes before they have read the answer, and a repetition is 131 bytes.
 */
export const flightRetransmitMs = 30;
export const flightRetransmitMsMax = 2000;

/** Largest DTLS handshake message, bytes: a certificate of a few KB. */
export const handshakeBytesMax = 16 * 1024;

/** Handshake messages ahead of the next expected one that are kept: a whole flight has at most 5. */
export const handshakeMessagesAhead = 8;

/** Times that our last flight is repeated because the peer repeats its own. */
export const lastFlightRepeatsMax = 16;
