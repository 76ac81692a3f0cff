#!/usr/bin/env -S MALLOC_MMAP_THRESHOLD_=4194304 UV_THREADPOOL_SIZE=16 node --max-semi-space-size=1
/**
 * The command line of the daemon: `opencamerad [start]`, the commands of commands/, `config show`, `config check`,
 * `bench`, `firmware`, `--help`, `--version`.
 *
 * What scripts may rely on: one line `ready URL` on standard output when everything serves, everything else on standard
 * error; exit status 0 after SIGTERM or SIGINT, 2 for bad usage or configuration, 1 for a failed start or a failure of
 * the main thread. No other file ends the process.
 */
import { fileURLToPath } from 'node:url';
import { CameraError, type ErrorCode } from './base/errors.ts';
import { type Command, parseCommandLine } from './config/command-line.ts';
import type { Configuration } from './config/configuration.ts';
import { helpText } from './config/help.ts';
import { factoryVersionVariable, slotVariable } from './config/launch-variables.ts';
import type { LoadedConfiguration } from './config/load.ts';
import { options, optionValue, redact } from './config/options.ts';
import type { Camera, Launched } from './main.ts';
import { packageVersion } from './supervisor/package-version.ts';
import { errorFields, type Logger, printable } from './telemetry/log.ts';

/** `restart` asks the launcher for what is next (EX_TEMPFAIL of sysexits.h). */
const status = { ok: 0, failed: 1, usage: 2, restart: 75 } as const;

/** Errors that whoever typed the command can mend. */
const usageCodes: readonly ErrorCode[] = ['usage-invalid', 'config-invalid', 'password-unacceptable'];

/**
 * Runs the command; resolves to the exit status, or never, when the daemon runs and ends the process by itself. What a
 * command does not need is not loaded: help answers at once, and the daemon hears signals before its libraries load.
 */
async function main(argv: readonly string[]): Promise<number> {
  // These have options of their own.
  if (argv[0] === 'bench') {
    const { benchCommand } = await import('./commands/bench.ts');
    return benchCommand(argv.slice(1));
  }
  if (argv[0] === 'firmware') {
    const { firmwareCommand } = await import('./commands/firmware.ts');
    return firmwareCommand(argv.slice(1), print);
  }
  if (isStart(argv) && process.env[slotVariable] === undefined) {
    const { launchPlan } = await import('./commands/launch-plan.ts');
    const plan = launchPlan(argv, process.env);
    if (plan) return runLauncher(plan, argv);
  }
  const { command, flags, file, yes } = parseCommandLine(argv);
  if (command === 'help') return print(helpText(packageVersion()));
  if (command === 'version') return print(`${packageVersion()}\n`);
  const daemon = command === 'start' ? new Daemon() : undefined;
  const { loadConfiguration } = await import('./config/load.ts');
  const loaded = loadConfiguration({ flags, file, environment: process.env });
  if (command === 'config show') return print(`${JSON.stringify(shown(loaded), null, 2)}\n`);
  if (!daemon) {
    for (const warning of loaded.warnings) complain(`warning: ${warning}`);
    if (command === 'config check') return print('the configuration is valid\n');
    return runCommand(command, loaded.configuration, yes);
  }
  const { createLogger } = await import('./telemetry/logger.ts');
  const logger = createLogger(loaded.configuration.log);
  for (const warning of loaded.warnings) logger.warn(warning);
  return daemon.run(loaded.configuration, logger);
}

/** Whether the camera itself is meant; without looking at the options, which a newer version may know better. */
function isStart(argv: readonly string[]): boolean {
  const isCommand = argv[0] === undefined || argv[0] === 'start' || argv[0].startsWith('--');
  return isCommand && !argv.some(word => word === '--help' || word === '-h' || word === '--version');
}

async function runLauncher(
  { folder, trialSeconds }: { readonly folder: string; readonly trialSeconds: number },
  argv: readonly string[],
): Promise<number> {
  const { launch, trialGraceMs } = await import('./commands/launch.ts');
  return launch({
    folder,
    trialLimitMs: trialSeconds * 1000 + trialGraceMs,
    argv,
    ownEntry: fileURLToPath(import.meta.url),
    factoryVersion: packageVersion(),
    variables: { slot: slotVariable, factoryVersion: factoryVersionVariable },
    say: complain,
  });
}

