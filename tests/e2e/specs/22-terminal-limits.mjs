// Terminals over what happens to them: the portal is killed, the tab is closed, the computer sleeps; a megabyte is pasted; a screen
// reader listens; nobody uses one, another one's time runs out and is given more; one waits until somebody looks on.

import { createHash } from 'node:crypto';
import { focus, live, openTerminal, paste, shows, someNode, type } from '../lib/terminal.mjs';

export const timeout = 420_000;

const PASSWORD = 'whoever looks on here';

/** Waits for the warning, and asks for more time. */
async function giveMore(page) {
  await page.locator('[data-warned]').waitFor({ timeout: 150_000 });
  await page.getByRole('button', { name: 'Ask for more time' }).first().click();
  await page.locator('[data-warned]').waitFor({ state: 'detached' });
}

async function tag(t, page, node, key, value) {
  const form = value === undefined ? { node_id: node, key } : { node_id: node, key, value };
  const answer = await page.request.post(`/api/fleet/${value === undefined ? 'remove_tag' : 'set_tag'}`, { headers: { origin: t.base }, form });
  t.assert.ok(answer.status() < 400, `tag ${key}: ${answer.status()}`);
}

export default async function terminalLimits(t) {
  t.tolerate(/Failed to load resource|ERR_CONNECTION|ERR_INTERNET|ERR_EMPTY|WebSocket connection to|EventSource|net::ERR/);
  let page = await t.open({ as: 'administrator' });
  const context = page.context();
  const node = await someNode(page);

  // The portal is killed and comes back with other settings: the page finds the session again, as it was.
  const first = await openTerminal(t, page, node, 'e2e: outlives the portal');
  await type(page, 'kept=$((300 + 33)); clear; echo "before $kept"');
  await shows(t, page, 'before 333');
  t.portal.settings = {
    MUSTER_TERMINAL_IDLE_MINUTES: '1', MUSTER_TERMINAL_MAX_MINUTES: '2', MUSTER_TERMINAL_MORE_MINUTES: '30',
    MUSTER_TERMINAL_WATCHED: 'Watched=yes',
  };
  await t.portal.restart('SIGKILL');
  await live(page);
  const screen = await shows(t, page, 'before 333');
  t.assert.equal(screen.split('before 333').length, 2, screen);
  await type(page, 'echo "again $((kept + 1))"');
  await shows(t, page, 'again 334');

  // The tab is closed and opened again.
  await page.close();
  page = await context.newPage();
  await t.visit(page, `/terminals/${first}`);
  await live(page);
  await shows(t, page, 'again 334');
  await type(page, 'exit');
  await page.locator('[data-place=main] [data-ended]').waitFor({ timeout: 30_000 });

  // Two whose limits run while the rest is looked at: one is left alone, the other one works without end.
  const idle = await t.open({ as: 'administrator' });
  await openTerminal(t, idle, node, 'e2e: nobody uses it');
  const busy = await t.open({ as: 'administrator' });
  await openTerminal(t, busy, node, 'e2e: works all the time');
  await type(busy, 'while sleep 1; do echo "at work"; done');
  await shows(t, busy, 'at work');
  // Its time runs out while the rest is looked at.
  const given = giveMore(busy).then(() => undefined, (error) => error);

  // Asleep and away: what came meanwhile is there at once when the page wakes.
  const third = await openTerminal(t, page, node, 'e2e: sleeps');
  await type(page, 'clear; echo "awake $((1 + 1))"');
  await shows(t, page, 'awake 2');
  const lifecycle = await context.newCDPSession(page);
  await context.setOffline(true);
  await lifecycle.send('Page.setWebLifecycleState', { state: 'frozen' });
  const elsewhere = await t.open({ as: 'administrator' });
  await t.visit(elsewhere, `/terminals/${third}`);
  await live(elsewhere);
  await type(elsewhere, 'echo "meanwhile $((2 + 2))"');
  await shows(t, elsewhere, 'meanwhile 4');
  await elsewhere.context().close();
  await lifecycle.send('Page.setWebLifecycleState', { state: 'active' });
  await context.setOffline(false);
  await live(page);
  await shows(t, page, 'meanwhile 4');

  // A megabyte arrives byte for byte.
  const text = Array.from({ length: 10_000 }, (_, at) => `${String(at).padStart(6, '0')} ${'0123456789'.repeat(9)}xyz`).join('\n') + '\n';
  t.assert.ok(text.length > 1_000_000);
  // Not echoed: a terminal's echo may leave some of so much out, what the program reads may not.
  await type(page, `clear; stty -echo; echo "ready $((3 + 3))"; head -c ${text.length} | sha256sum; stty echo`);
  await shows(t, page, 'ready 6');
  await focus(page);
  await paste(page, text);
  await page.getByRole('dialog').getByRole('button', { name: 'Paste', exact: true }).click();
  await shows(t, page, createHash('sha256').update(text).digest('hex'), 120_000);

  // A screen reader is told the lines.
  await page.locator('details.terminal-menu > summary').first().click();
  await page.getByLabel('Screen reader mode').first().check();
  await page.locator('[data-place=main] .xterm-accessibility').waitFor({ state: 'attached' });
  await page.keyboard.press('Escape');
  await type(page, 'clear; echo "spoken $((4 + 4))"');
  await t.until('the line is there for screen readers', async () =>
    (await page.locator('[data-place=main] .xterm-accessibility').textContent()).includes('spoken 8'));
  await t.axe(page);
  await page.locator('details.terminal-menu > summary').first().click();
  await page.getByLabel('Screen reader mode').first().uncheck();
  await page.keyboard.press('Escape');

  // Nobody types before somebody looks on, where that is the rule.
  await tag(t, page, node, 'Watched', 'yes');
  const made = await page.request.post('/api/access/create_user', {
    headers: { origin: t.base },
    form: { name: 'overseer', display_name: '', password: PASSWORD, role: 'auditor', scope: '*' },
  });
  t.assert.ok(made.status() < 400, `the overseer is there: ${made.status()}`);
  const watched = await openTerminal(t, page, node, 'e2e: waits for a second pair of eyes');
  await page.getByText(/Nothing is sent yet/).waitFor();
  await type(page, 'echo "heard $((5 + 5))"');
  await t.axe(page);
  const other = await t.open();
  await other.goto('/sign-in');
  await other.getByLabel('Name').fill('overseer');
  await other.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await other.getByRole('button', { name: 'Sign in' }).click();
  await other.waitForURL((url) => !url.pathname.startsWith('/sign-in'));
  await t.visit(other, `/terminals/${watched}`);
  await live(other);
  await page.getByText(/Nothing is sent yet/).waitFor({ state: 'detached' });
  await type(page, 'echo "seen $((6 + 6))"');
  await shows(t, page, 'seen 12');
  await shows(t, other, 'seen 12');
  await other.context().close();
  await page.getByText(/Nothing is sent yet/).waitFor();
  await tag(t, page, node, 'Watched');

  // The one that nobody used was warned, and has ended; the page says why.
  await idle.locator('[data-place=main] [data-ended]').waitFor({ timeout: 120_000 });
  await idle.locator('[data-ended]').getByText(/idle|used|traffic/i).first().waitFor();
  await t.axe(idle);

  // The one that works was warned of its end, and was given more time.
  const failed = await given;
  if (failed) throw failed;
  t.assert.equal(await busy.locator('[data-place=main] [data-ended]').count(), 0);
  await t.axe(busy);
  await busy.keyboard.press('Control+c');

  // What it was before, for whatever comes next.
  t.portal.settings = {};
  await t.portal.restart();
}
