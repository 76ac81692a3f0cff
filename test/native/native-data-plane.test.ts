/**
 * The native data plane: the conformance suite, byte for byte the same as JavaScript, and its way into the kernel over
 * real sockets. Skipped where the addon is not built.
 */
import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { constants } from 'node:os';
import { describe, it } from 'node:test';
import { descriptorHolder } from '../../src/live/peer/dgram-descriptor.ts';
import type { DatagramTarget, DataPlane, PacketRun } from '../../src/native/data-plane.ts';
import { type DataPlaneBinding, SendMethod } from '../../src/native/data-plane-binding.ts';
import { JavaScriptDataPlane } from '../../src/native/javascript-data-plane.ts';
import { NativeDataPlane } from '../../src/native/native-data-plane.ts';
import { PacketTable } from '../../src/rtp/packet-table.ts';
import { makeKeys, nalUnit, type Profile, profiles } from '../live/live-fixture.ts';
import { nativeAddon } from '../support/native-addon.ts';
import { describeDataPlane, runOf } from './data-plane-conformance.ts';

const { EAGAIN, EBADF, EIO, ENOBUFS, ENOSYS, EPERM } = constants.errno;

/** A picture of 37 packets: parameter sets together, and a slice in fragments of one length and a shorter last. */
function picture(overrides: Partial<PacketRun> = {}): PacketRun {
  return runOf([nalUnit([0x67], 30, 1), nalUnit([0x68], 6, 1), nalUnit([0x65], 35_001, 1)], 1000, overrides);
}

interface Opened {
  readonly sent: Buffer[];
  send(run: PacketRun): boolean;
}

function open(
  plane: DataPlane,
  profile: Profile,
  keys: ReturnType<typeof makeKeys>,
  extensions = 0,
  target?: () => DatagramTarget | undefined,
): Opened {
  const sent: Buffer[] = [];
  const stream = plane.openStream({
    profile,
    keys,
    header: {
      ssrc: 0xfedcba98,
      payloadType: 97,
      playoutDelay: extensions & 1 ? { id: 3, minMs: 0, maxMs: 40 } : undefined,
      absCaptureTimeId: extensions & 2 ? 5 : undefined,
    },
    marksFrameEnd: (extensions & 4) === 0,
    send: packet => sent.push(Buffer.from(packet)),
    ...(target && { target }),
  });
  return { sent, send: run => plane.send(stream, run) };
}

function describeEquality(addon: DataPlaneBinding): void {
  describe('both data planes send the same bytes', () => {
    for (const profile of profiles)
      it(`over 2^17 packets, roll-overs and the end of the indexes: ${profile}`, () => {
        const keys = makeKeys(profile);
        const native = open(new NativeDataPlane(addon), profile, keys, 3);
        const javascript = open(new JavaScriptDataPlane(), profile, keys, 3);
        const bytes = new Uint8Array(new SharedArrayBuffer(4096));
        for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 2654435761) >>> 24;
        const table = new PacketTable();
        for (let i = 0; i < 512; i++) {
          const prefixLength = i % 4;
          const at = table.reservePrefix(prefixLength);
          table.prefixes.fill(i, at, at + prefixLength);
          table.add(at, prefixLength, (i * 7) % 4000, 8 + (i % 80));
        }
        const run = picture({ bytes, table, packetCount: 512 });
        // 2^17 in a row over two roll-overs, then the last of all.
        const firstIndexes = Array.from({ length: 256 }, (_, i) => 2 ** 32 - 30_000 + 512 * i);
        for (const firstIndex of [...firstIndexes, 2 ** 48 - 512]) {
          const next = { ...run, firstIndex, rtpTimestamp: firstIndex % 2 ** 32 };
          assert.ok(native.send(next) && javascript.send(next));
          const ours = Buffer.concat(native.sent.splice(0));
          assert.equal(Buffer.compare(ours, Buffer.concat(javascript.sent.splice(0))), 0, String(firstIndex));
        }
      });

    it('with every form of the header, every length of a packet, and pieces of a picture', () => {
      for (const profile of profiles)
        for (let extensions = 0; extensions < 8; extensions++) {
          const keys = makeKeys(profile);
          const native = open(new NativeDataPlane(addon), profile, keys, extensions);
          const javascript = open(new JavaScriptDataPlane(), profile, keys, extensions);
          const table = new PacketTable();
          const bytes = nalUnit([0x65], 1500, 2);
          for (let length = 1; length < 1500; length += 1 + (length >> 5)) table.add(0, 0, 0, length);
          for (const [firstPacket, packetCount] of [
            [0, 1],
            [1, 40],
            [41, table.count - 41],
          ] as const) {
            const run = picture({ bytes, table, firstPacket, packetCount, captureWallUnixMs: 1e12 + 0.3 });
            native.send(run);
            javascript.send(run);
          }
          assert.deepEqual(native.sent, javascript.sent);
        }
    });
  });
}

