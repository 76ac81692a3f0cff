// The cutter against streams from real encoders (counts and sizes by ffprobe) and against synthetic ones.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Codec } from '../../src/base/tracks.ts';
import { AccessUnitCutter } from '../../src/codec/access-unit-cutter.ts';
import { addEmulationPrevention } from '../../src/codec/emulation-prevention.ts';
import {
  annexB,
  bytesOf,
  cutAll,
  drain,
  feed,
  fixture,
  h264Slice,
  h265Slice,
  hex,
  hexOf,
  type Picture,
  payload,
  pictureOf,
  videoCodecs,
} from './streams.ts';

/** Of each picture I, P, B (referred to) or b (not), and its NAL units; by ffprobe and ffmpeg's trace_headers. */
const fixtures = {
  '1080p60.h264': 'I4 P1 P1',
  'demo-720p30.h264': 'I4 P1 P1 P1',
  'slices-b-322x242.h264': 'I7 P4 b4 b4 P4 b4 I6 P4 b4 b4',
  'scaling-hrd-128x96.h264': 'I6 P2 B2 b2 b2 P2 I5 P2 B2 b2',
  'demo-720p30-hevc.h265': 'I4 P1 P1 P1',
  'slices-b-322x242.h265': 'I7 P3 B3 b3 I7 B3 b3 P3 B3 b3',
  'scaling-hrd-130x98.h265': 'I8 P2 B2 b2 b2 I8 b2 P2 B2 b2',
};

function describePicture(picture: Picture): string {
  const kind = picture.randomAccess ? 'I' : picture.bidirectional ? (picture.nonReference ? 'b' : 'B') : 'P';
  return kind + picture.nalUnits.length;
}

const codecOf = (name: string) => (name.endsWith('h264') ? Codec.h264 : Codec.h265);
const delimiterOf = (name: string) => (name.endsWith('h264') ? '09' : '46');

for (const [name, expected] of Object.entries(fixtures)) {
  const stream = fixture(name);
  const whole = cutAll(codecOf(name), stream);

  describe(name, () => {
    test('gives the pictures that the encoder made', () => {
      assert.equal(whole.pictures.map(describePicture).join(' '), expected);
      assert.deepEqual(whole.cutter.counters, {
        garbageBytes: 0,
        oversizeAccessUnits: 0,
        earlyFlushes: 0,
        accessUnits: whole.pictures.length,
      });
      assert.equal(whole.cutter.needsRandomAccess, false);
    });

    test('gives the same pictures whatever the sizes of the reads', () => {
      const lists = [[1], [2], [3], [7], [64], [65], [1000], [1, 4096, 3, 17]];
      for (const sizes of lists)
        assert.deepEqual(cutAll(codecOf(name), stream, sizes).pictures, whole.pictures, `${sizes}`);
    });

    test('gives the same pictures without delimiters and with three-byte start codes', () => {
      const nalUnits = hex(stream)
        .split(/(?:00)*(?:000001)/)
        .filter(nalUnit => nalUnit !== '' && !nalUnit.startsWith(delimiterOf(name)));
      // A split at odd digits would tear bytes apart; the fixtures have none, or the comparison fails.
      const stripped = bytesOf(...nalUnits.flatMap(nalUnit => ['000001', nalUnit]));
      assert.deepEqual(cutAll(codecOf(name), stripped, [333]).pictures, whole.pictures);
    });

    test('gives each picture at once when flushed behind it, none early', () => {
      const cutter = new AccessUnitCutter(codecOf(name));
      const pictures: Picture[] = [];
      for (const { nalUnits } of whole.pictures) {
        assert.equal(cutter.hasPendingPicture, false);
        assert.deepEqual(feed(cutter, annexB(...nalUnits)), []);
        assert.equal(cutter.hasPendingPicture, true);
        pictures.push(...drain(() => cutter.flush()));
        assert.equal(cutter.pendingBytes, 0);
      }
      assert.deepEqual(pictures, whole.pictures);
      assert.equal(cutter.counters.earlyFlushes, 0);
      assert.equal(cutter.continuationBytes, 0);
    });
  });
}

