/**
 * The walk through an API document: every documented status of every operation is asked for by a real request, and the
 * answers are held against the document by code that shares nothing with the server's own check.
 *
 * What it finds missing, undocumented or unseen is a complaint; the camera of the package's own document gets none.
 */
import { gzipSync } from 'node:zlib';
import { CameraError } from '../../src/base/errors.ts';
import { Codec } from '../../src/base/tracks.ts';
import { type BootRecord, emptyBootRecord } from '../../src/firmware/boot-record.ts';
import type { FirmwareManifest } from '../../src/firmware/manifest.ts';
import type { ApiDocument } from '../../src/http/openapi/document.ts';
import { RequestFault } from '../../src/http/problems.ts';
import type { HttpServer } from '../../src/http/server.ts';
import { tarHeader } from '../firmware/tar-of.ts';
import { owner, setupToken } from './fake-accounts.ts';
import { FakeCamera, token } from './fake-services.ts';
import { raw } from './raw-client.ts';

interface Request {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string;
  /** In place of the body's own. */
  length?: number;
}

/** How the documented success of an operation is asked for; what is left out comes from the document. */
interface Way {
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** The file of a form; one character for each byte. */
  readonly file?: (camera: FakeCamera) => string;
  /** Puts the camera into the state for it. */
  readonly before?: (camera: FakeCamera) => void;
}

const basic = `Basic ${btoa(`${owner.email}:${owner.password}`)}`;
const live = '/api/v1/media/live/session';
const clip = '/api/v1/media/vod/1699999000/1699999020';
const multipartType = 'multipart/form-data; boundary=x_y';
const formOf = (file: string): string =>
  `--x_y\r\ncontent-disposition: form-data; name="img_file"; filename="a"\r\n\r\n${file}\r\n--x_y--\r\n`;
const unclaimed = (camera: FakeCamera): void => {
  camera.accounts.user = undefined;
};
const degraded = (camera: FakeCamera): void => {
  camera.health = { ...camera.health, status: 'degraded' };
};
const noSession = (camera: FakeCamera): void =>
  camera.failWith(new CameraError('session-unknown', 'there is none'));

/** With a gap, and with what one file cannot hold together. */
const recorded = ({ recordings }: FakeCamera): void => {
  recordings.add({ baseWallUnixMs: 1_699_999_000_000, fragments: 6, gaps: new Map([[3, 2]]) });
  recordings.add({ baseWallUnixMs: 1_699_999_010_000, fragments: 3, format: { codec: Codec.h265 } });
  recordings.writeFiles();
};
const withKey = ({ upgrades }: FakeCamera): void => {
  upgrades.setUp();
};
const image = ({ upgrades }: FakeCamera, changes: Partial<FirmwareManifest> = {}): string =>
  upgrades.image(changes).toString('latin1');
/** Slot a has a version to go back to, and something is known of an upgrade before. */
const upgradedOnce: BootRecord = {
  ...emptyBootRecord,
  slots: { a: { version: '0.9.0', payloadSha256: '0'.repeat(64), state: 'good' }, b: null },
  lastResult: {
    outcome: 'failed',
    version: '1.1.0',
    reason: 'firmware-corrupt',
    atUnixMs: 1_700_000_000_000,
  },
};
/** Unpacks to more than any card has room for. */
const hugeImage = ({ upgrades }: FakeCamera): string => {
  const payload = gzipSync(tarHeader({ name: 'dist/cli.js', size: '77777777777\0' }));
  return upgrades.image({}, payload).toString('latin1');
};
const ofClip = (headers: Readonly<Record<string, string>>): Way => ({
  path: clip,
  before: recorded,
  headers: { 'x-token': token, ...headers },
});

