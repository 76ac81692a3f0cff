/** Numbers and times as people read them; times in the zone of this device. Pure. */

export function millisecondsText(ms: number): string {
  if (ms >= 10_000) return `${(ms / 1000).toFixed(0)} s`;
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}

export function bitRateText(bitsPerSecond: number): string {
  return bitsPerSecond >= 1e6
    ? `${(bitsPerSecond / 1e6).toFixed(1)} Mbit/s`
    : `${Math.round(bitsPerSecond / 1e3)} kbit/s`;
}

const byteUnits = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const;

/** In powers of ten, as cards are sold. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < byteUnits.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${byteUnits[unit]}`;
}

/** `45 s`, `12 min`, `3 h 20 min`, `5 days`. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) {
    const rest = seconds % 60;
    return minutes < 10 && rest > 0 ? `${minutes} min ${rest} s` : `${minutes} min`;
  }
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} days`;
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}

/** `14:05:09`, with tenths or ms where asked. */
export function clockText(unixMs: number, decimals: 0 | 3 = 0): string {
  const date = new Date(unixMs);
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(pad).join(':');
  return decimals === 0 ? clock : `${clock}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** `Mon 23 Nov`. */
export function dayText(unixMs: number): string {
  return new Date(unixMs).toLocaleDateString('en-GB', { weekday: 'short', day: 'numeric', month: 'short' });
}

/** `2026-11-23`, the day in the zone of this device. */
export function dateText(unixMs: number): string {
  const date = new Date(unixMs);
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}

/** For names of files: `2026-11-23T14-05-09`. */
export function fileTime(unixMs: number): string {
  return `${dateText(unixMs)}T${clockText(unixMs).replaceAll(':', '-')}`;
}

/** The value of an `<input type="datetime-local" step="1">`. */
export function localInputText(unixMs: number): string {
  return `${dateText(unixMs)}T${clockText(unixMs)}`;
}
