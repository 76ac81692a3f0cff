/**
 * The capture stage: makes the main, sub and audio sources of the configuration and lets them fill the ring.
 *
 * It is ready as soon as it runs, not when the first picture came: a camera that is unplugged must not keep the daemon
 * from starting. Tracks are reported as they appear or change their format; the state of each source is in the
 * statistics and in the log. Keyframe wishes of the ring go to the source of their track. After `stop` nothing is left:
 * no child process, no timer, no open file. Capture thread only.
 */
import path from 'node:path';
import type { Clock } from '../base/clock.ts';
import { CameraError } from '../base/errors.ts';
import { Track, type TrackInfo, trackCountMax } from '../base/tracks.ts';
import type { CaptureReport, HistogramSnapshot, Stats } from '../ipc/messages.ts';
import { RingProducer } from '../ring/ring-producer.ts';
import { RingWait } from '../ring/ring-wait.ts';
import type { Logger } from '../telemetry/log.ts';
import { LogThrottle } from '../telemetry/log-throttle.ts';
import { AnnexBPlayer } from './annexb-player.ts';
import { AudioTrackWriter } from './audio-track-writer.ts';
import { startCommandAudio } from './command-audio-run.ts';
import { startCommandVideo } from './command-video-run.ts';
import { G711Player } from './g711-player.ts';
import { stallMs } from './limits.ts';
import { looksLikeMp4, Mp4Player } from './mp4-player.ts';
import { type PacedPlayer, startPaced } from './paced-run.ts';
import { Pacer } from './pacer.ts';
import type { Source, StartRun } from './source.ts';
import { SourceFile } from './source-file.ts';
import {
  type AudioSourceSpec,
  parseAudioSource,
  parseVideoSource,
  type VideoSourceSpec,
} from './source-spec.ts';
import { SupervisedSource } from './supervised-source.ts';
import { TrackStatistics } from './track-statistics.ts';
import { v4l2Runs } from './v4l2-source.ts';
import { VideoTrackWriter } from './video-track-writer.ts';

export interface CaptureOptions {
  readonly ring: SharedArrayBuffer;
  readonly source: string;
  readonly subSource: string;
  readonly audioSource: string;
  /** Frames a second: of raw files, whatever they say; of other streams that say nothing. 0: not given. */
  readonly sourceFps: number;
  /** Folder of the bundled demo. */
  readonly demoFolder: string;
}

/** What the stage has at hand; a StageContext of ipc/worker-port.ts fits. */
export interface CaptureContext {
  readonly logger: Logger;
  readonly clock: Clock;
  report(report: CaptureReport): void;
}

/** How long a wait for keyframe wishes lasts; only a bound, the wish ends it. */
const keyframeWaitMs = 5000;
/** Least time between two looks at the wishes: a viewer that asks all the time costs no more than this. */
const keyframePauseMs = 50;

interface RunningTrack {
  readonly name: string;
  readonly track: Track;
  readonly source: Source;
  readonly statistics: TrackStatistics;
}

export class CaptureStage {
  private readonly options: CaptureOptions;
  private readonly context: CaptureContext;
  private readonly producer: RingProducer;
  private readonly pacer: Pacer;
  private readonly throttle: LogThrottle;
  private readonly tracks: RunningTrack[] = [];
  private readonly infos = new Map<Track, TrackInfo>();
  private keyframeTimer: NodeJS.Timeout | undefined;
  private running = false;

  /** Throws CameraError `config-invalid` for a source that does not exist, `ring-invalid` for what is no ring. */
  constructor(options: CaptureOptions, context: CaptureContext) {
    this.options = options;
    this.context = context;
    this.producer = new RingProducer(options.ring, context.clock);
    this.pacer = new Pacer(context.clock);
    this.throttle = new LogThrottle(context.logger, context.clock);
    const video = parseVideoSource(options.source);
    if (!video) throw new CameraError('config-invalid', 'there is no main video source');
    const subVideo = parseVideoSource(options.subSource);
    const audio = parseAudioSource(options.audioSource, options.source);
    this.addVideo('main', Track.main, video);
    if (subVideo) this.addVideo('sub', Track.sub, subVideo);
    if (audio) this.addAudio(audio);
  }

  start(): void {
    this.running = true;
    for (const { source } of this.tracks) source.start();
    this.pacer.start();
    void this.watchKeyframes(new RingWait(this.options.ring));
  }

  async stop(): Promise<void> {
    this.running = false;
    clearTimeout(this.keyframeTimer);
    this.pacer.stop();
    await Promise.all(this.tracks.map(({ source }) => source.stop()));
  }

