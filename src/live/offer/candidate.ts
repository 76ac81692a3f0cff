/**
 * The `candidate` attribute of ICE (RFC 8839 §5.1): parsing, filtering, and writing our own.
 *
 * A line that breaks the grammar is an error; a sound one that we cannot or will not use (TCP, another component, a
 * name, an address of addresses.ts) is dropped in silence, as RFC 8839 asks for what is unknown. Any thread.
 */
import { canonicalAddress, isUsableAddress } from '../../config/addresses.ts';
import { quoted, type SdpLine, sdpError } from './sdp-lines.ts';

export type CandidateType = 'host' | 'srflx' | 'prflx' | 'relay';

/** A UDP candidate for the one component there is with rtcp-mux. */
export interface Candidate {
  readonly foundation: string;
  /** 1 to 2^31 − 1, higher first. */
  readonly priority: number;
  /** IP address without zone, IPv6 in its one canonical form. */
  readonly address: string;
  readonly port: number;
  readonly type: CandidateType;
}

const grammar =
  /^([A-Za-z0-9+/]{1,32}) (\d{1,3}) ([A-Za-z0-9-]{1,16}) (\d{1,10}) ([\x21-\x7e]{1,255}) (\d{1,5}) typ ([a-z0-9-]{1,16})(?: .*)?$/i;

/**
 * The candidate of an attribute's value (what stands behind `candidate:`), or undefined when it is to be dropped.
 * Throws CameraError `sdp-invalid` when it breaks the grammar.
 */
export function readCandidate(value: string, line: SdpLine, allowLoopback: boolean): Candidate | undefined {
  const fields = grammar.exec(value);
  if (!fields)
    throw sdpError('A candidate line is malformed.', {
      lineNumber: line.lineNumber,
      line: quoted(line.value),
    });
  const [, foundation, component, transport, priorityText, address, portText, typeText] = fields;
  const priority = Number(priorityText);
  const port = Number(portText);
  if (port > 65535 || priority > 2 ** 32 - 1)
    throw sdpError('A candidate line has a number that is too large.', {
      lineNumber: line.lineNumber,
      line: quoted(line.value),
    });
  const type = typeText!.toLowerCase();
  const isUsable =
    component === '1' &&
    transport!.toLowerCase() === 'udp' &&
    port > 0 &&
    priority > 0 &&
    (type === 'host' || type === 'srflx' || type === 'prflx' || type === 'relay') &&
    isUsableAddress(address!, allowLoopback);
  if (!isUsable) return undefined;
  return {
    foundation: foundation!,
    priority,
    address: canonicalAddress(address!),
    port,
    type: type as CandidateType,
  };
}

/** The attribute's value, `candidate:…`, of a local candidate; `related` is the base of a reflexive or relayed one. */
export function candidateText(
  candidate: Candidate,
  related?: { readonly address: string; readonly port: number },
): string {
  const { foundation, priority, address, port, type } = candidate;
  const text = `candidate:${foundation} 1 udp ${priority} ${address} ${port} typ ${type}`;
  return related ? `${text} raddr ${related.address} rport ${related.port}` : text;
}
