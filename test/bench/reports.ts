/** Reports that nobody measured. */
import { type Figure, figureOf, type Report, schemaVersion } from '../../bench/figures.ts';

export function figure(id: string, samples: readonly number[], better: 'lower' | 'higher' = 'lower'): Figure {
  return figureOf(id.split('.')[0]!, { id, name: `the ${id}`, unit: 'ms', better, samples });
}

export function report(figures: readonly Figure[], changes: Partial<Report> = {}): Report {
  return {
    schemaVersion,
    opencamerad: '0.1.0',
    commit: null,
    node: 'v20.20.2',
    startedAt: '2026-11-23T06:00:00.000Z',
    seconds: 1,
    isQuick: false,
    isPartial: false,
    machine: {
      board: 'a board',
      cpuModel: 'a processor',
      cores: 4,
      architecture: 'arm64',
      memoryBytes: 1e9,
      kernel: 'Linux 6',
      operatingSystem: null,
      governor: 'ondemand',
      temperatureC: 50,
      throttled: [],
    },
    loadBefore: [0, 0, 0],
    loadAfter: [0, 0, 0],
    figures,
    notes: [],
    ...changes,
  };
}
