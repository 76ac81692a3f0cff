/**
 * The time line: the player on top, under it the line with what is recorded, the days below. Dragging the line scrubs; the
 * moment under the playhead is the one that is shown.
 */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { CameraApi } from '../api/camera-api.ts';
import { wordsOf } from '../api/camera-problem.ts';
import { saveSnapshot } from '../live/snapshot.ts';
import { RecordingPlayer } from '../timeline/recording-player.ts';
import { RecordingsList } from '../timeline/recordings-list.ts';
import { nearestRecorded, neighbourStart } from '../timeline/spans.ts';
import { clamp, msPerPixelMax, msPerPixelMin, openingMsPerPixel } from '../timeline/time-scale.ts';
import { useChanges } from '../ui/hooks.ts';
import { Icon } from '../ui/icons.tsx';
import { publishDetail } from '../ui/published.ts';
import { routeTo } from '../ui/routes.ts';
import { clockText, dayText, localInputText } from '../ui/texts.ts';
import { toast } from '../ui/toast.tsx';
import { DayPicker } from './day-picker.tsx';
import { Control, useKeys } from './live-view.tsx';
import { TimeStrip } from './time-strip.tsx';
import { useFullscreen } from './use-fullscreen.ts';

const speeds = [0.25, 0.5, 1, 2, 4, 8, 16] as const;
/** Beyond this speed browsers make no sense of the sound. */
const soundSpeedMax = 4;
/** While the hand drags, pictures are asked for no more often than this. */
const scrubEveryMs = 90;

interface Props {
  readonly api: CameraApi;
  /** Where to begin, Unix ms; the newest when left out. */
  readonly at: number | undefined;
  readonly framesPerSecond: number;
}

