// Run Command end to end: choose, run, watch the output arrive, run again, cancel.

export const timeout = 240_000;

async function run(t, page, script) {
  const answer = await page.request.get('/export/fleet.json');
  const nodes = (await answer.text()).trim().split('\n').map((line) => JSON.parse(line)).filter((node) => node.status === 'Online');
  await t.visit(page, `/commands/new?nodes=${nodes[0].node_id}`);
  await page.locator('textarea[name="parameters[commands]"]').fill(script);
  await page.getByRole('button', { name: /^Run on 1 node/ }).click();
  await page.waitForURL(/\/commands\/[0-9a-f-]{36}/);
  await t.hydrated(page);
}

export default async function command(t) {
  const page = await t.open({ as: 'administrator' });
  await run(t, page, 'echo first line\nfor i in 1 2 3; do echo tick $i; sleep 0.5; done\necho last line');
  await page.getByText('first line').first().waitFor();
  await page.getByText('last line').first().waitFor();
  await page.getByText('Success').first().waitFor();
  // What arrived live is exactly what was written: nothing lost, nothing doubled.
  const text = await page.locator('pre, [role=log], .output').filter({ hasText: 'first line' }).first().innerText();
  t.assert.equal(text.split('tick 2').length, 2, `"tick 2" stands once in:\n${text}`);
  await t.axe(page);
  await t.picture(page, 'done');
  const url = page.url().split('?')[0];
  for (const shape of t.variants) {
    const other = await t.open({ as: 'administrator', ...shape });
    for (const tab of ['summary', 'nodes', 'log', 'definition']) {
      await t.visit(other, `${url}?tab=${tab}`);
      await t.axe(other, `command ${tab} ${shape.name}`);
      await t.picture(other, `${tab}-${shape.name}`);
    }
    // A status that there is not: said at its field, and no nodes that nobody asked for.
    await t.visit(other, `${url}?tab=nodes&status=Bad`);
    await other.getByText('“Bad” is no status').first().waitFor();
    t.assert.equal(await other.locator('tr').filter({ hasText: 'mi-' }).count(), 0);
    await t.axe(other, `command nodes, unreadable, ${shape.name}`);
    await t.picture(other, `nodes-unreadable-${shape.name}`);
  }

  await run(t, page, 'echo started\nsleep 120\necho never');
  await page.getByText('started').first().waitFor();
  await page.getByRole('button', { name: /^Cancel/ }).first().click();
  await page.getByRole('dialog').getByRole('button', { name: /cancel (the )?command|yes|stop/i }).first().click();
  await page.getByText('Cancelled').first().waitFor({ timeout: 30_000 });

  await run(t, page, 'echo broken >&2\nexit 7');
  await page.getByText('Failed').first().waitFor();
  await page.getByRole('link', { name: /Run again on failed/i }).first().waitFor();
  // What it wrote is on show, though it wrote nothing but errors.
  await page.locator('pre[data-output=stderr]').filter({ hasText: 'broken' }).waitFor();
  // It is called by what it does.
  await page.getByRole('heading', { level: 1, name: 'echo broken >&2' }).waitFor();
  await t.visit(page, '/commands');
  await page.getByRole('link', { name: 'echo broken >&2' }).first().waitFor();
  t.assert.equal(await page.getByText(/running for \d+ ms/).count(), 0);

  t.tolerate(/status of 422/);
  await refused(t, page);
  await production(t, page);
}

// What is wrong is said beside the button and at its field, and has the focus.
async function refused(t, page) {
  const answer = await page.request.get('/export/fleet.json?filter=status%3DOnline');
  const node = JSON.parse((await answer.text()).trim().split('\n')[0]).node_id;
  await t.visit(page, `/commands/new?nodes=${node}`);
  await page.locator('textarea[name="parameters[commands]"]').fill('id');
  await page.getByLabel('executionTimeout').fill('abc');
  await page.getByRole('button', { name: /^Run on/ }).click();
  await page.locator('.run-bar .run-error').getByText('whole seconds').waitFor();
  await page.locator('#parameter-executionTimeout-error').getByText('whole seconds').waitFor();
  await t.until('the error has the focus', () => page.evaluate(() => document.activeElement.classList.contains('run-error')));
  // What only the portal finds is said in the same place.
  await page.getByLabel('executionTimeout').fill('60');
  await page.getByLabel('At most at once').fill('many');
  await page.getByRole('button', { name: /^Run on/ }).click();
  await page.locator('.run-error').getByText('percentage').waitFor();
  t.assert.ok(await page.locator('.run-error').evaluate((slot) => {
    const box = slot.getBoundingClientRect();
    return box.top >= 0 && box.bottom <= innerHeight;
  }), 'the error is in view');
  await t.axe(page, 'a refused run');
  await t.picture(page, 'refused');
}

// A node in production: the dialog says what would be done to what, and nothing starts before the number was typed.
async function production(t, page) {
  const answer = await page.request.get('/export/fleet.json?filter=status%3DOnline');
  const nodes = (await answer.text()).trim().split('\n').map((line) => JSON.parse(line));
  const node = nodes.find((one) => JSON.stringify(one).includes('Local')) ?? nodes[0];
  const tag = (value) => page.request.post('/api/fleet/set_tag', {
    form: { node_id: node.node_id, key: 'Environment', value }, headers: { origin: new URL(page.url()).origin },
  });
  t.assert.ok((await tag('Production')).ok());
  try {
    await t.visit(page, `/commands/new?nodes=${node.node_id}`);
    await page.locator('textarea[name="parameters[commands]"]').fill('\necho careful\necho second');
    await page.getByRole('button', { name: /^Run on 1 node/ }).click();
    const dialog = page.getByRole('dialog');
    await dialog.locator('[data-script]').getByText('echo careful').waitFor();
    await dialog.getByText('Production 1').waitFor();
    await dialog.locator('[data-nodes]').getByText(node.name ?? '').waitFor();
    await t.axe(page, 'confirming a run');
    await t.picture(page, 'confirm');
    await dialog.getByLabel('Type 1 to go on').fill('2');
    t.assert.equal(await dialog.getByRole('button', { name: 'Run on 1 node' }).getAttribute('aria-disabled'), 'true');
    await dialog.getByLabel('Type 1 to go on').press('Enter');
    t.assert.ok(page.url().includes('/commands/new'), 'the wrong number does nothing');
    await dialog.getByLabel('Type 1 to go on').fill('1');
    await dialog.getByRole('button', { name: 'Run on 1 node' }).click();
    await page.waitForURL(/\/commands\/[0-9a-f-]{36}/);
    await page.getByText('careful').first().waitFor();
  } finally {
    await tag('Local');
  }
}