/** Runs a command that is not the daemon; its log is for trouble alone, since it prints what it did. */
async function runCommand(command: Command, configuration: Configuration, yes: boolean): Promise<number> {
  if (command === 'doctor') {
    const { doctor } = await import('./commands/doctor.ts');
    return (await doctor(configuration, print)) ? status.ok : status.failed;
  }
  if (command === 'index rebuild') {
    const [{ createLogger }, { indexRebuildCommand }] = await Promise.all([
      import('./telemetry/logger.ts'),
      import('./commands/index-rebuild.ts'),
    ]);
    const logger = createLogger({ ...configuration.log, level: 'warn' });
    await indexRebuildCommand({ configuration, logger, write: print });
    return status.ok;
  }
  const [{ createLogger }, commands] = await Promise.all([
    import('./telemetry/logger.ts'),
    import('./commands/accounts.ts'),
  ]);
  const logger = createLogger({ ...configuration.log, level: 'warn' });
  const given = { configuration, logger, yes, write: print };
  if (command === 'user reset-password') await commands.resetPasswordCommand(given);
  else if (command === 'token rotate-key') await commands.rotateKeysCommand(given);
  else await commands.factoryResetCommand(given);
  return status.ok;
}

/** The life of the process around the camera: signals, failures of the main thread, the end. */
class Daemon {
  private readonly aborting = new AbortController();
  private logger: Logger | undefined;
  private starting: Promise<Camera> | undefined;
  private ending = false;

  constructor() {
    // A closed terminal ends the camera like a signal to end. Repeated signals change nothing: the stop is bounded, and
    // a terminal under npm sends the same one twice.
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
      process.on(signal, () => void this.end(status.ok, `stopping on ${signal}`));
    // A camera without its launcher would run beside the next one.
    process.on('disconnect', () => void this.end(status.failed, 'stopping, since the launcher is gone'));
  }

  async run(configuration: Configuration, logger: Logger): Promise<never> {
    this.logger = logger;
    process.on('uncaughtException', error => this.onFailure(error));
    process.on('unhandledRejection', error => this.onFailure(error));
    this.starting = import('./main.ts').then(({ startCamera }) =>
      startCamera(configuration, logger, {
        signal: this.aborting.signal,
        launched: launchedOf(process.env),
        restart: () => void this.end(status.restart, 'stopping for another firmware'),
      }),
    );
    try {
      const { url } = await this.starting;
      // A signal may have come while the last part was starting; then nobody is told that the camera serves.
      if (!this.ending) process.stdout.write(`ready ${url}\n`);
    } catch (error) {
      if (!this.ending) this.onStartFailure(error);
    }
    return new Promise<never>(() => {});
  }

  private onStartFailure(error: unknown): void {
    // A known reason says what to do; only an unknown one is worth the noise of a stack.
    if (error instanceof CameraError)
      this.logger?.error(`the camera cannot start: ${error.message}`, { code: error.code });
    else this.logger?.error('the camera cannot start', errorFields(error));
    const badConfiguration = error instanceof CameraError && error.code === 'config-invalid';
    process.exit(badConfiguration ? status.usage : status.failed);
  }

  private onFailure(error: unknown): void {
    this.logger?.error('the main thread failed', errorFields(error));
    void this.end(status.failed, 'stopping after a failure');
  }

  private async end(exitStatus: number, message: string): Promise<void> {
    if (this.ending) return;
    this.ending = true;
    this.logger?.info(message);
    this.aborting.abort();
    // A start under way ends by the abort, and is undone by then.
    const camera = await this.starting?.catch(() => undefined);
    const stuck = (await camera?.stop()) ?? [];
    if (stuck.length > 0) {
      // The usual exit would wait for such a thread for ever.
      this.logger?.error('worker threads do not end, killing the process', { workers: stuck.join(', ') });
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), 100);
      return;
    }
    process.exit(exitStatus);
  }
}

/** What the launcher says of where this camera lies; undefined without one. */
function launchedOf(environment: NodeJS.ProcessEnv): Launched | undefined {
  const slot = environment[slotVariable];
  if (slot !== 'a' && slot !== 'b' && slot !== 'factory') return undefined;
  return { slot, factoryVersion: environment[factoryVersionVariable] ?? null };
}

/** The configuration with the origin of each value; passwords in URLs are left out. */
function shown({
  configuration,
  sources,
}: LoadedConfiguration): Record<string, { value: unknown; source: string }> {
  return Object.fromEntries(
    options.map(option => {
      const value = optionValue(configuration, option);
      const source = sources.get(option.key) ?? 'default';
      return [option.key, { value: typeof value === 'string' ? redact(value) : value, source }];
    }),
  );
}

function print(text: string): number {
  process.stdout.write(text);
  return status.ok;
}

function complain(text: string): void {
  process.stderr.write(`opencamerad: ${text.split('\n').map(printable).join('\n  ')}\n`);
}

// A reader that went away (`| head`) is no failure of ours.
process.stdout.on('error', () => {});
main(process.argv.slice(2)).then(
  exitStatus => {
    process.exitCode = exitStatus;
  },
  error => {
    complain(error instanceof CameraError ? error.message : String(error));
    if (error instanceof CameraError && error.details.seeHelp) complain('try opencamerad --help');
    const isUsage = error instanceof CameraError && usageCodes.includes(error.code);
    process.exitCode = isUsage ? status.usage : status.failed;
  },
);