/** Pictures of random slices as they are in the stream: escaped, some before them that stay, some that are dropped. */
const syntheticPictures = (codec: number) => {
  const h264 = codec === Codec.h264;
  const slice = (first: boolean, data: Uint8Array, idr: boolean) => {
    const raw = h264
      ? h264Slice(idr ? 0x65 : 0x41, first ? 0 : 7, data)
      : h265Slice(idr ? 19 : 1, first, data);
    // The header bytes are never escaped; what follows ends with the stop bit.
    const headerBytes = h264 ? 1 : 2;
    return bytesOf(
      raw.subarray(0, headerBytes),
      addEmulationPrevention(bytesOf(raw.subarray(headerBytes), [0x80])),
    );
  };
  const before = h264
    ? ['06 05 01 aa 80', '06 01 80', '09 f0', '07 42', '0f 42']
    : ['4e 01 05 80', '46 01 50', '40 01 0c'];
  const dropped = /^(09|0f|46)/;
  const after = h264 ? ['0c ff ff 80', '0a', '0b'] : ['50 01 84 80', '4c 01 ff 80', '4a 01'];
  const kept = /^50/;
  return fc
    .array(
      fc.record({
        before: fc.subarray(before),
        slices: fc.array(payload, { minLength: 1, maxLength: 4 }),
        after: fc.subarray(after),
        idr: fc.boolean(),
      }),
      { minLength: 1, maxLength: 8 },
    )
    .map(pictures =>
      pictures.map(({ before, slices, after, idr }) => {
        const coded = slices.map((data, i) => slice(i === 0, data, idr));
        const inStream = [
          ...before.map(text => bytesOf(text)),
          ...coded,
          ...after.map(text => bytesOf(text)),
        ];
        const expected = [
          ...before.filter(text => !dropped.test(text)).map(text => bytesOf(text)),
          ...coded,
          ...after.filter(text => kept.test(text)).map(text => bytesOf(text)),
        ];
        return { inStream, expected: expected.map(hex) };
      }),
    );
};

for (const { name, codec } of videoCodecs)
  test(`${name}: random pictures come back from any start codes, trailing zeros, garbage and read sizes`, () => {
    fc.assert(
      fc.property(
        syntheticPictures(codec),
        fc.array(fc.nat(5), { minLength: 1, maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 20 }),
        fc.uint8Array({ min: 2, maxLength: 20 }),
        (pictures, zeros, sizes, garbage) => {
          const nalUnits = pictures.flatMap(picture => picture.inStream);
          const stream = bytesOf(
            garbage,
            ...nalUnits.flatMap((nalUnit, i) => [
              new Uint8Array(zeros[i % zeros.length]!),
              '000001',
              nalUnit,
            ]),
            new Uint8Array(zeros[0]!),
          );
          const { cutter, pictures: cut } = cutAll(codec, stream, sizes);
          assert.deepEqual(
            hexOf(cut),
            pictures.map(picture => picture.expected),
          );
          assert.equal(cutter.counters.garbageBytes, garbage.length);
        },
      ),
      { numRuns: 300 },
    );
  });

test('a start code split over two reads at every position is found', () => {
  const stream = annexB('65 88 84 21', '41 9a 02 03', '41 9a 04 05');
  for (let at = 1; at < stream.length; at++) {
    const cutter = new AccessUnitCutter(Codec.h264);
    const pictures = [...feed(cutter, stream.subarray(0, at)), ...feed(cutter, stream.subarray(at))];
    pictures.push(...drain(() => cutter.flush()));
    assert.deepEqual(hexOf(pictures), [['65888421'], ['419a0203'], ['419a0405']], `split at ${at}`);
  }
});

test('gives a picture as soon as the next one shows in its first bytes, before that one is whole', () => {
  const cutter = new AccessUnitCutter(Codec.h264);
  assert.equal(feed(cutter, annexB('65 88 80', '41')).length, 0);
  assert.equal(feed(cutter, bytesOf('9a')).length, 1);
  assert.equal(feed(cutter, bytesOf('81', '000001 09 f0')).length, 1);
});

