// Which files of a package go into the bundle: what Node can load, and of native code what the target's Node can.
//
// A package says nowhere which of its files are for machines, so this is a list of what may be left out, and two checks
// stand behind it: every file that static imports reach is there, and every native file is for the target's processor.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** NODE_MODULE_VERSION of Node 20, the only one that a bundle is for. */
export const nodeAbi = 115;

const loadable = /\.(?:[cm]?js|json|node)$/;
const foldersForPeople =
  /^(?:\..*|node_modules|tests?|__tests__|docs?|examples?|bench(?:marks?)?|coverage|dependencies|scripts)$/;
const filesForPeople =
  /(?:^|\/)(?:\..*|(?:rollup|karma|babel|webpack|vitest|jest|eslint|tsup|tap)\b[^/]*\.[cm]?js|tsconfig[^/]*\.json|bench[^/]*\.js|[^/]*\.(?:test|spec)\.[cm]?js|package-lock\.json)$/;

/** The same code again for other module systems, browsers or command lines: what of a package the camera never loads. */
const otherForms = {
  lmdb: /^(?:dist|dict)\//,
  msgpackr: /^(?:dist|benchmark.*)\/|^bin\//,
  mp4box: /\.cjs$|^dist\/mp4box\.simple\./,
  pino: /^browser\.js$|^bin\.js$/,
  'pino-pretty': /^bin\.js$/,
  ajv: /^lib\//,
  jose: /^dist\/types\//,
  piscina: /^(?:src|benchmark)\//,
  uwebsockets: /^(?:src|misc|mvp)\//,
};

/** Whether the target's Node 20 on glibc would load a native file, by the names that node-gyp-build and others give. */
function isForTarget(name, target, siblings) {
  const [os, cpu] = target.split('-');
  const prebuild = /(?:^|\/)prebuilds\/([^/]+)\//.exec(name);
  if (prebuild && prebuild[1] !== target) return false;
  const ofUws = /(?:^|\/)uws_([a-z0-9]+)_([a-z0-9]+)_(\d+)\.node$/.exec(name);
  if (ofUws) return ofUws[1] === os && ofUws[2] === cpu && Number(ofUws[3]) === nodeAbi;
  if (name.includes('musl')) return false;
  const abi = /\babi(\d+)\b/.exec(name);
  if (abi) return Number(abi[1]) === nodeAbi;
  // A file for every version of Node is second choice.
  const exact = name.replace(/\bnapi\b/, `abi${nodeAbi}`);
  return exact === name || !siblings.includes(exact);
}

/** Files of a folder and those below it, by relative names with slashes, sorted; nested packages and hidden ones left out. */
export function filesBelow(folder, isFolderWanted = () => true) {
  const names = [];
  const walk = relative => {
    for (const entry of readdirSync(path.join(folder, relative), { withFileTypes: true })) {
      const name = relative ? `${relative}/${entry.name}` : entry.name;
      if (entry.isDirectory()) {
        if (isFolderWanted(entry.name)) walk(name);
      } else if (entry.isFile()) names.push(name);
      else throw new Error(`neither a file nor a folder: ${path.join(folder, name)}`);
    }
  };
  walk('');
  return names.sort();
}

/** Names of the files of a package that go along; `folder` is where it lies on this machine. */
export function packageFiles({ name, folder, target }) {
  const names = filesBelow(folder, part => !foldersForPeople.test(part)).filter(
    file => loadable.test(file) && !filesForPeople.test(file) && !otherForms[name]?.test(file),
  );
  return names.filter(file => !file.endsWith('.node') || isForTarget(file, target, names));
}

/** e_machine of ELF. */
const elfMachines = { x64: 62, arm64: 183 };

/** Throws unless `content` is a shared object for the target's processor. */
export function checkNative(name, content, target) {
  const isElf = content.length > 64 && content.toString('latin1', 0, 4) === '\x7fELF';
  if (!isElf || content.readUInt16LE(18) !== elfMachines[target.split('-')[1]])
    throw new Error(`${name} is not made for ${target}`);
}

/** JSON of a file. */
export function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}
