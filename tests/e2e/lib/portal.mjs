// The built program as a child process: started, stopped, killed and started again by specs.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { endpoint } from './api.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');

async function freePort() {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

export class Portal {
  #lines = [];
  #child;

  /** `extraHost`: an address besides loopback on which demo nodes reach the embedded endpoint. */
  constructor(extraHost) {
    this.extraHost = extraHost;
    this.program = process.env.MUSTER_TEST_PROGRAM ?? path.join(root, 'target/bin/debug/muster');
    this.setupLink = undefined;
    this.companions = [];
    // More MUSTER_… variables, for specs that start it again with other settings.
    this.settings = {};
  }

  async start() {
    if (!this.dataDir) {
      this.dataDir = await mkdtemp(path.join(os.tmpdir(), 'muster-browser-'));
      this.port = await freePort();
      this.ssmPort = await freePort();
      this.extraPort = await freePort();
      this.base = `http://127.0.0.1:${this.port}`;
    }
    const words = ['serve'];
    if (this.extraHost) words.push('--ssm-extra-addr', `${this.extraHost}:${this.extraPort}`);
    this.#child = spawn(this.program, words, {
      cwd: this.dataDir, env: this.environment(), stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) this.#listen(stream);
    await this.#healthy();
  }

  /** Whatever MUSTER_* the person at the keyboard has set must not reach the portal under test. */
  environment() {
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith('MUSTER_'));
    return {
      LEPTOS_OUTPUT_NAME: 'muster',
      LEPTOS_SITE_ROOT: path.join(root, 'target/site'),
      ...Object.fromEntries(own),
      MUSTER_ADDR: `127.0.0.1:${this.port}`,
      MUSTER_DATA_DIR: this.dataDir,
      MUSTER_SSM_ADDR: `127.0.0.1:${this.ssmPort}`,
      ...this.settings,
    };
  }

  #listen(stream) {
    let rest = '';
    stream.setEncoding('utf8');
    stream.on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      for (const line of lines) {
        this.#lines.push(line);
        if (this.#lines.length > 5000) this.#lines.shift();
        const link = line.match(/https?:\/\/[^\s"]+\/setup\?token=[^\s"]+/);
        if (link) this.setupLink = link[0];
      }
    });
  }

  async #healthy() {
    const end = Date.now() + 60_000;
    while (Date.now() < end) {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        throw new Error(`the portal ended at its start:\n${this.tail(40)}`);
      }
      try {
        const answer = await fetch(`${this.base}/health`);
        if (answer.ok) return;
      } catch {
        // Not listening yet.
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`the portal does not become healthy:\n${this.tail(40)}`);
  }

  /** Ends it as an operator would; `SIGKILL` for tests of what survives a crash. */
  async stop(signal = 'SIGTERM') {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
    await ended;
    clearTimeout(timer);
  }

  async restart(signal = 'SIGTERM') {
    await this.stop(signal);
    await this.start();
  }

  /** Calls of the embedded endpoint with the operator's key: `(operation, input) => answer`. */
  api() {
    return endpoint(this.dataDir, `http://127.0.0.1:${this.ssmPort}`);
  }

  /** So many simulated nodes, which are online until the portal is removed; they carry the tag `Sim=true`. */
  async simulate(count) {
    const program = process.env.MUSTER_TEST_SIM;
    if (!program) throw new Error('MUSTER_TEST_SIM names no program: run the suite with `cargo xtask test --only-browser`');
    const child = spawn(program, [this.dataDir, `http://127.0.0.1:${this.ssmPort}`, String(count)], {
      env: { ...process.env, MUSTER_TEST_PROGRAM: this.program }, stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.companions.push(child);
    let text = '';
    for await (const piece of child.stdout) {
      text += piece;
      if (text.includes('connected\n')) return;
    }
    throw new Error(`the simulated nodes did not come: ${text}`);
  }

  /** The last lines of its log. */
  tail(count) {
    return this.#lines.slice(-count).join('\n');
  }

  async remove() {
    for (const child of this.companions) child.kill();
    await this.stop();
    if (this.dataDir) await rm(this.dataDir, { recursive: true, force: true });
  }
}
