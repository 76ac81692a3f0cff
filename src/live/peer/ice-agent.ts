/**
 * A full ICE agent for one component of one viewer: connectivity checks (RFC 8445 §7), nomination, consent freshness
 * (RFC 7675) and the demultiplexing of what arrives (RFC 7983).
 *
 * The camera answers, so it is controlled, unless the viewer is ICE-lite or wins a role conflict. Two things serve the
 * time to the first picture: an authentic check of the viewer is answered with ours in the same moment (triggered
 * check), and the first valid pair may be used before the viewer nominates one (RFC 8445 §12.1.1).
 *
 * Why not werift's: it takes requests without checking MESSAGE-INTEGRITY, forgets the sender of what arrives, binds to
 * all addresses, gives up at once on an offer without candidates, has a fixed consent time-out of 30 s, and its timers
 * cannot be stopped. Left out: trickling and ICE restarts (there is no way to signal them in the API), TCP, local
 * peer-reflexive candidates (the pair's socket is what counts). Live thread.
 */
import { randomBytes } from 'node:crypto';
import type { Candidate } from '../offer/candidate.ts';
import { type CandidatePair, newPair, newTransactionId, pairPriority } from './candidate-pair.ts';
import type { IceBase } from './ice-base.ts';
import {
  checkIntervalMs,
  checkRetransmitMs,
  checkRetransmitMsMax,
  checksMax,
  consentChecksPerTimeout,
  datagramBytesMax,
  earlyDatagramsMax,
  pairsMax,
} from './peer-limits.ts';
import { readStunMessage, StunAttribute, type StunMessage, StunType, StunWriter } from './stun-message.ts';

export interface IceCredentials {
  readonly ufrag: string;
  readonly pwd: string;
}

export interface IceAgentOptions {
  readonly local: IceCredentials;
  readonly remote: IceCredentials & { readonly candidates: readonly Candidate[]; readonly iceLite: boolean };
  /** Time without an answer to a consent check after which the viewer is gone, ms. */
  readonly consentTimeoutMs: number;
  /** The first pair became usable. */
  readonly onReady: () => void;
  /** What is not STUN and came over a pair whose check was answered; borrowed for the call. */
  readonly onDatagram: (bytes: Buffer, isSelected: boolean) => void;
  readonly onConsentExpired: () => void;
}

/** Longer than this without a word, a nominated pair gives way to one of lower priority, ms. */
const silenceMs = 5000;
/** Consent checks whose answers are still awaited; older ones no longer count. */
const consentTransactionsMax = 8;
const peerReflexivePreference = 110;

export class IceAgent {
  /** Requests without the right credentials, and what was no STUN from unknown senders. */
  rejectedDatagrams = 0;
  private readonly options: IceAgentOptions;
  private readonly tieBreaker = randomBytes(8).readBigUInt64BE();
  private readonly pairs = new Map<string, CandidatePair>();
  private readonly bases: IceBase[] = [];
  private readonly early: { readonly pairKey: string; readonly bytes: Buffer }[] = [];
  private readonly consentTransactions: string[] = [];
  private isControlling: boolean;
  private isStarted = false;
  private isClosed = false;
  private isReady = false;
  private checkTimer: NodeJS.Timeout | undefined;
  private consentTimer: NodeJS.Timeout | undefined;
  private consentMs = 0;
  private selectedPair: CandidatePair | undefined;

  constructor(options: IceAgentOptions) {
    this.options = options;
    this.isControlling = options.remote.iceLite;
  }

  /** The pair that packets go over, once there is one. */
  get selected(): CandidatePair | undefined {
    return this.selectedPair;
  }

  /** Adds a base, also late. The base's datagrams go to {@link receive}. */
  addBase(base: IceBase): void {
    this.bases.push(base);
    if (!this.isStarted) return;
    this.pairWith(base);
    this.runChecks();
  }

  /** Begins the checks of the offered candidates. Requests of the peer are answered before, too. */
  start(): void {
    this.isStarted = true;
    for (const base of this.bases) this.pairWith(base);
    this.runChecks();
  }

  /** Stops all timers; the bases are closed by their owner. */
  close(): void {
    this.isClosed = true;
    clearTimeout(this.checkTimer);
    clearTimeout(this.consentTimer);
    this.selectedPair = undefined;
    this.pairs.clear();
    this.early.length = 0;
  }

