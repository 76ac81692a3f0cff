/**
 * Remembers the parameter sets of a stream (H.264 §7.4.1.2.1, H.265 §7.4.2.4.2): which are known, whether one changed,
 * which format is active, and which of them a random access unit lacks.
 *
 * One thread, one object a track. Sets are kept by kind and identifier, as copies that it owns; the standards bound
 * their number (16 VPS, 32 SPS, 256 PPS) and `limits.ts` their size. A set that cannot be read is counted and passed
 * over: the one known before stays.
 */
import { CameraError } from '../base/errors.ts';
import type { VideoCodec } from '../base/tracks.ts';
import type { AccessUnit, VideoFormat } from './access-unit.ts';
import { parameterSetBytesMax } from './limits.ts';
import { syntaxOf } from './syntax-of.ts';
import type { ParameterSetKind, VideoSyntax } from './video-syntax.ts';

/** A set as it is kept, with what was read of it. */
interface StoredSet {
  readonly kind: ParameterSetKind;
  readonly id: number;
  readonly nalUnit: Uint8Array;
  /** Of a sequence parameter set. */
  readonly format: VideoFormat | undefined;
  /** Of a picture parameter set: what it refers to. */
  readonly sequenceParameterSetId: number;
}

/** The tracker; see the file's comment. */
export class ParameterSetTracker {
  private readonly syntax: VideoSyntax;
  /** In the order of kinds, then identifiers. */
  private sets: StoredSet[] = [];
  private activeSequenceSetId = -1;
  private invalid = 0;

  constructor(codec: VideoCodec) {
    this.syntax = syntaxOf(codec);
  }

  /** Whether a set of every kind is known. */
  get complete(): boolean {
    return this.syntax.parameterSetKinds.every(kind => this.sets.some(set => set.kind === kind));
  }

  /** The format by the active sequence parameter set: that of the last random access unit, or else the latest one. */
  get format(): VideoFormat | undefined {
    return this.find('sps', this.activeSequenceSetId)?.format;
  }

  /** Sets that were passed over because they cannot be read or are too large. */
  get invalidSets(): number {
    return this.invalid;
  }

  /** All known sets, in the order of kinds and identifiers; owned by the tracker, never changed. */
  get nalUnits(): readonly Uint8Array[] {
    return this.sets.map(set => set.nalUnit);
  }

  /**
   * Takes the sets of an access unit. True when one of them differs from the one known under its identifier, or when
   * another sequence parameter set becomes active with another format; not for what comes the first time.
   */
  observe(unit: AccessUnit): boolean {
    const { bytes, nalTable, nalCount } = unit;
    const formatBefore = this.format;
    let changed = false;
    for (let i = 0; i < nalCount; i++) {
      const start = nalTable[2 * i]!;
      const type = this.syntax.nalUnitType(bytes[start]!);
      if (this.syntax.parameterSetKind(type) !== undefined) {
        if (this.isKnown(bytes, start, nalTable[2 * i + 1]!)) continue;
        try {
          if (this.put(bytes.slice(start, nalTable[2 * i + 1]!))) changed = true;
        } catch {
          this.invalid++;
        }
      } else if (unit.randomAccess && this.syntax.isSlice(type)) {
        this.activate(bytes, start, nalTable[2 * i + 1]!);
        break; // All slices of a picture refer to the same set.
      }
    }
    const format = this.format;
    if (formatBefore === undefined || format === undefined || format === formatBefore) return changed;
    return changed || !isSameFormat(formatBefore, format);
  }

  /** Takes one set from outside the stream (avcC, hvcC); copied. Throws CameraError 'stream-invalid'. */
  store(nalUnit: Uint8Array): void {
    if (!this.syntax.isWellFormed(nalUnit, 0, nalUnit.length))
      throw new CameraError('stream-invalid', 'A parameter set has no NAL unit header.');
    if (!this.isKnown(nalUnit, 0, nalUnit.length)) this.put(nalUnit.slice());
  }

  /** The known sets that a unit does not hold itself, in the order in which they have to precede it. */
  missingFrom(unit: AccessUnit): readonly Uint8Array[] {
    return this.sets.filter(set => !this.holds(unit, set)).map(set => set.nalUnit);
  }

  private find(kind: ParameterSetKind, id: number): StoredSet | undefined {
    return this.sets.find(set => set.kind === kind && set.id === id);
  }

  /** Whether the very bytes are stored: a repeated set, by far the most frequent case, is not parsed again. */
  private isKnown(bytes: Uint8Array, start: number, end: number): boolean {
    return this.sets.some(set => isSame(set.nalUnit, bytes, start, end));
  }

  /** Stores a set that the tracker owns from here on; true when it replaces another. */
  private put(nalUnit: Uint8Array): boolean {
    const { syntax } = this;
    const kind = syntax.parameterSetKind(syntax.nalUnitType(nalUnit[0]!));
    if (kind === undefined) throw new CameraError('stream-invalid', 'The NAL unit is not a parameter set.');
    if (nalUnit.length > parameterSetBytesMax)
      throw new CameraError('stream-invalid', 'A parameter set is too large.', { bytes: nalUnit.length });
    const set: StoredSet = {
      kind,
      id: syntax.parameterSetId(kind, nalUnit),
      nalUnit,
      format: kind === 'sps' ? syntax.parseFormat(nalUnit) : undefined,
      sequenceParameterSetId: kind === 'pps' ? syntax.sequenceParameterSetIdOf(nalUnit) : -1,
    };
    const others = this.sets.filter(other => other.kind !== set.kind || other.id !== set.id);
    const replaces = others.length < this.sets.length;
    const order = (of: StoredSet) => 256 * syntax.parameterSetKinds.indexOf(of.kind) + of.id;
    this.sets = [...others, set].sort((a, b) => order(a) - order(b));
    if (kind === 'sps') this.activeSequenceSetId = set.id;
    return replaces;
  }

  /** A random access picture begins: its slice names the picture parameter set, and that the sequence parameter set. */
  private activate(bytes: Uint8Array, start: number, end: number): void {
    try {
      const pictureSet = this.find('pps', this.syntax.pictureParameterSetIdOf(bytes, start, end));
      if (pictureSet && this.find('sps', pictureSet.sequenceParameterSetId))
        this.activeSequenceSetId = pictureSet.sequenceParameterSetId;
    } catch {
      // A slice that cannot be read activates nothing.
    }
  }

  private holds(unit: AccessUnit, set: StoredSet): boolean {
    for (let i = 0; i < unit.nalCount; i++)
      if (isSame(set.nalUnit, unit.bytes, unit.nalTable[2 * i]!, unit.nalTable[2 * i + 1]!)) return true;
    return false;
  }
}

function isSame(nalUnit: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (nalUnit.length !== end - start) return false;
  for (let i = 0; i < nalUnit.length; i++) if (nalUnit[i] !== bytes[start + i]) return false;
  return true;
}

function isSameFormat(a: VideoFormat, b: VideoFormat): boolean {
  return (
    a.width === b.width &&
    a.height === b.height &&
    a.framesPerSecond === b.framesPerSecond &&
    a.profileIdc === b.profileIdc &&
    a.profileCompatibility === b.profileCompatibility &&
    a.levelIdc === b.levelIdc
  );
}