/** A receiver, and a sender's target towards it. Both are closed by `close`. */
async function openPair(family: 4 | 6) {
  const type = `udp${family}` as const;
  const address = family === 4 ? '127.0.0.1' : '::1';
  const receiver = dgram.createSocket({ type, recvBufferSize: 4 << 20 });
  const sender = dgram.createSocket(type);
  for (const socket of [receiver, sender]) {
    socket.bind(0, address);
    await once(socket, 'listening');
  }
  const { fd } = descriptorHolder(sender)!;
  const target: DatagramTarget = { fd, address, port: receiver.address().port };
  /** The next `count` datagrams, each from the sender. */
  const receive = (count: number): Promise<Buffer[]> =>
    new Promise(resolve => {
      const received: Buffer[] = [];
      receiver.on('message', (bytes, from) => {
        assert.equal(from.port, sender.address().port);
        if (received.push(bytes) < count) return;
        receiver.removeAllListeners('message');
        resolve(received);
      });
    });
  const close = (): void => {
    receiver.close();
    sender.close();
  };
  return { target, receive, sender, close };
}

/** The addon with a kernel that answers as told: numbers are counts of datagrams it takes or negative errnos. */
function scripted(addon: DataPlaneBinding, answers: number[]) {
  const calls: { first: number; method: SendMethod }[] = [];
  const binding: DataPlaneBinding = {
    ...addon,
    transmit: (_fd, _address, _arena, _ends, first, _last, method) => {
      calls.push({ first, method });
      return answers.shift() ?? -EPERM;
    },
  };
  return { binding, calls };
}

