/**
 * Date and time as RFC 3339 §5.6 writes them, strictly: `Date.parse` takes `2` and the 30th of February. Pure.
 *
 * A leap second (`23:59:60Z`) is taken where the calendar allows one, and means the second after it, as in Unix time.
 */

const form =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;

/** What can be written in UTC with four digits of a year: an offset may lead out of it. */
const yearZeroUnixMs = -62_167_219_200_000;
const yearTenThousandUnixMs = 253_402_300_800_000;

/**
 * Milliseconds since 1970, UTC; digits of a second's fraction beyond the third are dropped.
 *
 * @returns undefined when the text is not a date and time with an offset.
 */
export function parseRfc3339(text: string): number | undefined {
  const match = form.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const offsetHour = Number(match[9] ?? 0);
  const offsetMinute = Number(match[10] ?? 0);
  if (month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 60 || offsetHour > 23 || offsetMinute > 59) return undefined;

  // Date.UTC takes the years 0 to 99 for 1900 to 1999, so the year is set by itself.
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, Math.min(second, 59), Number((match[7] ?? '').slice(0, 3).padEnd(3, '0')));
  const offsetMs = (offsetHour * 60 + offsetMinute) * 60_000 * (match[8] === '-' ? -1 : 1);
  const beforeLeapMs = date.getTime() - offsetMs;
  const utc = new Date(beforeLeapMs);
  if (second === 60 && !(utc.getUTCHours() === 23 && utc.getUTCMinutes() === 59)) return undefined;
  const unixMs = second === 60 ? beforeLeapMs + 1000 : beforeLeapMs;
  return unixMs >= yearZeroUnixMs && unixMs < yearTenThousandUnixMs ? unixMs : undefined;
}

/** Writes Unix milliseconds as RFC 3339 in UTC with milliseconds. */
export function formatRfc3339(unixMs: number): string {
  return new Date(unixMs).toISOString();
}

function daysOf(year: number, month: number): number {
  if (month !== 2) return [4, 6, 9, 11].includes(month) ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}
