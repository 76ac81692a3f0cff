/**
 * What of the camera goes to a viewer: which track in which section with which payload type (contract.md §10).
 *
 * The answer never negotiates what the offer cannot decode. Video: the camera's tracks in their order (main, then
 * sub, unless the viewer wants it the other way round), each against every receivable video section; of several payload types the one whose profile is nearest, then
 * the first offered. So an H.265 main stream goes to whoever offers H265, an H.264 one to the others. H.264 only with
 * packetization-mode=1 (RFC 6184 §6.3: what our payloader makes). Audio: G.711 as the camera has it, nothing is
 * transcoded. Both must fit one transport: a second section outside the BUNDLE group is not served.
 *
 * Header extensions: playout-delay and abs-capture-time where offered with an id of the one-byte form. `sdes:mid` is
 * not taken: it would cost bytes in each packet, and the ssrc lines of our answer tell receivers the same
 * (RFC 9143 §9.2). Live thread.
 */
import { CameraError } from '../../base/errors.ts';
import { type AudioTrackInfo, Codec, Track, type TrackInfo, type VideoTrackInfo } from '../../base/tracks.ts';
import { absCaptureTimeUri, playoutDelayUri } from '../../rtp/rtp-header.ts';
import { h264Distance, h264ProfileLevel, parseProfileLevelId } from './h264-profile.ts';
import { h265Distance, parseH265Parameters } from './h265-profile.ts';
import type { MediaSection, Offer, PayloadFormat } from './offer.ts';
import { quoted } from './sdp-lines.ts';

/** A track, and how its packets go to this viewer. */
export interface ChosenMedia<T extends TrackInfo> {
  readonly section: MediaSection;
  readonly track: T;
  readonly payloadType: number;
  /** The answer's rtpmap: `H264/90000`. */
  readonly rtpmap: string;
  /** The answer's format parameters; '' for none. */
  readonly fmtp: string;
  /** RTCP feedback that the viewer will send. */
  readonly feedback: { readonly nack: boolean; readonly pli: boolean; readonly fir: boolean };
  /** Ids 1–14 where the extension was offered. */
  readonly playoutDelayId: number | undefined;
  readonly absCaptureTimeId: number | undefined;
}

/** At least one of the two is there. */
export interface MediaChoice {
  readonly video: ChosenMedia<VideoTrackInfo> | undefined;
  readonly audio: ChosenMedia<AudioTrackInfo> | undefined;
}

/**
 * Chooses for an offer. Throws CameraError `codec-unsupported` when nothing the camera has can be received.
 *
 * @param stream which video is tried first.
 */
export function chooseMedia(
  offer: Offer,
  tracks: readonly TrackInfo[],
  stream: 'main' | 'sub' = 'main',
): MediaChoice {
  const wanted = stream === 'sub' ? Track.sub : Track.main;
  const rank = ({ track }: TrackInfo): number => (track === wanted ? -1 : track);
  const ordered = [...tracks].sort((a, b) => rank(a) - rank(b));
  const videos = ordered.filter(track => track.kind === 'video');
  const audios = ordered.filter(track => track.kind === 'audio');
  const video = firstMatch(offer, 'video', videos, videoDistance);
  const audio = firstMatch(offer, 'audio', audios, audioDistance);
  if (!video && !audio) throw nothingInCommon(offer, ordered);
  const shareTransport =
    !video || !audio || [video, audio].every(({ section }) => offer.bundle.includes(section.mid));
  return { video, audio: shareTransport ? audio : undefined };
}

function firstMatch<T extends TrackInfo>(
  offer: Offer,
  kind: string,
  tracks: readonly T[],
  distanceOf: (track: T, format: PayloadFormat) => number | undefined,
): ChosenMedia<T> | undefined {
  const sections = offer.sections.filter(section => section.isReceivable && section.kind === kind);
  for (const track of tracks)
    for (const section of sections) {
      let best: { format: PayloadFormat; distance: number } | undefined;
      for (const format of section.formats) {
        const distance = distanceOf(track, format);
        if (distance !== undefined && (!best || distance < best.distance)) best = { format, distance };
      }
      if (best) return chosen(section, track, best.format);
    }
  return undefined;
}

