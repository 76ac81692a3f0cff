/**
 * The live picture: says in words what is going on, shows the figures on demand, and serves the buttons and keys. What
 * keeps the picture running is in live/live-viewer.ts.
 */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { CameraApi, Health } from '../api/camera-api.ts';
import type { LiveStream } from '../live/live-connection.ts';
import { LiveViewer } from '../live/live-viewer.ts';
import { saveSnapshot } from '../live/snapshot.ts';
import type { Tone } from '../session/page-session.ts';
import { useChanges } from '../ui/hooks.ts';
import { Icon, type IconName } from '../ui/icons.tsx';
import { publishDetail } from '../ui/published.ts';
import { toast } from '../ui/toast.tsx';
import { LiveFacts } from './live-facts.tsx';
import { RecentCard } from './recent-card.tsx';
import { useFullscreen } from './use-fullscreen.ts';

interface Props {
  readonly api: CameraApi;
  readonly health: Health | undefined;
}

interface Curtain {
  readonly title: string;
  readonly text: string;
  readonly isBusy?: boolean;
  readonly button?: string | undefined;
}

export function LiveView({ api, health }: Props): JSX.Element {
  const video = useRef<HTMLVideoElement>(null);
  const stage = useRef<HTMLDivElement>(null);
  const [viewer, setViewer] = useState<LiveViewer>();
  const [stream, setStream] = useState<LiveStream>('main');
  const [isBlocked, setBlocked] = useState(false);
  const [isMuted, setMuted] = useState(true);
  const [showsFacts, setShowsFacts] = useState(false);
  const { isFullscreen, toggle: toggleFullscreen } = useFullscreen(stage, video);
  useChanges(viewer);

  useEffect(() => {
    const element = video.current!;
    const next = new LiveViewer(api, element, stream);
    const wake = (): void => next.wake();
    const visible = (): void => {
      if (document.visibilityState === 'visible') next.wake();
    };
    next.addEventListener('blocked', () => setBlocked(true));
    next.addEventListener('change', () => publishViewer(next, element));
    window.addEventListener('online', wake);
    document.addEventListener('visibilitychange', visible);
    const leave = (): void => next.stop();
    const back = (event: PageTransitionEvent): void => {
      if (event.persisted) next.start();
    };
    window.addEventListener('pagehide', leave);
    window.addEventListener('pageshow', back);
    next.start();
    setViewer(next);
    return () => {
      window.removeEventListener('online', wake);
      document.removeEventListener('visibilitychange', visible);
      window.removeEventListener('pagehide', leave);
      window.removeEventListener('pageshow', back);
      next.stop();
      element.srcObject = null;
      publishDetail({});
    };
  }, [api, stream]);

  const toggleSound = (): void => {
    const element = video.current!;
    element.muted = !element.muted;
  };
  const takeSnapshot = async (): Promise<void> => {
    const name = await saveSnapshot(video.current!);
    toast(name === undefined ? 'There is no picture to save.' : `Saved as ${name}`);
  };
  const togglePip = async (): Promise<void> => {
    try {
      if (document.pictureInPictureElement) await document.exitPictureInPicture();
      else await video.current!.requestPictureInPicture();
    } catch {
      toast('This browser gives no small window just now.');
    }
  };
  useKeys({
    m: toggleSound,
    f: toggleFullscreen,
    s: () => void takeSnapshot(),
    i: () => setShowsFacts(shown => !shown),
    p: () => void togglePip(),
  });

  const state = stateOf(viewer);
  const curtain = isBlocked
    ? { title: 'Paused by the browser', text: 'It starts a picture only when asked.', button: 'Show picture' }
    : curtainOf(viewer);
  const tryNow = (): void => {
    if (isBlocked) {
      setBlocked(false);
      void video.current!.play();
    } else viewer?.retryNow();
  };
  const hasSub = health?.sources.some(
    ({ name, state: sourceState }) => name === 'sub' && sourceState === 'running',
  );
  return (
    <section class="view" id="live" aria-label="Live picture">
      <h1 class="visually-hidden">Live</h1>
      <div class="stage" ref={stage}>
        <div class="frame">
          <video
            id="picture"
            ref={video}
            playsInline
            autoplay
            muted
            onVolumeChange={event => setMuted(event.currentTarget.muted)}
          />
          {curtain && (
            <div id="curtain" class="curtain">
              {curtain.isBusy && <div class="spinner" aria-hidden="true" />}
              <p class="curtain-title">{curtain.title}</p>
              <p id="curtain-text" class="curtain-text figures">
                {curtain.text}
              </p>
              {curtain.button && (
                <button id="retry" type="button" class="primary" onClick={tryNow}>
                  {curtain.button}
                </button>
              )}
            </div>
          )}
          {showsFacts && !isPhone() && <LiveFacts viewer={viewer} />}
        </div>
        <div class="controls" id="controls">
          <p id="state" class="chip" role="status" data-tone={state.tone}>
            {state.words}
          </p>
          <span class="gap" />
          {hasSub && (
            <fieldset class="segments" aria-label="Stream">
              {(['main', 'sub'] as const).map(each => (
                <button
                  key={each}
                  type="button"
                  aria-pressed={stream === each}
                  onClick={() => setStream(each)}
                >
                  {each === 'main' ? 'High' : 'Low'}
                </button>
              ))}
            </fieldset>
          )}
          <Control
            id="sound"
            icon={isMuted ? 'soundOff' : 'soundOn'}
            label={isMuted ? 'Turn sound on' : 'Turn sound off'}
            isPressed={!isMuted}
            onPress={toggleSound}
          />
          <Control id="snapshot" icon="snapshot" label="Save a picture" onPress={() => void takeSnapshot()} />
          <Control
            id="statistics"
            icon="statistics"
            label="Statistics"
            isPressed={showsFacts}
            onPress={() => setShowsFacts(!showsFacts)}
          />
          {document.pictureInPictureEnabled && (
            <Control id="pip" icon="pip" label="Small window" onPress={() => void togglePip()} />
          )}
          <Control
            id="fullscreen"
            icon="fullscreen"
            label={isFullscreen ? 'Leave full screen' : 'Full screen'}
            onPress={toggleFullscreen}
          />
        </div>
        {showsFacts && isPhone() && <LiveFacts viewer={viewer} />}
        {isPhone() && <RecentCard api={api} health={health} />}
      </div>
    </section>
  );
}

