import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { historyLength, PacketHistory } from '../../src/live/packet-history.ts';

describe('the packet history', () => {
  it('finds where a packet came from by its 16-bit sequence number', () => {
    const history = new PacketHistory();
    history.remember(65530, 12, 77, 5, 4_000_000_000);
    assert.deepEqual(history.find(65535), {
      recordSequence: 77,
      packet: 10,
      index: 65535,
      rtpTimestamp: 4_000_000_000,
    });
    assert.deepEqual(
      { ...history.find(3) },
      {
        recordSequence: 77,
        packet: 14,
        index: 65539,
        rtpTimestamp: 4_000_000_000,
      },
    );
    assert.equal(history.find(65529), undefined);
    assert.equal(history.find(6), undefined);
  });

  it('finds nothing before something was remembered, not even sequence number 0', () => {
    const history = new PacketHistory();
    assert.equal(history.find(0), undefined);
    history.remember(0, 1, 1, 0, 0);
    assert.equal(history.find(0)?.index, 0);
  });

  it('forgets what is older than its length, and never takes an older cycle for this one', () => {
    const history = new PacketHistory();
    for (let index = 0; index < 3 * 65536; index += 64) history.remember(index, 64, index / 64, 0, index);
    const end = 3 * 65536;
    assert.equal(history.find((end - historyLength - 1) % 65536), undefined);
    for (let index = end - historyLength; index < end; index++)
      assert.equal(history.find(index % 65536)?.index, index);
  });

  it('holds the packet number of any packet that a record can have', () => {
    const history = new PacketHistory();
    // 512 MiB, the largest record of the largest ring, in the smallest payloads that can be configured.
    history.remember(5, 1, 1, 2_200_000, 0);
    assert.equal(history.find(5)?.packet, 2_200_000);
  });
});