function videoDistance(track: VideoTrackInfo, format: PayloadFormat): number | undefined {
  const { parameters } = format;
  if (format.clockRate !== 90_000) return undefined;
  if (track.codec === Codec.h265) {
    const receiver = format.encoding === 'H265' ? parseH265Parameters(parameters) : undefined;
    const { profileIdc, profileCompatibility, levelIdc } = track;
    const stream = { profileId: profileIdc, tierFlag: profileCompatibility, levelId: levelIdc };
    return receiver && h265Distance(stream, receiver);
  }
  if (format.encoding !== 'H264' || parameters.get('packetization-mode') !== '1') return undefined;
  const receiver = parseProfileLevelId(parameters.get('profile-level-id'));
  const stream = h264ProfileLevel(track.profileIdc, track.profileCompatibility, track.levelIdc);
  if (!receiver || !stream) return undefined;
  return h264Distance(stream, receiver, parameters.get('level-asymmetry-allowed') === '1');
}

function audioDistance(track: AudioTrackInfo, format: PayloadFormat): number | undefined {
  const encoding = track.codec === Codec.pcmu ? 'PCMU' : 'PCMA';
  const matches = format.encoding === encoding && format.clockRate === 8000 && format.channels === 1;
  return matches ? 0 : undefined;
}

function chosen<T extends TrackInfo>(section: MediaSection, track: T, format: PayloadFormat): ChosenMedia<T> {
  const playoutDelayId = oneByteId(section.extensions.get(playoutDelayUri));
  const absCaptureTimeId = oneByteId(section.extensions.get(absCaptureTimeUri));
  return {
    section,
    track,
    payloadType: format.payloadType,
    rtpmap: `${format.encoding}/${format.clockRate}`,
    fmtp: answeredParameters(format),
    feedback: {
      nack: format.feedback.has('nack'),
      pli: format.feedback.has('nack pli'),
      fir: format.feedback.has('ccm fir'),
    },
    playoutDelayId,
    absCaptureTimeId,
  };
}

/** Ids of the one-byte form (RFC 8285 §4.2); larger ones would need the two-byte form in every packet. */
function oneByteId(id: number | undefined): number | undefined {
  return id !== undefined && id <= 14 ? id : undefined;
}

/**
 * The parameters that describe the payload format must be the offer's (RFC 6184 §8.2.2, RFC 7798 §7.2.2): a receiver
 * finds its own payload type again by them.
 */
function answeredParameters({ encoding, parameters }: PayloadFormat): string {
  const names =
    encoding === 'H264'
      ? ['level-asymmetry-allowed', 'packetization-mode', 'profile-level-id']
      : encoding === 'H265'
        ? ['level-id', 'profile-id', 'tier-flag', 'tx-mode']
        : [];
  return names
    .filter(name => parameters.has(name))
    .map(name => `${name}=${parameters.get(name)}`)
    .join(';');
}

function nothingInCommon(offer: Offer, tracks: readonly TrackInfo[]): CameraError {
  const offered = new Set<string>();
  for (const { isReceivable, formats } of offer.sections)
    if (isReceivable) for (const format of formats) offered.add(formatText(format));
  offered.delete('');
  const camera = tracks.map(trackText).join(', ');
  return new CameraError('codec-unsupported', 'The offer has no codec in common with the camera.', {
    offered: [...offered].map(quoted).join(', ').slice(0, 400),
    camera,
  });
}

function formatText({ encoding, parameters }: PayloadFormat): string {
  if (encoding !== 'H264') return encoding;
  const level = parameters.get('profile-level-id') ?? '(default)';
  return `H264 profile-level-id ${level} packetization-mode ${parameters.get('packetization-mode') ?? 0}`;
}

function trackText(track: TrackInfo): string {
  switch (track.codec) {
    case Codec.pcmu:
      return 'PCMU';
    case Codec.pcma:
      return 'PCMA';
    case Codec.h265:
      return `H265 profile-id ${track.profileIdc} level-id ${track.levelIdc}`;
    case Codec.h264: {
      const bytes = [track.profileIdc, track.profileCompatibility, track.levelIdc];
      return `H264 profile-level-id ${bytes.map(byte => byte.toString(16).padStart(2, '0')).join('')}`;
    }
  }
}
