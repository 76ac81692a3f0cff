/** The servers that help viewers from other networks: a list to edit, and a test of each. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { CameraApi, IceServerResult } from '../../api/camera-api.ts';
import { CameraProblem, wordsOf } from '../../api/camera-problem.ts';
import type { Notice } from '../../session/page-session.ts';
import { Message } from '../../ui/form.tsx';
import { Icon } from '../../ui/icons.tsx';
import { millisecondsText } from '../../ui/texts.ts';
import { Control } from '../live-view.tsx';

const serversMax = 8;

/** What the camera's rules say, by the word in its answer. */
const ruleWords: Readonly<Record<string, string>> = {
  scheme: 'write host:port, or an address that begins with stun:, turn: or turns:.',
  credentials: 'write user:password@ before the host, of TURN servers only.',
  masked: 'the stored password belongs to another address; enter it anew.',
  host: 'the host must be a name or an IP address.',
  address: 'the server must be another machine than the camera.',
  port: 'the port must be a number from 1 to 65535.',
  empty: 'it is empty.',
};

interface Props {
  readonly api: CameraApi;
  readonly stored: readonly string[] | undefined;
}

export function IceServersCard({ api, stored }: Props): JSX.Element {
  const [servers, setServers] = useState<readonly string[]>();
  const [results, setResults] = useState<Readonly<Record<string, IceServerResult>>>({});
  const [testing, setTesting] = useState<string>();
  const [notice, setNotice] = useState<Notice>();
  const isLoaded = stored !== undefined;
  useEffect(() => {
    if (isLoaded) setServers(stored);
  }, [isLoaded]);
  const list = servers ?? [];
  const isChanged = stored !== undefined && list.join('\n') !== stored.join('\n');

  const change = (index: number, text: string): void =>
    setServers(list.map((each, i) => (i === index ? text.trim() : each)));
  const save = async (): Promise<void> => {
    setNotice(undefined);
    try {
      const { ice_servers: saved } = await api.setIceServers(list.filter(text => text !== ''));
      setServers(saved);
      setNotice({ words: 'Saved. Viewers from now on use them.', tone: 'good' });
    } catch (error) {
      setNotice({ words: faultWords(error), tone: 'bad' });
    }
  };
  const test = async (server: string): Promise<void> => {
    setTesting(server);
    setNotice(undefined);
    try {
      const { results: answers } = await api.testIceServers([server]);
      setResults({ ...results, [server]: answers[0]! });
    } catch (error) {
      setNotice({ words: faultWords(error), tone: 'bad' });
    }
    setTesting(undefined);
  };
  return (
    <div class="card" id="ice-servers">
      <h2>Watching from elsewhere</h2>
      <p class="small hint">
        In your own network none is needed. From other networks a STUN server tells the camera its address,
        and a TURN server passes the picture on where nothing else works.
      </p>
      {list.map((server, index) => (
        <ServerRow
          key={index}
          index={index}
          server={server}
          result={results[server]}
          isTesting={testing === server}
          onChange={text => change(index, text)}
          onTest={() => void test(server)}
          onRemove={() => setServers(list.filter((_, i) => i !== index))}
        />
      ))}
      <Message id="ice-message" notice={notice} />
      <div class="buttons">
        <button
          id="ice-add"
          type="button"
          class="quiet"
          disabled={!servers || list.length >= serversMax}
          onClick={() => setServers([...list, ''])}
        >
          <Icon name="plus" /> Add a server
        </button>
        <button id="ice-save" type="button" class="primary" disabled={!isChanged} onClick={() => void save()}>
          Save
        </button>
      </div>
    </div>
  );
}

interface RowProps {
  readonly index: number;
  readonly server: string;
  readonly result: IceServerResult | undefined;
  readonly isTesting: boolean;
  onChange(text: string): void;
  onTest(): void;
  onRemove(): void;
}

function ServerRow({ index, server, result, isTesting, onChange, onTest, onRemove }: RowProps): JSX.Element {
  return (
    <div class="server">
      <div class="with-button">
        <input
          type="text"
          aria-label={`Server ${index + 1}`}
          placeholder="stun.example.org:3478"
          autoCapitalize="none"
          autoCorrect="off"
          spellcheck={false}
          maxLength={256}
          value={server}
          onInput={event => onChange(event.currentTarget.value)}
        />
        <button type="button" class="quiet" disabled={server === '' || isTesting} onClick={onTest}>
          {isTesting ? 'Testing' : 'Test'}
        </button>
        <Control icon="trash" label={`Remove server ${index + 1}`} onPress={onRemove} />
      </div>
      <p class="small" role="status" data-tone={result?.is_usable ? 'good' : 'bad'}>
        {result && resultText(result)}
      </p>
    </div>
  );
}

function resultText({ is_usable: isUsable, reason, address, round_trip_ms: ms }: IceServerResult): string {
  if (!isUsable) return `Does not work: ${reason}.`;
  return `Works: ${address}, answered in ${millisecondsText(ms ?? 0)}.`;
}

function faultWords(error: unknown): string {
  if (!(error instanceof CameraProblem)) return wordsOf(error);
  const { rule, index } = error.details;
  if (error.code !== 'ice-servers-invalid' || typeof rule !== 'string') return error.message;
  return `Server ${Number(index ?? 0) + 1}: ${ruleWords[rule] ?? 'the camera does not take it.'}`;
}
