/**
 * How often passwords and setup tokens may be guessed: per address, and of all addresses together.
 *
 * An address (IPv6: a /64) has some free failures, then waits 1, 2, 4 … 60 s after each further one. An attempt counts
 * as failed from its beginning until it is told otherwise, so a hundred at once get no more than the free ones. A success
 * clears its address, never the failures of others.
 *
 * All addresses together have a number of failures a minute, against a guesser with many of them. That limit could be
 * used to lock the owner out, so an address that logged in within the last days is exempt from it (not from its own
 * waits); an owner on a new address waits as long as such an attack lasts, but no longer than a minute after it. A guesser
 * on one address never comes near it: after the free failures it has one a minute.
 *
 * The tables are bounded. An entry of a stranger costs a failure of the common minute, so with the limits as shipped
 * there are never more than about a thousand; beyond the bound an address that has to wait is never pushed out, further
 * ones share one entry. Monotonic time alone: a step of the wall clock changes nothing. Nothing is stored: a restart
 * forgives all, which helps only those who can restart the camera. Main thread.
 */
import type { Clock } from '../base/clock.ts';
import type { AccountsConfiguration } from '../config/configuration.ts';
import { addressKey } from './address-key.ts';
import { MinuteWindow } from './minute-window.ts';

/** Most strangers that are told apart, some 100 bytes each. */
export const strangersMax = 2048;
/** Most addresses that are exempt from the common limit; the one that logged in longest ago leaves. */
export const ownersMax = 64;
/** Most addresses with tries of the setup token within a minute; ten times what the common limit lets in as shipped. */
export const claimantsMax = 1024;
/** Tries of the setup token a minute of all addresses together, as a multiple of what one address has. */
export const setupAddressesPerMinute = 20;
/** Longest wait after a failure. */
const waitSecondsMax = 60;
/** For how long a log-in exempts its address: someone who looks once a week stays known. */
const ownerUs = 8 * 86_400 * 1e6;
/**
 * After how long without an attempt failures are forgotten: so long that guessing on at one a minute gets further than
 * pausing for new free ones.
 */
const forgetUs = 15 * 60 * 1e6;

/** What is known of one address. */
interface AddressState {
  /** Attempts that failed, or whose end is not known yet. */
  failures: number;
  /** When the latest attempt began. */
  lastUs: number;
  /** No attempt before this. */
  blockedUntilUs: number;
}

/** See the head of the file. */
export class LoginThrottle {
  private readonly clock: Clock;
  private readonly freeFailures: number;
  private readonly failuresPerMinute: number;
  private readonly setupTriesPerMinute: number;
  private readonly failures = new MinuteWindow();
  /** By key, the one whose latest attempt is oldest first. */
  private readonly strangers = new Map<string, AddressState>();
  /** By key, the one whose latest success is oldest first. */
  private readonly owners = new Map<string, AddressState & { readonly untilUs: number }>();
  /** Shared by all strangers that have no place in the table. */
  private readonly crowd: AddressState = newState();
  private readonly setupTries = new MinuteWindow();
  private readonly claimants = new Map<string, MinuteWindow>();

  constructor(options: {
    clock: Clock;
    configuration: Pick<
      AccountsConfiguration,
      'freeLoginFailures' | 'loginFailuresPerMinute' | 'setupTriesPerMinute'
    >;
  }) {
    const { freeLoginFailures, loginFailuresPerMinute, setupTriesPerMinute } = options.configuration;
    this.clock = options.clock;
    this.freeFailures = freeLoginFailures;
    this.failuresPerMinute = loginFailuresPerMinute;
    this.setupTriesPerMinute = setupTriesPerMinute;
  }

  /**
   * An attempt to log in begins; it counts as failed until {@link succeeded} or {@link withdrawn}.
   *
   * @returns 0: go on; else whole seconds to wait, and the attempt was not counted.
   */
  begin(remoteAddress: string): number {
    const nowUs = this.clock.monoUs();
    const key = addressKey(remoteAddress);
    const owner = this.ownerOf(key, nowUs);
    const known = owner ?? this.strangers.get(key);
    if (known && nowUs < known.blockedUntilUs) return secondsUntil(known.blockedUntilUs, nowUs);
    if (!owner) {
      const seconds = this.failures.secondsUntilBelow(this.failuresPerMinute, nowUs);
      if (seconds > 0) return seconds;
    }
    const state = owner ?? this.strangerOf(key, nowUs);
    if (nowUs < state.blockedUntilUs) return secondsUntil(state.blockedUntilUs, nowUs);
    if (nowUs - state.lastUs > forgetUs) state.failures = 0;
    state.failures += 1;
    state.lastUs = nowUs;
    state.blockedUntilUs = nowUs + this.waitUs(state.failures);
    this.failures.add(nowUs);
    return 0;
  }

