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
  }

  await run(t, page, 'echo started\nsleep 120\necho never');
  await page.getByText('started').first().waitFor();
  await page.getByRole('button', { name: /^Cancel/ }).first().click();
  await page.getByRole('dialog').getByRole('button', { name: /cancel (the )?command|yes|stop/i }).first().click();
  await page.getByText('Cancelled').first().waitFor({ timeout: 30_000 });

  await run(t, page, 'echo broken >&2\nexit 7');
  await page.getByText('Failed').first().waitFor();
  await page.getByRole('link', { name: /Run again on failed/i }).first().waitFor();
}
