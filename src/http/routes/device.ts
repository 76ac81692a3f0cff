/**
 * `GET /api/v1/device`: what the camera is, from the stream that runs (contract.md §6).
 *
 * `uptime` is that of the machine, whole seconds since its boot, from a clock that a step of the wall clock does not
 * move and a restart of the daemon does not reset. Before the first picture there is no resolution to tell, and the
 * answer is `source-not-ready` rather than an invented one.
 */
import { uptime } from 'node:os';
import { CameraError } from '../../base/errors.ts';
import { Codec, Track, type TrackInfo, type VideoTrackInfo } from '../../base/tracks.ts';
import { jsonReply } from '../reply.ts';
import type { Route } from '../router.ts';
import type { HttpServices } from '../services.ts';

/** The operation "get device information". */
export function deviceRoute(services: Pick<HttpServices, 'deviceUuid' | 'tracks'>): Route {
  return {
    method: 'GET',
    path: '/api/v1/device',
    access: 'token',
    handle() {
      const video = mainVideo(services.tracks());
      if (!video) throw new CameraError('source-not-ready', 'no parameter sets were seen yet');
      return jsonReply({
        uuid: services.deviceUuid,
        uptime: Math.floor(uptime()),
        resolution: `${video.width}x${video.height}`,
        fps: Math.round(video.framesPerSecond),
        video_codec: video.codec === Codec.h265 ? 'H.265' : 'H.264',
        audio_codec: 'G.711',
      });
    },
  };
}

/** The main stream, or what there is of video when only the sub stream has come up. */
function mainVideo(tracks: readonly TrackInfo[]): VideoTrackInfo | undefined {
  const videos = tracks.filter(track => track.kind === 'video');
  return videos.find(video => video.track === Track.main) ?? videos[0];
}