export function TimelineView({ api, at, framesPerSecond }: Props): JSX.Element {
  const video = useRef<HTMLVideoElement>(null);
  const stage = useRef<HTMLDivElement>(null);
  const [list] = useState(() => new RecordingsList(api));
  const [player, setPlayer] = useState<RecordingPlayer>();
  const [msPerPixel, setMsPerPixel] = useState(1000);
  const [dragUnixMs, setDrag] = useState<number>();
  const [speed, setSpeed] = useState(1);
  const [isMuted, setMuted] = useState(false);
  const lastScrub = useRef(0);
  const { isFullscreen, toggle: toggleFullscreen } = useFullscreen(stage, video);
  useChanges(list);
  useChanges(player);
  usePlayingTick(player);

  useEffect(() => {
    list.start();
    const next = new RecordingPlayer(api, video.current!);
    setPlayer(next);
    return () => {
      list.stop();
      next.close();
      publishDetail({});
    };
  }, [api, list]);

  const { spans } = list;
  const hasSpans = spans !== undefined && spans.length > 0;
  useEffect(() => {
    if (player && spans) player.setSpans(spans);
  }, [player, spans]);
  useEffect(() => {
    if (!player || !hasSpans) return;
    const newest = spans.at(-1)!.endUnixMs;
    if (player.positionUnixMs === undefined)
      setMsPerPixel(openingMsPerPixel(newest - spans[0]!.startUnixMs, window.innerWidth));
    player.seek(at ?? newest - 10_000);
  }, [player, hasSpans, at]);
  useEffect(() => {
    const element = video.current!;
    element.playbackRate = speed;
    element.muted = isMuted || speed > soundSpeedMax;
  }, [speed, isMuted, player?.state]);

  const position = player?.positionUnixMs;
  const centre = dragUnixMs ?? position ?? Date.now();
  useEffect(() => {
    publishDetail({
      positionUnixMs: position,
      playerState: player?.state,
      isPlaying: player?.isPlaying,
      isBusy: player?.isBusy,
      spans: spans?.length,
      problem: player?.problem?.code,
    });
  });

  const seek = (unixMs: number): void => player?.seek(Math.round(unixMs));
  const moveBy = (ms: number): void => {
    if (position !== undefined) seek(position + ms);
  };
  const scaled = (nextCentre: number, nextMsPerPixel: number, isFinal: boolean): void => {
    setMsPerPixel(clamp(nextMsPerPixel, msPerPixelMin, msPerPixelMax));
    const isMoved = Math.abs(nextCentre - centre) > nextMsPerPixel / 2;
    const isDrag = dragUnixMs !== undefined || isMoved;
    if (!isDrag) return;
    setDrag(isFinal ? undefined : nextCentre);
    if (isFinal || performance.now() - lastScrub.current > scrubEveryMs) {
      lastScrub.current = performance.now();
      seek(nextCentre);
    }
  };
  const toggle = (): void => (player?.isPlaying ? player.pause() : player?.play());
  const jump = (step: -1 | 1): void => {
    const target = neighbourStart(spans ?? [], position ?? 0, step);
    if (target !== undefined) seek(target);
  };
  const takeSnapshot = async (): Promise<void> => {
    const name = await saveSnapshot(video.current!, position);
    toast(name === undefined ? 'There is no picture to save.' : `Saved as ${name}`);
  };
  const keys = (event: KeyboardEvent): boolean => {
    const action = actionOf(event);
    action?.();
    return action !== undefined;
  };
  const actionOf = (event: KeyboardEvent): (() => void) | undefined => {
    const second = event.shiftKey ? 1000 : 10_000;
    return {
      ArrowLeft: () => moveBy(-second),
      ArrowRight: () => moveBy(second),
      PageDown: () => moveBy(-600_000),
      PageUp: () => moveBy(600_000),
      Home: () => seek(spans?.[0]?.startUnixMs ?? 0),
      End: () => seek((spans?.at(-1)?.endUnixMs ?? 0) - 2000),
    }[event.key];
  };
  useKeys({
    ' ': toggle,
    k: toggle,
    j: () => moveBy(-10_000),
    l: () => moveBy(10_000),
    ',': () => player?.step(-1, framesPerSecond),
    '.': () => player?.step(1, framesPerSecond),
    f: toggleFullscreen,
    s: () => void takeSnapshot(),
    m: () => setMuted(!isMuted),
    arrowleft: () => moveBy(-10_000),
    arrowright: () => moveBy(10_000),
  });

  return (
    <section class="view" id="timeline" aria-label="Time line">
      <h1 class="visually-hidden">Timeline</h1>
      <div class="stage" ref={stage}>
        <div class="frame compact">
          {/* biome-ignore lint/a11y/useMediaCaption: nobody writes captions for what a camera has seen. */}
          <video id="recording" ref={video} playsInline preload="auto" />
          <PlayerCurtain player={player} list={list} />
        </div>
        <div class="controls">
          <Control
            id="play"
            icon={player?.isPlaying ? 'pause' : 'play'}
            label={player?.isPlaying ? 'Pause' : 'Play'}
            isDisabled={!hasSpans}
            onPress={toggle}
          />
          <Control
            icon="back"
            label="10 seconds back"
            isDisabled={!hasSpans}
            onPress={() => moveBy(-10_000)}
          />
          <Control
            icon="forward"
            label="10 seconds on"
            isDisabled={!hasSpans}
            onPress={() => moveBy(10_000)}
          />
          <p class="moment figures">
            <span class="small">{dayText(centre)}</span>
            <strong id="moment">{clockText(centre)}</strong>
          </p>
          <span class="gap" />
          <label class="speed">
            <span class="visually-hidden">Speed</span>
            <select
              id="speed"
              value={String(speed)}
              onChange={event => setSpeed(Number(event.currentTarget.value))}
            >
              {speeds.map(each => (
                <option key={each} value={String(each)}>
                  {each}×
                </option>
              ))}
            </select>
          </label>
          <Control
            icon={isMuted || speed > soundSpeedMax ? 'soundOff' : 'soundOn'}
            label={isMuted ? 'Turn sound on' : 'Turn sound off'}
            onPress={() => setMuted(!isMuted)}
          />
          <Control icon="snapshot" label="Save a picture" onPress={() => void takeSnapshot()} />
          <Control
            icon="fullscreen"
            label={isFullscreen ? 'Leave full screen' : 'Full screen'}
            onPress={toggleFullscreen}
          />
        </div>
      </div>
      <div class="line">
        <TimeStrip
          label="Moment"
          spans={spans ?? []}
          centreUnixMs={centre}
          msPerPixel={msPerPixel}
          keys={keys}
          onScale={scaled}
          onPick={seek}
        />
        <div class="line-tools">
          <Control icon="left" label="Recording before" isDisabled={!hasSpans} onPress={() => jump(-1)} />
          <Control icon="right" label="Next recording" isDisabled={!hasSpans} onPress={() => jump(1)} />
          <span class="gap" />
          <Control
            icon="minus"
            label="Show more time"
            onPress={() => scaled(centre, msPerPixel * 1.6, true)}
          />
          <Control
            icon="plus"
            label="Show less time"
            onPress={() => scaled(centre, msPerPixel / 1.6, true)}
          />
          <label class="go-to">
            <span class="visually-hidden">Go to</span>
            <input
              id="go-to"
              type="datetime-local"
              step="1"
              key={Math.round(centre / 60_000)}
              defaultValue={localInputText(centre)}
              onChange={event => {
                const unixMs = Date.parse(event.currentTarget.value);
                if (Number.isFinite(unixMs)) seek(unixMs);
              }}
            />
          </label>
          <a class="quiet" href={exportRoute(position, spans?.at(-1)?.endUnixMs)}>
            <Icon name="export" />
            <span class="wide-only">Export</span>
            <span class="visually-hidden">from here</span>
          </a>
          <a class="primary" href={routeTo('live')}>
            Live
          </a>
        </div>
      </div>
      <DayPicker
        spans={spans}
        currentUnixMs={centre}
        onPick={day => seek(nearestRecorded(spans ?? [], day) ?? day)}
      />
    </section>
  );
}