/** By operation and status; statuses that are the same for all operations are in {@link common}. */
const ways: Readonly<Record<string, Readonly<Record<number, Way>>>> = {
  getDevice: { 200: {} },
  createUser: {
    200: { before: unclaimed, headers: { 'x-token': setupToken }, body: owner },
    409: { body: owner },
  },
  getSetup: { 200: {} },
  obtainToken: { 200: {}, 401: { headers: {} } },
  refreshToken: { 200: {} },
  listUserSessions: { 200: {} },
  endUserSession: {
    200: { path: '/api/v1/user/sessions/session-of-the-test' },
    404: { path: '/api/v1/user/sessions/gone' },
  },
  logOut: { 200: {} },
  resetPassword: { 200: { body: 123456 } },
  testIceServers: { 200: { body: { ice_servers: ['stun.l.google.com:19302'] } } },
  updateLiveConfig: { 200: { body: { ice_servers: ['stun.l.google.com:19302'] } } },
  openLiveSession: { 200: { body: { type: 'offer', sdp: 'v=0\r\n' } } },
  getLiveSession: { 200: { path: `${live}/session-1` }, 404: { path: `${live}/gone`, before: noSession } },
  closeLiveSession: { 200: { path: `${live}/session-1` }, 404: { path: `${live}/gone`, before: noSession } },
  listRecordings: { 200: { path: '/api/v1/media/recordings', before: recorded } },
  downloadClip: {
    200: ofClip({ accept: 'application/json' }),
    206: ofClip({ range: 'bytes=0-9' }),
    304: ofClip({ 'if-none-match': '*' }),
    404: { path: clip },
    412: ofClip({ 'if-match': '"x"' }),
    416: ofClip({ range: 'bytes=999999999999-' }),
  },
  createClipLink: { 200: { body: { start: '2023-11-14T22:00:00.000Z', end: 'now' } } },
  getSystem: { 200: {} },
  getLogs: {
    200: { before: camera => camera.logTail.following(camera.services().logger).info('a line', { n: 1 }) },
  },
  upgradeFirmware: {
    200: { before: withKey, file: image },
    403: {},
    409: { before: withKey, file: camera => image(camera, { version: camera.upgrades.version }) },
    507: { before: withKey, file: hugeImage },
  },
  getUpgrade: { 200: { before: camera => camera.upgrades.setUp(upgradedOnce) } },
  rollBackFirmware: {
    200: { before: camera => camera.upgrades.setUp(upgradedOnce) },
    403: {},
    409: { before: withKey },
    507: {
      before: ({ upgrades }) => upgrades.failWith(new CameraError('firmware-no-room', 'the disk is full')),
    },
  },
  getOpenApi: { 200: {}, 304: { headers: { 'if-none-match': '*' } } },
  getHealth: { 200: {}, 503: { before: degraded } },
  getMetrics: { 200: {} },
};

/** The servers of a walk: one as it should be, and those on which something goes wrong for every request. */
interface Servers {
  readonly camera: FakeCamera;
  readonly well: HttpServer;
  /** A body that is not there at once is late. */
  readonly hasty: HttpServer;
  /** Every request is one too many. */
  readonly throttled: HttpServer;
  /** Fails before it knows what it is asked. */
  readonly broken: HttpServer;
}

type Elicit = (request: Request, servers: Servers) => HttpServer;

/** What makes any operation answer with a status. */
const common: Readonly<Record<number, Elicit>> = {
  400(request, { well }) {
    request.path += '?unknown=1';
    return well;
  },
  401(request, { well }) {
    delete request.headers['x-token'];
    delete request.headers.authorization;
    return well;
  },
  403(request, { well }) {
    request.headers.origin = 'http://evil.example';
    return well;
  },
  408(request, { hasty }) {
    request.length = (request.body ?? '').length + 1;
    return hasty;
  },
  413(request, { well }) {
    request.length = 10_000_000;
    return well;
  },
  415(request, { well }) {
    request.headers['content-type'] = 'text/plain';
    return well;
  },
  421(request, { well }) {
    request.headers.host = 'evil.example';
    return well;
  },
  429: (_, { throttled }) => throttled,
  500: (_, { broken }) => broken,
  503(_, { camera, well }) {
    camera.accounts.failure = new CameraError('accounts-damaged', 'cannot be read');
    return well;
  },
};

type Json = Readonly<Record<string, unknown>>;

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Json)[name] : undefined;
}

