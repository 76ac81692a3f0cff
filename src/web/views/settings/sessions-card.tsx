/** Who is logged in, and how to end that. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { CameraApi } from '../../api/camera-api.ts';
import { wordsOf } from '../../api/camera-problem.ts';
import { useLoaded } from '../../ui/hooks.ts';
import { durationText } from '../../ui/texts.ts';
import { toast } from '../../ui/toast.tsx';
import { LoadFault } from './card-parts.tsx';

const everyMs = 30_000;

export function SessionsCard({ api }: { readonly api: CameraApi }): JSX.Element {
  const sessions = useLoaded(() => api.sessions(), everyMs);
  const [ending, setEnding] = useState<string>();
  const end = async (id: string, label: string): Promise<void> => {
    setEnding(id);
    try {
      await api.endSession(id);
      toast(`${label} is logged out.`);
    } catch (error) {
      toast(wordsOf(error));
    }
    setEnding(undefined);
    sessions.reload();
  };
  return (
    <div class="card" id="sessions">
      <h2>Logged in</h2>
      <LoadFault loaded={sessions} />
      <ul class="list">
        {(sessions.value ?? []).map(({ id, label, is_current: isCurrent, valid_until: until }) => {
          const name = label === '' ? 'A program without a name' : label;
          return (
            <li key={id}>
              <div class="words">
                <strong>{name}</strong>
                <span class="small figures">
                  ends in {durationText(Date.parse(until) - Date.now())} unless it is used
                </span>
              </div>
              {isCurrent ? (
                <span class="badge">this one</span>
              ) : (
                <button
                  type="button"
                  class="danger"
                  disabled={ending === id}
                  aria-label={`Log out ${name}`}
                  onClick={() => void end(id, name)}
                >
                  Log out
                </button>
              )}
            </li>
          );
        })}
      </ul>
    </div>
  );
}
