// The import rules of ARCHITECTURE.md, checked by `npm run check`. A folder imports only from lower lines; the pure
// folders touch neither Node nor a clock; each heavy library has one home.
const layers = [
  ['base'],
  ['codec'],
  ['rtp', 'isobmff'],
  ['ring'],
  ['ipc', 'telemetry', 'config', 'native', 'store'],
  ['auth', 'clips'],
  ['firmware'],
  ['capture', 'live', 'recorder', 'http'],
  ['supervisor'],
  ['commands'],
];
const forbidden = [
  { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
  { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  {
    name: 'pure-folders-import-no-node',
    severity: 'error',
    from: { path: '^src/(base|codec|rtp|isobmff|clips)/' },
    to: { dependencyTypes: ['core', 'npm'], pathNot: 'node_modules/mp4box' },
  },
  {
    name: 'src-does-not-import-entry-points',
    severity: 'error',
    from: { path: '^src/' },
    to: { path: '^(workers|bench|test|native-bindings)/' },
  },
];
forbidden.push(
  {
    name: 'the-page-runs-in-browsers',
    comment: 'src/web is bundled for browsers: it knows of the daemon only the types of its API.',
    severity: 'error',
    from: { path: '^src/web/' },
    to: { pathNot: ['^src/web/', '^src/http/openapi/api-types', 'node_modules/preact/'] },
  },
  {
    name: 'the-daemon-does-not-import-the-page',
    severity: 'error',
    from: { path: '^(src|workers)/', pathNot: '^src/web/' },
    to: { path: '^src/web/' },
  },
);
layers.forEach((folders, level) => {
  const above = layers.slice(level + 1).flat();
  if (above.length)
    forbidden.push({
      name: `${folders.join('-')}-imports-only-lower-layers`,
      severity: 'error',
      from: { path: `^src/(${folders.join('|')})/` },
      to: { path: `^src/((${above.join('|')})/|main\\.ts|cli\\.ts)` },
    });
});
for (const stage of ['capture', 'live', 'recorder', 'http'])
  forbidden.push({
    name: `${stage}-knows-no-other-stage`,
    severity: 'error',
    from: { path: `^src/${stage}/` },
    to: { path: `^src/(capture|live|recorder|http)/`, pathNot: `^src/${stage}/` },
  });
const homes = {
  uwebsockets: 'http',
  ajv: '(config|http)',
  werift: 'live',
  lmdb: 'store',
  argon2: 'auth',
  jose: 'auth',
  piscina: 'supervisor',
  '@fastify/busboy': 'http',
  '@peculiar/x509': 'http',
  mp4box: '(isobmff|capture)',
  pino: 'telemetry',
  'pino-pretty': 'telemetry',
};
for (const [library, home] of Object.entries(homes))
  forbidden.push({
    name: `${library}-has-one-home`,
    severity: 'error',
    from: { path: '^(src|workers)/', pathNot: `^src/${home}/` },
    to: { path: `node_modules/${library}/` },
  });

module.exports = {
  forbidden,
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
