/**
 * Export: a range on the time line or typed, what it holds before anything is downloaded, the download, a link to share.
 */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { CameraApi, ClipManifest } from '../api/camera-api.ts';
import { wordsOf } from '../api/camera-problem.ts';
import { readRange, type TypedRange } from '../export/range-text.ts';
import { RecordingsList } from '../timeline/recordings-list.ts';
import { type Coverage, coverageOf, nearestRecorded, type Span } from '../timeline/spans.ts';
import { clamp, msPerPixelMax, msPerPixelMin } from '../timeline/time-scale.ts';
import { useChanges } from '../ui/hooks.ts';
import { Icon } from '../ui/icons.tsx';
import { publishDetail } from '../ui/published.ts';
import { routeTo } from '../ui/routes.ts';
import { bytesText, clockText, dayText, durationText, localInputText } from '../ui/texts.ts';
import { ExportActions } from './export-actions.tsx';
import { Control } from './live-view.tsx';
import { TimeStrip } from './time-strip.tsx';

/** What the range may be set to at once: the last so many ms. */
const presets = [
  { words: '1 min', ms: 60_000 },
  { words: '5 min', ms: 300_000 },
  { words: '15 min', ms: 900_000 },
  { words: '1 hour', ms: 3_600_000 },
] as const;

/** Before the camera is asked what a range holds, the hand must rest. */
const restMs = 350;

/** Shorter ones are the last pictures on their way to the card. */
const gapMsMin = 2000;

export type Sound = 'flac' | 'raw' | 'none';

interface Props {
  readonly api: CameraApi;
  /** Start and end from the address, if they are there. */
  readonly moments: readonly number[];
}

