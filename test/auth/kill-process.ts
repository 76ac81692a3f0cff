/**
 * The accounts of one life of a camera, until it is killed: `kill-process.ts FOLDER`.
 *
 * It logs in, refreshes and logs out, several at once, and writes one line when something begins and one when it was
 * answered, each with one system call so that a kill loses none: `begin out SID`, `done in SID TOKEN`, `done refresh SID
 * END`, `done out SID`.
 */
import { writeSync } from 'node:fs';
import { Bench, basic, caller, owner, runningClock } from './accounts-fixture.ts';

const bench = new Bench({ folder: process.argv[2]!, clock: runningClock() });
const many = { maxSessions: 1000, sessionSeconds: 86_400 };
bench.boot = 'one boot';
await bench.open(many);
const { accounts } = bench;
if (accounts.state === 'factory') await accounts.createUser(accounts.setupToken!, owner, caller);

const say = (...words: (string | number)[]): void => void writeSync(1, `${words.join(' ')}\n`);

async function client(seed: number): Promise<void> {
  const mine: string[] = [];
  for (let turn = seed; ; turn++) {
    if (mine.length < 2 || turn % 3 === 0) {
      const { token } = await accounts.logIn(basic(owner.email, owner.password), caller);
      const { sid } = await bench.session(token);
      say('done', 'in', sid, token);
      mine.push(token);
    } else {
      const token = turn % 3 === 1 ? mine[turn % mine.length]! : mine.shift()!;
      const session = await bench.session(token);
      if (turn % 3 === 1) say('done', 'refresh', session.sid, await accounts.refresh(session));
      else {
        say('begin', 'out', session.sid);
        await accounts.logOut(session, caller);
        say('done', 'out', session.sid);
      }
    }
  }
}

say('ready');
await Promise.all([0, 1, 2, 3].map(client));
