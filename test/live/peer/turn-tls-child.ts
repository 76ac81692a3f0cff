/** A process of turn-coturn.test.ts: opens a relayed base over TLS and gives it back. */
import { RelayBase } from '../../../src/live/peer/relay-base.ts';
import { turnUser } from '../../support/coturn.ts';

const base = await RelayBase.open({
  transport: 'tls',
  host: '127.0.0.1',
  address: '127.0.0.1',
  port: Number(process.argv[2]),
  ...turnUser,
  allowLoopback: true,
  receive: () => {},
  signal: new AbortController().signal,
});
await base.close();