test('passes over NAL units of no length and counts nothing', () => {
  const { cutter, pictures } = cutAll(
    Codec.h264,
    bytesOf('000001 000001 00000001 000001 65 88 000001 000001'),
  );
  assert.deepEqual(hexOf(pictures), [['6588']]);
  assert.equal(cutter.counters.garbageBytes, 0);
});

test('a slice of nothing but its header is garbage', () => {
  const { cutter, pictures } = cutAll(Codec.h264, annexB('65 88', '41', '41 9a'));
  assert.deepEqual(hexOf(pictures), [['6588'], ['419a']]);
  assert.equal(cutter.counters.garbageBytes, 1);
});

test('a NAL unit that ends in 03 after cabac_zero_words keeps it', () => {
  assert.deepEqual(hexOf(cutAll(Codec.h264, annexB('65 88 80 00 00 03 00 00 03')).pictures), [
    ['658880000003000003'],
  ]);
});

test('pictures before the first random access point are given, and needsRandomAccess tells it', () => {
  const cutter = new AccessUnitCutter(Codec.h264);
  feed(cutter, annexB('41 9a 01', '41 9a 02'));
  assert.equal(cutter.needsRandomAccess, true);
  feed(cutter, annexB('65 88 03'));
  assert.equal(cutter.counters.accessUnits, 2);
  assert.equal(cutter.needsRandomAccess, true);
  assert.equal(cutter.flush()!.randomAccess, true);
  assert.equal(cutter.needsRandomAccess, false);
});

for (const { name, codec, broken, good } of [
  { name: 'H.264', codec: Codec.h264, broken: 'e5 88 80', good: ['65 88 80', '41 9a 80'] },
  { name: 'H.265', codec: Codec.h265, broken: '26 00 af', good: ['26 01 af', '02 01 d0'] },
])
  test(`${name}: a NAL unit with a broken header is dropped, counted, and a new random access point needed`, () => {
    const cutter = new AccessUnitCutter(codec);
    feed(cutter, annexB(...good));
    assert.equal(cutter.needsRandomAccess, false);
    const pictures = feed(cutter, annexB(broken, good[1]!, good[1]!));
    assert.equal(cutter.counters.garbageBytes, 3);
    assert.deepEqual(
      hexOf(pictures).flat(),
      [good[1]!, good[1]!].map(text => hex(bytesOf(text))),
    );
    assert.equal(cutter.needsRandomAccess, true);
    feed(cutter, annexB(good[0]!, good[1]!));
    assert.equal(cutter.needsRandomAccess, false);
  });

describe('H.264 boundaries', () => {
  const data = bytesOf('aabb80');

  test('each of the types 6 to 9 and 15 to 18 begins an access unit after a slice; 12 and 14 do not', () => {
    for (const type of [6, 7, 8, 9, 15, 16, 17, 18]) {
      const cutter = new AccessUnitCutter(Codec.h264);
      assert.equal(feed(cutter, annexB('65 88 80', bytesOf([type, 0x80]), '41')).length, 1, `${type}`);
    }
    for (const type of [1, 10, 11, 12, 13, 14, 19, 20]) {
      const cutter = new AccessUnitCutter(Codec.h264);
      assert.equal(feed(cutter, annexB('65 88 80', bytesOf([type, 0x40, 0x80]), '41')).length, 0, `${type}`);
    }
  });

  test('slices with first_mb_in_slice above 0 join, a change of nal_ref_idc to 0 or of the IDR type parts', () => {
    const slices = [
      h264Slice(0x65, 0, data),
      h264Slice(0x65, 40, data),
      h264Slice(0x41, 80, data), // the first slice of this picture was lost
      h264Slice(0x61, 120, data), // nal_ref_idc 3 after 2: the same picture
      h264Slice(0x01, 160, data),
    ];
    const { pictures } = cutAll(Codec.h264, annexB(...slices));
    assert.deepEqual(
      pictures.map(picture => picture.nalUnits.length),
      [2, 2, 1],
    );
    assert.deepEqual(
      pictures.map(picture => picture.nonReference),
      [false, false, true],
    );
  });

  test('frame_num parts pictures whose first slice was lost, once the parameter sets are known', () => {
    const nalUnits = cutAll(Codec.h264, fixture('slices-b-322x242.h264')).pictures.map(
      picture => picture.nalUnits,
    );
    const [first, second, third] = nalUnits as [Uint8Array[], Uint8Array[], Uint8Array[]];
    const lossy = annexB(...first, ...second.slice(1), ...third.slice(1));
    assert.deepEqual(
      cutAll(Codec.h264, lossy).pictures.map(picture => picture.nalUnits.length),
      [7, 3, 3],
    );
  });

  test('each field is an access unit', () => {
    const { pictures } = cutAll(Codec.h264, annexB(h264Slice(0x65, 0, data), h264Slice(0x61, 0, data)));
    assert.equal(pictures.length, 2);
  });

  test('parameter sets, SEI and delimiter before the picture belong to it, whatever their order', () => {
    const { pictures } = cutAll(
      Codec.h264,
      annexB('06 05 80', '67 42', '09 f0', '68 ce', '06 01 80', '65 88 80', '09 f0'),
    );
    assert.deepEqual(hexOf(pictures), [['060580', '6742', '68ce', '060180', '658880']]);
  });

  test('slice data partitions B and C stay with partition A', () => {
    const { pictures } = cutAll(Codec.h264, annexB('42 88 80', '43 88 80', '44 88 80', '42 88 81'));
    assert.deepEqual(
      pictures.map(picture => picture.nalUnits.length),
      [3, 1],
    );
  });
});

