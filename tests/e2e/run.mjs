// The browser suite: starts the built portal on free ports with a fresh data directory, runs every spec in
// a real Chromium, and takes everything down again. Started by `cargo xtask test`; specs are in specs/.
//
//   node tests/e2e/run.mjs [WORD …]   only specs whose file name holds one of the words

import { readdir, rm, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL, fileURLToPath } from 'node:url';
import { startBrowser } from './lib/browser.mjs';
import { DemoNodes } from './lib/demo-nodes.mjs';
import { Portal } from './lib/portal.mjs';
import { Stage } from './lib/stage.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const output = path.join(here, 'output');
const words = process.argv.slice(2);

const specs = (await readdir(path.join(here, 'specs')))
  .filter((name) => name.endsWith('.mjs'))
  .filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
  .sort();
if (specs.length === 0 && words.length === 0) {
  console.error('there are no specs in tests/e2e/specs');
  process.exit(1);
}

const closing = [];
async function close() {
  while (closing.length > 0) {
    try {
      await closing.pop()();
    } catch (error) {
      console.error(`while cleaning up: ${error.message}`);
    }
  }
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, async () => {
    await close();
    process.exit(130);
  });
}

let passed = 0;
let failed = 0;
try {
  if (specs.length > 0) await suite();
} catch (error) {
  failed += 1;
  console.error(`the suite could not go on: ${error.stack ?? error}`);
}
await close();
console.log(`browser suite: ${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);

async function suite() {
  await rm(output, { recursive: true, force: true });
  await mkdir(output, { recursive: true });
  const nodes = new DemoNodes(Number(process.env.MUSTER_TEST_DEMO_NODES ?? 0));
  closing.push(() => nodes.down());
  await nodes.layNetwork();
  const portal = new Portal(nodes.host);
  closing.push(() => portal.remove());
  await portal.start();
  await nodes.up(portal);
  const browser = await startBrowser();
  closing.push(() => browser.close());

  // What one spec leaves (the administrator, who is signed in) the next ones build on: a story in order.
  const remembered = new Map();
  for (const name of specs) {
    const started = Date.now();
    const stage = new Stage({ name: name.replace(/\.mjs$/, ''), browser, portal, nodes, output, remembered });
    let problem;
    try {
      const spec = await import(pathToFileURL(path.join(here, 'specs', name)).href);
      await within(spec.timeout ?? 180_000, spec.default(stage), name);
      await stage.lastLook();
      problem = stage.problems();
    } catch (error) {
      problem = [error.stack ?? String(error), stage.problems()].join('\n');
    }
    if (problem && problem.length > 0) {
      failed += 1;
      await stage.photograph();
      console.log(`not ok ${name} (${Date.now() - started} ms)`);
      console.log(`${problem}\n--- the portal's last words ---\n${portal.tail(40)}\n---`);
    } else {
      passed += 1;
      console.log(`ok ${name} (${Date.now() - started} ms)`);
    }
    await stage.close();
  }
}

async function within(milliseconds, work, name) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} took longer than ${milliseconds} ms`)), milliseconds);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    // When the time is up the spec still runs; what it meets from here on has been judged already.
    work.catch(() => {});
  }
}
