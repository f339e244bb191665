// Output of several nodes: equal output together, two nodes compared, earlier output, who did it; and lists that
// stay when renewing them fails.

export const timeout = 240_000;

async function run(t, page, script) {
  // Not in production, where it would be asked once more.
  const answer = await page.request.get('/export/fleet.json?filter=status%3DOnline');
  const nodes = (await answer.text()).trim().split('\n').filter((line) => !line.includes('Production'))
    .map((line) => JSON.parse(line).node_id).slice(0, 2);
  await t.visit(page, `/commands/new?nodes=${nodes.join(',')}`);
  await page.locator('textarea[name="parameters[commands]"]').fill(script);
  await page.getByRole('button', { name: /^Run on/ }).click();
  await page.waitForURL(/\/commands\/[0-9a-f-]{36}/);
  await t.hydrated(page);
  await page.getByText('Success').first().waitFor({ timeout: 60_000 });
  await page.locator('[data-stream=Ended]').waitFor({ timeout: 60_000 });
  return { id: page.url().match(/[0-9a-f-]{36}/)[0], nodes };
}

export default async function output(t) {
  const page = await t.open({ as: 'administrator' });
  const { id } = await run(t, page, 'echo same for all\necho "process $$"');
  await t.visit(page, `/commands/${id}?tab=nodes`);
  await page.getByRole('link', { name: 'By output' }).click();
  await page.locator('[data-group]').nth(1).waitFor();
  await t.axe(page);
  await page.getByRole('link', { name: 'Compare with what most nodes wrote' }).first().click();
  await page.getByRole('region', { name: 'Differences' }).waitFor();
  t.assert.ok(await page.locator('.diff-line.removed').count() > 0);
  t.assert.ok(await page.locator('.diff-line.added').count() > 0);
  await page.getByText('same for all').first().waitFor();
  const here = page.url();
  // From every part to every other, as people click: nothing of the one may reach for what went with the other.
  const parts = page.getByRole('navigation', { name: 'Parts of this command' });
  for (const part of ['Summary', 'Nodes', 'Audit', 'Nodes', 'Log', 'Nodes', 'Definition', 'Nodes']) {
    await parts.getByRole('link', { name: part }).click();
    if (part === 'Nodes') {
      await page.locator('[data-act=open]').first().click();
      await page.locator('pre[data-output]').waitFor();
      await page.getByRole('link', { name: 'By output' }).click();
      await page.locator('[data-group]').first().waitFor();
      await page.getByRole('link', { name: 'One by one' }).click();
      await page.getByRole('link', { name: 'Compare' }).first().waitFor({ state: 'detached' });
      await page.locator('[data-act=open]').first().click();
      await page.getByRole('link', { name: 'Compare' }).first().click();
      await page.getByRole('region', { name: 'Differences' }).waitFor();
      await page.getByRole('link', { name: 'Close the comparison' }).click();
      await page.locator('pre[data-output]').waitFor();
    }
  }
  for (const shape of t.variants) {
    const other = await t.open({ as: 'administrator', ...shape });
    await t.visit(other, here);
    await t.axe(other, `compare ${shape.name}`);
    await t.picture(other, `compare-${shape.name}`);
    await t.visit(other, `/commands/${id}?tab=nodes&by=output`);
    await t.axe(other, `groups ${shape.name}`);
    await t.picture(other, `groups-${shape.name}`);
    await t.visit(other, `/commands/${id}?tab=audit`);
    await other.getByText('commands.run').first().waitFor();
    await t.axe(other, `audit tab ${shape.name}`);
    await t.picture(other, `audit-${shape.name}`);
    await other.context().close();
  }

  // 300 KiB: the page begins with the end; earlier output comes when asked for, until the first line is there.
  const long = await run(t, page, 'seq -w 1 40000');
  await t.visit(page, `/commands/${long.id}?tab=nodes&node=${long.nodes[0]}`);
  await page.getByText('40000').first().waitFor();
  const earlier = page.getByRole('button', { name: 'Load earlier output' });
  for (let pressed = 0; await earlier.count() > 0; pressed += 1) {
    t.assert.ok(pressed < 10, 'earlier output comes to an end');
    const before = (await page.locator('pre[data-output]').innerText()).length;
    await earlier.click();
    await t.until('more is shown', async () => (await page.locator('pre[data-output]').innerText()).length > before);
  }
  const lines = (await page.locator('pre[data-output]').innerText()).trim().split('\n');
  t.assert.equal(lines.length, 40_000);
  t.assert.ok(lines.every((line, at) => Number(line) === at + 1), 'every line once, in order');

  // The network goes away: what was shown stays, and says that it is old.
  t.tolerate(/Failed to load resource|ERR_INTERNET_DISCONNECTED|ERR_FAILED/);
  await t.visit(page, '/fleet');
  const rows = await page.locator('[data-row]').count();
  await page.route('**/api/fleet/list**', (route) => route.abort());
  await page.locator('[data-stale]').waitFor({ timeout: 30_000 });
  t.assert.equal(await page.locator('[data-row]').count(), rows, 'the rows are still there');
  await t.picture(page, 'stale');
  await page.unroute('**/api/fleet/list**');
  await page.locator('[data-stale]').waitFor({ state: 'detached', timeout: 30_000 });
  await lateParts(t);
}

// The code of a page does not come: asked for again, then said, and the portal still answers; and what comes late still comes.
async function lateParts(t) {
  t.tolerate(/Failed to fetch|net::ERR_/);
  const page = await t.open({ as: 'administrator' });
  const isPart = (url) => url.pathname.endsWith('.wasm') && !url.pathname.endsWith('/muster.wasm');
  let isAway = true;
  await page.route(isPart, (route) => (isAway ? route.abort() : route.continue()));
  // Whole from the server, it works without script until the part is there.
  await page.goto('/audit');
  await page.getByRole('heading', { level: 1, name: 'Audit log' }).waitFor();
  t.assert.equal(await page.locator('html[data-hydrated]').count(), 0);
  isAway = false;
  await t.hydrated(page);
  await page.unroute(isPart);

  const other = await t.open({ as: 'administrator' });
  await other.route(isPart, (route) => route.abort());
  await t.visit(other, '/');
  await other.getByRole('link', { name: 'Fleet' }).first().click();
  await other.locator('[data-not-fetched]').waitFor({ timeout: 30_000 });
  t.assert.equal(await other.locator('html[data-broken]').count(), 0, 'the page is not broken');
  await t.axe(other, 'a part that did not come');
  await t.picture(other, 'not-fetched');
  await other.unroute(isPart);
  await other.getByRole('link', { name: 'Try again' }).click();
  await other.locator('[data-row]').first().waitFor();
  await t.hydrated(other);
}
