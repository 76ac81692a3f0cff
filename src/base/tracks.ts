/**
 * The tracks of the camera and what is known of each: which stage may count on which numbers is decided here once.
 *
 * The reference camera has H.265 as main and H.264 as sub stream, and G.711 sound. A track number is also its index
 * in the ring's header and its bit in a track mask. Times are counted per track on the shared capture clock.
 */

/** Track numbers; at most {@link trackCountMax} may exist. */
export const Track = { main: 0, sub: 1, audio: 2 } as const;
/** A track number: 0 main video, 1 sub video, 2 audio. */
export type Track = (typeof Track)[keyof typeof Track];

/** How many tracks the ring's header has room for. */
export const trackCountMax = 8;

/** Codec numbers as stored in a ring slot. */
export const Codec = { h264: 1, h265: 2, pcmu: 3, pcma: 4 } as const;
/** A codec number of {@link Codec}. */
export type Codec = (typeof Codec)[keyof typeof Codec];
export type VideoCodec = typeof Codec.h264 | typeof Codec.h265;
export type AudioCodec = typeof Codec.pcmu | typeof Codec.pcma;

/** What a sequence parameter set says of a video stream, and the sets themselves for session descriptions. */
export interface VideoTrackInfo {
  readonly kind: 'video';
  readonly track: Track;
  readonly codec: VideoCodec;
  /** Cropped picture size in pixels. */
  readonly width: number;
  readonly height: number;
  /** Frames per second: from the VUI's timing where it is there, else as configured or measured. */
  readonly framesPerSecond: number;
  /** H.264 profile_idc / H.265 general_profile_idc. */
  readonly profileIdc: number;
  /** H.264: the constraint_set flags byte. H.265: general_tier_flag (0 Main, 1 High). */
  readonly profileCompatibility: number;
  /** H.264 level_idc (level × 10) / H.265 general_level_idc (level × 30). */
  readonly levelIdc: number;
}

/** A G.711 track: 8000 samples a second, one channel, one byte a sample. */
export interface AudioTrackInfo {
  readonly kind: 'audio';
  readonly track: Track;
  readonly codec: AudioCodec;
}

export type TrackInfo = VideoTrackInfo | AudioTrackInfo;