export function ExportView({ api, moments }: Props): JSX.Element {
  const [list] = useState(() => new RecordingsList(api));
  const [range, setRange] = useState<TypedRange>();
  const [view, setView] = useState({ centreUnixMs: Date.now(), msPerPixel: 1000 });
  const [sound, setSound] = useState<Sound>('flac');
  const [fault, setFault] = useState<string>();
  useChanges(list);
  useEffect(() => {
    list.start();
    return () => list.stop();
  }, [list]);
  const { spans } = list;
  const newest = spans?.at(-1)?.endUnixMs;

  const choose = (next: TypedRange): void => {
    const whole = {
      startUnixMs: Math.round(next.startUnixMs / 1000) * 1000,
      endUnixMs: Math.round(next.endUnixMs / 1000) * 1000,
    };
    setRange(whole);
    setFault(undefined);
  };
  const show = ({ startUnixMs, endUnixMs }: TypedRange): void => {
    const spread = ((endUnixMs - startUnixMs) * 2) / Math.max(320, window.innerWidth);
    setView({
      centreUnixMs: (startUnixMs + endUnixMs) / 2,
      msPerPixel: clamp(spread, msPerPixelMin, msPerPixelMax),
    });
  };
  const chooseLast = (ms: number): void => {
    if (newest === undefined) return;
    const next = { startUnixMs: Math.max(spans?.[0]?.startUnixMs ?? 0, newest - ms), endUnixMs: newest };
    choose(next);
    show(next);
  };
  const isListed = newest !== undefined;
  useEffect(() => {
    if (!isListed || range) return;
    const [start, end] = moments;
    if (start !== undefined && end !== undefined && end > start) {
      choose({ startUnixMs: start, endUnixMs: end });
      show({ startUnixMs: start, endUnixMs: end });
    } else chooseLast(60_000);
  });

  const typed = (which: 'start' | 'end', value: string): void => {
    if (!range) return;
    const start = which === 'start' ? value : localInputText(range.startUnixMs);
    const end = which === 'end' ? value : localInputText(range.endUnixMs);
    const read = readRange(start, end, Date.now());
    if (typeof read === 'string') setFault(read);
    else {
      choose(read);
      show(read);
    }
  };
  const { manifest, error, isAsking } = useManifest(api, range, sound);
  useEffect(() => {
    publishDetail({ range, bytes: manifest?.length_bytes, gaps: manifest?.gaps.length, fault });
    return () => publishDetail({});
  });

  if (spans && spans.length === 0)
    return (
      <section class="view">
        <h1>Export</h1>
        <div class="card empty">
          <Icon name="export" />
          <h2>Nothing is recorded yet</h2>
          <p>What the camera records can be exported within seconds.</p>
        </div>
      </section>
    );
  return (
    <section class="view" id="export">
      <h1>Export</h1>
      {!spans && list.error !== undefined && (
        <p class="message" role="alert" data-tone="bad">
          {wordsOf(list.error)}
        </p>
      )}
      <div class="line">
        <TimeStrip
          label="Middle of the time line"
          spans={spans ?? []}
          centreUnixMs={view.centreUnixMs}
          msPerPixel={view.msPerPixel}
          range={range ?? { startUnixMs: 0, endUnixMs: 0 }}
          onScale={(centreUnixMs, msPerPixel) =>
            setView({ centreUnixMs, msPerPixel: clamp(msPerPixel, msPerPixelMin, msPerPixelMax) })
          }
          onPick={unixMs => range && choose(moved(range, unixMs))}
          onRange={choose}
          keys={event => {
            const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
            if (step === undefined) return false;
            setView({ ...view, centreUnixMs: view.centreUnixMs + step * 60 * view.msPerPixel });
            return true;
          }}
        />
        <div class="line-tools">
          {presets.map(({ words, ms }) => (
            <button
              key={ms}
              type="button"
              class="quiet preset"
              disabled={!isListed}
              onClick={() => chooseLast(ms)}
            >
              <span class="visually-hidden">Last </span>
              {words}
            </button>
          ))}
          <span class="gap" />
          <Control
            icon="minus"
            label="Show more time"
            onPress={() => setView({ ...view, msPerPixel: Math.min(view.msPerPixel * 1.6, msPerPixelMax) })}
          />
          <Control
            icon="plus"
            label="Show less time"
            onPress={() => setView({ ...view, msPerPixel: Math.max(view.msPerPixel / 1.6, msPerPixelMin) })}
          />
        </div>
      </div>
      <div class="columns">
        <div class="card">
          <h2>Range</h2>
          {(['start', 'end'] as const).map(which => (
            <div class="field" key={which}>
              <label for={`export-${which}`}>{which === 'start' ? 'From' : 'To'}</label>
              <input
                id={`export-${which}`}
                type="datetime-local"
                step="1"
                value={range && localInputText(which === 'start' ? range.startUnixMs : range.endUnixMs)}
                aria-describedby="export-fault"
                onChange={event => typed(which, event.currentTarget.value)}
              />
            </div>
          ))}
          <div class="field">
            <label for="export-sound">Sound</label>
            <select
              id="export-sound"
              value={sound}
              onChange={event => setSound(event.currentTarget.value as Sound)}
            >
              <option value="flac">With sound</option>
              <option value="raw">With sound as G.711, for old players</option>
              <option value="none">Pictures alone</option>
            </select>
          </div>
          <p id="export-fault" class="message" role="alert" data-tone="bad">
            {fault ?? ''}
          </p>
          {range && (
            <a class="quiet" href={routeTo('timeline', nearestRecorded(spans ?? [], range.startUnixMs) ?? 0)}>
              <Icon name="play" /> Watch it
            </a>
          )}
        </div>
        <div class="card" aria-busy={isAsking}>
          <h2>Clip</h2>
          <ClipFacts manifest={manifest} error={error} gaps={gapsOf(spans, range)} />
          {range && (
            <ExportActions
              key={JSON.stringify([range, sound])}
              api={api}
              range={{ ...range, audio: sound }}
              manifest={manifest}
            />
          )}
        </div>
      </div>
    </section>
  );
}

