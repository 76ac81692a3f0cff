// Slice headers written field by field from H.264 §7.3.3 and H.265 §7.3.6.1: what parts two pictures, and what B slices
// and sub-layers say. Every second slice here is not the first of its picture by its address: only the comparison can
// tell that the true first slice was lost.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Codec } from '../../src/base/tracks.ts';
import { annexB, BitWriter, bytesOf, cutAll } from './streams.ts';

describe('H.264 slices', () => {
  /** Interlaced, four bits each of frame_num and pic_order_cnt_lsb. */
  function sets(options: { orderType?: number; reorderFrames?: number } = {}): Uint8Array[] {
    const { orderType = 0, reorderFrames } = options;
    const sps = new BitWriter().u(8, 77).u(8, 0).u(8, 30).ue(0).ue(0).ue(orderType);
    if (orderType === 0) sps.ue(0);
    if (orderType === 1) sps.u(1, 0).se(0).se(0).ue(0);
    sps.ue(1).u(1, 0).ue(19).ue(14).u(1, 0).u(1, 0).u(1, 1).u(1, 0);
    sps.u(1, reorderFrames === undefined ? 0 : 1);
    // No VUI but the bitstream restriction.
    if (reorderFrames !== undefined)
      sps.u(8, 0).u(1, 1).u(1, 1).ue(0).ue(0).ue(9).ue(9).ue(reorderFrames).ue(4);
    // bottom_field_pic_order_in_frame_present_flag is set.
    const pps = (id: number) => bytesOf([0x68], new BitWriter().ue(id).ue(0).u(1, 0).u(1, 1).ue(0).end());
    return [bytesOf([0x67], sps.end()), pps(0), pps(1)];
  }

  const plain = {
    header: 0x61,
    type: 5,
    pps: 0,
    frameNum: 3,
    field: 0,
    bottom: 0,
    idrPictureId: 6,
    lsb: 4,
    delta0: 1,
    delta1: 2,
    orderType: 0,
  };

  function slice(firstMacroblock: number, change: Partial<typeof plain> = {}): Uint8Array {
    const { header, type, pps, frameNum, field, bottom, idrPictureId, lsb, delta0, delta1, orderType } = {
      ...plain,
      ...change,
    };
    const writer = new BitWriter().ue(firstMacroblock).ue(type).ue(pps).u(4, frameNum).u(1, field);
    if (field) writer.u(1, bottom);
    if ((header & 31) === 5) writer.ue(idrPictureId);
    if (orderType === 0) writer.u(4, lsb);
    if (orderType === 1) writer.se(delta0);
    if (orderType < 2 && !field) writer.se(delta1);
    return bytesOf([header], writer.end(), 'aabbcc80');
  }

  const pictures = (first: Partial<typeof plain>, second: Partial<typeof plain>, orderType = 0) =>
    cutAll(
      Codec.h264,
      annexB(...sets({ orderType }), slice(0, { ...first, orderType }), slice(9, { ...second, orderType })),
    ).pictures.length;

  test('with equal fields are of one picture', () => {
    for (const orderType of [0, 1, 2]) assert.equal(pictures({}, {}, orderType), 1);
    assert.equal(pictures({ header: 0x65 }, { header: 0x65 }), 1);
    assert.equal(pictures({ field: 1, bottom: 1 }, { field: 1, bottom: 1 }), 1);
    assert.equal(pictures({ header: 0x61 }, { header: 0x21, type: 6 }), 1);
  });

  for (const [name, first, second, orderType] of [
    ['frame_num', {}, { frameNum: 4 }, 0],
    ['pic_parameter_set_id', {}, { pps: 1 }, 0],
    ['field_pic_flag', { lsb: 0, delta1: 0 }, { field: 1, lsb: 0 }, 2],
    ['bottom_field_flag', { field: 1 }, { field: 1, bottom: 1 }, 0],
    ['nal_ref_idc to 0', {}, { header: 0x01 }, 0],
    ['IdrPicFlag', { header: 0x65 }, {}, 2],
    ['idr_pic_id', { header: 0x65 }, { header: 0x65, idrPictureId: 7 }, 0],
    ['pic_order_cnt_lsb', {}, { lsb: 6 }, 0],
    ['delta_pic_order_cnt_bottom', {}, { delta1: -2 }, 0],
    ['delta_pic_order_cnt[0]', {}, { delta0: 5 }, 1],
    ['delta_pic_order_cnt[1]', {}, { delta1: -7 }, 1],
  ] as const)
    test(`with another ${name} are of two pictures`, () =>
      assert.equal(pictures(first, second, orderType), 2));

  test('of type B make a picture bidirectional, unless the parameter set rules reordering out', () => {
    const bidirectional = (options: { orderType?: number; reorderFrames?: number }, type: number) =>
      cutAll(Codec.h264, annexB(...sets(options), slice(0), slice(9, { ...options, type }))).pictures[0]!
        .bidirectional;
    assert.equal(bidirectional({}, 1), true);
    assert.equal(bidirectional({}, 6), true);
    assert.equal(bidirectional({}, 0), false);
    assert.equal(bidirectional({ reorderFrames: 2 }, 1), true);
    assert.equal(bidirectional({ reorderFrames: 0 }, 1), false);
    // Order count type 2 has no order fields in the slice; the type comes before them.
    assert.equal(bidirectional({ orderType: 2 }, 1), false);
  });

  test('a picture is non-reference or a random access point only if all its slices are', () => {
    // A header that breaks off cannot be compared, so that the slice joins the picture before it.
    const flags = (header: number, cutOff: string) => {
      const { pictures: cut } = cutAll(Codec.h264, annexB(...sets(), slice(0, { header }), cutOff));
      return cut.map(({ nonReference, randomAccess }) => ({ nonReference, randomAccess }));
    };
    assert.deepEqual(flags(0x01, '0140'), [{ nonReference: true, randomAccess: false }]);
    assert.deepEqual(flags(0x01, '4140'), [{ nonReference: false, randomAccess: false }]);
    assert.deepEqual(flags(0x41, '0140'), [{ nonReference: false, randomAccess: false }]);
    assert.deepEqual(flags(0x65, '6540'), [{ nonReference: false, randomAccess: true }]);
    assert.deepEqual(flags(0x65, '4140'), [{ nonReference: false, randomAccess: false }]);
    assert.deepEqual(flags(0x41, '6540'), [{ nonReference: false, randomAccess: false }]);
  });
});

