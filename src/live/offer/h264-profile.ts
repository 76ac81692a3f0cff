/**
 * Which H.264 streams a receiver with a given `profile-level-id` can decode (RFC 6184 §8.1, ITU-T H.264 Annex A).
 *
 * Profiles are told apart as RFC 6184 table 5 and WebRTC do. WebRTC's own negotiation wants equal profiles because it
 * encodes what was agreed; a camera's stream is as it is, so here "can decode" counts, in three liberal points:
 *
 * - A receiver of Constrained Baseline, or of Main, is sent Baseline: what Baseline has more (FMO, ASO, redundant
 *   slices) no camera encoder uses, and many forget to set constraint_set1_flag.
 * - A receiver of Constrained High (Safari) is sent High and Main: without interlacing and B slices, which we do not
 *   send live, they are the same.
 * - High 4:4:4 Predictive (`f4`, which Chromium offers instead of High) decodes High, Main and Constrained Baseline
 *   by H.264 §A.2.11.
 *
 * Pure.
 */

export type H264Profile =
  | 'Constrained Baseline'
  | 'Baseline'
  | 'Extended'
  | 'Main'
  | 'Constrained High'
  | 'High'
  | 'High 10'
  | 'High 4:2:2'
  | 'High 4:4:4';

/** What a receiver of the profile can be sent, nearest first. */
const decodable: Readonly<Record<H264Profile, readonly H264Profile[]>> = {
  'Constrained Baseline': ['Constrained Baseline', 'Baseline'],
  Baseline: ['Baseline', 'Constrained Baseline'],
  Extended: ['Extended', 'Baseline', 'Constrained Baseline'],
  Main: ['Main', 'Constrained Baseline', 'Baseline'],
  'Constrained High': ['Constrained High', 'High', 'Main', 'Constrained Baseline', 'Baseline'],
  High: ['High', 'Constrained High', 'Main', 'Constrained Baseline', 'Baseline'],
  'High 10': ['High 10', 'High', 'Constrained High', 'Main', 'Constrained Baseline'],
  'High 4:2:2': ['High 4:2:2', 'High 10', 'High', 'Constrained High', 'Main', 'Constrained Baseline'],
  'High 4:4:4': [
    'High 4:4:4',
    'High 4:2:2',
    'High 10',
    'High',
    'Constrained High',
    'Main',
    'Constrained Baseline',
  ],
};

/** A `profile-level-id`, or what an SPS says in the same three bytes. */
export interface H264ProfileLevel {
  readonly profile: H264Profile;
  /** level_idc; level 1b is 10.5 so that it orders between 1 and 1.1. */
  readonly level: number;
}

/** What browsers offer whatever they can decode: a sign of "default", not of a limit. */
const browserDefaultLevel = 31;
/** WebRTC's meaning of a missing profile-level-id: Constrained Baseline, level 3.1 (RFC 6184 would say Baseline 1). */
const defaultProfileLevelId = '42e01f';

const constraintSet0 = 0x80;
const constraintSet1 = 0x40;
const constraintSet3 = 0x10;
const constraintSets4And5 = 0x0c;

/** Names the profile and level of profile_idc, the constraint flags byte and level_idc; undefined for other profiles. */
export function h264ProfileLevel(
  profileIdc: number,
  constraints: number,
  levelIdc: number,
): H264ProfileLevel | undefined {
  const profile = profileOf(profileIdc, constraints);
  if (!profile) return undefined;
  const isLevel1b = levelIdc === 9 || (levelIdc === 11 && profileIdc < 100 && constraints & constraintSet3);
  return { profile, level: isLevel1b ? 10.5 : levelIdc };
}

/** Reads the `profile-level-id` parameter; undefined for what is not six hex digits or another profile. */
export function parseProfileLevelId(text: string | undefined): H264ProfileLevel | undefined {
  const digits = text ?? defaultProfileLevelId;
  if (!/^[0-9a-f]{6}$/i.test(digits)) return undefined;
  const value = Number.parseInt(digits, 16);
  return h264ProfileLevel(value >> 16, (value >> 8) & 0xff, value & 0xff);
}

/**
 * How far the stream's profile lies from the receiver's: 0 is equal, undefined cannot be decoded. A level above the
 * offered one passes where `level-asymmetry-allowed=1` stands or the level is the browsers' default of 3.1.
 */
export function h264Distance(
  stream: H264ProfileLevel,
  receiver: H264ProfileLevel,
  levelAsymmetryAllowed: boolean,
): number | undefined {
  const distance = decodable[receiver.profile].indexOf(stream.profile);
  const levelFits =
    stream.level <= receiver.level || levelAsymmetryAllowed || receiver.level === browserDefaultLevel;
  return distance >= 0 && levelFits ? distance : undefined;
}

function profileOf(profileIdc: number, constraints: number): H264Profile | undefined {
  switch (profileIdc) {
    case 66:
      return constraints & constraintSet1 ? 'Constrained Baseline' : 'Baseline';
    case 77:
      return constraints & constraintSet0 ? 'Constrained Baseline' : 'Main';
    case 88:
      if (!(constraints & constraintSet0)) return 'Extended';
      return constraints & constraintSet1 ? 'Constrained Baseline' : 'Baseline';
    case 100:
      return (constraints & constraintSets4And5) === constraintSets4And5 ? 'Constrained High' : 'High';
    case 110:
      return 'High 10';
    case 122:
      return 'High 4:2:2';
    case 244:
      return 'High 4:4:4';
    default:
      return undefined;
  }
}
