/**
 * The page: asks for the token, shows the live picture, and says in words what is going on.
 *
 * `window.__camera` holds the same as plain values, for tests and measurements.
 */
import { CameraApi } from './camera-api.js';
import { LiveViewer } from './live-viewer.js';

const storageKey = 'camera-token';
const element = id => document.getElementById(id);
const video = element('picture');

let viewer;

window.__camera = { state: 'token', reconnects: 0 };

/** The token lives as long as the tab. A browser that keeps nothing asks again after a reload. */
const token = {
  read() {
    try {
      return sessionStorage.getItem(storageKey);
    } catch {
      return null;
    }
  },
  write(value) {
    try {
      if (value === null) sessionStorage.removeItem(storageKey);
      else sessionStorage.setItem(storageKey, value);
    } catch {
      // Then it lives in memory alone.
    }
  },
};

function askForToken(error = '') {
  viewer?.stop();
  viewer = undefined;
  video.srcObject = null;
  token.write(null);
  element('live').hidden = true;
  element('gate').hidden = false;
  element('token-error').textContent = error;
  element('token').setAttribute('aria-invalid', String(error !== ''));
  element('token').value = '';
  element('token').focus();
  showState('Token needed', error ? 'bad' : 'quiet');
  publish({ state: 'token', problem: error ? 'unauthorized' : undefined });
}

function show(value) {
  token.write(value);
  element('gate').hidden = true;
  element('live').hidden = false;
  viewer = new LiveViewer(new CameraApi(value), video);
  viewer.addEventListener('change', render);
  viewer.addEventListener('blocked', () => {
    curtain({
      title: 'Paused by the browser',
      text: 'It starts a picture only when asked.',
      button: 'Show picture',
    });
  });
  viewer.addEventListener('unauthorized', () => askForToken(viewer.problem.message));
  viewer.start();
}

function render() {
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
    curtain({ title: 'No picture at the moment', text, busy: true, button: 'Try now' });
  } else if (state === 'failed') {
    showState('No picture', 'bad');
    curtain({ title: 'The picture cannot be shown', text: problem.message, button: 'Try again' });
  }
  renderFigures();
  publish({ state });
}

function showState(words, tone) {
  const state = element('state');
  // Setting the same words again would make a screen reader say them again.
  if (state.textContent !== words) state.textContent = words;
  state.dataset.tone = tone;
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

function renderFigures() {
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

function publish(values) {
  const {
    sessionId,
    problem,
    firstFrameMs,
    answerMs,
    connectedMs,
    latencyMs,
    latencyKind,
    reconnects,
    figures,
  } = viewer ?? {};
  window.__camera = {
    sessionId,
    problem: problem?.code,
    message: problem?.message,
    words: element('state').textContent,
    firstFrameMs,
    answerMs,
    connectedMs,
    latencyMs,
    latencyKind,
    reconnects: reconnects ?? 0,
    muted: video.muted,
    ...figures,
    ...values,
  };
}

element('token-form').addEventListener('submit', event => {
  event.preventDefault();
  const value = element('token').value.trim();
  // Only what fits into a header field can be a token.
  if (/^[\x21-\x7e]+$/.test(value)) show(value);
  else element('token-error').textContent = 'A token has no spaces and no special letters.';
});

element('forget').addEventListener('click', () => askForToken());

element('retry').addEventListener('click', () => {
  if (viewer?.state === 'connecting' || viewer?.state === 'playing') {
    void video.play();
    lift();
  } else viewer?.retryNow();
});

element('sound').addEventListener('click', () => {
  video.muted = !video.muted;
});

video.addEventListener('volumechange', () => {
  element('sound').setAttribute('aria-pressed', String(!video.muted));
  element('sound-words').textContent = video.muted ? 'Turn sound on' : 'Turn sound off';
  publish({ state: viewer?.state ?? 'token' });
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

window.addEventListener('online', () => viewer?.retryNow());
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible' && viewer?.state === 'waiting') viewer.retryNow();
});

window.addEventListener('pagehide', () => viewer?.stop());
window.addEventListener('pageshow', event => {
  const value = token.read();
  if (event.persisted && value) show(value);
});

const known = token.read();
if (known) show(known);
else askForToken();