describe('H.265 boundaries', () => {
  const data = bytesOf('aabb80');

  test('each of the types 32 to 35, 39, 41 to 44 and 48 to 55 begins an access unit; 36 to 38, 40 and 56 do not', () => {
    for (const type of [32, 33, 34, 35, 39, 41, 42, 43, 44, 48, 51, 55]) {
      const cutter = new AccessUnitCutter(Codec.h265);
      assert.equal(feed(cutter, annexB('26 01 af', bytesOf([2 * type, 1, 0x80]), '02')).length, 1, `${type}`);
    }
    for (const type of [36, 37, 38, 40, 45, 47, 56, 63]) {
      const cutter = new AccessUnitCutter(Codec.h265);
      assert.equal(feed(cutter, annexB('26 01 af', bytesOf([2 * type, 1, 0x80]), '02')).length, 0, `${type}`);
    }
  });

  test('a suffix SEI belongs to the picture before it, a prefix SEI to the one after', () => {
    const { pictures } = cutAll(
      Codec.h265,
      annexB('26 01 af', '50 01 84', '4e 01 05', '02 01 d0', '50 01 84'),
    );
    assert.deepEqual(hexOf(pictures), [
      ['2601af', '500184'],
      ['4e0105', '0201d0', '500184'],
    ]);
  });

  test('segments without first_slice_segment_in_pic_flag join, unless their type is another', () => {
    const { pictures } = cutAll(
      Codec.h265,
      annexB(
        h265Slice(19, true, data),
        h265Slice(19, false, data),
        h265Slice(1, false, data),
        h265Slice(0, false, data),
      ),
    );
    assert.deepEqual(
      pictures.map(picture => picture.nalUnits.length),
      [2, 1, 1],
    );
    assert.deepEqual(
      pictures.map(picture => picture.nonReference),
      [false, false, true],
    );
  });

  test('other layers and reserved types are left out and part nothing', () => {
    // Type 1 of layer 1 with the first-segment flag; a parameter set of layer 1; reserved VCL type 24.
    const { pictures } = cutAll(
      Codec.h265,
      annexB('26 01 af', '02 09 d0', '42 09 01', '30 01 d0', '50 01 84'),
    );
    assert.deepEqual(hexOf(pictures), [['2601af', '500184']]);
  });

  test('all intra random access types are random access points, leading pictures are not', () => {
    for (const type of [16, 17, 18, 19, 20, 21])
      assert.equal(cutAll(Codec.h265, annexB(h265Slice(type, true, data))).pictures[0]!.randomAccess, true);
    for (const type of [0, 1, 6, 7, 8, 9])
      assert.equal(cutAll(Codec.h265, annexB(h265Slice(type, true, data))).pictures[0]!.randomAccess, false);
  });
});

