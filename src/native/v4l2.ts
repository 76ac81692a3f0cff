/**
 * One Video for Linux device, by the native addon: the calls of `native-bindings/src/v4l2.cc` with their types.
 *
 * Nothing is decided here; which format, which controls, and what a fault means is the business of src/capture/v4l2-*.
 * Every call is one system call that does not wait for a picture (the device is opened non-blocking), but some drivers
 * take tens of milliseconds to set a format or to start. What the kernel refuses is thrown as {@link V4l2Error}; a wrong
 * argument as TypeError. One thread at a time; a device that is forgotten is closed when it is collected. Left out: user
 * pointers, formats of several memory planes, read() and write().
 */
import type { BufferType } from './v4l2-constants.ts';

/** An Error as Node's own system calls throw it. */
export interface V4l2Error extends Error {
  /** ENODEV, EBUSY, …; EUNKNOWN for a rare one, `errno` then says which. */
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
}

export interface V4l2Capabilities {
  readonly driver: string;
  readonly card: string;
  readonly busInfo: string;
  /** Bits of {@link Capability}: of this node, not of all nodes of the device. */
  readonly capabilities: number;
}

export interface V4l2FormatDescription {
  readonly pixelFormat: number;
  readonly description: string;
}

/** A range of sizes in pixels; one size where both steps are 0. */
export interface V4l2SizeRange {
  readonly minWidth: number;
  readonly maxWidth: number;
  readonly stepWidth: number;
  readonly minHeight: number;
  readonly maxHeight: number;
  readonly stepHeight: number;
}

/** Seconds a frame, as a fraction. */
export interface V4l2Interval {
  readonly numerator: number;
  readonly denominator: number;
}

export interface V4l2Control {
  readonly minimum: number;
  readonly maximum: number;
  readonly step: number;
  /** Bits of {@link ControlFlag}. */
  readonly flags: number;
}

export interface V4l2PictureFormat {
  readonly width: number;
  readonly height: number;
  readonly pixelFormat: number;
  /** Of a raw format; 0 where the driver says nothing. */
  readonly bytesPerLine: number;
  readonly sizeImage: number;
  /** Memory planes; only 1 can be used here. */
  readonly planes: number;
}

/** A buffer that was dequeued: the caller's until it is queued again. */
export interface V4l2DequeuedBuffer {
  readonly index: number;
  /** Bytes that the driver says are filled; to be checked against `lengthBytes`. */
  readonly bytesUsed: number;
  /** Where the picture begins. */
  readonly dataOffset: number;
  /** Size of the buffer; 0 for an imported one. */
  readonly lengthBytes: number;
  /** Bits of {@link BufferFlag}. */
  readonly flags: number;
  readonly sequence: number;
  /** By the clock that the flags name. */
  readonly timestampUs: number;
}

/** Opaque to JavaScript. */
export interface V4l2Handle {
  readonly v4l2Handle: never;
}

/** The addon's functions, its object `v4l2`; each function's first argument is what `open` gave. */
export interface V4l2Binding {
  open(path: string): V4l2Handle;
  close(handle: V4l2Handle): void;
  queryCapabilities(handle: V4l2Handle): V4l2Capabilities;
  enumerateFormats(handle: V4l2Handle, type: BufferType): V4l2FormatDescription[];
  enumerateSizes(handle: V4l2Handle, pixelFormat: number): V4l2SizeRange[];
  enumerateIntervals(handle: V4l2Handle, pixelFormat: number, width: number, height: number): V4l2Interval[];
  queryControl(handle: V4l2Handle, id: number): V4l2Control | undefined;
  setControl(handle: V4l2Handle, id: number, value: number): void;
  setFormat(
    handle: V4l2Handle,
    type: BufferType,
    width: number,
    height: number,
    pixelFormat: number,
    bytesPerLine: number,
    sizeImage: number,
  ): V4l2PictureFormat;
  setInterval(handle: V4l2Handle, type: BufferType, numerator: number, denominator: number): V4l2Interval;
  requestBuffers(handle: V4l2Handle, type: BufferType, count: number, imported: boolean): number;
  exportBuffers(handle: V4l2Handle, type: BufferType): void;
  queueMapped(
    handle: V4l2Handle,
    type: BufferType,
    index: number,
    bytesUsed: number,
    timestampUs: number,
  ): void;
  queueImported(
    handle: V4l2Handle,
    type: BufferType,
    index: number,
    bytesUsed: number,
    timestampUs: number,
    source: V4l2Handle,
    sourceType: BufferType,
    sourceIndex: number,
  ): void;
  dequeue(handle: V4l2Handle, type: BufferType): V4l2DequeuedBuffer | undefined;
  read(handle: V4l2Handle, type: BufferType, index: number, offset: number, target: Uint8Array): void;
  copy(
    handle: V4l2Handle,
    type: BufferType,
    index: number,
    offset: number,
    lengthBytes: number,
    target: V4l2Handle,
    targetType: BufferType,
    targetIndex: number,
  ): void;
  stream(handle: V4l2Handle, type: BufferType, on: boolean): void;
  watch(handle: V4l2Handle, onReady: (status: number) => void): void;
}