  /** Counters of all tracks, by names that begin with the track's. */
  stats(): Stats {
    const values: Record<string, number> = { heap_used_bytes: process.memoryUsage().heapUsed };
    const histograms: Record<string, HistogramSnapshot> = {};
    for (const { name, source, statistics } of this.tracks) {
      values[`${name}_source_up`] = source.state === 'running' ? 1 : 0;
      values[`${name}_restarts_total`] = source.restarts;
      values[`${name}_access_units_total`] = statistics.records;
      values[`${name}_bytes_total`] = statistics.bytes;
      values[`${name}_random_access_points_total`] = statistics.randomAccessPoints;
      values[`${name}_dropped_total`] = statistics.dropped;
      values[`${name}_too_large_total`] = statistics.tooLarge;
      values[`${name}_losses_total`] = statistics.losses;
      values[`${name}_garbage_bytes_total`] = statistics.garbageBytes;
      values[`${name}_early_flushes_total`] = statistics.earlyFlushes;
      histograms[`${name}_source_delay_us`] = statistics.delayUs.snapshot();
    }
    return { values, histograms };
  }

  private addVideo(name: string, track: Track, spec: VideoSourceSpec): void {
    const { clock } = this.context;
    const statistics = new TrackStatistics();
    const writer = new VideoTrackWriter({
      track,
      name,
      producer: this.producer,
      clock,
      throttle: this.throttle,
      statistics,
      onInfo: info => this.onInfo(info),
    });
    this.add(name, track, statistics, spec, this.videoRun(name, spec, writer));
  }

  private addAudio(spec: AudioSourceSpec): void {
    const name = 'audio';
    const { clock } = this.context;
    const statistics = new TrackStatistics();
    const writer = new AudioTrackWriter({
      track: Track.audio,
      producer: this.producer,
      clock,
      statistics,
      onInfo: info => this.onInfo(info),
    });
    this.add(name, Track.audio, statistics, spec, this.audioRun(name, spec, writer));
  }

  private add(
    name: string,
    track: Track,
    statistics: TrackStatistics,
    spec: VideoSourceSpec | AudioSourceSpec,
    startRun: StartRun,
  ): void {
    const { clock, logger } = this.context;
    const stalls = spec.kind === 'command' || spec.kind === 'v4l2' ? { stallMs } : {};
    const source = new SupervisedSource({ name, startRun, clock, logger, ...stalls });
    this.tracks.push({ name, track, source, statistics });
  }

  private videoRun(name: string, spec: VideoSourceSpec, writer: VideoTrackWriter): StartRun {
    const { demoFolder, sourceFps } = this.options;
    const { clock, logger } = this.context;
    switch (spec.kind) {
      case 'demo':
        return this.paced(path.join(demoFolder, 'demo-720p30.mp4'), file => new Mp4Player(file, writer));
      case 'file':
        return this.paced(spec.path, file =>
          looksLikeMp4(file) ? new Mp4Player(file, writer) : new AnnexBPlayer(file, writer, sourceFps),
        );
      case 'command': {
        const { command, codec } = spec;
        const configuredPerSecond = sourceFps;
        return events =>
          startCommandVideo({ name, command, codec, configuredPerSecond, writer, clock, logger }, events);
      }
      case 'v4l2':
        return v4l2Runs({
          ...{ name, writer, clock, logger },
          options: spec.options,
          configuredPerSecond: sourceFps,
        });
    }
  }

  private audioRun(name: string, spec: AudioSourceSpec, writer: AudioTrackWriter): StartRun {
    const { clock, logger } = this.context;
    if (spec.kind === 'command') {
      const { command, codec } = spec;
      return events => startCommandAudio({ name, command, codec, writer, clock, logger }, events);
    }
    const file = spec.kind === 'demo' ? path.join(this.options.demoFolder, 'demo-speech.ulaw') : spec.path;
    return this.paced(file, opened => new G711Player(opened, writer));
  }

  /** A run that plays `filePath`; the file is opened anew for each run, since it may have come back as another one. */
  private paced(filePath: string, play: (file: SourceFile) => PacedPlayer): StartRun {
    return events => {
      const file = new SourceFile(filePath);
      let player: PacedPlayer;
      try {
        player = play(file);
      } catch (error) {
        file.close();
        throw error;
      }
      return startPaced(player, this.pacer, events);
    };
  }

  private onInfo(info: TrackInfo): void {
    this.infos.set(info.track, info);
    const tracks = [...this.infos.values()].sort((a, b) => a.track - b.track);
    this.context.logger.info('track', { ...info });
    this.context.report({ type: 'tracks', tracks });
  }

  private async watchKeyframes(wait: RingWait): Promise<void> {
    while (this.running) {
      await wait.forKeyframeWantedAsync(keyframeWaitMs);
      if (!this.running) return;
      // Every bit is taken, also of tracks that there are not: one that stayed set would end each wait at once.
      for (let track = 0; track < trackCountMax; track++) {
        if (!this.producer.takeKeyframeWanted(track as Track)) continue;
        this.tracks.find(running => running.track === track)?.source.requestKeyframe();
      }
      await new Promise<void>(resolve => {
        this.keyframeTimer = setTimeout(resolve, keyframePauseMs);
      });
    }
  }
}

/** Makes the stage and starts it. */
export function startCapture(options: CaptureOptions, context: CaptureContext): CaptureStage {
  const stage = new CaptureStage(options, context);
  stage.start();
  return stage;
}