describe('flush', () => {
  test('gives nothing and loses nothing without a slice', () => {
    const cutter = new AccessUnitCutter(Codec.h264);
    for (const part of ['00000001 67', '42', '0000', '0001 68 ce 000001']) {
      assert.deepEqual(feed(cutter, bytesOf(part)), []);
      assert.equal(cutter.hasPendingPicture, false);
      assert.equal(cutter.flush(), undefined);
    }
    assert.ok(cutter.pendingBytes > 0);
    feed(cutter, bytesOf('65 88 80'));
    assert.deepEqual(hexOf(drain(() => cutter.flush())), [['6742', '68ce', '658880']]);
  });

  test('strips trailing zeros and takes them up again as the start code of the next picture', () => {
    const cutter = new AccessUnitCutter(Codec.h264);
    feed(cutter, bytesOf('000001 65 88 80 00 00'));
    assert.deepEqual(hexOf(drain(() => cutter.flush())), [['658880']]);
    feed(cutter, bytesOf('01 41 9a 80'));
    assert.deepEqual(hexOf(drain(() => cutter.flush())), [['419a80']]);
    assert.deepEqual(cutter.counters, {
      garbageBytes: 0,
      oversizeAccessUnits: 0,
      earlyFlushes: 0,
      accessUnits: 2,
    });
  });

  test('leaves a start code or a first header byte of the next picture pending', () => {
    for (const start of ['000001', '00000001 41']) {
      const cutter = new AccessUnitCutter(Codec.h264);
      feed(cutter, bytesOf('000001 65 88 80', start));
      assert.deepEqual(hexOf(drain(() => cutter.flush())), [['658880']]);
      feed(cutter, bytesOf(start.endsWith('41') ? '9a 80' : '41 9a 80'));
      assert.deepEqual(hexOf(drain(() => cutter.flush())), [['419a80']]);
      assert.equal(cutter.counters.earlyFlushes, 0);
    }
  });

  test('gives both pictures when a short one lies behind the pending one', () => {
    const cutter = new AccessUnitCutter(Codec.h264);
    cutter.reserve(100).set(annexB('65 88 80', '41 9a'));
    cutter.advance(13);
    assert.deepEqual(hexOf(drain(() => cutter.flush())), [['658880'], ['419a']]);
  });

  test('too early, inside a slice: the rest is counted once, dropped, and a random access point needed', () => {
    const cutter = new AccessUnitCutter(Codec.h264);
    feed(cutter, annexB('65 88 80 11'));
    assert.equal(cutter.flush()!.randomAccess, true);
    assert.equal(cutter.needsRandomAccess, false);
    feed(cutter, bytesOf('22 33'));
    assert.equal(cutter.needsRandomAccess, true);
    assert.equal(cutter.continuationBytes, 2);
    feed(cutter, bytesOf('44 00 00'));
    const pictures = feed(cutter, bytesOf('00 01 41 9a 80 00 00 01 65 88'));
    assert.equal(cutter.continuationBytes, 3);
    assert.equal(cutter.counters.earlyFlushes, 1);
    assert.equal(cutter.counters.garbageBytes, 0);
    assert.deepEqual(hexOf(pictures), [['419a80']]);
    assert.equal(cutter.needsRandomAccess, true);
    assert.deepEqual(hexOf(drain(() => cutter.flush())), [['6588']]);
    assert.equal(cutter.needsRandomAccess, false);
  });

  test('too early, between two slices: the slices that come late are dropped, the next picture is whole', () => {
    for (const name of ['slices-b-322x242.h264', 'slices-b-322x242.h265']) {
      const { pictures } = cutAll(codecOf(name), fixture(name));
      const cutter = new AccessUnitCutter(codecOf(name));
      const slices = pictures[0]!.nalUnits;
      feed(cutter, annexB(...slices.slice(0, 5)));
      assert.equal(drain(() => cutter.flush()).length, 1);
      assert.deepEqual(feed(cutter, annexB(...slices.slice(5), ...pictures[1]!.nalUnits)), []);
      assert.deepEqual(
        drain(() => cutter.flush()),
        [pictures[1]],
        name,
      );
      assert.equal(cutter.counters.earlyFlushes, 1);
      assert.ok(cutter.continuationBytes > 0);
      assert.equal(cutter.needsRandomAccess, true);
    }
  });

  test('every early flush is counted, and a late slice alone is no pending picture', () => {
    const cutter = new AccessUnitCutter(Codec.h264);
    for (const count of [1, 2, 3]) {
      feed(cutter, annexB('65 88 80'));
      assert.equal(drain(() => cutter.flush()).length, 1);
      feed(cutter, bytesOf('00000001', h264Slice(0x65, 9, bytesOf('80'))));
      assert.equal(cutter.hasPendingPicture, false);
      assert.equal(cutter.flush(), undefined);
      feed(cutter, bytesOf('000001'));
      assert.equal(cutter.counters.earlyFlushes, count);
    }
  });

  test('a suffix SEI behind a flushed picture is passed over without harm', () => {
    const cutter = new AccessUnitCutter(Codec.h265);
    feed(cutter, annexB('26 01 af'));
    cutter.flush();
    feed(cutter, annexB('50 01 84', '02 01 d0'));
    assert.deepEqual(hexOf(drain(() => cutter.flush())), [['0201d0']]);
    assert.equal(cutter.counters.earlyFlushes, 0);
    assert.equal(cutter.needsRandomAccess, false);
  });
});