describe('H.265 slice segments', () => {
  /** Two sub-layers, dependent segments, pic_output_flag, two extra header bits; 5 × 4 coding tree blocks of 64. */
  function sets(reorderPictures: number): Uint8Array[] {
    const sps = new BitWriter()
      .u(4, 0)
      .u(3, 1)
      .u(1, 1)
      .u(8, 1)
      .u(32, 0)
      .u(32, 0)
      .u(16, 0)
      .u(8, 93)
      .u(16, 0)
      .ue(0);
    sps.ue(1).ue(320).ue(240).u(1, 0).ue(0).ue(0).ue(0);
    sps.u(1, 0).ue(2).ue(reorderPictures).ue(0); // only the highest sub-layer's values
    sps.ue(0).ue(3).ue(0).ue(3).ue(0).ue(0).u(1, 0).u(2, 0).u(1, 0).ue(0).u(1, 0).u(2, 0).u(1, 0);
    const pps = (id: number) =>
      bytesOf('4401', new BitWriter().ue(id).ue(0).u(1, 1).u(1, 1).u(3, 2).u(4, 0).end());
    return [bytesOf('4201', sps.end()), pps(0), pps(1)];
  }

  const plain = { type: 1, temporalId: 0, first: 0, dependent: 0, pps: 0, sliceType: 1, lsb: 5 };

  function segment(change: Partial<typeof plain> = {}): Uint8Array {
    const { type, temporalId, first, dependent, pps, sliceType, lsb } = { ...plain, ...change };
    const writer = new BitWriter().u(1, first);
    if (type >= 16) writer.u(1, 1);
    writer.ue(pps);
    if (!first) writer.u(1, dependent).u(5, 17);
    // What follows a dependent segment's header is slice data: here, what would read as a B slice's header.
    if (dependent) writer.u(8, 0b0010_1111);
    else {
      writer.u(2, 0b11).ue(sliceType).u(1, 1);
      if (type !== 19 && type !== 20) writer.u(4, lsb);
    }
    return bytesOf([2 * type, temporalId + 1], writer.end(), 'aabbcc80');
  }

  const cut = (reorderPictures: number, ...segments: Partial<typeof plain>[]) =>
    cutAll(Codec.h265, annexB(...sets(reorderPictures), ...segments.map(segment))).pictures;

  test('with equal fields are of one picture, dependent ones between them too', () => {
    assert.equal(cut(0, { first: 1 }, {}, { dependent: 1 }, {}).length, 1);
    assert.equal(cut(0, { first: 1, type: 19 }, { type: 19 }).length, 1);
  });

  test('with another type, parameter set or order count are of two pictures', () => {
    assert.equal(cut(0, { first: 1 }, { type: 0 }).length, 2);
    assert.equal(cut(0, { first: 1 }, { pps: 1 }).length, 2);
    assert.equal(cut(0, { first: 1 }, { lsb: 6 }).length, 2);
    assert.equal(cut(0, { first: 1 }, { dependent: 1 }, { lsb: 6 }).length, 2);
    assert.equal(cut(0, { first: 1, type: 21 }, { type: 21, lsb: 6 }).length, 2);
  });

  test('of type B make a picture bidirectional only where pictures are reordered', () => {
    assert.equal(cut(1, { first: 1 }, { sliceType: 0 })[0]!.bidirectional, true);
    assert.equal(cut(1, { first: 1 }, { sliceType: 1 })[0]!.bidirectional, false);
    assert.equal(cut(0, { first: 1, sliceType: 0 })[0]!.bidirectional, false);
    // A dependent segment has no type of its own.
    assert.equal(cut(1, { first: 1 }, { dependent: 1 })[0]!.bidirectional, false);
  });

  test('of sub-layer non-reference pictures count as such in the highest sub-layer alone', () => {
    assert.equal(cut(0, { first: 1, type: 0, temporalId: 1 })[0]!.nonReference, true);
    assert.equal(cut(0, { first: 1, type: 0, temporalId: 0 })[0]!.nonReference, false);
    assert.equal(cut(0, { first: 1, type: 1, temporalId: 1 })[0]!.nonReference, false);
  });
});
