// Makes the bundled demo again: `node assets/demo/make.mjs [folder with the clips]`. What it does is told in README.md.
import { execFileSync } from 'node:child_process';
import { copyFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const media = process.argv[2] ?? path.join(here, '../../../shared/media');

// Access unit delimiters are taken out, so that a sample of the file is a record of the ring, byte for byte. The time
// stamps are set anew (40000 ticks of 1/1200000 s), for those of a raw stream are rounded down here and there, and the
// loop would be 0.1 ms too short for its sound.
const command = ['-hide_banner', '-loglevel', 'error', '-y', '-f', 'h264', '-framerate', '30']
  .concat(['-i', path.join(media, 'demo-720p30.h264'), '-c', 'copy', '-bsf:v', 'h264_metadata=aud=remove,setts=ts=N*40000:duration=40000'])
  .concat(['-movflags', '+faststart', '-fflags', '+bitexact', path.join(here, 'demo-720p30.mp4')]);
execFileSync('ffmpeg', command, { stdio: 'inherit' });
copyFileSync(path.join(media, 'speech-10s.ulaw'), path.join(here, 'demo-speech.ulaw'));
for (const name of ['demo-720p30.mp4', 'demo-speech.ulaw'])
  console.log(`${name}: ${statSync(path.join(here, name)).size} bytes`);