/** A picture in a buffer of a device. */
export interface V4l2BufferPlace {
  readonly device: V4l2Device;
  readonly type: BufferType;
  readonly index: number;
}

export class V4l2Device {
  readonly path: string;
  private readonly binding: V4l2Binding;
  private readonly handle: V4l2Handle;

  /** Opens `path` for reading and writing, without waiting. Throws {@link V4l2Error}, as every method does. */
  constructor(binding: V4l2Binding, path: string) {
    this.binding = binding;
    this.path = path;
    this.handle = binding.open(path);
  }

  /** Ends the watch, stops both queues, unmaps all buffers and closes the device. May be called again. */
  close(): void {
    this.binding.close(this.handle);
  }

  queryCapabilities(): V4l2Capabilities {
    return this.binding.queryCapabilities(this.handle);
  }

  /** At most 64 of each list, in the driver's order. */
  formats(type: BufferType): readonly V4l2FormatDescription[] {
    return this.binding.enumerateFormats(this.handle, type);
  }

  sizes(pixelFormat: number): readonly V4l2SizeRange[] {
    return this.binding.enumerateSizes(this.handle, pixelFormat);
  }

  /** Of a range of intervals only the shortest. */
  intervals(pixelFormat: number, width: number, height: number): readonly V4l2Interval[] {
    return this.binding.enumerateIntervals(this.handle, pixelFormat, width, height);
  }

  /** Undefined: the device has no such control. */
  queryControl(id: number): V4l2Control | undefined {
    return this.binding.queryControl(this.handle, id);
  }

  setControl(id: number, value: number): void {
    this.binding.setControl(this.handle, id, value);
  }

  /** Asks for a format and returns what the driver made of it; 0 for lines and size leaves them to the driver. */
  setFormat(
    type: BufferType,
    wanted: Pick<V4l2PictureFormat, 'width' | 'height' | 'pixelFormat'> & Partial<V4l2PictureFormat>,
  ): V4l2PictureFormat {
    const { width, height, pixelFormat, bytesPerLine = 0, sizeImage = 0 } = wanted;
    return this.binding.setFormat(this.handle, type, width, height, pixelFormat, bytesPerLine, sizeImage);
  }

  setInterval(type: BufferType, interval: V4l2Interval): V4l2Interval {
    return this.binding.setInterval(this.handle, type, interval.numerator, interval.denominator);
  }

  /** Maps `count` (1 to 16) buffers, or as many as the driver gives; returns how many. */
  requestMapped(type: BufferType, count: number): number {
    return this.binding.requestBuffers(this.handle, type, count, false);
  }

  /** Makes room for `count` buffers whose memory is another device's. */
  requestImported(type: BufferType, count: number): number {
    return this.binding.requestBuffers(this.handle, type, count, true);
  }

  /** Makes the mapped buffers importable by other devices. */
  exportBuffers(type: BufferType): void {
    this.binding.exportBuffers(this.handle, type);
  }

  /** Gives a mapped buffer to the driver; `bytesUsed` and time are for output queues. */
  queue(type: BufferType, index: number, bytesUsed = 0, timestampUs = 0): void {
    this.binding.queueMapped(this.handle, type, index, bytesUsed, timestampUs);
  }

  /** Gives `source`, which stays the caller's to keep dequeued until this one is dequeued again. */
  queueImported(
    type: BufferType,
    index: number,
    bytesUsed: number,
    timestampUs: number,
    source: V4l2BufferPlace,
  ): void {
    const { device, type: sourceType, index: sourceIndex } = source;
    this.binding.queueImported(
      this.handle,
      type,
      index,
      bytesUsed,
      timestampUs,
      device.handle,
      sourceType,
      sourceIndex,
    );
  }

  /** The next buffer that the driver is done with; undefined when there is none now. */
  dequeue(type: BufferType): V4l2DequeuedBuffer | undefined {
    return this.binding.dequeue(this.handle, type);
  }

  /** Fills all of `target` (a view of shared memory is fine) from a dequeued, mapped buffer. */
  read(type: BufferType, index: number, offset: number, target: Uint8Array): void {
    this.binding.read(this.handle, type, index, offset, target);
  }

  /** Copies from a dequeued buffer into a dequeued buffer of another device, within the addon. */
  copyTo(
    type: BufferType,
    index: number,
    offset: number,
    lengthBytes: number,
    target: V4l2BufferPlace,
  ): void {
    const { device, type: targetType, index: targetIndex } = target;
    this.binding.copy(this.handle, type, index, offset, lengthBytes, device.handle, targetType, targetIndex);
  }

  stream(type: BufferType, on: boolean): void {
    this.binding.stream(this.handle, type, on);
  }

  /**
   * Calls back, in the event loop of this thread, as long as a buffer is ready: with 0, or once with a negative errno
   * when the device cannot be waited for any more. Ends with {@link close}. Keeps the event loop alive.
   */
  watch(onReady: (status: number) => void): void {
    this.binding.watch(this.handle, onReady);
  }
}

/** The errno name of what a device threw, or undefined for an error of another kind. */
export function v4l2ErrorCode(error: unknown): string | undefined {
  const code = (error as Partial<V4l2Error> | undefined)?.code;
  return error instanceof Error && typeof (error as Partial<V4l2Error>).errno === 'number' ? code : undefined;
}