/** A press brings the nearer end of the range there. */
function moved(range: TypedRange, unixMs: number): TypedRange {
  const isStart = Math.abs(unixMs - range.startUnixMs) < Math.abs(unixMs - range.endUnixMs);
  return isStart ? { ...range, startUnixMs: unixMs } : { ...range, endUnixMs: unixMs };
}

/** What of the range was not recorded, its edges too; what happens within the newest second is not listed yet. */
function gapsOf(spans: readonly Span[] | undefined, range: TypedRange | undefined): Coverage['gaps'] {
  if (!spans || !range) return [];
  const { gaps } = coverageOf(spans, range.startUnixMs, Math.min(range.endUnixMs, Date.now()));
  return gaps.filter(({ startUnixMs, endUnixMs }) => endUnixMs - startUnixMs >= gapMsMin);
}

interface ClipFactsProps {
  readonly manifest: ClipManifest | undefined;
  readonly error: unknown;
  readonly gaps: Coverage['gaps'];
}

function ClipFacts({ manifest, error, gaps }: ClipFactsProps): JSX.Element {
  if (error !== undefined)
    return (
      <p id="clip-facts" class="message" role="status" data-tone="warn">
        {wordsOf(error)}
      </p>
    );
  const gapsMs = gaps.reduce((sum, { startUnixMs, endUnixMs }) => sum + endUnixMs - startUnixMs, 0);
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['Length', manifest && durationText(manifest.duration * 1000)],
    ['Size', manifest && bytesText(manifest.length_bytes)],
    [
      'Begins',
      manifest && `${dayText(Date.parse(manifest.start))}, ${clockText(Date.parse(manifest.start))}`,
    ],
    ['Picture', manifest && `${manifest.video_codec}, ${manifest.resolution.replace('x', ' × ')}`],
    ['Sound', manifest && (manifest.audio_codec ?? 'none')],
    ['Not recorded', manifest && (gaps.length === 0 ? 'nothing is missing' : durationText(gapsMs))],
  ];
  return (
    <>
      <dl id="clip-facts" class="rows figures">
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value ?? '–'}</dd>
          </div>
        ))}
      </dl>
      {gaps.length > 0 && (
        <details class="gaps">
          <summary>Where nothing was recorded</summary>
          <ul class="small figures">
            {gaps.slice(0, 50).map(({ startUnixMs, endUnixMs }) => (
              <li key={startUnixMs}>
                {clockText(startUnixMs)} – {clockText(endUnixMs)} ({durationText(endUnixMs - startUnixMs)})
              </li>
            ))}
          </ul>
        </details>
      )}
      {manifest && manifest.left_out.length > 0 && (
        <p class="message" data-tone="warn">
          Part of this range was recorded with another codec and is left out; export it by itself.
        </p>
      )}
    </>
  );
}

interface AskedManifest {
  readonly manifest: ClipManifest | undefined;
  readonly error: unknown;
  readonly isAsking: boolean;
}

/** What the camera says of the range, once the hand rests. */
function useManifest(api: CameraApi, range: TypedRange | undefined, audio: Sound): AskedManifest {
  const [asked, setAsked] = useState<AskedManifest>({
    manifest: undefined,
    error: undefined,
    isAsking: true,
  });
  const { startUnixMs, endUnixMs } = range ?? {};
  useEffect(() => {
    if (startUnixMs === undefined || endUnixMs === undefined) return;
    const abort = new AbortController();
    setAsked({ manifest: undefined, error: undefined, isAsking: true });
    const timer = setTimeout(() => {
      api.manifest({ startUnixMs, endUnixMs, audio }, abort.signal).then(
        manifest => !abort.signal.aborted && setAsked({ manifest, error: undefined, isAsking: false }),
        (error: unknown) =>
          !abort.signal.aborted && setAsked({ manifest: undefined, error, isAsking: false }),
      );
    }, restMs);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [api, startUnixMs, endUnixMs, audio]);
  return asked;
}