/** The walk itself. */
class Walk {
  readonly complaints: string[] = [];
  private readonly document: Json;
  private readonly servers: Servers;
  /** `operation status` of the answers. */
  private readonly seen = new Set<string>();
  /** `schema.member` of the answers' bodies, and of the document. */
  private readonly seenMembers = new Set<string>();
  private readonly describedMembers = new Set<string>();

  constructor(document: Json, servers: Servers) {
    this.document = document;
    this.servers = servers;
  }

  async run(): Promise<void> {
    for (const [path, item] of Object.entries(this.document.paths as Json)) {
      for (const [method, operation] of Object.entries(item as Json))
        await this.walkOperation(method.toUpperCase(), path, operation as Json);
      await this.walkOtherMethods(path, Object.keys(item as Json));
    }
    for (const name of this.describedMembers)
      if (!this.seenMembers.has(name)) this.complaints.push(`${name} is documented and in no answer`);
    for (const line of this.servers.camera.log)
      if (line.message.includes("breaks the API's document"))
        this.complaints.push(`${line.fields.method} ${line.fields.path}: ${line.fields.fault}`);
  }

  private async walkOperation(method: string, path: string, operation: Json): Promise<void> {
    const id = String(operation.operationId);
    for (const [status, response] of Object.entries(operation.responses as Json)) {
      const name = `${id} ${status}`;
      this.describe(response);
      const found = await this.ask(id, method, path, operation, Number(status));
      if (found !== Number(status)) this.complaints.push(`${name} is documented; the answer is ${found}`);
    }
  }

  /** Asks so that the status should come; resolves to the one that came. */
  private async ask(
    id: string,
    method: string,
    path: string,
    operation: Json,
    status: number,
  ): Promise<number | string> {
    this.servers.camera.restore();
    const way = ways[id]?.[status];
    const usual = way ?? Object.values(ways[id] ?? {})[0] ?? {};
    const request = requestOf(method, path, operation, usual, this.servers.camera);
    const elicit = common[status];
    if (!way && !elicit) return 'not asked for: the walk knows no way to it';
    usual.before?.(this.servers.camera);
    const server = way ? this.servers.well : elicit!(request, this.servers);
    const answer = await send(server, request);
    if (!answer) return 'a closed connection';
    this.seen.add(`${id} ${answer.status}`);
    const response = member(operation.responses, String(answer.status));
    if (response === undefined)
      this.complaints.push(`${id} answers ${answer.status}, which is not documented`);
    else this.see(id, this.resolve(response), answer);
    return answer.status;
  }

  private async walkOtherMethods(path: string, methods: readonly string[]): Promise<void> {
    this.servers.camera.restore();
    for (const method of ['get', 'put', 'post', 'delete', 'patch', 'options']) {
      if (methods.includes(method)) continue;
      const answer = await send(
        this.servers.well,
        requestOf(method.toUpperCase(), path, { security: [{ token: [] }] }, {}, this.servers.camera),
      );
      if (answer?.status !== 405)
        this.complaints.push(`${method} ${path} is not documented and answers ${answer?.status}`);
    }
  }

  private see(id: string, response: Json, answer: Answer): void {
    for (const [name, header] of Object.entries((response.headers ?? {}) as Json)) {
      const isRequired = this.resolve(header).required === true;
      if (isRequired && !answer.headers.has(name.toLowerCase()))
        this.complaints.push(`${id} ${answer.status} lacks ${name}`);
    }
    const type = answer.headers.get('content-type')?.split(';')[0] ?? '';
    const content = member(response.content, type);
    if (response.content !== undefined && content === undefined)
      this.complaints.push(`${id} ${answer.status} is ${type}, which is not documented`);
    const schema = member(content, 'schema');
    if (schema !== undefined && type.endsWith('json')) this.seeValue(schema, JSON.parse(answer.body));
  }