describe('bounds', () => {
  const idr = (bytes: number) => bytesOf('65 88', new Uint8Array(bytes - 2).fill(0xaa));

  test('an access unit of exactly the bound is given, one byte more is dropped and the next one is whole', () => {
    for (const [bytes, given] of [
      [1000, 1],
      [1001, 0],
    ] as const)
      for (const size of [100_000, 10]) {
        const cutter = new AccessUnitCutter(Codec.h264, { accessUnitBytesMax: 1000 });
        const stream = annexB(idr(bytes), '65 88 80', '41 9a');
        const pictures: Picture[] = [];
        for (let at = 0; at < stream.length; at += size)
          pictures.push(...feed(cutter, stream.subarray(at, at + size)));
        assert.equal(pictures.length, given + 1, `${bytes} in ${size}`);
        assert.equal(hex(pictures.at(-1)!.nalUnits[0]!), '658880');
        if (given === 0) assert.equal(cutter.counters.oversizeAccessUnits, 1);
        assert.equal(cutter.counters.garbageBytes, 0);
      }
  });

  test('the later slices of an oversize picture are dropped with it', () => {
    const cutter = new AccessUnitCutter(Codec.h264, { accessUnitBytesMax: 1000 });
    const slice = (header: number, at: number, bytes: number) =>
      h264Slice(header, at, new Uint8Array(bytes).fill(0x55));
    feed(cutter, annexB(slice(0x65, 0, 5)));
    const pictures = feed(
      cutter,
      annexB(
        slice(0x41, 0, 700),
        slice(0x41, 9, 700),
        slice(0x41, 18, 100),
        slice(0x41, 0, 50),
        slice(0x41, 0, 50),
      ),
    );
    assert.deepEqual(
      pictures.map(picture => picture.nalUnits.length),
      [1, 1],
      'the picture before and the one after',
    );
    assert.equal(cutter.counters.oversizeAccessUnits, 1);
    assert.equal(cutter.needsRandomAccess, true);
  });

  test('more than 4096 NAL units make an access unit oversize', () => {
    const sei = Array.from({ length: 4096 }, () => '06 01 80');
    const { cutter, pictures } = cutAll(Codec.h264, annexB(...sei, '65 88 80', '41 9a 80'));
    assert.equal(cutter.counters.oversizeAccessUnits, 1);
    assert.deepEqual(hexOf(pictures), [['419a80']]);
  });

  test('an endless stream without start codes keeps the staging buffer small', () => {
    const cutter = new AccessUnitCutter(Codec.h264, { accessUnitBytesMax: 100_000 });
    let largest = 0;
    for (const first of ['', '00000165 88'])
      for (let i = 0; i < 100; i++) {
        const bytes = bytesOf(i === 0 ? first : '', new Uint8Array(20_000).fill(0xee));
        feed(cutter, bytes);
        largest = Math.max(largest, cutter.reserve(1).buffer.byteLength);
      }
    assert.ok(largest <= 256 * 1024, `${largest}`);
    assert.equal(cutter.counters.oversizeAccessUnits, 1);
    assert.equal(cutter.counters.garbageBytes, 2_000_000);
  });

  test('the staging buffer is used again: pictures of several NAL units survive being moved', () => {
    const name = 'slices-b-322x242.h264';
    const stream = fixture(name);
    const expected = cutAll(Codec.h264, stream).pictures;
    const cutter = new AccessUnitCutter(Codec.h264);
    const pictures: Picture[] = [];
    for (let round = 0; round < 40; round++)
      for (let at = 0, size = 0; at < stream.length; at += size) {
        size = 500 + 100 * round;
        pictures.push(...feed(cutter, stream.subarray(at, at + size)));
      }
    pictures.push(...drain(() => cutter.flush()));
    assert.equal(pictures.length, 40 * expected.length);
    for (const [i, picture] of pictures.entries()) assert.deepEqual(picture, expected[i % expected.length]);
    assert.equal(cutter.reserve(1).buffer.byteLength, 256 * 1024);
  });

  test('grows for a large picture and for a large read', () => {
    const large = idr(3_000_000);
    const cutter = new AccessUnitCutter(Codec.h264);
    assert.ok(cutter.reserve(1_000_000).length >= 1_000_000);
    const stream = annexB('65 88 80', '67 42', large, '41 9a 80');
    const pictures: Picture[] = [];
    for (let at = 0; at < stream.length; at += 65_536)
      pictures.push(...feed(cutter, stream.subarray(at, at + 65_536)));
    assert.equal(pictures.length, 2);
    assert.equal(hex(pictures[1]!.nalUnits[0]!), '6742');
    assert.equal(Buffer.compare(pictures[1]!.nalUnits[1]!, large), 0);
  });

  test('misuse is told: filling more than reserved, reserving without next()', () => {
    const cutter = new AccessUnitCutter(Codec.h264, { accessUnitBytesMax: 1000 });
    const view = cutter.reserve(10);
    assert.throws(() => cutter.advance(view.length + 1), { code: 'internal' });
    cutter.advance(view.length);
    assert.throws(() => cutter.reserve(10), { code: 'internal' });
  });
});

