/**
 * The page: sets the camera up, logs in, shows the live picture, logs out. One view at a time; here is which, and why.
 *
 * `window.__camera` holds the same as plain values, without any secret, for tests and measurements.
 */
import { CameraApi, isSetupRequired } from './camera-api.js';
import { LiveView } from './live-view.js';
import { LoginView } from './login-view.js';
import { SessionKeeper } from './session-keeper.js';
import { SetupView, takeSetupToken } from './setup-view.js';
import { showState } from './state-words.js';
import { TokenStore } from './token-store.js';

const element = id => document.getElementById(id);

/** Seconds between questions for a camera that does not answer, unless it says more. */
const startPauseSeconds = 4;

const reasons = {
  loggedOut: 'You are logged out.',
  loggedOutUnheard:
    'You are logged out here. The camera could not be told, so its side of the log-in ends only with its time.',
  elsewhere: 'You logged out in another tab.',
  expired: 'Your log-in has expired. Please log in again.',
  ended:
    'The camera has ended this log-in: by a log-out elsewhere, a new password, or because too many devices are logged in.',
  unknown: 'Your log-in has ended. Please log in again.',
};

const store = new TokenStore();
const live = new LiveView();
const login = new LoginView(enter);
const setup = new SetupView(enter, showLogin);

/** Who is logged in: `{ token, stays, api, keeper }`, or undefined. */
let session;
/** The setup token of the address, as long as it is not known to be of no use. */
let setupToken = takeSetupToken();
let startTimer;

/** Shows one view, and nothing of the others. */
function only(view) {
  clearTimeout(startTimer);
  if (view !== 'live') live.close();
  if (view !== 'login') login.hide();
  if (view !== 'setup') setup.hide();
  element('starting').hidden = view !== 'starting';
  element('log-out').hidden = view !== 'live';
}

/** Asks the camera whether to log in or to set it up; again and again when it does not answer. */
async function start() {
  // While it is asked again the words stay, so that nobody hears them every few seconds.
  if (element('starting').hidden) {
    showState('Starting', 'quiet');
    sayStarting('One moment', 'The camera is asked how it is.');
    element('start-now').hidden = true;
  }
  only('starting');
  publish();
  try {
    if (await isSetupRequired()) showSetup();
    else showLogin();
  } catch (problem) {
    const seconds = Math.max(startPauseSeconds, problem.retryAfterMs / 1000);
    showState('Not ready', 'bad');
    sayStarting('Not ready', problem.message);
    element('start-now').hidden = problem.status === 429;
    startTimer = setTimeout(() => void start(), seconds * 1000);
    publish();
  }
}

function sayStarting(title, words) {
  element('starting-title').textContent = title;
  if (element('starting-words').textContent !== words) element('starting-words').textContent = words;
}

function showSetup(words, tone) {
  only('setup');
  showState('New camera', 'quiet');
  setup.show(setupToken, words, tone);
  publish();
}

function showLogin(words, tone, email) {
  setupToken = '';
  only('login');
  showState('Not logged in', 'quiet');
  login.show(words, tone, email);
  publish();
}

/** Begins a session that was just obtained, or that was stored: then its `lifeMs` is not known. */
function enter({ token, stays, lifeMs }) {
  setupToken = '';
  session?.keeper.stop();
  const api = new CameraApi(token, () => {
    // The requests of an earlier session may be answered late.
    if (session?.api === api) ended();
  });
  session = { token, stays, api, keeper: new SessionKeeper(api, lifeMs) };
  store.write(token, stays);
  resume();
}

function resume() {
  only('live');
  live.open(session.api);
  session.keeper.start();
}

/** The camera does not know the session any more. */
function ended() {
  const { keeper } = session;
  leave(keeper.hasExpired ? reasons.expired : keeper.isKnown ? reasons.ended : reasons.unknown, 'warn');
  // It may have been reset to what it was when it was bought.
  isSetupRequired().then(
    isRequired => {
      if (isRequired && login.isShown) showSetup('This camera was reset and has no user any more.', 'warn');
    },
    () => {
      // Then the log-in says what is wrong.
    },
  );
}

/** Forgets the session and asks for another. */
function leave(words, tone) {
  const { token, keeper } = session;
  session = undefined;
  keeper.stop();
  store.forget(token);
  showLogin(words, tone);
}

async function logOut() {
  const { api } = session;
  leave(reasons.loggedOut, 'quiet');
  try {
    await api.logOut();
  } catch (problem) {
    // With 401 the session had ended already.
    if (problem.status !== 401 && login.isShown) login.say(reasons.loggedOutUnheard, 'warn');
  }
}

/** What the page was asleep for may have come due. */
function wake() {
  session?.keeper.look();
  if (live.viewer?.state === 'waiting') live.viewer.retryNow();
}

function publish() {
  const { viewer } = live;
  const { sessionId, problem, firstFrameMs, answerMs, connectedMs } = viewer ?? {};
  const { latencyMs, latencyKind, reconnects = 0, figures } = viewer ?? {};
  window.__camera = {
    state: viewer?.state ?? (setup.isShown ? 'setup' : login.isShown ? 'login' : 'starting'),
    sessionId,
    problem: problem?.code,
    message: problem?.message,
    words: element('state').textContent,
    firstFrameMs,
    answerMs,
    connectedMs,
    latencyMs,
    latencyKind,
    reconnects,
    refreshes: session?.keeper.refreshes ?? 0,
    muted: element('picture').muted,
    ...figures,
  };
}

live.addEventListener('change', publish);
element('log-out').addEventListener('click', () => void logOut());
element('start-now').addEventListener('click', () => void start());
element('unencrypted').hidden = window.isSecureContext;

window.addEventListener('online', wake);
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') wake();
});
window.addEventListener('storage', event => {
  if (!session?.stays || !store.isRemoval(event, session.token)) return;
  const { api } = session;
  leave(reasons.elsewhere, 'quiet');
  // The other tab has ended it, unless it was only cleaned up there.
  api.logOut().catch(() => {});
});
window.addEventListener('hashchange', () => {
  const token = takeSetupToken();
  if (token === '' || session) return;
  setupToken = token;
  void start();
});
window.addEventListener('pagehide', () => {
  session?.keeper.stop();
  live.pause();
});
window.addEventListener('pageshow', event => {
  if (event.persisted && session) resume();
});

const stored = store.read();
if (stored) enter(stored);
else void start();
