/** The download of a clip with its progress, and a link to it that works for a while without a log-in. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { CameraApi, ClipManifest, ClipRange } from '../api/camera-api.ts';
import { wordsOf } from '../api/camera-problem.ts';
import { ClipDownload } from '../export/clip-download.ts';
import { clipName } from '../export/range-text.ts';
import { BlobSink, blobBytesMax, canPickFile, pickFile } from '../export/sinks.ts';
import { useChanges } from '../ui/hooks.ts';
import { Icon } from '../ui/icons.tsx';
import { bytesText, clockText, durationText, fileTime } from '../ui/texts.ts';
import { toast } from '../ui/toast.tsx';

interface Props {
  readonly api: CameraApi;
  readonly range: ClipRange;
  readonly manifest: ClipManifest | undefined;
}

export function ExportActions({ api, range, manifest }: Props): JSX.Element {
  const [download, setDownload] = useState<ClipDownload>();
  const [link, setLink] = useState<{ readonly url: string; readonly endsUnixMs: number }>();
  const [error, setError] = useState<string>();
  useChanges(download);
  // Another range is another clip; what was begun for this one ends with it.
  useEffect(() => () => download?.cancel(), [download]);
  const name = clipName(range, fileTime);

  const begin = async (): Promise<void> => {
    if (!manifest) return;
    const bytes = manifest.length_bytes;
    setError(undefined);
    try {
      if (bytes > blobBytesMax && !canPickFile()) {
        const { url } = await api.link(range);
        const anchor = document.createElement('a');
        anchor.href = url;
        anchor.download = name;
        anchor.click();
        toast('Your browser downloads it by itself.');
        return;
      }
      const sink = bytes > blobBytesMax ? await pickFile(name) : new BlobSink(name);
      if (!sink) return;
      const next = new ClipDownload(api, range, bytes, sink);
      setDownload(next);
      next.start();
    } catch (problem) {
      setError(wordsOf(problem));
    }
  };
  const share = async (): Promise<void> => {
    setError(undefined);
    try {
      const { url, lifeMs } = await api.link(range);
      const absolute = new URL(url, location.href).href;
      setLink({ url: absolute, endsUnixMs: Date.now() + lifeMs });
      await navigator.clipboard?.writeText(absolute);
      if (navigator.clipboard) toast('The link is copied.');
    } catch (problem) {
      // A browser that does not let the page copy shows the link all the same.
      if (!(problem instanceof DOMException)) setError(wordsOf(problem));
    }
  };
  const isUnderWay = download !== undefined && !['done', 'cancelled'].includes(download.state);
  return (
    <div class="actions">
      {isUnderWay ? (
        <Progress download={download} />
      ) : (
        <div class="buttons">
          <button
            id="download"
            type="button"
            class="primary"
            disabled={!manifest}
            onClick={() => void begin()}
          >
            <Icon name="export" /> Download
          </button>
          <button id="share" type="button" class="quiet" disabled={!manifest} onClick={() => void share()}>
            <Icon name="copy" /> Copy link
          </button>
        </div>
      )}
      <p
        id="download-state"
        class="message"
        role="status"
        data-tone={download?.state === 'done' ? 'good' : 'quiet'}
      >
        {download?.state === 'done' ? `Saved as ${name}` : ''}
        {download?.state === 'cancelled' ? 'The download was cancelled.' : ''}
      </p>
      {error !== undefined && (
        <p class="message" role="alert" data-tone="bad">
          {error}
        </p>
      )}
      {link && (
        <div class="field">
          <label for="link">Link</label>
          <input
            id="link"
            type="text"
            readOnly
            value={link.url}
            onFocus={event => event.currentTarget.select()}
          />
          <p class="note">
            Whoever has it can watch this clip, without a log-in, until {clockText(link.endsUnixMs)} (
            {durationText(link.endsUnixMs - Date.now())}). A new password ends it at once.
          </p>
        </div>
      )}
    </div>
  );
}

function Progress({ download }: { readonly download: ClipDownload }): JSX.Element {
  const { state, receivedBytes, totalBytes, speed, problem } = download;
  const share = totalBytes > 0 ? receivedBytes / totalBytes : 0;
  const leftMs = speed > 0 ? ((totalBytes - receivedBytes) / speed) * 1000 : undefined;
  const isHeld = state === 'paused' || state === 'failed';
  return (
    <div class="progress">
      <progress id="download-progress" max={1} value={share} aria-label="Download" />
      <p class="small figures">
        {bytesText(receivedBytes)} of {bytesText(totalBytes)}
        {state === 'running' &&
          leftMs !== undefined &&
          ` · ${bytesText(speed)}/s · ${durationText(leftMs)} left`}
        {state === 'paused' && ' · paused'}
      </p>
      {problem && state !== 'running' && (
        <p class="message" role="alert" data-tone="warn">
          {problem.message} {state === 'retrying' ? 'It goes on by itself.' : ''}
        </p>
      )}
      <div class="buttons">
        {isHeld ? (
          <button id="download-resume" type="button" class="primary" onClick={() => download.start()}>
            Go on
          </button>
        ) : (
          <button id="download-pause" type="button" class="quiet" onClick={() => download.pause()}>
            Pause
          </button>
        )}
        <button id="download-cancel" type="button" class="quiet" onClick={() => download.cancel()}>
          Cancel
        </button>
      </div>
    </div>
  );
}