test('any bytes, any reads, any flushes: nothing is thrown, every offset lies inside', () => {
  const piece = fc.oneof(
    payload,
    fc
      .constantFrom(
        '000001',
        '00000001 65 88',
        '000001 41 9a',
        '000001 67 42 c0 1f',
        '000001 26 01 af',
        '000001 02 01',
      )
      .map(text => bytesOf(text)),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(Codec.h264, Codec.h265),
      fc.array(fc.tuple(piece, fc.boolean()), { maxLength: 60 }),
      (codec, pieces) => {
        const cutter = new AccessUnitCutter(codec, { accessUnitBytesMax: 300 });
        for (const [bytes, flush] of pieces) {
          cutter.reserve(bytes.length).set(bytes);
          cutter.advance(bytes.length);
          for (const take of [() => cutter.next(), ...(flush ? [() => cutter.flush()] : [])])
            for (let unit = take(); unit !== undefined; unit = take()) {
              assert.ok(unit.nalCount > 0);
              for (const nalUnit of pictureOf(unit).nalUnits)
                assert.ok(nalUnit.length > 0 && nalUnit.at(-1) !== 0);
            }
          assert.ok(cutter.pendingBytes >= 0 && cutter.pendingBytes <= 300 + 64);
          if (flush) assert.equal(cutter.hasPendingPicture, false);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('a source that starts anew after reset is cut like a first one', () => {
  const cutter = new AccessUnitCutter(Codec.h264);
  feed(cutter, annexB('65 88 80', '41 9a'));
  cutter.reset();
  assert.equal(cutter.pendingBytes, 0);
  assert.equal(cutter.hasPendingPicture, false);
  feed(cutter, annexB('65 88 81'));
  assert.deepEqual(hexOf(drain(() => cutter.flush())), [['658881']]);
});
