// A whole Debian system is patched: a demo node takes its packages from a repository that this test makes. A new version
// appears there, is found missing by a scan, installed, and looked at once more; all of it from the portal's pages.

import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

export const timeout = 420_000;

const PLAIN = 'bookworm';
const SECURITY = 'bookworm-security';

export default async function debianPatches(t) {
  if (t.nodes.count === 0) return;
  const page = await t.open({ as: 'administrator' });
  const folder = await mkdtemp(path.join(os.tmpdir(), 'muster-repository-'));
  const server = await serve(folder, t.nodes.host);
  try {
    const source = `http://${t.nodes.host}:${server.address().port}`;
    const node = await demoNode(t, page);
    const old = await build(folder, 'hello-muster', '1.0-1');
    await index(folder, PLAIN, [old]);
    await index(folder, SECURITY, []);
    await run(t, page, node, [
      'set -e',
      `echo 'deb [trusted=yes] ${source} ${PLAIN} main' > /etc/apt/sources.list`,
      `echo 'deb [trusted=yes] ${source} ${SECURITY} main' >> /etc/apt/sources.list`,
      'apt-get -q update',
      'DEBIAN_FRONTEND=noninteractive apt-get -q -y install hello-muster',
    ].join('\n'));

    await index(folder, SECURITY, [await build(folder, 'hello-muster', '1.1-1')]);
    await patched(t, page, node, 'Scan');
    await stands(t, page, node, { Missing: '1', Installed: '0' }, 'Scan');
    await t.picture(page, 'missing');
    await says(t, page, node, '1.0-1');

    await patched(t, page, node, 'Install');
    await stands(t, page, node, { Missing: '0', Installed: '1', Failed: '0' }, 'Install');
    await t.axe(page, 'a node that was patched');
    await t.picture(page, 'installed');
    await says(t, page, node, '1.1-1');

    await patched(t, page, node, 'Scan');
    await stands(t, page, node, { Missing: '0', Installed: '1' }, 'Scan');
  } finally {
    server.close();
    server.closeAllConnections();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A node that is a system of its own, reached over the bridge: never the machine that runs the tests. */
async function demoNode(t, page) {
  const network = t.nodes.host.split('.').slice(0, 3).join('.');
  let found;
  await t.until('a demo node is online', async () => {
    const answer = await page.request.get('/export/fleet.json?filter=status%3DOnline');
    const nodes = (await answer.text()).trim().split('\n').filter((line) => line !== '').map((line) => JSON.parse(line));
    found = nodes.find((node) => node.address.startsWith(`${network}.`) && !JSON.stringify(node.tags).includes('Production'));
    return found !== undefined;
  });
  return found.node_id;
}

async function finished(t, page) {
  await page.waitForURL(/\/commands\/[0-9a-f-]{36}/);
  await t.hydrated(page);
  await page.locator('[data-stream=Ended]').waitFor({ timeout: 120_000 });
  await page.getByText('Success').first().waitFor();
}

async function run(t, page, node, script) {
  await t.visit(page, `/commands/new?nodes=${node}`);
  await page.locator('textarea[name="parameters[commands]"]').fill(script);
  await page.getByRole('button', { name: /^Run on/ }).click();
  await finished(t, page);
}

/** As the node's own page offers it. */
async function patched(t, page, node, operation) {
  await t.visit(page, `/fleet/${node}`);
  await page.locator('[data-patches]').getByRole('link', { name: `${operation} now` }).click();
  await page.locator('[name="parameters[Operation]"]').waitFor();
  t.assert.equal(await page.locator('[name="parameters[Operation]"]').inputValue(), operation);
  await page.getByRole('button', { name: /^Run on/ }).click();
  await finished(t, page);
}

/** The node's page, once the portal has copied what the last run found. */
async function stands(t, page, node, counts, operation) {
  const patches = page.locator('[data-patches]');
  await t.until(`${operation} is copied`, async () => {
    await t.visit(page, `/fleet/${node}`);
    // There is no list before the first scan is copied.
    const found = Object.fromEntries(await patches.locator('dl.facts dt').evaluateAll((terms) =>
      terms.map((term) => [term.textContent.trim(), term.nextElementSibling.textContent.trim()])));
    return found['Last looked at']?.startsWith(operation)
      && Object.entries(counts).every(([label, count]) => found[label] === count);
  }, 60_000);
}

/** What dpkg itself says on the node. */
async function says(t, page, node, version) {
  await run(t, page, node, "dpkg-query -W -f='${Version}\\n' hello-muster");
  await page.locator('pre').getByText(version).first().waitFor();
}

async function serve(folder, host) {
  const server = createServer(async (request, answer) => {
    try {
      const wanted = path.normalize(decodeURIComponent(new URL(request.url, 'http://repository').pathname));
      answer.end(await readFile(path.join(folder, 'repo', wanted)));
    } catch {
      answer.statusCode = 404;
      answer.end();
    }
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
  return server;
}

/** Builds a package; gives its path below the repository. */
async function build(folder, name, version) {
  const tree = path.join(folder, 'build', `${name}-${version}`);
  await mkdir(path.join(tree, 'DEBIAN'), { recursive: true, mode: 0o755 });
  await writeFile(path.join(tree, 'DEBIAN/control'), [
    `Package: ${name}`, `Version: ${version}`, 'Architecture: all', 'Maintainer: Test <test@example.org>',
    'Section: utils', 'Priority: optional', `Description: ${name} of a test`, '',
  ].join('\n'));
  const file = path.join('pool', `${name}_${version}_all.deb`);
  await mkdir(path.join(folder, 'repo/pool'), { recursive: true });
  await execute('dpkg-deb', ['--root-owner-group', '-b', tree, path.join(folder, 'repo', file)]);
  return file;
}

/** Puts packages into a suite of the repository. */
async function index(folder, suite, files) {
  const { stdout } = await execute('dpkg', ['--print-architecture']);
  const place = path.join(folder, 'repo/dists', suite, 'main', `binary-${stdout.trim()}`);
  const entries = await Promise.all(files.map(async (file) => {
    const content = await readFile(path.join(folder, 'repo', file));
    const fields = (await execute('dpkg-deb', ['-f', path.join(folder, 'repo', file)])).stdout;
    const sha256 = createHash('sha256').update(content).digest('hex');
    return `${fields}Filename: ${file}\nSize: ${content.length}\nSHA256: ${sha256}\n`;
  }));
  await mkdir(place, { recursive: true });
  await writeFile(path.join(place, 'Packages'), entries.join('\n'));
}
