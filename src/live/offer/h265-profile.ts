/**
 * Which H.265 streams a receiver with given format parameters can decode (RFC 7798 §7.1, ITU-T H.265 Annex A).
 *
 * Main 10 receivers decode Main (H.265 §A.3.3), the High tier decodes the Main tier. `level-id` is a receiver's limit
 * here, except where it is 93 (level 3.1), the default that WebRTC writes without looking at its decoder. Pure.
 */

/** Profile, tier and level of a stream or a receiver, as numbers of the standard. */
export interface H265ProfileLevel {
  /** general_profile_idc: 1 Main, 2 Main 10. */
  readonly profileId: number;
  /** 0 Main, 1 High. */
  readonly tierFlag: number;
  /** general_level_idc, level × 30. */
  readonly levelId: number;
}

const browserDefaultLevelId = 93;

/** Reads the parameters, with the defaults of RFC 7798 §7.1; undefined when they ask for what we do not send. */
export function parseH265Parameters(parameters: ReadonlyMap<string, string>): H265ProfileLevel | undefined {
  const number = (name: string, missing: number): number => {
    const text = parameters.get(name);
    if (text === undefined) return missing;
    return /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  };
  const profileLevel = {
    profileId: number('profile-id', 1),
    tierFlag: number('tier-flag', 0),
    levelId: number('level-id', browserDefaultLevelId),
  };
  const isSingleStream = (parameters.get('tx-mode') ?? 'SRST').toUpperCase() === 'SRST';
  const isReadable = !Object.values(profileLevel).some(Number.isNaN);
  return isReadable && isSingleStream && number('profile-space', 0) === 0 ? profileLevel : undefined;
}

/** How far the stream's profile lies from the receiver's: 0 is equal, undefined cannot be decoded. */
export function h265Distance(stream: H265ProfileLevel, receiver: H265ProfileLevel): number | undefined {
  const profileFits =
    stream.profileId === receiver.profileId || (stream.profileId === 1 && receiver.profileId === 2);
  const levelFits = stream.levelId <= receiver.levelId || receiver.levelId === browserDefaultLevelId;
  if (!profileFits || !levelFits || stream.tierFlag > receiver.tierFlag) return undefined;
  return receiver.profileId - stream.profileId;
}
