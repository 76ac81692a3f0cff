/**
 * Reads the command line: which command, and the text of each flag by its option's key. Pure and strict.
 *
 * `--flag VALUE` and `--flag=VALUE` are the two forms, and `--flag` alone for a switch; a value that begins with `--`
 * takes the second, so that a forgotten value never swallows the next flag. A flag given twice is an error, because one
 * of the two would be ignored in silence. What a text means is the business of load.ts.
 */
import { CameraError } from '../base/errors.ts';
import { options } from './options.ts';
import { nearest } from './suggest.ts';

export type Command =
  | 'start'
  | 'config show'
  | 'config check'
  | 'user reset-password'
  | 'token rotate-key'
  | 'factory-reset'
  | 'index rebuild'
  | 'doctor'
  | 'help'
  | 'version';

export interface CommandLine {
  readonly command: Command;
  /** Texts by option key. */
  readonly flags: ReadonlyMap<string, string>;
  /** The value of `--config`. */
  readonly file: string | undefined;
  /** Whether questions are answered with yes (`--yes`). */
  readonly yes: boolean;
}

const words: readonly Command[] = [
  'start',
  'config show',
  'config check',
  'user reset-password',
  'token rotate-key',
  'factory-reset',
  'index rebuild',
  'doctor',
  'help',
  'version',
];
const ownFlags = ['--config', '--yes', '--help', '--version'];

/**
 * @param argv the arguments after the program's name.
 * @throws CameraError `usage-invalid` with a sentence for the user.
 */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const flags = new Map<string, string>();
  const names: string[] = [];
  let file: string | undefined;
  let yes = false;
  let wanted: Command | undefined;
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i]!;
    if (!argument.startsWith('-')) {
      names.push(argument);
      continue;
    }
    const equals = argument.indexOf('=');
    const name = equals < 0 ? argument : argument.slice(0, equals);
    if (argument === '--help' || argument === '-h') wanted ??= 'help';
    else if (argument === '--version') wanted ??= 'version';
    else if (argument === '--yes') yes = true;
    else {
      const option = options.find(({ flag }) => flag === name);
      if (!option && name !== '--config')
        throw unknown('option', name, [...ownFlags, ...options.map(({ flag }) => flag)]);
      // A switch alone means that it is on; it never takes the word after it unless that is its value.
      const isSwitch = option?.schema.type === 'boolean' && !/^(true|false)$/.test(argv[i + 1] ?? '');
      const value = equals >= 0 ? argument.slice(equals + 1) : isSwitch ? 'true' : argv[++i];
      if (value === undefined || (equals < 0 && value.startsWith('--')))
        throw usage(`${name} needs a value; one that begins with -- is written ${name}=VALUE`);
      if (option ? flags.has(option.key) : file !== undefined) throw usage(`${name} is given twice`);
      if (option) flags.set(option.key, value);
      else file = value;
    }
  }
  return { command: wanted ?? commandOf(names), flags, file, yes };
}

function commandOf(names: readonly string[]): Command {
  if (names.length === 0) return 'start';
  const text = names.join(' ');
  const command = words.find(word => word === text);
  if (!command) throw unknown('command', text, words);
  return command;
}

function unknown(kind: string, name: string, known: readonly string[]): CameraError {
  const meant = nearest(name, known);
  return usage(
    `there is no ${kind} ${JSON.stringify(name.slice(0, 80))}${meant ? `; did you mean ${meant}?` : ''}`,
  );
}

function usage(message: string): CameraError {
  return new CameraError('usage-invalid', message, { seeHelp: true });
}
