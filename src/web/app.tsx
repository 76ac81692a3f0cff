/** One view at a time: which, is the session's to say. */
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { PageSession } from './session/page-session.ts';
import { useChanges } from './ui/hooks.ts';
import { Mark } from './ui/icons.tsx';
import { publishView } from './ui/published.ts';
import { Toast } from './ui/toast.tsx';
import { LoginView } from './views/login-view.tsx';
import { SetupView } from './views/setup-view.tsx';
import { Shell } from './views/shell.tsx';

export function App({ session }: { readonly session: PageSession }): JSX.Element {
  useChanges(session);
  const { stage } = session;
  useEffect(() => {
    if (stage.name !== 'home') publishView({ state: stage.name, refreshes: session.refreshes });
  }, [stage, session]);
  return (
    <>
      {stage.name === 'home' ? (
        <Shell key={stage.api.token} session={session} api={stage.api} />
      ) : (
        <main class="gate-page">{gateOf(session)}</main>
      )}
      <Toast />
    </>
  );
}

function gateOf(session: PageSession): JSX.Element {
  const { stage } = session;
  const unencrypted = !window.isSecureContext && (
    <p class="foot small">
      The connection to this camera is not encrypted. Use it only in a network that you trust, or turn https
      on.
    </p>
  );
  if (stage.name === 'setup')
    return (
      <div>
        <SetupView session={session} setupToken={stage.setupToken} notice={stage.notice} />
        {unencrypted}
      </div>
    );
  if (stage.name === 'login')
    return (
      <div>
        <LoginView session={session} notice={stage.notice} email={stage.email} />
        {unencrypted}
      </div>
    );
  return <Starting session={session} />;
}

function Starting({ session }: { readonly session: PageSession }): JSX.Element {
  const { stage } = session;
  const problem = stage.name === 'starting' ? stage.problem : undefined;
  return (
    <section class="card gate" aria-labelledby="starting-title">
      <Mark />
      <h1 id="starting-title">{problem ? 'Not ready' : 'One moment'}</h1>
      <p class="lead" role="status">
        {problem?.message ?? 'The camera is asked how it is.'}
      </p>
      {problem && problem.status !== 429 && (
        <form>
          <button type="button" class="primary" onClick={() => void session.ask()}>
            Try now
          </button>
        </form>
      )}
    </section>
  );
}