  /** An attempt that began was right: its address starts anew and is exempt from the common limit for some days. */
  succeeded(remoteAddress: string): void {
    const nowUs = this.clock.monoUs();
    const key = addressKey(remoteAddress);
    this.failures.takeBack(nowUs);
    this.strangers.delete(key);
    this.owners.delete(key);
    if (this.owners.size >= ownersMax) this.owners.delete(this.owners.keys().next().value!);
    this.owners.set(key, { ...newState(), untilUs: nowUs + ownerUs });
  }

  /** An attempt that began was not looked at after all, because the camera was busy. */
  withdrawn(remoteAddress: string): void {
    const nowUs = this.clock.monoUs();
    const key = addressKey(remoteAddress);
    this.failures.takeBack(nowUs);
    const state = this.owners.get(key) ?? this.strangers.get(key);
    if (!state || state.failures === 0) return;
    state.failures -= 1;
    state.blockedUntilUs = state.lastUs + this.waitUs(state.failures);
  }

  /**
   * A try of the setup token, right or wrong.
   *
   * @returns 0: go on; else whole seconds to wait, and the try was not counted.
   */
  beginSetup(remoteAddress: string): number {
    const nowUs = this.clock.monoUs();
    const key = addressKey(remoteAddress);
    const known = this.claimants.get(key);
    const seconds = Math.max(
      known?.secondsUntilBelow(this.setupTriesPerMinute, nowUs) ?? 0,
      this.setupTries.secondsUntilBelow(this.setupTriesPerMinute * setupAddressesPerMinute, nowUs),
    );
    if (seconds > 0) return seconds;
    if (!known && this.claimants.size >= claimantsMax) {
      for (const [name, tries] of this.claimants) if (tries.count(nowUs) === 0) this.claimants.delete(name);
      if (this.claimants.size >= claimantsMax) return waitSecondsMax;
    }
    const tries = known ?? new MinuteWindow();
    this.claimants.set(key, tries);
    tries.add(nowUs);
    this.setupTries.add(nowUs);
    return 0;
  }

  /** Entries of all tables; for tests and metrics. */
  get entryCount(): number {
    return this.strangers.size + this.owners.size + this.claimants.size;
  }

  private ownerOf(key: string, nowUs: number): AddressState | undefined {
    const owner = this.owners.get(key);
    if (!owner || nowUs < owner.untilUs) return owner;
    this.owners.delete(key);
    return undefined;
  }

  /** The state of a stranger, at the end of the table; the common one when there is no place. */
  private strangerOf(key: string, nowUs: number): AddressState {
    const known = this.strangers.get(key);
    if (known) this.strangers.delete(key);
    else if (this.strangers.size >= strangersMax && !this.makePlace(nowUs)) return this.crowd;
    const state = known ?? newState();
    this.strangers.set(key, state);
    return state;
  }

  /** Lets go of what is forgotten anyway, else of one that has free failures left; those that have to wait stay. */
  private makePlace(nowUs: number): boolean {
    for (const [key, { lastUs }] of this.strangers) {
      if (nowUs - lastUs <= forgetUs) break;
      this.strangers.delete(key);
    }
    if (this.strangers.size < strangersMax) return true;
    for (const [key, { failures }] of this.strangers)
      if (failures < this.freeFailures) return this.strangers.delete(key);
    return false;
  }

  private waitUs(failures: number): number {
    if (failures < this.freeFailures) return 0;
    return Math.min(2 ** (failures - this.freeFailures), waitSecondsMax) * 1e6;
  }
}

function newState(): AddressState {
  return { failures: 0, lastUs: 0, blockedUntilUs: 0 };
}

function secondsUntil(us: number, nowUs: number): number {
  return Math.max(1, Math.ceil((us - nowUs) / 1e6));
}
