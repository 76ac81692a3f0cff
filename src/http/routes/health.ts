/**
 * `GET /healthz`: whether every worker runs, every source gives and the user database can be read; open to everybody, so
 * it tells states and counts and no reasons.
 *
 * 200 when all is well, else 503; the document is the same. Why a worker died may quote a command line with a password in
 * it, and stays in the log.
 */
import type { HealthReport } from '../../ipc/health.ts';
import type { AnswerOf, Handlers } from '../operations.ts';
import { jsonReply } from '../reply.ts';
import { formatRfc3339 } from '../rfc3339.ts';
import type { HttpServices } from '../services.ts';

/** The health check for supervisors, load balancers and people. */
export function healthHandlers(
  services: Pick<HttpServices, 'health' | 'clock' | 'startedMonoUs'>,
): Pick<Handlers, 'getHealth'> {
  return {
    getHealth() {
      const report = services.health();
      const { status, workers, sources } = report;
      const body: AnswerOf<'getHealth'> = {
        status,
        uptime: Math.floor((services.clock.monoUs() - services.startedMonoUs) / 1_000_000),
        workers: workers.map(({ name, state, restarts, sinceUnixMs }) => ({
          name,
          state,
          restarts,
          since: formatRfc3339(sinceUnixMs),
        })),
        sources: sources.map(({ name, isUp }) => ({ name, state: isUp ? 'running' : 'down' })),
        ...shownRecorder(report),
      };
      return status === 'ok'
        ? jsonReply(body)
        : jsonReply(body, { status: 503, headers: { 'retry-after': '1' } });
    },
  };
}

/** The member that says how the recorder is; none when the camera does not record. */
export function shownRecorder({
  recorder,
}: HealthReport): Pick<AnswerOf<'getHealth'> & AnswerOf<'getSystem'>, 'recorder'> {
  if (!recorder) return {};
  const { state, sinceUnixMs, index } = recorder;
  return { recorder: { state, since: formatRfc3339(sinceUnixMs), index } };
}
