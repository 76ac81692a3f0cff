/** Guards the one internal of node:dgram that the native data plane rests on. */
import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import { describe, it } from 'node:test';
import { descriptorHolder } from '../../../src/live/peer/dgram-descriptor.ts';
import { UdpBase } from '../../../src/live/peer/ice-base.ts';

describe('the descriptor of a node:dgram socket', () => {
  it('is that of a socket while it is bound, and negative when it is closed', async () => {
    const socket = dgram.createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const holder = descriptorHolder(socket);
    assert.ok(holder, 'this Node keeps the descriptor elsewhere: the native data plane is of no use');
    assert.match(readlinkSync(`/proc/self/fd/${holder.fd}`), /^socket:/);
    socket.close();
    await once(socket, 'close');
    assert.ok(holder.fd < 0);
  });

  it('warns nobody', async () => {
    const warnings: string[] = [];
    const listen = (warning: Error): unknown => warnings.push(warning.message);
    process.on('warning', listen);
    const socket = dgram.createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    descriptorHolder(socket);
    socket.close();
    await once(socket, 'close');
    await new Promise<void>(resolve => setImmediate(resolve));
    process.off('warning', listen);
    assert.deepEqual(warnings, []);
  });

  it('is no more once a base is being closed, and not while datagrams wait', async () => {
    const base = await UdpBase.open('127.0.0.1', 0, () => {});
    assert.ok(base.descriptor !== undefined && base.descriptor > 2);
    base.send(new Uint8Array(10), 9, '127.0.0.1');
    // node:dgram hands a datagram over at once where it can; either way the two agree.
    assert.equal(base.descriptor === undefined, base.queuedBytes > 0);
    const closing = base.close();
    assert.equal(base.descriptor, undefined);
    await closing;
  });
});
