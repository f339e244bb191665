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
  }

  async down() {
    if (this.count > 0) await this.#xtask('down');
  }
}
