/**
 * The live picture: says in words what is going on, shows the figures, and serves the buttons.
 *
 * Emits `change` whenever something of it has changed. What keeps the picture running is in LiveViewer.
 */
import { LiveViewer } from './live-viewer.js';
import { showState } from './state-words.js';

const element = id => document.getElementById(id);
const video = element('picture');

export class LiveView extends EventTarget {
  /** The LiveViewer, while the view is open. */
  viewer;

  constructor() {
    super();
    this.#wireButtons();
  }

  /** Shows the view and connects. @param api a CameraApi. */
  open(api) {
    this.close();
    element('live').hidden = false;
    this.viewer = new LiveViewer(api, video);
    this.viewer.addEventListener('change', () => this.#render());
    this.viewer.addEventListener('blocked', () =>
      curtain({
        title: 'Paused by the browser',
        text: 'It starts a picture only when asked.',
        button: 'Show picture',
      }),
    );
    this.viewer.start();
  }

  /** Hides the view and closes the connection. */
  close() {
    this.pause();
    element('live').hidden = true;
    if (document.fullscreenElement) void document.exitFullscreen();
  }

  /** Closes the connection alone, as when the page is left. */
  pause() {
    const { viewer } = this;
    this.viewer = undefined;
    viewer?.stop();
    video.srcObject = null;
  }

  #render() {
    const { viewer } = this;
    if (!viewer) return;
    const { state, problem, retryAt } = viewer;
    const seconds = Math.max(1, Math.ceil((retryAt - performance.now()) / 1000));
    if (state === 'connecting') {
      showState('Connecting', 'quiet');
      curtain({
        title: 'Connecting',
        text: problem?.message ?? 'The first picture is on its way.',
        busy: true,
      });
    } else if (state === 'playing') {
      showState('Live', 'good');
      lift();
    } else if (state === 'waiting') {
      showState(viewer.firstFrameMs === undefined ? 'Trying again' : 'Reconnecting', 'warn');
      const text = `${problem.message} Next try in ${seconds} s.`;
      const button = viewer.mayTryNow ? 'Try now' : undefined;
      curtain({ title: 'No picture at the moment', text, busy: true, button });
    } else if (state === 'failed') {
      showState('No picture', 'bad');
      curtain({ title: 'The picture cannot be shown', text: problem.message, button: 'Try again' });
    }
    renderFigures(viewer);
    this.dispatchEvent(new Event('change'));
  }

  #wireButtons() {
    element('retry').addEventListener('click', () => {
      if (this.viewer?.state === 'connecting' || this.viewer?.state === 'playing') {
        void video.play();
        lift();
      } else this.viewer?.retryNow();
    });
    element('sound').addEventListener('click', () => {
      video.muted = !video.muted;
    });
    video.addEventListener('volumechange', () => {
      element('sound').setAttribute('aria-pressed', String(!video.muted));
      element('sound-words').textContent = video.muted ? 'Turn sound on' : 'Turn sound off';
      this.dispatchEvent(new Event('change'));
    });
    element('fullscreen').addEventListener('click', () => {
      if (document.fullscreenElement) void document.exitFullscreen();
      else if (element('stage').requestFullscreen) void element('stage').requestFullscreen();
      // A phone that gives no other element the whole screen gives it to the video.
      else video.webkitEnterFullscreen?.();
    });
    document.addEventListener('fullscreenchange', () => {
      const words = document.fullscreenElement ? 'Leave full screen' : 'Full screen';
      element('fullscreen').setAttribute('aria-label', words);
    });
  }
}

/** Shows words in place of the picture. */
function curtain({ title, text, busy = false, button }) {
  element('curtain').hidden = false;
  element('controls').inert = true;
  element('spinner').hidden = !busy;
  element('curtain-title').textContent = title;
  element('curtain-text').textContent = text;
  element('retry').hidden = button === undefined;
  element('retry').textContent = button ?? '';
}

/** Shows the picture. */
function lift() {
  element('curtain').hidden = true;
  element('controls').inert = false;
}

function renderFigures(viewer) {
  const { firstFrameMs, latencyMs, latencyKind, reconnects } = viewer;
  // Figures of a picture that is not there any more would be taken for those of the next.
  const playing = viewer.state === 'playing';
  const figures = (playing && viewer.figures) || {};
  const put = (id, value, text) => {
    element(id).textContent = value === undefined || value === null ? '–' : text(value);
  };
  put('latency', playing ? latencyMs : undefined, milliseconds);
  element('latency-note').textContent = playing && latencyMs !== undefined ? latencyKind : '';
  put('first-frame', firstFrameMs, milliseconds);
  put('resolution', figures.width, () => `${figures.width} × ${figures.height}`);
  put('frame-rate', figures.framesPerSecond, value => `${Math.round(value)} fps`);
  put('video-codec', figures.videoCodec, String);
  put('audio-codec', figures.audioCodec, String);
  put('bit-rate', figures.bitRate, value =>
    value >= 1e6 ? `${(value / 1e6).toFixed(1)} Mbit/s` : `${Math.round(value / 1e3)} kbit/s`,
  );
  put('round-trip', figures.roundTripMs, milliseconds);
  put('lost', figures.packetsLost, String);
  put('reconnects', reconnects, value => (value === 1 ? 'once' : value === 0 ? 'never' : `${value} times`));
}

function milliseconds(value) {
  return value < 10 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`;
}
