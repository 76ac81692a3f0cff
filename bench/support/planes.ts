/**
 * The data planes that this machine has, and runs of packets to hand to them: 30 packets of 1200 bytes, a picture of
 * 1080p60 at 17 Mbit/s.
 */
import { randomBytes } from 'node:crypto';
import { chooseDataPlane } from '../../src/native/choose-data-plane.ts';
import type { DataPlane, PacketRun, SrtpProfile, StreamOptions } from '../../src/native/data-plane.ts';
import { JavaScriptDataPlane } from '../../src/native/javascript-data-plane.ts';
import { H264Payloader } from '../../src/rtp/h264-payloader.ts';
import { PacketTable } from '../../src/rtp/packet-table.ts';
import type { BenchContext } from '../context.ts';

export const srtpProfiles = [
  { profile: 'AEAD_AES_128_GCM', id: 'gcm', name: 'GCM', saltBytes: 12 },
  { profile: 'AES128_CM_HMAC_SHA1_80', id: 'cm', name: 'CM-SHA1-80', saltBytes: 14 },
] as const satisfies readonly { profile: SrtpProfile; id: string; name: string; saltBytes: number }[];

/** Packets of a run. */
export const packetsPerRun = 30;

/** JavaScript, and before it the native plane where the addon can be loaded; says in the report when it cannot. */
export function planesOf(context: BenchContext): readonly DataPlane[] {
  const { plane, fallbackReason } = chooseDataPlane('auto');
  if (plane.name === 'native') return [plane, new JavaScriptDataPlane()];
  context.note(`the native data plane is not measured: ${fallbackReason ?? 'it was not chosen'}`);
  return [plane];
}

/** Whether a camera here has the native plane; says in the report why it has not. */
export function nativeIsThere(context: BenchContext): boolean {
  return planesOf(context)[0]!.name === 'native';
}

/** Keys, header and the rest of a stream as a browser negotiates them. */
export function streamOptions(
  { profile, saltBytes }: (typeof srtpProfiles)[number],
  how: Pick<StreamOptions, 'send' | 'target'>,
): StreamOptions {
  return {
    profile,
    keys: { masterKey: randomBytes(16), masterSalt: randomBytes(saltBytes) },
    header: {
      ssrc: 1,
      payloadType: 102,
      playoutDelay: { id: 3, minMs: 0, maxMs: 0 },
      absCaptureTimeId: 5,
    },
    marksFrameEnd: true,
    ...how,
  };
}

/** A run that is handed on again and again; `advance` gives it indexes that nothing had. */
export function runOf(isIntact: boolean): { readonly run: PacketRun; advance(): void } {
  const lengthBytes = packetsPerRun * 1198 - 1;
  const bytes = new Uint8Array(new SharedArrayBuffer(4 + lengthBytes)).map((_, i) => 1 + (i % 255));
  bytes[4] = 0x41;
  const table = new PacketTable();
  const source = { bytes, nalCount: 1, nalStart: () => 4, nalEnd: () => 4 + lengthBytes };
  const packetCount = new H264Payloader().split(source, 1200, table);
  const run = {
    ...{ bytes, table, firstPacket: 0, packetCount, firstIndex: 0, rtpTimestamp: 1 },
    captureWallUnixMs: 1.8e12,
    isIntact: () => isIntact,
  };
  const advance = (): void => {
    run.firstIndex += packetCount;
    run.rtpTimestamp = (run.rtpTimestamp + 1500) % 2 ** 32;
  };
  return { run, advance };
}