  /** Takes a datagram from a base. Bytes are borrowed. Never throws. */
  readonly receive = (base: IceBase, bytes: Buffer, address: string, port: number): void => {
    if (this.isClosed || bytes.length === 0 || bytes.length > datagramBytesMax) return;
    if (bytes[0]! <= 3) {
      const message = readStunMessage(bytes);
      if (!message) this.rejectedDatagrams++;
      else if (message.type === StunType.request) this.onRequest(base, message, address, port);
      else this.onResponse(base, message, address, port);
      return;
    }
    const pair = this.pairs.get(pairKey(base, address, port));
    if (pair?.isValid) this.options.onDatagram(bytes, pair === this.selectedPair);
    else this.keepEarly(base, bytes, address, port);
  };

  /** DTLS that overtook the check of its pair is kept; everything else of an unknown sender is dropped. */
  private keepEarly(base: IceBase, bytes: Buffer, address: string, port: number): void {
    const isDtls = bytes[0]! >= 20 && bytes[0]! <= 63;
    if (isDtls && !this.isReady && this.early.length < earlyDatagramsMax)
      this.early.push({ pairKey: pairKey(base, address, port), bytes: Buffer.from(bytes) });
    else this.rejectedDatagrams++;
  }

  private pairWith(base: IceBase): void {
    const now = performance.now();
    for (const candidate of this.options.remote.candidates)
      if (base.family === (candidate.address.includes(':') ? 6 : 4))
        this.addPair(base, candidate.address, candidate.port, candidate.priority, now);
  }

  private onRequest(base: IceBase, request: StunMessage, address: string, port: number): void {
    const { local, remote } = this.options;
    if (
      request.text(StunAttribute.username) !== `${local.ufrag}:${remote.ufrag}` ||
      !request.isAuthentic(local.pwd)
    ) {
      this.rejectedDatagrams++;
      return;
    }
    if (this.repairsRole(base, request, address, port)) return;
    const now = performance.now();
    const response = new StunWriter(StunType.success, request.transactionId).mappedAddress(address, port);
    base.send(response.finish(local.pwd), port, address);
    const priority = request.uint32(StunAttribute.priority) ?? 1;
    const pair = this.addPair(base, address, port, priority, now);
    if (!pair) return;
    pair.lastHeardMs = now;
    if (request.has(StunAttribute.useCandidate) && !this.isControlling) pair.isNominated = true;
    if (!pair.isValid) {
      pair.checks = 0;
      this.sendCheck(pair, now);
      this.runChecks();
    } else this.select(pair, now);
  }

  /**
   * RFC 8445 §7.3.1.1: two agents with the same role; the larger tie-breaker controls. Returns whether the request was
   * answered with 487 and is done with.
   */
  private repairsRole(base: IceBase, request: StunMessage, address: string, port: number): boolean {
    const other = request.uint64(
      this.isControlling ? StunAttribute.iceControlling : StunAttribute.iceControlled,
    );
    if (other === undefined) return false;
    const wins = this.tieBreaker >= other;
    if (wins !== this.isControlling) {
      this.switchRole(wins);
      return false;
    }
    const response = new StunWriter(StunType.error, request.transactionId).error(487, 'Role Conflict');
    base.send(response.finish(this.options.local.pwd), port, address);
    return true;
  }

  private switchRole(isControlling: boolean): void {
    this.isControlling = isControlling;
    const now = performance.now();
    for (const pair of this.pairs.values()) {
      if (pair.isValid && !isControlling) continue;
      // As the controlling side we nominate by checking again; a changed request needs a new transaction.
      pair.transactionId = newTransactionId();
      pair.checks = 0;
      pair.nextCheckMs = now;
    }
    this.runChecks();
  }

  private onResponse(base: IceBase, response: StunMessage, address: string, port: number): void {
    const pair = this.pairs.get(pairKey(base, address, port));
    const isConsent = pair === this.selectedPair && this.consentTransactions.includes(response.transactionId);
    const isCheck = pair?.transactionId === response.transactionId;
    if (!pair || (!isConsent && !isCheck) || !response.isAuthentic(this.options.remote.pwd)) {
      this.rejectedDatagrams++;
      return;
    }
    const now = performance.now();
    pair.lastHeardMs = now;
    if (response.type === StunType.error) {
      if (isCheck && response.errorCode === 487) this.switchRole(!this.isControlling);
      return;
    }
    if (response.type !== StunType.success) return;
    if (isConsent) this.consentMs = now;
    if (!isCheck) return;
    pair.isValid = true;
    pair.nextCheckMs = Number.POSITIVE_INFINITY;
    // Our checks carry USE-CANDIDATE while we control, so an answered one is a nomination.
    if (this.isControlling) pair.isNominated = true;
    this.select(pair, now);
    this.releaseEarly(pair);
  }

