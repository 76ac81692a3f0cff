import { FakeCamera } from '../http/fake-services.ts';
const c = new FakeCamera();
const s = await c.serve();
console.log(s.url);
const r = await fetch(new URL('/healthz', s.url));
console.log(r.status, await r.text());
await s.close();
console.log('closed');
