import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Histogram } from '../../src/telemetry/histogram.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';

test('prints counters, other values and histograms of every part in the exposition format', () => {
  const metrics = new Metrics();
  const histogram = new Histogram([100, 200]);
  histogram.record(50);
  histogram.record(150);
  histogram.record(999);
  metrics.update('live', {
    values: { packets_total: 3, viewers: 2 },
    histograms: { send_us: histogram.snapshot() },
  });
  metrics.update('capture', { values: { 'odd name': Number.POSITIVE_INFINITY } });
  assert.equal(
    metrics.text(),
    `# TYPE opencamera_live_packets_total counter
opencamera_live_packets_total 3
# TYPE opencamera_live_viewers untyped
opencamera_live_viewers 2
# TYPE opencamera_live_send_us histogram
opencamera_live_send_us_bucket{le="100"} 1
opencamera_live_send_us_bucket{le="200"} 2
opencamera_live_send_us_bucket{le="+Inf"} 3
opencamera_live_send_us_sum 1199
opencamera_live_send_us_count 3
# TYPE opencamera_capture_odd_name untyped
opencamera_capture_odd_name +Inf
`,
  );
});

test('the newest statistics replace the former ones, and a part that is gone shows none', () => {
  const metrics = new Metrics();
  metrics.update('live', { values: { a: 1 } });
  metrics.update('live', { values: { b: 2 } });
  assert.doesNotMatch(metrics.text(), /live_a/);
  assert.match(metrics.text(), /^opencamera_live_b 2$/m);
  metrics.forget('live');
  assert.equal(metrics.text().trim(), '');
});
