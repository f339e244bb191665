// Forms without script: what a refused form held comes back, an answer that is shown once is shown, and a
// second node joins by it.

import { spawn, execFile } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { promisify } from 'node:util';
import path from 'node:path';
import os from 'node:os';

export default async function withoutScript(t) {
  // Without script nobody uses what the page preloads for it.
  t.tolerate(/was preloaded using link preload/);
  const page = await t.open({ as: 'administrator', javaScript: false });

  // Not in production, where it is asked once more: that is what comes further down.
  await page.goto('/commands/new?filter=status%3DOnline;tag:Environment%3DLocal');
  const script = 'echo "a & b" <c>\n\n  indented';
  await page.locator('textarea[name="parameters[commands]"]').fill(script);
  await page.getByLabel('At most at once').fill('many');
  await page.getByLabel('Comment', { exact: true }).fill('kept & typed');
  await page.getByRole('button', { name: /^Run on/ }).click();
  await page.getByRole('alert').first().waitFor();
  t.assert.equal(await page.locator('textarea[name="parameters[commands]"]').inputValue(), script);
  t.assert.equal(await page.getByLabel('At most at once').inputValue(), 'many');
  t.assert.equal(await page.getByLabel('Comment', { exact: true }).inputValue(), 'kept & typed');
  await t.picture(page, 'refused');
  await page.getByLabel('At most at once').fill('10');
  await page.locator('textarea[name="parameters[commands]"]').fill('echo now it runs');
  await page.getByRole('button', { name: /^Run on/ }).click();
  await page.waitForURL(/\/commands\/[0-9a-f-]{36}/);

  await confirmed(t, page);

  await page.goto('/audit');
  await page.getByRole('button', { name: 'Verify now' }).click();
  await page.getByText('The log is intact.').waitFor();

  await page.goto('/fleet/add');
  await page.getByLabel('What it is for').fill('A second agent');
  await page.getByLabel('How many may join').fill('1');
  await page.getByLabel('Tags for joining nodes').fill('not a tag');
  await page.getByRole('button', { name: 'Create activation' }).click();
  await page.getByText('is not a tag').first().waitFor();
  t.assert.equal(await page.getByLabel('What it is for').inputValue(), 'A second agent');
  await page.getByLabel('Tags for joining nodes').fill('Environment=Staging');
  await page.getByRole('button', { name: 'Create activation' }).click();
  await page.getByText('The code is shown only now.').waitFor();
  await t.picture(page, 'activation');
  const command = await page.locator('pre.code').first().innerText();
  t.assert.ok(!page.url().includes('code'), 'the code is not in the address');
  const given = (name) => command.match(new RegExp(`--${name} (\\S+)`))[1];
  await page.reload();
  t.assert.equal(await page.getByText('The code is shown only now.').count(), 0, 'shown once');

  const state = path.join(await mkdtemp(path.join(os.tmpdir(), 'muster-second-')), 'state');
  const program = process.env.MUSTER_TEST_PROGRAM;
  await promisify(execFile)(program, ['agent', 'register', '--activation-id', given('activation-id'), '--activation-code',
    given('activation-code'), '--region', given('region'), '--endpoint', given('endpoint'), '--state-dir', state]);
  t.companion(spawn(program, ['agent', 'run', '--state-dir', state], { stdio: 'ignore' }));
  const online = async () => {
    const answer = await page.request.get('/export/fleet.json?filter=status%3DOnline');
    return (await answer.text()).trim().split('\n').length >= 2;
  };
  await t.until('the second node is online', online);
}

// Production is asked about without script, too: by the portal, with everything that was typed kept.
async function confirmed(t, page) {
  const answer = await page.request.get('/export/fleet.json?filter=status%3DOnline');
  const node = JSON.parse((await answer.text()).trim().split('\n').find((line) => line.includes('Local')));
  const tag = (value) => page.request.post('/api/fleet/set_tag', {
    form: { node_id: node.node_id, key: 'Environment', value }, headers: { origin: new URL(page.url()).origin },
  });
  t.assert.ok((await tag('Production')).ok());
  try {
    await page.goto(`/commands/new?nodes=${node.node_id}`);
    await page.locator('textarea[name="parameters[commands]"]').fill('echo careful');
    await page.getByLabel('Comment', { exact: true }).fill('once more');
    await page.getByRole('button', { name: /^Run on/ }).click();
    await page.locator('[data-confirm-step]').waitFor();
    t.assert.equal(await page.getByLabel('Comment', { exact: true }).inputValue(), 'once more');
    await page.locator('[data-confirm-step] [data-script]').getByText('echo careful').waitFor();
    await page.locator('[data-environments]').getByText('Production 1').first().waitFor();
    await t.picture(page, 'confirm');
    await page.getByLabel(/^Type 1 to confirm/).fill('1');
    await page.getByRole('button', { name: /^Run on/ }).click();
    await page.waitForURL(/\/commands\/[0-9a-f-]{36}/);
  } finally {
    await tag('Local');
  }
}