  /** Selects a valid pair when there is none, or when it is nominated and better than, or instead of, the other. */
  private select(pair: CandidatePair, now: number): void {
    const current = this.selectedPair;
    if (current && current !== pair) {
      if (!pair.isNominated) return;
      const isBetter =
        !current.isNominated ||
        pairPriority(pair, this.isControlling) > pairPriority(current, this.isControlling) ||
        now - current.lastHeardMs > silenceMs;
      if (!isBetter) return;
    }
    if (current === pair && this.isReady) return;
    this.selectedPair = pair;
    this.consentMs = now;
    if (this.isReady) return;
    this.isReady = true;
    this.scheduleConsent();
    this.options.onReady();
  }

  private releaseEarly(pair: CandidatePair): void {
    if (this.early.length === 0 || this.isClosed) return;
    const key = pairKey(pair.base, pair.address, pair.port);
    const released = this.early.filter(datagram => datagram.pairKey === key);
    const kept = this.early.filter(datagram => datagram.pairKey !== key);
    this.early.splice(0, this.early.length, ...kept);
    for (const { bytes } of released) this.options.onDatagram(bytes, pair === this.selectedPair);
  }

  private addPair(
    base: IceBase,
    address: string,
    port: number,
    remotePriority: number,
    now: number,
  ): CandidatePair | undefined {
    const key = pairKey(base, address, port);
    let pair = this.pairs.get(key);
    if (!pair && this.pairs.size < pairsMax) {
      pair = newPair(base, address, port, remotePriority, now);
      this.pairs.set(key, pair);
    }
    return pair;
  }

  /** Sends the check that is due and has the highest priority, and sets the timer for the next. */
  private runChecks(): void {
    clearTimeout(this.checkTimer);
    if (this.isClosed || this.selectedPair?.isNominated) return;
    const now = performance.now();
    let due: CandidatePair | undefined;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const pair of this.pairs.values()) {
      if (pair.nextCheckMs > now) nextMs = Math.min(nextMs, pair.nextCheckMs);
      else if (!due || pairPriority(pair, this.isControlling) > pairPriority(due, this.isControlling))
        due = pair;
    }
    if (due) {
      this.sendCheck(due, now);
      nextMs = now + checkIntervalMs;
    }
    if (Number.isFinite(nextMs))
      this.checkTimer = setTimeout(() => this.runChecks(), Math.max(checkIntervalMs, nextMs - now));
  }

  private sendCheck(pair: CandidatePair, now: number): void {
    const waitMs = Math.min(checkRetransmitMs * 2 ** pair.checks, checkRetransmitMsMax);
    pair.checks++;
    pair.nextCheckMs = pair.checks < checksMax ? now + waitMs : Number.POSITIVE_INFINITY;
    pair.base.send(this.request(pair, pair.transactionId), pair.port, pair.address);
  }

  private request(pair: CandidatePair, transactionId: string): Buffer {
    const { local, remote } = this.options;
    const localPreference = Math.trunc(pair.base.candidate.priority / 256) & 0xffff;
    const writer = new StunWriter(StunType.request, transactionId)
      .text(StunAttribute.username, `${remote.ufrag}:${local.ufrag}`)
      .uint32(StunAttribute.priority, peerReflexivePreference * 2 ** 24 + localPreference * 2 ** 8 + 255)
      .uint64(
        this.isControlling ? StunAttribute.iceControlling : StunAttribute.iceControlled,
        this.tieBreaker,
      );
    if (this.isControlling) writer.flag(StunAttribute.useCandidate);
    return writer.finish(remote.pwd);
  }

  /** RFC 7675 §5.1: checks at random distances; the last answer must not be older than the time-out. */
  private scheduleConsent(): void {
    const { consentTimeoutMs } = this.options;
    const sinceMs = performance.now() - this.consentMs;
    if (sinceMs >= consentTimeoutMs) {
      this.options.onConsentExpired();
      return;
    }
    const intervalMs = (consentTimeoutMs / consentChecksPerTimeout) * (0.8 + 0.4 * Math.random());
    const waitMs = Math.min(intervalMs, consentTimeoutMs - sinceMs);
    this.consentTimer = setTimeout(() => {
      this.checkConsent();
      this.scheduleConsent();
    }, Math.ceil(waitMs));
  }

  private checkConsent(): void {
    const pair = this.selectedPair;
    if (!pair) return;
    const transactionId = newTransactionId();
    this.consentTransactions.push(transactionId);
    if (this.consentTransactions.length > consentTransactionsMax) this.consentTransactions.shift();
    pair.base.send(this.request(pair, transactionId), pair.port, pair.address);
  }
}

function pairKey(base: IceBase, address: string, port: number): string {
  return `${base.candidate.type} ${base.candidate.port} ${base.candidate.address} ${address} ${port}`;
}
