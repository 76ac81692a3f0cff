/** The settings: one card for each thing; each asks for what it shows, so that one that fails leaves the others. */
import type { JSX } from 'preact';
import type { CameraApi, DeviceInfo, SystemInfo } from '../api/camera-api.ts';
import { type Loaded, useLoaded } from '../ui/hooks.ts';
import { bytesText, dayText, durationText } from '../ui/texts.ts';
import { recorderText } from './health-words.ts';
import { AboutCard } from './settings/about-card.tsx';
import { LoadFault, Rows } from './settings/card-parts.tsx';
import { FirmwareCard } from './settings/firmware-card.tsx';
import { IceServersCard } from './settings/ice-servers-card.tsx';
import { LogCard } from './settings/log-card.tsx';
import { PasswordCard } from './settings/password-card.tsx';
import { SessionsCard } from './settings/sessions-card.tsx';

const systemEveryMs = 10_000;

export function SettingsView({ api }: { readonly api: CameraApi }): JSX.Element {
  const device = useLoaded(() => api.device(), systemEveryMs);
  const system = useLoaded(() => api.system(), systemEveryMs);
  return (
    <section class="view" id="settings">
      <h1>Settings</h1>
      <div class="stacks">
        <div class="stack">
          <DeviceCard device={device} />
          <StorageCard system={system} />
          <AboutCard version={system.value?.firmwareVersion} />
        </div>
        <div class="stack">
          <PasswordCard api={api} />
          <SessionsCard api={api} />
        </div>
        <div class="stack">
          <IceServersCard api={api} stored={system.value?.live_session_config.ice_servers} />
          <FirmwareCard api={api} version={system.value?.firmwareVersion} />
        </div>
      </div>
      <LogCard api={api} />
    </section>
  );
}

function DeviceCard({ device }: { readonly device: Loaded<DeviceInfo> }): JSX.Element {
  const { value } = device;
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['Picture', value && `${value.resolution.replace('x', ' × ')}, ${value.fps} fps`],
    ['Video', value?.video_codec],
    ['Sound', value?.audio_codec],
    ['Running for', value && durationText(value.uptime * 1000)],
    ['Device', value?.uuid],
  ];
  return (
    <div class="card" id="camera">
      <h2>Camera</h2>
      <LoadFault loaded={device} />
      <Rows rows={rows} />
    </div>
  );
}

function StorageCard({ system }: { readonly system: Loaded<SystemInfo> }): JSX.Element {
  const storage = system.value?.storage;
  const total = storage?.bytes_total ?? 0;
  const own = storage?.bytes_recorded ?? 0;
  const other = Math.max(0, total - (storage?.bytes_free ?? 0) - own);
  const percent = (bytes: number): string => `${total > 0 ? (100 * bytes) / total : 0}%`;
  const span = storage?.oldest && storage.newest && Date.parse(storage.newest) - Date.parse(storage.oldest);
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['State', system.value && recorderText(system.value.recorder?.state)],
    ['Recorded since', storage?.oldest ? dayText(Date.parse(storage.oldest)) : undefined],
    ['A day takes', storage?.bytes_per_day ? bytesText(storage.bytes_per_day) : undefined],
    ['Will hold about', daysText(storage?.days_estimated)],
  ];
  return (
    <div class="card" id="storage">
      <h2>Storage</h2>
      <LoadFault loaded={system} />
      {total > 0 || !storage ? (
        <>
          <div
            class="bar-track storage"
            role="img"
            aria-label={`Recordings take ${bytesText(own)}, ${bytesText(storage?.bytes_free ?? 0)} are free`}
          >
            <span class="own" style={{ width: percent(own) }} />
            <span class="other" style={{ width: percent(other) }} />
          </div>
          <ul class="legend small figures">
            <li class="own">Recordings {bytesText(own)}</li>
            <li class="other">Other {bytesText(other)}</li>
            <li>Free {bytesText(storage?.bytes_free ?? 0)}</li>
          </ul>
        </>
      ) : (
        <p class="message" data-tone="warn">
          There is no card, or it does not answer.
        </p>
      )}
      <Rows rows={rows} />
      {span === 0 && <p class="small">The estimate comes after a minute of recording.</p>}
    </div>
  );
}

function daysText(days: number | null | undefined): string | undefined {
  if (days === null || days === undefined) return undefined;
  if (days < 2) return durationText(days * 86_400_000);
  return days < 10 ? `${days.toFixed(1)} days` : `${Math.round(days)} days`;
}
