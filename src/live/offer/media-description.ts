/**
 * Cuts the lines of an offer into the session's part and the media descriptions, and indexes their attributes.
 *
 * RFC 8866 §5: v=, o=, s= come first in this order; `m=` begins a media description. Attributes that RFC 8859 lets
 * stand at session level for all sections are asked for with `hasOrInherits`. Live thread.
 */
import { mediaSectionsMax, payloadTypesMax } from './offer-limits.ts';
import { quoted, type SdpLine, sdpError } from './sdp-lines.ts';

/** The attributes of the session or of one section. */
export class SessionAttributes {
  private readonly attributes = new Map<string, SdpLine[]>();

  /** Takes an `a=` line. */
  add(line: SdpLine): void {
    const name = attributeName(line.value);
    const lines = this.attributes.get(name);
    if (lines) lines.push(line);
    else this.attributes.set(name, [line]);
  }

  has(name: string): boolean {
    return this.attributes.has(name);
  }

  /** The lines of an attribute, in the offer's order. */
  lines(name: string): readonly SdpLine[] {
    return this.attributes.get(name) ?? [];
  }

  /** The values of an attribute: what stands behind `name:`. */
  values(name: string): string[] {
    return this.lines(name).map(line => line.value.slice(name.length + 1));
  }

  /** The value of an attribute that may stand once. Throws `sdp-invalid` when it stands twice. */
  value(name: string): string | undefined {
    const lines = this.lines(name);
    if (lines.length > 1)
      throw sdpError(`The offer has two a=${name} where one may stand.`, {
        lineNumber: lines[1]!.lineNumber,
      });
    return lines[0]?.value.slice(name.length + 1);
  }
}

/** One `m=` line and its attributes. */
export class MediaDescription extends SessionAttributes {
  readonly kind: string;
  readonly protocol: string;
  /** As it stands in the m-line. */
  readonly formatList: string;
  readonly isRejectedPort: boolean;
  readonly lineNumber: number;
  private readonly session: SessionAttributes;

  constructor(line: SdpLine, session: SessionAttributes) {
    super();
    const fields = mediaLine.exec(line.value);
    if (!fields || Number(fields[2]) > 65535)
      throw sdpError('A media line is malformed.', { lineNumber: line.lineNumber, line: quoted(line.value) });
    this.kind = fields[1]!;
    this.isRejectedPort = Number(fields[2]) === 0;
    this.protocol = fields[3]!;
    this.formatList = fields[4]!;
    this.lineNumber = line.lineNumber;
    this.session = session;
    if (this.formatList.split(' ').length > payloadTypesMax)
      throw sdpError('A media line has too many formats.', { lineNumber: line.lineNumber, payloadTypesMax });
  }

  /** RFC 3264 §6: port 0 means rejected; RFC 9143 §6: unless the section is bundle-only. */
  get isRejected(): boolean {
    return this.isRejectedPort && !this.has('bundle-only');
  }

  hasOrInherits(name: string): boolean {
    return this.has(name) || (this.session.has(name) && !directionNames.some(other => this.has(other)));
  }
}

const directionNames = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];
const mediaLine =
  /^([a-z]{1,16}) (\d{1,5})(?:\/\d{1,5})? ([A-Za-z0-9/]{1,32}) ([\x21-\x7e]+(?: [\x21-\x7e]+)*)$/;

/** The session's attributes and the media descriptions in their order. Throws CameraError `sdp-invalid`. */
export function splitSections(lines: readonly SdpLine[]): {
  session: SessionAttributes;
  media: MediaDescription[];
} {
  if (lines[0]?.type !== 'v' || lines[0].value !== '0')
    throw sdpError('The session description does not begin with v=0.');
  if (lines[1]?.type !== 'o' || lines[2]?.type !== 's')
    throw sdpError('The session description lacks its o= or s= line.');
  const session = new SessionAttributes();
  const media: MediaDescription[] = [];
  let current: SessionAttributes = session;
  for (const line of lines.slice(3)) {
    if (line.type === 'm') {
      if (media.length === mediaSectionsMax)
        throw sdpError('The offer has too many media sections.', { mediaSectionsMax });
      const description = new MediaDescription(line, session);
      media.push(description);
      current = description;
    } else if (line.type === 'a') current.add(line);
    else if ('vos'.includes(line.type) || (current !== session && 'tuepzr'.includes(line.type)))
      throw sdpError('A line of the session description stands at a wrong place.', {
        lineNumber: line.lineNumber,
        line: quoted(`${line.type}=${line.value}`),
      });
  }
  return { session, media };
}

function attributeName(value: string): string {
  const colon = value.indexOf(':');
  return colon < 0 ? value : value.slice(0, colon);
}
