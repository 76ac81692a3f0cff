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

/** Checks to one address that never answers: 9 within about 12 s, then it gets no more packets (anti-amplification). */
export const checksMax = 9;

/** Consent checks within the consent time-out (RFC 7675 §5.1: every 4–6 s of 30 s; the same proportion). */
export const consentChecksPerTimeout = 5;

/** How long gathering may take when STUN or TURN servers are asked, ms; host candidates alone are enough to go on. */
export const gatherMsMax = 3000;

/** STUN and TURN servers asked for one viewer. */
export const iceServersMax = 8;

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
