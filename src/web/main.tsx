/**
 * The owner's web page: setting the camera up, the live picture, what was recorded, its settings.
 *
 * Runs in the browser, talks to its own camera alone, and knows nothing of the daemon but the types of its API. The folders:
 * api (requests and refusals), session (who is logged in), live, timeline, export, settings (what each of the views does,
 * without a pixel where that can be), views and ui (Preact), styles.
 */
import { render } from 'preact';
import { App } from './app.tsx';
import { PageSession } from './session/page-session.ts';
import './styles/base.css';
import './styles/forms.css';
import './styles/shell.css';
import './styles/live.css';
import './styles/timeline.css';
import './styles/settings.css';
import { publishView } from './ui/published.ts';
import { restoreTheme } from './ui/theme.ts';

restoreTheme();
publishView({ state: 'starting' });
const session = new PageSession();
window.addEventListener('online', () => session.wake());
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') session.wake();
});
const root = document.getElementById('app')!;
root.replaceChildren();
render(<App session={session} />, root);
session.begin();
