// Separate systems as nodes, made by `cargo xtask demo-nodes`; none where they are not permitted.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

export class DemoNodes {
  constructor(count) {
    this.count = count;
    this.host = undefined;
  }

  async #xtask(...words) {
    try {
      const { stdout } = await execute(process.env.MUSTER_TEST_XTASK, ['demo-nodes', ...words]);
      return stdout;
    } catch (error) {
      throw new Error(`demo-nodes ${words[0]}: ${error.stderr || error.message}`);
    }
  }

  /** The bridge has to be there before the portal can listen on it. */
  async layNetwork() {
    if (this.count === 0) return;
    this.host = (await this.#xtask('network')).trim().split('\n').pop();
  }

  async up(portal) {
    if (this.count === 0) return;
    const endpoint = `http://${this.host}:${portal.extraPort}`;
    await this.#xtask('up', '--nodes', String(this.count), '--program', portal.program,
      '--data-dir', portal.dataDir, '--endpoint', endpoint);
    await this.#settled();
  }

  /** Addresses that are still tried out change the network under the browser a second later, which cuts its requests. */
  async #settled() {
    const end = Date.now() + 15_000;
    while (Date.now() < end) {
      const { stdout } = await execute('ip', ['-o', 'address', 'show', 'tentative']);
      if (stdout.trim() === '') return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async down() {
    if (this.count > 0) await this.#xtask('down');
  }
}