function describeSending(addon: DataPlaneBinding): void {
  const methods = Object.entries(SendMethod);
  const { segmentation, batch, single } = SendMethod;
  const here: DatagramTarget = { fd: 0, address: '127.0.0.1', port: 9 };
  const keys = makeKeys(profiles[0]);

  describe('the way of the native data plane into the kernel', () => {
    for (const family of [4, 6] as const)
      for (const [name, method] of methods)
        it(`sends the same datagrams by ${name} over IPv${family} as by callback`, async t => {
          if (method === segmentation && !addon.hasSegmentation)
            return t.skip('the kernel has no UDP_SEGMENT');
          const pair = await openPair(family).catch(() => undefined);
          if (!pair) return t.skip(`no IPv${family} on the loopback interface`);
          try {
            const run = picture();
            const expected = open(new NativeDataPlane(addon), profiles[0], keys);
            expected.send(run);
            const opened = open(new NativeDataPlane(addon, method), profiles[0], keys, 0, () => pair.target);
            const received = pair.receive(run.packetCount);
            assert.equal(opened.send(run), true);
            assert.equal(opened.sent.length, 0);
            assert.deepEqual(await received, expected.sent);
          } finally {
            pair.close();
          }
        });

    it('cuts a run where lengths grow, at 64 datagrams and at 65,507 bytes', async () => {
      const pair = await openPair(4);
      try {
        const table = new PacketTable();
        const bytes = nalUnit([0x65], 70_000, 2);
        // 130 equal, longer, shorter, equal to that, a lone one, and sixty that fill a message by their bytes.
        const lengths = [...Array(130).fill(40), 50, 30, 30, 400, 2, ...Array(60).fill(1380)];
        for (const length of lengths) table.add(0, 0, 0, length);
        const run = picture({ bytes, table, packetCount: lengths.length });
        const expected = open(new JavaScriptDataPlane(), profiles[1], makeKeys(profiles[1]));
        expected.send(run);
        const opened = open(
          new NativeDataPlane(addon),
          profiles[1],
          makeKeys(profiles[1]),
          0,
          () => pair.target,
        );
        const received = pair.receive(lengths.length);
        opened.send(run);
        assert.deepEqual(
          (await received).map(packet => packet.length),
          expected.sent.map(packet => packet.length),
        );
      } finally {
        pair.close();
      }
    });

    it('sends nothing of a torn picture into the kernel', async () => {
      const pair = await openPair(4);
      try {
        const opened = open(new NativeDataPlane(addon), profiles[0], keys, 0, () => pair.target);
        assert.equal(opened.send(picture({ isIntact: () => false })), false);
        const received = pair.receive(1);
        const run = picture({ packetCount: 1, firstIndex: 1000 });
        opened.send(run);
        assert.equal((await received)[0]!.readUInt16BE(2), 1000);
        assert.equal(opened.sent.length, 0);
      } finally {
        pair.close();
      }
    });

    it('asks for the target once a run, after the picture was found intact', () => {
      const order: string[] = [];
      const { binding } = scripted(addon, [99]);
      const opened = open(new NativeDataPlane(binding), profiles[0], keys, 0, () => {
        order.push('target');
        return here;
      });
      opened.send(
        picture({
          isIntact: () => {
            order.push('intact');
            return true;
          },
        }),
      );
      assert.deepEqual(order, ['intact', 'target']);
    });

    for (const [name, errno] of [
      ['a full buffer', EAGAIN],
      ['no buffers', ENOBUFS],
      ['a filter', EPERM],
    ] as const)
      it(`gives what the kernel does not take to the socket, in order: ${name}`, () => {
        const run = picture();
        const { binding, calls } = scripted(addon, [10, 5, -errno]);
        const opened = open(new NativeDataPlane(binding, segmentation), profiles[0], keys, 0, () => here);
        assert.equal(opened.send(run), true);
        assert.deepEqual(
          calls.map(({ first }) => first),
          [0, 10, 15],
        );
        const all = open(new NativeDataPlane(addon), profiles[0], keys);
        all.send(run);
        assert.deepEqual(opened.sent, all.sent.slice(15));
      });

    it('gives everything to the socket while there is no target, and for an address that is none', () => {
      for (const target of [undefined, { ...here, address: 'camera.example' }]) {
        const { binding, calls } = scripted(addon, [99]);
        const opened = open(new NativeDataPlane(binding), profiles[0], keys, 0, () => target);
        const run = picture();
        opened.send(run);
        opened.send(run);
        assert.equal(opened.sent.length, 2 * run.packetCount);
        assert.equal(calls.length, 0);
      }
    });

    it('takes the next way for as long as the target is the same when one is refused', () => {
      const all = picture().packetCount;
      const { binding, calls } = scripted(addon, [3, -EIO, all - 3, all, -ENOSYS, all, all]);
      let target = here;
      const opened = open(new NativeDataPlane(binding, segmentation), profiles[0], keys, 0, () => target);
      for (let i = 0; i < 3; i++) opened.send(picture());
      target = { ...here };
      opened.send(picture());
      assert.deepEqual(
        calls.map(({ method }) => method),
        [segmentation, segmentation, batch, batch, batch, single, segmentation],
      );
      assert.equal(opened.sent.length, 0);
    });

    it('tells that a socket is closed and does not end the process', () => {
      const ends = new Uint32Array([5]);
      const address = addon.socketAddress('127.0.0.1', 9);
      for (const [, method] of methods)
        assert.equal(addon.transmit(2 ** 31 - 1, address, new Uint8Array(5), ends, 0, 1, method), -EBADF);
    });

    it('sends to link-local addresses by the name of their interface', () => {
      const bytes = addon.socketAddress('fe80::1%lo', 0x1234);
      assert.equal(bytes.length, 28);
      assert.deepEqual([...bytes.subarray(2, 4)], [0x12, 0x34]);
      assert.equal(new DataView(bytes.buffer).getUint32(24, true), 1);
    });
  });
}

const binding = nativeAddon()?.dataPlane;
if (binding) {
  describeDataPlane('the native data plane', () => new NativeDataPlane(binding));
  describeEquality(binding);
  describeSending(binding);
}