function PlayerCurtain({
  player,
  list,
}: {
  readonly player: RecordingPlayer | undefined;
  readonly list: RecordingsList;
}): JSX.Element | null {
  const words = curtainWords(player, list);
  if (!words) return null;
  return (
    <div class={words.isLight ? 'curtain light' : 'curtain'}>
      {words.isBusy && <div class="spinner" aria-hidden="true" />}
      <p class="curtain-title">{words.title}</p>
      {words.text && <p class="curtain-text">{words.text}</p>}
      {words.canRetry && (
        <button
          type="button"
          class="primary"
          onClick={() => {
            void list.look();
            player?.retry();
          }}
        >
          Try again
        </button>
      )}
    </div>
  );
}

interface CurtainWords {
  readonly title?: string;
  readonly text?: string;
  readonly isBusy?: boolean;
  readonly isLight?: boolean;
  readonly canRetry?: boolean;
}

function curtainWords(player: RecordingPlayer | undefined, list: RecordingsList): CurtainWords | undefined {
  if (!list.spans && list.error !== undefined)
    return { title: 'The recordings cannot be listed', text: wordsOf(list.error), canRetry: true };
  if (!list.spans) return { isBusy: true };
  if (list.spans.length === 0)
    return { title: 'Nothing is recorded yet', text: 'What the camera records appears here within seconds.' };
  if (player?.state === 'failed')
    return { title: 'This cannot be played', text: wordsOf(player.problem), canRetry: true };
  if (player?.isAtEnd) return { title: 'This is the newest recording', text: 'Press Live to go on.' };
  if (player?.isBusy) return { isBusy: true, isLight: true };
  return undefined;
}

function exportRoute(position: number | undefined, end: number | undefined): string {
  if (position === undefined || end === undefined) return routeTo('export');
  return routeTo('export', position, Math.min(position + 60_000, end));
}

/** The line moves with the picture, not with the few events of the element. */
function usePlayingTick(player: RecordingPlayer | undefined): void {
  const [, tick] = useState(0);
  const isMoving = player?.isPlaying === true && player.state === 'ready';
  useEffect(() => {
    if (!isMoving) return;
    const timer = setInterval(() => tick(count => count + 1), 100);
    return () => clearInterval(timer);
  }, [isMoving]);
}
