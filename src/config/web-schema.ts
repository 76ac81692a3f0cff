/**
 * The configuration's schema of what faces the network: web server, TLS, user and log-in. A part of schema.ts, which
 * says what is made from it. Pure data.
 */
import { pathOrNothing, textMax } from './text-limits.ts';
import type { GroupSchema } from './value-schema.ts';

/** The web server. */
export const httpSchema: GroupSchema = {
  type: 'object',
  description: 'Web server',
  default: {},
  additionalProperties: false,
  properties: {
    names: {
      type: 'array',
      description:
        'Host names that the camera answers to besides its own; name, or name:port behind a proxy.',
      title: 'host names, each NAME or NAME:PORT',
      default: [],
      items: { type: 'string', format: 'host-and-port' },
      maxItems: 16,
      uniqueItems: true,
    },
    origins: {
      type: 'array',
      description: 'Origins whose pages may use the API from a browser (CORS), each as https://name.',
      title: 'origins, each https://NAME or https://NAME:PORT with nothing after it',
      default: [],
      items: { type: 'string', format: 'origin' },
      maxItems: 16,
      uniqueItems: true,
    },
    requestsPerSecond: {
      type: 'integer',
      description: 'Requests a second of one address over time.',
      default: 50,
      minimum: 1,
      maximum: 100000,
    },
    requestBurst: {
      type: 'integer',
      description: 'Requests of one address at once.',
      default: 100,
      minimum: 1,
      maximum: 100000,
    },
    maxConnections: {
      type: 'integer',
      description: 'Most connections at once.',
      default: 256,
      minimum: 8,
      maximum: 10000,
    },
    maxConnectionsPerAddress: {
      type: 'integer',
      description: 'Most connections of one address at once.',
      default: 32,
      minimum: 1,
      maximum: 10000,
    },
    requestTimeoutSeconds: {
      type: 'integer',
      description: 'How long a request may take to arrive, and to be answered.',
      default: 10,
      minimum: 1,
      maximum: 60,
    },
    openMetrics: {
      type: 'boolean',
      description: 'Whether /metrics needs no token.',
      default: false,
    },
    validateReplies: {
      type: 'boolean',
      description: 'Check every answer against the description of the API; for development.',
      default: false,
    },
  },
};

/** TLS on the port of the web server. */
export const httpsSchema: GroupSchema = {
  type: 'object',
  description: 'TLS on the port of the web server',
  default: {},
  additionalProperties: false,
  properties: {
    enabled: {
      type: 'boolean',
      description: 'Serve HTTPS in place of HTTP.',
      default: false,
    },
    certificate: {
      type: 'string',
      description:
        'PEM file of the certificate with its chain; if empty, one is made and signed by the camera itself.',
      title: 'the path of a file, or nothing',
      default: '',
      pattern: pathOrNothing,
      maxLength: textMax,
    },
    key: {
      type: 'string',
      description: 'PEM file of the private key of that certificate.',
      title: 'the path of a file, or nothing',
      default: '',
      pattern: pathOrNothing,
      maxLength: textMax,
    },
    redirectPort: {
      type: 'integer',
      description: 'Port, other than the web server’s, on which plain HTTP is sent on to HTTPS; 0: none.',
      default: 0,
      minimum: 0,
      maximum: 65535,
    },
  },
};

/** The user, sessions and passwords. */
export const accountsSchema: GroupSchema = {
  type: 'object',
  description: 'User and log-in',
  default: {},
  additionalProperties: false,
  properties: {
    sessionSeconds: {
      type: 'integer',
      description: 'Life of a session from log-in or refresh.',
      default: 12 * 3600,
      minimum: 10,
      maximum: 30 * 86400,
    },
    sessionMaxSeconds: {
      type: 'integer',
      description: 'Life of a session in all, however often it is refreshed.',
      default: 30 * 86400,
      minimum: 10,
      maximum: 365 * 86400,
    },
    maxSessions: {
      type: 'integer',
      description: 'Most sessions at once; the oldest leaves.',
      default: 8,
      minimum: 1,
      maximum: 64,
    },
    passwordLengthMin: {
      type: 'integer',
      // The API's own example has five; the page asks for twelve.
      description: 'Fewest characters of a password.',
      default: 5,
      minimum: 1,
      maximum: 64,
    },
    argon2MemoryKib: {
      type: 'integer',
      // OWASP's smallest recommendation; the maximum is what a stored hash may ask for.
      description:
        'Memory of one password hash in KiB (argon2id, RFC 9106); 7168 with 5 iterations suits 128 MB boards.',
      default: 19456,
      minimum: 1024,
      maximum: 65536,
    },
    argon2Iterations: {
      type: 'integer',
      description: 'Passes of one password hash.',
      default: 2,
      minimum: 2,
      maximum: 16,
    },
    argon2Parallelism: {
      type: 'integer',
      description: 'Lanes of one password hash.',
      default: 1,
      minimum: 1,
      maximum: 4,
    },
    freeLoginFailures: {
      type: 'integer',
      description: 'Failed log-ins of one address before it has to wait: 1, 2, 4 … 60 seconds.',
      default: 5,
      minimum: 1,
      maximum: 1000000,
    },
    loginFailuresPerMinute: {
      type: 'integer',
      description: 'Failed log-ins a minute, of all addresses together.',
      default: 60,
      minimum: 1,
      maximum: 1000000,
    },
    setupTriesPerMinute: {
      type: 'integer',
      description: 'Tries of the setup token a minute.',
      default: 5,
      minimum: 1,
      maximum: 1000000,
    },
    linkSeconds: {
      type: 'integer',
      description: 'Life of a signed link to a clip.',
      default: 3600,
      minimum: 1,
      maximum: 604800,
    },
  },
};