interface ControlProps {
  readonly id?: string;
  readonly icon: IconName;
  readonly label: string;
  readonly isPressed?: boolean;
  readonly isDisabled?: boolean;
  onPress(): void;
}

/** A button with an icon; its words are spoken, and shown when the pointer rests on it. */
export function Control({ id, icon, label, isPressed, isDisabled, onPress }: ControlProps): JSX.Element {
  return (
    <button
      id={id}
      type="button"
      class="icon-button"
      aria-label={label}
      title={label}
      aria-pressed={isPressed}
      disabled={isDisabled}
      onClick={onPress}
    >
      <Icon name={icon} />
    </button>
  );
}

/** Letters that do something while nothing is being typed. */
export function useKeys(actions: Readonly<Record<string, () => void>>): void {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement;
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (target.closest('input, select, textarea')) return;
      const action = latest.current[event.key.toLowerCase()];
      if (!action) return;
      event.preventDefault();
      action();
    };
    document.addEventListener('keydown', pressed);
    return () => document.removeEventListener('keydown', pressed);
  }, []);
}

function isPhone(): boolean {
  return matchMedia('(max-width: 719px)').matches;
}

function stateOf(viewer: LiveViewer | undefined): { readonly words: string; readonly tone: Tone } {
  switch (viewer?.state) {
    case 'playing':
      return { words: 'Live', tone: 'good' };
    case 'waiting':
      return { words: viewer.firstFrameMs === undefined ? 'Trying again' : 'Reconnecting', tone: 'warn' };
    case 'failed':
      return { words: 'No picture', tone: 'bad' };
    default:
      return { words: 'Connecting', tone: 'quiet' };
  }
}

function curtainOf(viewer: LiveViewer | undefined): Curtain | undefined {
  switch (viewer?.state) {
    case 'playing':
    case 'stopped':
      return undefined;
    case 'waiting': {
      const seconds = Math.max(1, Math.ceil((viewer.retryAt - performance.now()) / 1000));
      const text = `${viewer.problem?.message ?? ''} Next try in ${seconds} s.`;
      const button = viewer.mayTryNow ? 'Try now' : undefined;
      return { title: 'No picture at the moment', text, isBusy: true, button };
    }
    case 'failed':
      return {
        title: 'The picture cannot be shown',
        text: viewer.problem?.message ?? '',
        button: 'Try again',
      };
    default:
      return {
        title: 'Connecting',
        text: viewer?.problem?.message ?? 'The first picture is on its way.',
        isBusy: true,
      };
  }
}

function publishViewer(viewer: LiveViewer, video: HTMLVideoElement): void {
  const { sessionId, problem, firstFrameMs, answerMs, connectedMs, latencyMs, latencyKind } = viewer;
  publishDetail({
    state: viewer.state,
    sessionId,
    problem: problem?.code,
    message: problem?.message,
    words: stateOf(viewer).words,
    firstFrameMs,
    answerMs,
    connectedMs,
    latencyMs,
    latencyKind,
    reconnects: viewer.reconnects,
    muted: video.muted,
    ...viewer.figures,
  });
}
