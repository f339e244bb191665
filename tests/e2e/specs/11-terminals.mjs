// Terminals: open, type, resize, wide characters, an editor, reload, a lost network, pastes, somebody who watches,
// tabs and split, ending.

import { createHash } from 'node:crypto';
import { focus, live, openTerminal, paste, screen, shows, someNode, type } from '../lib/terminal.mjs';

export const timeout = 420_000;

export default async function terminals(t) {
  t.tolerate(/Failed to load resource|ERR_INTERNET_DISCONNECTED|WebSocket connection to/);
  const page = await t.open({ as: 'administrator' });
  const node = await someNode(page);
  await t.visit(page, '/terminals');
  await page.getByText('No terminal is open').waitFor();
  await t.axe(page);
  const id = await openTerminal(t, page, node, 'e2e: walk through');

  // Typing and its answer; the answer is computed, so that the echo is not mistaken for it.
  await type(page, 'echo "sum: $((40 + 2))"');
  await shows(t, page, 'sum: 42');
  await page.locator('[data-round-trip]').filter({ hasText: 'ms' }).waitFor({ timeout: 20_000 });
  await page.getByText('REC').first().waitFor();
  await t.axe(page);
  await t.picture(page, 'open');

  // The node's terminal has the size of the one here, also after that changed.
  const size = async () => (await page.evaluate(() => globalThis.musterTerminal.sizeOf(document.querySelector('[data-place=main] .shell')))).split(' ');
  const [cols, rows] = await size();
  await type(page, 'stty size');
  await shows(t, page, new RegExp(`^${rows} ${cols}$`, 'm'));
  await page.setViewportSize({ width: 1000, height: 700 });
  await t.until('the terminal has another size', async () => (await size()).join() !== [cols, rows].join());
  const [narrow, low] = await size();
  await type(page, 'clear; stty size');
  await shows(t, page, new RegExp(`^${low} ${narrow}$`, 'm'));
  await page.setViewportSize({ width: 1440, height: 900 });

  await type(page, "clear; printf '%s\\n' '日本語 🦀 é ok'");
  await shows(t, page, /^日本語 🦀 é ok$/m);

  // Keys that belong to the shell; those of the pages do nothing here.
  await type(page, 'sleep 300');
  await page.keyboard.press('Control+c');
  await type(page, 'echo "after $((1 + 1))"');
  await shows(t, page, 'after 2');
  await page.keyboard.type('gf/?jk');
  await page.keyboard.press('Control+k');
  t.assert.ok(page.url().includes(id), 'the page stays');
  t.assert.equal(await page.getByRole('dialog').count(), 0);
  await page.keyboard.press('Control+u');
  await page.keyboard.press('Control+Shift+F');
  await page.getByRole('textbox', { name: 'Find in the terminal' }).fill('after 2');
  await page.locator('.find-count').filter({ hasText: /\d+ of \d+/ }).first().waitFor();
  await page.keyboard.press('Escape');
  await focus(page);
  await page.keyboard.press('Control+Shift+Escape');
  t.assert.ok(await page.evaluate(() => !document.activeElement.closest('[data-terminal]')), 'the keyboard can leave');

  // An editor, where there is one.
  await type(page, 'clear; rm -f /tmp/muster-e2e.txt; command -v vim || command -v vi || echo "no editor"');
  const found = await shows(t, page, /^(\/\S*vi\S*|no editor)$/m);
  if (!found.includes('no editor')) {
    await type(page, 'vi /tmp/muster-e2e.txt');
    await shows(t, page, /^~ *$/m);
    await page.keyboard.type('iwritten in the editor');
    await page.keyboard.press('Escape');
    await page.keyboard.type(':wq');
    await page.keyboard.press('Enter');
    await type(page, 'clear; rev /tmp/muster-e2e.txt');
    await shows(t, page, 'rotide eht ni nettirw');
  }

  // A reload shows the screen as it was, and answers nothing twice.
  await type(page, 'clear; echo "before $((500 + 55))"');
  await shows(t, page, 'before 555');
  // From here on the spec can cut the connection.
  const sockets = [];
  await page.routeWebSocket(/\/sessions\/.*\/socket$/, (socket) => {
    socket.connectToServer();
    sockets.push(socket);
  });
  await page.reload();
  await live(page);
  const again = await shows(t, page, 'before 555');
  t.assert.equal(again.split('before 555').length, 2, again);
  await type(page, 'echo "reloaded $((600 + 66))"');
  await shows(t, page, 'reloaded 666');

  // The connection breaks twice: nothing is lost or doubled, and the terminal comes back by itself.
  await type(page, 'clear; for i in $(seq 1 40); do echo "line $i"; sleep 0.2; done; echo "all $((700 + 77))"');
  await shows(t, page, 'line 3');
  for (const line of ['line 10', 'line 20']) {
    for (const socket of sockets.splice(0)) await socket.close({ code: 4000 });
    await live(page, 'reconnecting');
    await live(page);
    await shows(t, page, line);
  }
  const lines = (await shows(t, page, 'all 777', 60_000)).split('\n').filter((line) => /^line \d+$/.test(line.trim()));
  t.assert.deepEqual(lines.map((line) => Number(line.trim().slice(5))), Array.from({ length: 40 }, (_, at) => at + 1));

  // 100 KB, asked about first, arrive byte for byte.
  const text = Array.from({ length: 1_000 }, (_, at) => `${String(at).padStart(5, '0')} ${'abcdefghij'.repeat(9)}abc`).join('\n') + '\n';
  await type(page, 'clear; echo "ready $((3 + 3))"; cat > /tmp/muster-e2e-paste');
  await focus(page);
  await paste(page, text);
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Paste 1000 lines?').waitFor();
  await t.axe(page);
  // Whether it stands between brackets is up to whoever reads when it is sent: the shell wanted them, this program
  // would take them for text.
  await shows(t, page, 'ready 6');
  await dialog.getByRole('button', { name: 'Paste', exact: true }).click();
  await shows(t, page, '00999 abcdefghij', 60_000);
  await focus(page);
  await page.keyboard.press('Control+d');
  await type(page, 'clear; sha256sum /tmp/muster-e2e-paste; rm /tmp/muster-e2e-paste');
  await shows(t, page, createHash('sha256').update(text).digest('hex'));
  // A large one can be stopped.
  await type(page, 'clear; cat > /dev/null');
  await focus(page);
  await paste(page, text.repeat(10));
  await dialog.getByRole('button', { name: 'Paste', exact: true }).click();
  await page.locator('.paste-bar').getByRole('button', { name: 'Cancel' }).click();
  await page.locator('.paste-bar').waitFor({ state: 'detached', timeout: 5_000 });
  await page.keyboard.press('Control+c');
  await page.keyboard.press('Control+c');
  await type(page, 'clear; echo "stopped $((800 + 88))"');
  await shows(t, page, 'stopped 888');

  // Somebody else looks on, and cannot type.
  const admin = page;
  const made = await admin.request.post('/api/access/create_user', {
    headers: { origin: t.base },
    form: { name: 'onlooker', display_name: '', password: 'somebody who looks on', role: 'auditor', scope: '*' },
  });
  t.assert.ok(made.status() < 400, `the onlooker is there: ${made.status()}`);
  const other = await t.open();
  await other.goto('/sign-in');
  await other.getByLabel('Name').fill('onlooker');
  await other.getByLabel('Password', { exact: true }).fill('somebody who looks on');
  await other.getByRole('button', { name: 'Sign in' }).click();
  await other.waitForURL((url) => !url.pathname.startsWith('/sign-in'));
  await t.visit(other, `/terminals/${id}`);
  await live(other);
  await shows(t, other, 'stopped 888');
  await other.getByText(/You are watching/).waitFor();
  await page.locator('[data-watching]').getByText('onlooker').waitFor();
  await type(page, 'echo "both see $((900 + 99))"');
  await shows(t, other, 'both see 999');
  await focus(other);
  await other.keyboard.type('echo not this');
  await other.keyboard.press('Enter');
  await type(page, 'echo "checked $((100 + 11))"');
  t.assert.ok(!(await shows(t, page, 'checked 111')).includes('not this'), 'nobody who looks on types');
  await t.axe(other);
  await t.picture(other, 'watching');
  await other.context().close();

  // A second terminal beside the first.
  const second = await openTerminal(t, page, node, 'e2e: beside');
  await page.locator('.terminal-split summary').click();
  await page.locator('.terminal-split .menu-body a').first().click();
  await page.waitForURL(/beside=/);
  await t.until('two terminals are on show', async () => (await page.locator('.slot:not([hidden]) .shell .xterm').count()) === 2);
  await t.axe(page);
  await t.picture(page, 'split');
  await page.getByRole('link', { name: 'Close the split' }).click();
  await type(page, 'exit');
  await page.locator('[data-place=main] [data-ended]').waitFor({ timeout: 30_000 });
  await page.getByRole('link', { name: 'Open again' }).first().waitFor();
  t.assert.ok(page.url().includes(second));

  for (const shape of t.variants) {
    const shaped = await t.open({ as: 'administrator', ...shape });
    for (const path of ['/terminals', '/terminals/new', `/terminals/new?node=${node}`, `/terminals/${id}?watch=1`, `/terminals/${second}`]) {
      await t.visit(shaped, path);
      if (path.includes('watch')) await live(shaped);
      await t.axe(shaped, `${path} ${shape.name}`);
      const wide = await shaped.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      t.assert.ok(wide <= 0, `${path} at ${shape.name} is ${wide} px too wide`);
      await t.picture(shaped, `${path.split('?')[0].replaceAll('/', '_').slice(0, 20)}-${path.includes('?') ? 'q' : ''}-${shape.name}`);
    }
    await shaped.context().close();
  }

  // Ended from the list, with a reason.
  await t.visit(page, '/terminals');
  const row = page.locator(`[data-session="${id}"]`);
  await row.getByRole('button', { name: 'End' }).click();
  await page.getByRole('dialog').getByLabel(/^Reason/).fill('the walk is over');
  await t.axe(page);
  await page.getByRole('dialog').getByRole('button', { name: 'End session' }).click();
  await row.waitFor({ state: 'detached', timeout: 30_000 });
  await page.getByText('No terminal is open').waitFor();
  await t.visit(page, `/terminals/${id}`);
  await page.getByRole('link', { name: 'Watch the recording' }).waitFor();
  t.assert.ok((await screen(page)) === '', 'no terminal where there is none');
}
