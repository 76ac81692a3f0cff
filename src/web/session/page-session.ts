/**
 * Who is at the page: asks the camera whether to set it up or to log in, keeps the log-in, and says why it ended.
 *
 * One stage at a time; `change` tells of another. The setup token may come in the fragment of the link that the camera
 * prints (`#setup=…`). A fragment is never sent, but it stays in the address bar and in the history, so it is taken out of
 * both at once.
 */
import { CameraApi, isSetupRequired, logIn } from '../api/camera-api.ts';
import type { CameraProblem } from '../api/camera-problem.ts';
import { deviceLabel } from '../api/credentials.ts';
import { SessionKeeper } from './session-keeper.ts';
import { TokenStore } from './token-store.ts';

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
} as const;

export type Tone = 'quiet' | 'good' | 'warn' | 'bad';

/** Words of the camera or the page to the one who looks at it. */
export interface Notice {
  readonly words: string;
  readonly tone: Tone;
}

export type Stage =
  | { readonly name: 'starting'; readonly problem: CameraProblem | undefined }
  | { readonly name: 'setup'; readonly notice: Notice | undefined; readonly setupToken: string }
  | { readonly name: 'login'; readonly notice: Notice | undefined; readonly email: string }
  | { readonly name: 'home'; readonly api: CameraApi };

/** A log-in that was just obtained, or that was stored: then nobody knows how long it lives. */
export interface LogIn {
  readonly token: string;
  readonly stays: boolean;
  readonly lifeMs: number | undefined;
}

interface Session extends LogIn {
  readonly api: CameraApi;
  readonly keeper: SessionKeeper;
}

/** See the head of the file. */
export class PageSession extends EventTarget {
  stage: Stage = { name: 'starting', problem: undefined };
  private readonly store = new TokenStore();
  private session: Session | undefined;
  private setupToken = takeSetupToken();
  private startTimer: ReturnType<typeof setTimeout> | undefined;

  /** How often the session was given a new life. */
  get refreshes(): number {
    return this.session?.keeper.refreshes ?? 0;
  }

  /** Begins with the stored log-in, if there is one, and listens to the browser. */
  begin(): void {
    window.addEventListener('storage', event => this.otherTab(event));
    window.addEventListener('hashchange', () => {
      const token = takeSetupToken();
      if (token === '' || this.session) return;
      this.setupToken = token;
      void this.ask();
    });
    window.addEventListener('pagehide', () => this.session?.keeper.stop());
    window.addEventListener('pageshow', event => {
      if (event.persisted) this.session?.keeper.start();
    });
    const stored = this.store.read();
    if (stored) this.enter({ ...stored, lifeMs: undefined });
    else void this.ask();
  }

  /** Asks the camera whether to log in or to set it up; again and again when it does not answer. */
  async ask(): Promise<void> {
    clearTimeout(this.startTimer);
    if (this.stage.name !== 'starting') this.show({ name: 'starting', problem: undefined });
    try {
      if (await isSetupRequired()) this.showSetup();
      else this.showLogin();
    } catch (error) {
      const problem = error as CameraProblem;
      const seconds = Math.max(startPauseSeconds, (problem.retryAfterMs ?? 0) / 1000);
      this.show({ name: 'starting', problem });
      this.startTimer = setTimeout(() => void this.ask(), seconds * 1000);
    }
  }

  /** Logs in under the name of this device. Rejects with a CameraProblem. */
  async logIn(email: string, password: string, stays: boolean): Promise<void> {
    const { access_token: token, lifeMs } = await logIn(email, password, deviceLabel(navigator));
    this.enter({ token, stays, lifeMs });
  }

  async logOut(): Promise<void> {
    if (!this.session) return;
    const { api } = this.session;
    this.leave({ words: reasons.loggedOut, tone: 'quiet' });
    try {
      await api.logOut();
    } catch (problem) {
      // With 401 the session had ended already.
      if ((problem as CameraProblem).status !== 401 && this.stage.name === 'login')
        this.showLogin({ words: reasons.loggedOutUnheard, tone: 'warn' });
    }
  }

  showLogin(notice?: Notice, email = ''): void {
    this.setupToken = '';
    this.show({ name: 'login', notice, email });
  }

  /** What the page was asleep for may have come due. */
  wake(): void {
    this.session?.keeper.look();
  }

  private showSetup(notice?: Notice): void {
    this.show({ name: 'setup', notice, setupToken: this.setupToken });
  }

  private enter(given: LogIn): void {
    const { token, stays, lifeMs } = given;
    this.setupToken = '';
    this.session?.keeper.stop();
    const api = new CameraApi(token, () => {
      // The requests of an earlier session may be answered late.
      if (this.session?.api === api) this.ended();
    });
    const keeper = new SessionKeeper(api, lifeMs);
    this.session = { ...given, api, keeper };
    this.store.write(token, stays);
    this.show({ name: 'home', api });
    keeper.start();
  }

  /** The camera does not know the session any more. */
  private ended(): void {
    const keeper = this.session!.keeper;
    const words = keeper.hasExpired ? reasons.expired : keeper.isKnown ? reasons.ended : reasons.unknown;
    this.leave({ words, tone: 'warn' });
    // It may have been reset to what it was when it was bought.
    isSetupRequired().then(
      isRequired => {
        if (isRequired && this.stage.name === 'login')
          this.showSetup({ words: 'This camera was reset and has no user any more.', tone: 'warn' });
      },
      () => {
        // Then the log-in says what is wrong.
      },
    );
  }

  /** Forgets the session and asks for another. */
  private leave(notice: Notice): void {
    const { token, keeper } = this.session!;
    this.session = undefined;
    keeper.stop();
    this.store.forget(token);
    this.showLogin(notice);
  }

  private otherTab(event: StorageEvent): void {
    if (!this.session?.stays || !this.store.isRemoval(event, this.session.token)) return;
    const { api } = this.session;
    this.leave({ words: reasons.elsewhere, tone: 'quiet' });
    // The other tab has ended it, unless it was only cleaned up there.
    api.logOut().catch(() => {});
  }

  private show(stage: Stage): void {
    clearTimeout(this.startTimer);
    this.stage = stage;
    this.dispatchEvent(new Event('change'));
  }
}

/** The setup token of the address, which is removed from it; '' when there is none. */
function takeSetupToken(): string {
  const token = new URLSearchParams(location.hash.slice(1)).get('setup');
  if (token === null) return '';
  history.replaceState(history.state, '', location.pathname + location.search);
  return token.trim();
}
