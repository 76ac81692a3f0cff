/**
 * Passes over the scaling lists of a sequence parameter set (ITU-T H.265 §7.3.4): their values are of use to a decoder
 * only, but what follows them is wanted. Pure, any thread.
 */
import type { BitReader } from '../../base/bit-reader.ts';

/** Reads scaling_list_data(): six matrices of 4×4, 8×8 and 16×16, two of 32×32. */
export function skipScalingLists(reader: BitReader): void {
  for (let sizeId = 0; sizeId < 4; sizeId++) {
    const coefficients = Math.min(64, 1 << (4 + 2 * sizeId));
    for (let matrixId = 0; matrixId < 6; matrixId += sizeId === 3 ? 3 : 1) {
      if (!reader.readFlag()) {
        reader.readUnsigned(); // scaling_list_pred_matrix_id_delta
        continue;
      }
      if (sizeId > 1) reader.readSigned(); // scaling_list_dc_coef_minus8
      for (let i = 0; i < coefficients; i++) reader.readSigned();
    }
  }
}