  private seeValue(schema: unknown, value: unknown): void {
    const { $ref } = schema as { $ref?: string };
    const target = this.resolve(schema);
    if (Array.isArray(value)) for (const item of value) this.seeValue(target.items ?? {}, item);
    else if (typeof value === 'object' && value !== null)
      for (const [name, each] of Object.entries(value)) {
        const described = member(target.properties, name);
        if (described !== undefined) {
          this.seenMembers.add(`${$ref}.${name}`);
          this.seeValue(described, each);
        } else if (target.additionalProperties === undefined || target.additionalProperties === false)
          this.complaints.push(`${$ref}.${name} is in an answer and not documented`);
      }
  }

  /** Notes the members of all schemas that a response may have. */
  private describe(response: unknown): void {
    for (const content of Object.values((this.resolve(response).content ?? {}) as Json))
      this.describeSchema(member(content, 'schema'), new Set());
  }

  private describeSchema(schema: unknown, above: ReadonlySet<unknown>): void {
    if (schema === undefined || above.has(schema)) return;
    const target = this.resolve(schema);
    const inner = new Set([...above, schema]);
    this.describeSchema(target.items, inner);
    for (const [name, each] of Object.entries((target.properties ?? {}) as Json)) {
      this.describedMembers.add(`${(schema as { $ref?: string }).$ref}.${name}`);
      this.describeSchema(each, inner);
    }
  }

  private resolve(value: unknown): Json {
    const reference = member(value, '$ref');
    if (typeof reference !== 'string') return (value ?? {}) as Json;
    return reference
      .split('/')
      .slice(1)
      .reduce<unknown>((found, name) => member(found, name), this.document) as Json;
  }
}

function requestOf(method: string, template: string, operation: Json, way: Way, camera: FakeCamera): Request {
  const security = ((operation.security ?? []) as Json[]).flatMap(each => Object.keys(each));
  const credentials: Record<string, string> = security.includes('basic')
    ? { authorization: basic }
    : security.length > 0
      ? { 'x-token': token }
      : {};
  const types = Object.keys((member(operation.requestBody, 'content') ?? {}) as Json);
  const isMultipart = types.includes('multipart/form-data');
  const json = way.body === undefined ? undefined : JSON.stringify(way.body);
  const body = isMultipart ? formOf(way.file?.(camera) ?? 'no image') : json;
  const type = isMultipart ? multipartType : 'application/json';
  return {
    method,
    path: way.path ?? template.replaceAll(/\{[a-z]+\}/g, '1700000000'),
    headers: {
      host: 'a',
      ...(body === undefined ? {} : { 'content-type': type }),
      ...(way.headers ?? credentials),
    },
    ...(body === undefined ? {} : { body }),
  };
}

interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

async function send(server: HttpServer, request: Request): Promise<Answer | undefined> {
  const length = request.length ?? (request.body ?? '').length;
  const fields = { ...request.headers, ...(length > 0 ? { 'content-length': String(length) } : {}) };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `${request.method} ${request.path} HTTP/1.1\r\n${lines.join('')}\r\n`;
  const { responses } = await raw(server.port, head + (request.body ?? ''), { expect: 1 });
  return responses[0];
}

/** Walks through a document as a camera serves it; resolves to what is wrong with it. */
export async function walk(document: ApiDocument): Promise<readonly string[]> {
  const camera = new FakeCamera();
  const servers: HttpServer[] = [];
  const serve = async (options: Parameters<FakeCamera['serve']>[0] = {}): Promise<HttpServer> => {
    const server = await camera.serve({ document, ...options });
    servers.push(server);
    return server;
  };
  const gate = { preflight: () => undefined, replyHeaders: () => ({}) };
  try {
    const well = await serve();
    const hasty = await serve({ deadlineMs: 20, bodyStreamMs: 20 });
    const throttled = await serve({
      gate: { ...gate, check: () => new RequestFault('rate-limited', { retryAfterSeconds: 1 }) },
    });
    const broken = await serve({
      gate: {
        ...gate,
        check() {
          throw new Error('broken');
        },
      },
    });
    const walking = new Walk(document.content as unknown as Json, { camera, well, hasty, throttled, broken });
    await walking.run();
    return walking.complaints;
  } finally {
    for (const server of servers) await server.close();
    camera.recordings.removeFiles();
  }
}
