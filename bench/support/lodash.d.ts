/** Two packages that Benchmark.js is handed, and nobody looks into: see micro-benchmark.ts. */
declare module 'lodash' {
  const lodash: object;
  export default lodash;
}
declare module 'platform' {
  const platform: object;
  export default platform;
}
