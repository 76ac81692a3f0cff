/** What surrounds the views of somebody who is logged in: brand, tabs, theme, log-out, and a warning when one is due. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { type CameraApi, type DeviceInfo, type Health, readHealth } from '../api/camera-api.ts';
import type { PageSession } from '../session/page-session.ts';
import { useLoaded } from '../ui/hooks.ts';
import { Icon, type IconName, Mark } from '../ui/icons.tsx';
import { publishView } from '../ui/published.ts';
import { parseRoute, type Route, routeTo, type ViewName } from '../ui/routes.ts';
import { currentTheme, nextTheme, setTheme, type Theme } from '../ui/theme.ts';
import { ExportView } from './export-view.tsx';
import { healthWords } from './health-words.ts';
import { LiveView } from './live-view.tsx';
import { SettingsView } from './settings-view.tsx';
import { TimelineView } from './timeline-view.tsx';

/** How often the camera is asked how it is. */
const healthEveryMs = 15_000;

const tabs: readonly { readonly view: ViewName; readonly words: string; readonly icon: IconName }[] = [
  { view: 'live', words: 'Live', icon: 'live' },
  { view: 'timeline', words: 'Timeline', icon: 'timeline' },
  { view: 'export', words: 'Export', icon: 'export' },
  { view: 'settings', words: 'Settings', icon: 'settings' },
];

const themeIcons: Readonly<Record<Theme, IconName>> = { auto: 'auto', light: 'sun', dark: 'moon' };

interface Props {
  readonly session: PageSession;
  readonly api: CameraApi;
}

export function Shell({ session, api }: Props): JSX.Element {
  const route = useRoute();
  const [theme, showTheme] = useState(currentTheme());
  useSystemColours();
  const { value: health } = useLoaded(readHealth, healthEveryMs);
  const { value: device } = useLoaded(() => api.device());
  useEffect(() => {
    publishView({
      state: route.view,
      get refreshes() {
        return session.refreshes;
      },
    });
  }, [route.view, session]);
  const warning = health && healthWords(health);
  const changeTheme = (): void => {
    setTheme(nextTheme(theme));
    showTheme(currentTheme());
  };
  return (
    <div class="shell">
      <header class="bar">
        <span class="brand">
          <Mark />
          <span class="brand-name">Camera</span>
        </span>
        <nav class="tabs" aria-label="Views">
          {tabs.map(({ view, words, icon }) => (
            <a key={view} href={routeTo(view)} aria-current={route.view === view ? 'page' : undefined}>
              <Icon name={icon} />
              {words}
            </a>
          ))}
        </nav>
        <div class="tools">
          <button
            id="theme"
            type="button"
            class="icon-button"
            aria-label={`Colours: ${theme}`}
            title={`Colours: ${theme}`}
            onClick={changeTheme}
          >
            <Icon name={themeIcons[theme]} />
          </button>
          <button
            id="log-out"
            type="button"
            class="icon-button"
            aria-label="Log out"
            title="Log out"
            onClick={() => void session.logOut()}
          >
            <Icon name="logOut" />
          </button>
        </div>
      </header>
      {warning && route.view !== 'settings' && (
        <p class="banner" role="status">
          {warning}
          <a href={routeTo('settings')}>Look</a>
        </p>
      )}
      <main>{viewOf(route, { session, api, health, device })}</main>
    </div>
  );
}

interface ViewProps extends Props {
  readonly health: Health | undefined;
  readonly device: DeviceInfo | undefined;
}

function viewOf(route: Route, { api, health, device }: ViewProps): JSX.Element {
  switch (route.view) {
    case 'timeline':
      return <TimelineView api={api} at={route.moments[0]} framesPerSecond={device?.fps ?? 30} />;
    case 'export':
      return <ExportView api={api} moments={route.moments} />;
    case 'settings':
      return <SettingsView api={api} />;
    default:
      return <LiveView api={api} health={health} />;
  }
}

/** What is painted and not styled has to be painted anew when the system turns light or dark. */
function useSystemColours(): void {
  const [, turn] = useState(0);
  useEffect(() => {
    const system = matchMedia('(prefers-color-scheme: dark)');
    const changed = (): void => turn(count => count + 1);
    system.addEventListener('change', changed);
    return () => system.removeEventListener('change', changed);
  }, []);
}

function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const changed = (): void => setRoute(parseRoute(location.hash));
    window.addEventListener('hashchange', changed);
    return () => window.removeEventListener('hashchange', changed);
  }, []);
  return route;
}
