// Playing back: seeks, search, transcript, keys, the seal, downloads; and terminals without script.

import { openTerminal, shows, someNode, type } from '../lib/terminal.mjs';

export const timeout = 240_000;

const SCREEN = '.player-screen';

async function played(t, page, wanted, not) {
  await t.until(`the player shows ${wanted}`, async () => {
    const text = await page.evaluate((where) => globalThis.musterTerminal?.textOf(document.querySelector(where)) ?? '', SCREEN);
    return text.includes(wanted) && (not === undefined || !text.includes(not));
  });
}

export default async function recordings(t) {
  t.tolerate(/was preloaded using link preload/);
  const page = await t.open({ as: 'administrator' });
  const node = await someNode(page);
  const id = await openTerminal(t, page, node, 'e2e: to be played');
  await type(page, 'echo "first $((1000 + 1))"');
  await shows(t, page, 'first 1001');
  await type(page, 'sleep 7; echo "second $((2000 + 2))"');
  await shows(t, page, 'second 2002');
  await type(page, 'clear; echo "third $((3000 + 3))"');
  await shows(t, page, 'third 3003');
  await type(page, 'exit');
  await page.locator('[data-place=main] [data-ended]').waitFor({ timeout: 30_000 });
  await page.getByRole('link', { name: 'Watch the recording' }).first().click();
  await page.getByRole('heading', { level: 1, name: /^Recording/ }).waitFor();
  await page.locator(`${SCREEN} .xterm`).waitFor();

  // To the end and back: what is on the screen is what was there then.
  await page.keyboard.press('End');
  await played(t, page, 'third 3003', 'second 2002');
  await page.keyboard.press('Home');
  await t.until('the player is at the beginning', async () => (await page.locator('[data-now]').innerText()).startsWith('0:00'));

  await page.keyboard.press('/');
  await page.keyboard.type('second 2002');
  await page.keyboard.press('Enter');
  await page.locator('[data-hits]').filter({ hasText: /^\d+ of \d+/ }).waitFor();
  await played(t, page, 'second 2002', 'third 3003');
  await page.locator('h1').click();
  await page.keyboard.press('n');
  await page.keyboard.press('m');
  await page.locator('.seek-mark').first().waitFor({ state: 'attached' });

  // The transcript goes along, and a click goes to its moment.
  await page.locator('.transcript [aria-current]').first().waitFor();
  await page.locator('.transcript button').filter({ hasText: 'first 1001' }).last().click();
  await played(t, page, 'first 1001', 'second 2002');

  // Idle is skipped: seven seconds of sleep do not take seven seconds.
  await page.locator('h1').click();
  await page.keyboard.press('Home');
  await page.locator('.player-speed select').selectOption('16');
  await page.locator('h1').click();
  await page.keyboard.press('Space');
  await played(t, page, 'third 3003');
  await page.getByRole('button', { name: 'Play' }).waitFor();

  // A link to a moment.
  const all = await page.locator('[data-now]').innerText();
  await t.visit(page, `/terminals/${id}/recording?t=2`);
  await t.until('the player begins there', async () => (await page.locator('[data-now]').innerText()).startsWith('0:02'));
  t.assert.equal((await page.locator('[data-now]').innerText()).split('/')[1], all.split('/')[1]);

  await page.getByRole('button', { name: 'Verify' }).click();
  await page.locator('[data-verified]').getByText('Intact').waitFor();
  await t.axe(page);

  const cast = await page.request.get(`/download/sessions/${id}/recording.cast`);
  const lines = (await cast.text()).trim().split('\n').map((line) => JSON.parse(line));
  t.assert.equal(lines[0].version, 2);
  t.assert.ok(lines.slice(1).some(([, kind, text]) => kind === 'o' && text.includes('3003')));
  const transcript = await page.request.get(`/download/sessions/${id}/transcript.txt`);
  t.assert.ok((await transcript.text()).includes('second 2002'));

  for (const shape of t.variants) {
    const other = await t.open({ as: 'administrator', ...shape });
    await t.visit(other, `/terminals/${id}/recording`);
    await other.locator(`${SCREEN} .xterm`).waitFor();
    await other.locator('.transcript button').first().waitFor();
    await t.axe(other, `recording ${shape.name}`);
    const wide = await other.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    t.assert.ok(wide <= 0, `the recording at ${shape.name} is ${wide} px too wide`);
    await t.picture(other, `recording-${shape.name}`);
    await other.context().close();
  }

  // Without script: everything up to the start, the facts, and the end.
  const plain = await t.open({ as: 'administrator', javaScript: false });
  await plain.goto(`/terminals/new?node=${node}`);
  await plain.getByLabel('OS user').fill('no such; user');
  await plain.getByRole('button', { name: 'Open terminal' }).click();
  await plain.getByRole('alert').first().waitFor();
  t.assert.equal(await plain.getByLabel('OS user').inputValue(), 'no such; user');
  await plain.getByLabel('OS user').fill('');
  await plain.getByLabel(/^Reason/).fill('e2e: without script');
  await plain.getByRole('button', { name: 'Open terminal' }).click();
  await plain.waitForURL(/\/terminals\/[0-9a-f-]{36}/);
  await plain.getByText('A terminal needs a browser with script.').waitFor();
  await plain.locator('.terminal-card').getByRole('button', { name: 'End session' }).click();
  await t.until('it has ended', async () => {
    await plain.reload();
    return (await plain.locator('[data-ended]').count()) > 0;
  });
  await t.picture(plain, 'without-script');
}
