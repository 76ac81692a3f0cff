// Writes src/http/openapi/api-types.ts from assets/openapi.json: the types of parameters, bodies and answers of every
// operation. With --check it writes nothing and fails when the file is not what the document says.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import openapiTS, { astToString } from 'openapi-typescript';

const pathOf = name => fileURLToPath(new URL(`../${name}`, import.meta.url));
const target = 'src/http/openapi/api-types.ts';

const comment = `/**
 * The types of the API's operations, generated from assets/openapi.json by scripts/generate-api-types.mjs. Do not edit:
 * change the document and run the script. \`npm run check\` says when the two differ.
 */
`;

/** The document without what no handler needs: texts, header fields, and the answers that every operation shares. */
function withoutTexts(value) {
  if (Array.isArray(value)) return value.map(withoutTexts);
  if (typeof value !== 'object' || value === null) return value;
  const isText = (key, content) =>
    ['description', 'summary', 'examples', 'pattern'].includes(key) && typeof content !== 'boolean'
      ? typeof content === 'string' || Array.isArray(content)
      : false;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, content]) => !isText(key, content))
      .map(([key, content]) => [key, withoutTexts(content)]),
  );
}

const methods = ['get', 'put', 'post', 'delete'];

function operationsOf(document) {
  return Object.values(document.paths).flatMap(item =>
    methods.flatMap(method => (item[method] ? [item[method]] : [])),
  );
}

/** Who may call an operation, as the dispatcher reads it out of the document too (openapi/operation-table.ts). */
function accessOf({ security }) {
  const schemes = security.flatMap(requirement => Object.keys(requirement));
  if (schemes.length === 0) return 'open';
  if (schemes.includes('basic')) return 'basic';
  if (schemes.includes('setupToken')) return 'setup';
  return schemes.includes('link') ? 'session-or-link' : 'session';
}

async function generate() {
  const document = JSON.parse(readFileSync(pathOf('assets/openapi.json'), 'utf8'));
  const reduced = withoutTexts(document);
  reduced.components = { schemas: reduced.components.schemas };
  for (const operation of operationsOf(reduced))
    operation.responses = Object.fromEntries(
      Object.entries(operation.responses)
        .filter(([, { content }]) => content?.['application/json'])
        .map(([status, { content }]) => [
          status,
          { content: { 'application/json': content['application/json'] } },
        ]),
    );
  const wanted = ['components', 'operations'];
  const nodes = (await openapiTS(reduced, { immutable: true })).filter(node =>
    wanted.includes(node.name?.text),
  );
  // Each of these says only that there is nothing.
  const text = astToString(nodes)
    .replaceAll(
      /^ *readonly (?:requestBody|query|header|path|cookie|responses|parameters|headers|pathItems)\?: never;\n/gm,
      '',
    )
    .replaceAll(/^ *(?:readonly )?(?:responses|parameters|requestBodies|headers|pathItems): never;\n/gm, '')
    .replaceAll(/^ *(?:readonly )?headers: \{\s*readonly \[name: string\]: unknown;\s*\};\n/gm, '')
    .replaceAll(/: \{\s*\};/g, ': Record<string, never>;');
  const access = operationsOf(document).map(
    operation => `readonly ${operation.operationId}: '${accessOf(operation)}';`,
  );
  const source = `${comment}\n${text}\nexport interface access {\n${access.join('\n')}\n}\n`;
  const biome = spawnSync('npx', ['--no-install', 'biome', 'format', `--stdin-file-path=${target}`], {
    cwd: pathOf('.'),
    input: source,
    encoding: 'utf8',
  });
  if (biome.status !== 0) throw new Error(biome.stderr);
  return biome.stdout;
}

const generated = await generate();
if (process.argv.includes('--check')) {
  if (readFileSync(pathOf(target), 'utf8') !== generated) {
    console.error(`${target} is not what assets/openapi.json says: node scripts/generate-api-types.mjs`);
    process.exit(1);
  }
} else writeFileSync(pathOf(target), generated);
