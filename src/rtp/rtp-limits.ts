/**
 * Bounds of the RTP and RTCP code, each with its reason. Numbers that a standard fixes stand in the file that uses them.
 */

/**
 * Largest RTP payload that a payloader may be asked for, bytes. The sizes inside STAP-A and AP have 16 bits (RFC 6184
 * §5.7.1, RFC 7798 §4.4.2) and a UDP datagram holds 65,507 bytes; live video stays near 1200 anyway.
 */
export const payloadBytesMax = 65_000;

/**
 * Smallest RTP payload limit that a payloader accepts, bytes: an H.265 fragment needs 3 bytes of headers and at least
 * one of payload. Smaller is a programming error, not a network.
 */
export const payloadBytesMin = 4;

/**
 * NAL units in one aggregation packet. Parameter sets, SEI and a picture in many small slices stay far below it; it
 * bounds the scratch memory and the work of one packet.
 */
export const aggregatedUnitsMax = 64;

/**
 * Largest compound RTCP packet that is parsed, bytes. Peers keep RTCP within one Ethernet frame; what is larger only
 * serves to make one datagram cause many events.
 */
export const rtcpBytesMax = 2048;

/**
 * Sequence numbers that all generic NACKs of one compound packet may name together. It is above the packets of one
 * large key frame (1 MB at 1200 bytes: 874), and bounds what one datagram can make us send again.
 */
export const nackedPacketsMax = 1024;
