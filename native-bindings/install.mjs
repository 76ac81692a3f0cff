/**
 * Runs when the package is installed: builds the addon where that is possible, and never fails. Without the addon the
 * camera works all the same, with the data plane in JavaScript and without V4L2.
 */
import { existsSync } from 'node:fs';
import { build } from './build.mjs';

const prebuilt = new URL(`prebuilds/${process.platform}-${process.arch}/opencamera.node`, import.meta.url);
if (!existsSync(prebuilt)) {
  const failure = build({ stdio: 'ignore' });
  if (failure) console.log(`opencamerad: no native addon (${failure}); JavaScript does its work`);
}
