/**
 * `PUT /api/v1/media/live/config`: the ICE servers of live sessions to come (contract.md §8).
 *
 * `POST …/config/test` asks servers once and stores nothing.
 *
 * All entries are taken or none, and the answer comes when they are on the disk. Credentials are shown masked, here and
 * in GET /system; an entry that comes back as it was shown keeps what is stored, so that a client may change one server
 * without knowing the password of another.
 */
import { iceServerRules } from '../../config/ice-server-rules.ts';
import { maskIceServer, parseIceServers, toLiveIceServers } from '../../config/ice-servers.ts';
import type { AnswerOf, Handlers } from '../operations.ts';
import { jsonReply } from '../reply.ts';
import type { HttpServices } from '../services.ts';

type Services = Pick<HttpServices, 'accounts' | 'live' | 'liveRequest'>;

/** The operations "update live configuration" and "try ICE servers". */
export function liveConfigHandlers(
  services: Services,
): Pick<Handlers, 'updateLiveConfig' | 'testIceServers'> {
  const { accounts, live, liveRequest } = services;
  return {
    async updateLiveConfig({ body, caller }) {
      const servers = withStoredCredentials(body.ice_servers, accounts.iceServers());
      parseIceServers(servers, iceServerRules(live.addresses));
      await accounts.setIceServers(servers, caller);
      return jsonReply(shownLiveConfig(servers));
    },
    async testIceServers({ body }) {
      const servers = withStoredCredentials(body.ice_servers, accounts.iceServers());
      parseIceServers(servers, iceServerRules(live.addresses));
      const iceServers = toLiveIceServers(servers);
      const reports = await liveRequest<'test-ice-servers'>({ kind: 'test-ice-servers', iceServers });
      const answer: AnswerOf<'testIceServers'> = {
        results: reports.map(({ reason, address, roundTripMs }, index) => ({
          server: maskIceServer(servers[index]!),
          is_usable: reason === null,
          reason,
          address,
          round_trip_ms: roundTripMs === null ? null : Math.round(roundTripMs * 10) / 10,
        })),
      };
      return jsonReply(answer);
    },
  };
}

/** The configuration as it may be shown: with credentials masked. */
export function shownLiveConfig(servers: readonly string[]): AnswerOf<'updateLiveConfig'> {
  return { ice_servers: servers.map(maskIceServer) };
}

/**
 * Puts stored entries in place of those that are their masked text. Two servers may look the same when they are masked;
 * then the first stands for the first.
 */
export function withStoredCredentials(given: readonly string[], stored: readonly string[]): string[] {
  const byMask = new Map<string, string[]>();
  for (const entry of stored) {
    const masked = maskIceServer(entry);
    if (masked !== entry) byMask.set(masked, [...(byMask.get(masked) ?? []), entry]);
  }
  return given.map(entry => byMask.get(entry)?.shift() ?? entry);
}
