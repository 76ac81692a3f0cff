/** Upgrades of the firmware: drop an image, see it sent, checked and tried, and learn when the camera went back. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { CameraApi, FirmwareState } from '../../api/camera-api.ts';
import { wordsOf } from '../../api/camera-problem.ts';
import {
  followUpgrade,
  mayUpload,
  resultWords,
  sendImage,
  slotWords,
  stateTone,
  stateWords,
  type UpgradeNews,
  type Upload,
} from '../../settings/firmware.ts';
import { Icon } from '../../ui/icons.tsx';
import { bytesText } from '../../ui/texts.ts';
import { Rows } from './card-parts.tsx';

interface Props {
  readonly api: CameraApi;
  readonly version: string | undefined;
}

export function FirmwareCard({ api, version }: Props): JSX.Element {
  const [news, setNews] = useState<UpgradeNews>();
  const [isOver, setOver] = useState(false);
  const [share, setShare] = useState<number>();
  const [error, setError] = useState<string>();
  const upload = useRef<Upload>();
  useEffect(() => {
    const abort = new AbortController();
    void followUpgrade(api, setNews, abort.signal);
    return () => {
      abort.abort();
      upload.current?.cancel();
    };
  }, [api]);

  const send = async (image: File | undefined): Promise<void> => {
    if (!image || upload.current) return;
    setError(undefined);
    setShare(0);
    upload.current = sendImage(api, image, setShare);
    try {
      await upload.current.done;
    } catch (problem) {
      setError(wordsOf(problem));
    }
    upload.current = undefined;
    setShare(undefined);
  };
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    void send(event.dataTransfer?.files[0]);
  };
  const status = news?.kind === 'status' ? news.status : undefined;
  const offersUpload = share === undefined && status !== undefined && mayUpload(status.state);
  return (
    <div class="card" id="firmware">
      <h2>Firmware</h2>
      {news && <Rows rows={[['Runs', status?.version ?? version], ...slotRows(status)]} />}
      <FirmwareNews news={news} />
      {error !== undefined && (
        <p id="firmware-error" class="message" role="alert" data-tone="bad">
          {error}
        </p>
      )}
      {share !== undefined && (
        <div class="progress">
          <progress max={1} value={share} aria-label="Upload" />
          <div class="buttons">
            <span class="small figures">
              {share < 1 ? `${Math.floor(share * 100)} % sent` : 'Sent. The camera checks it.'}
            </span>
            <button type="button" class="quiet" onClick={() => upload.current?.cancel()}>
              Cancel
            </button>
          </div>
        </div>
      )}
      {offersUpload && (
        // biome-ignore lint/a11y/noStaticElementInteractions: the button inside does the same for keyboards.
        <div
          class="drop"
          data-over={isOver}
          onDragOver={event => {
            event.preventDefault();
            setOver(true);
          }}
          onDragLeave={() => setOver(false)}
          onDrop={drop}
        >
          <Icon name="upload" />
          <p class="small">Drop a firmware image here, or</p>
          <label class="quiet button" for="firmware-file">
            Choose a file
          </label>
          <input
            id="firmware-file"
            class="visually-hidden"
            type="file"
            onChange={event => {
              void send(event.currentTarget.files?.[0]);
              event.currentTarget.value = '';
            }}
          />
        </div>
      )}
      {offersUpload && status.canRollBack && <RollBack api={api} status={status} />}
    </div>
  );
}

function slotRows(status: FirmwareState | undefined): (readonly [string, string])[] {
  if (!status) return [];
  const { slots, activeSlot, board } = status;
  const nameOf = (name: string): string =>
    name === 'factory' ? 'Came with' : `Slot ${name.length === 1 ? name.toUpperCase() : name}`;
  return [
    ['Images for', board],
    ...slots.map((slot): [string, string] => [
      `${nameOf(slot.name)}${slot.name === activeSlot ? ', runs' : ''}`,
      slotWords(slot),
    ]),
  ];
}

/** The way back to the version before, asked twice. */
function RollBack({ api, status }: { readonly api: CameraApi; readonly status: FirmwareState }): JSX.Element {
  const [isAsked, setAsked] = useState(false);
  const [error, setError] = useState<string>();
  const version = status.rollBackTo ?? 'the version before';
  const goBack = async (): Promise<void> => {
    setAsked(false);
    setError(undefined);
    try {
      await api.rollBack();
    } catch (problem) {
      setError(wordsOf(problem));
    }
  };
  return (
    <div id="roll-back">
      {error !== undefined && (
        <p class="message" role="alert" data-tone="bad">
          {error}
        </p>
      )}
      {isAsked && (
        <p class="small">
          The camera restarts with {version}. Live view and recording pause for some seconds.
        </p>
      )}
      <div class="buttons">
        {isAsked ? (
          <>
            <button type="button" class="danger" onClick={() => void goBack()}>
              Restart with {version}
            </button>
            <button type="button" class="quiet" onClick={() => setAsked(false)}>
              Keep {status.version}
            </button>
          </>
        ) : (
          <button type="button" class="quiet" onClick={() => setAsked(true)}>
            Go back to {version}
          </button>
        )}
      </div>
    </div>
  );
}

function FirmwareNews({ news }: { readonly news: UpgradeNews | undefined }): JSX.Element {
  return (
    <div role="status" id="firmware-state">
      {news?.kind === 'not-set-up' && (
        <p class="message" data-tone="quiet">
          Upgrades are not set up on this camera: no key says which firmware it may trust. Whoever runs it
          names one with --firmware-keys.
        </p>
      )}
      {news?.kind === 'away' && (
        <p class="message" data-tone="warn">
          {news.problem.message}
        </p>
      )}
      {news?.kind === 'status' && (
        <>
          <p class="message" data-tone={stateTone(news.status.state)}>
            {stateWords(news.status.state)}
          </p>
          {news.status.progress && news.status.state === 'receiving' && (
            <Received {...news.status.progress} />
          )}
          {resultWords(news.status.lastResult) && (
            <p class="small">Last upgrade: {resultWords(news.status.lastResult)}</p>
          )}
        </>
      )}
    </div>
  );
}

/** How much the camera has of an image, whoever sends it. */
function Received({ receivedBytes, totalBytes }: NonNullable<FirmwareState['progress']>): JSX.Element {
  return (
    <div class="progress">
      <progress max={1} value={totalBytes ? receivedBytes / totalBytes : 0} aria-label="Received" />
      <p class="small figures">
        {bytesText(receivedBytes)}
        {totalBytes !== null && ` of ${bytesText(totalBytes)}`}
      </p>
    </div>
  );
}
