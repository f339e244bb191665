// A command on several nodes: what failed is seen at once, and its log is followed, searched and kept.

export const timeout = 240_000;

const SCRIPT = `i=0
while [ $i -lt 300 ]; do i=$((i+1)); echo "line $i of $(hostname)"; done
echo "the needle" >&2
echo "last words" >&2
exit 3`;

export default async function log(t) {
  const page = await t.open({ as: 'administrator' });
  const answer = await page.request.get('/export/fleet.json?filter=status%3DOnline');
  const nodes = (await answer.text()).trim().split('\n').map((line) => JSON.parse(line))
    .filter((node) => !JSON.stringify(node).includes('Production')).slice(0, 2);
  await t.visit(page, `/commands/new?nodes=${nodes.map((node) => node.node_id).join(',')}`);
  await page.locator('textarea[name="parameters[commands]"]').fill(SCRIPT);
  await page.getByLabel('Stop after errors').fill('10');
  await page.getByRole('button', { name: /^Run on/ }).click();
  await page.waitForURL(/\/commands\/[0-9a-f-]{36}/);
  await t.hydrated(page);
  await page.locator('[data-stream=Ended]').waitFor({ timeout: 60_000 });
  const url = page.url().split('?')[0];

  // With one node its output is there; with more, those that failed come first, with why.
  if (nodes.length > 1) {
    await page.locator('[data-failed]').nth(1).waitFor();
    await page.locator('[data-failed]').first().getByText('last words').waitFor();
    await page.locator('[data-failed]').first().getByText('exit code 3').waitFor();
    await page.locator('[data-group]').first().waitFor();
    for (const shape of t.variants) {
      const other = await t.open({ as: 'administrator', ...shape });
      await t.visit(other, url);
      await t.axe(other, `failed ${shape.name}`);
      await t.picture(other, `failed-${shape.name}`);
      await other.context().close();
    }
    await page.locator('[data-failed] [data-act=open]').first().click();
    await page.locator('pre[data-output=stderr]').getByText('last words').waitFor();
  }

  await t.visit(page, `${url}?tab=log`);
  await page.locator('.log-line').nth(300).waitFor();
  await page.locator('[data-log-state]').getByText('Ended').waitFor();
  // By name, never by id.
  const names = new Set(await page.locator('.log-node').allInnerTexts());
  t.assert.ok([...names].every((name) => !/^mi-/.test(name.trim())), `names: ${[...names]}`);
  const frame = page.locator('.output.log');
  const left = () => frame.evaluate((log) => log.scrollHeight - log.clientHeight - log.scrollTop);
  await t.until('the end is in view', async () => await left() < 30);
  t.assert.equal(await page.getByRole('button', { name: 'Follow', exact: true }).count(), 0);
  await frame.hover();
  await page.mouse.wheel(0, -600);
  await page.getByRole('button', { name: 'Follow', exact: true }).click();
  await t.until('the end is in view again', async () => await left() < 30);

  const search = page.getByRole('searchbox', { name: 'Search the log' });
  await search.fill('NEEDLE');
  await search.press('Enter');
  await page.locator('[data-log-hits]').getByText(`1 of ${nodes.length}`).waitFor();
  await page.locator('.log-here').getByText('the needle').waitFor();
  await page.waitForURL(/find=NEEDLE/);
  await page.getByRole('button', { name: 'Jump to first error' }).click();
  t.assert.ok(await page.locator('.log-here.log-error').isVisible());
  await page.getByLabel('Times (UTC)').check();
  await page.waitForURL(/times=1/);
  t.assert.match(await page.locator('.log-time').first().innerText(), /^\d\d:\d\d:\d\d\.\d{3}$/);
  await page.getByLabel('Wrap').uncheck();
  await page.waitForURL(/wrap=0/);
  await page.reload();
  await t.hydrated(page);
  await page.locator('.output.log.nowrap.with-times .log-line').first().waitFor();
  t.assert.equal(await search.inputValue(), 'NEEDLE');
  for (const shape of t.variants) {
    const other = await t.open({ as: 'administrator', ...shape });
    await t.visit(other, `${url}?tab=log&times=1&find=needle`);
    await other.locator('.log-line').nth(300).waitFor();
    await t.axe(other, `log ${shape.name}`);
    await t.picture(other, `log-${shape.name}`);
    await other.context().close();
  }

  const file = await (await page.request.get(`/download/commands/${url.split('/').pop()}/log`)).text();
  t.assert.equal(file.split('\n').filter((line) => / out: line \d+ of /.test(line)).length, 300 * nodes.length);
  t.assert.ok(file.includes('err: the needle'));

  // More lines than a page shows: all of them are searched, the first error is gone to, and one reads on from there.
  await t.visit(page, `/commands/new?nodes=${nodes[0].node_id}`);
  await page.locator('textarea[name="parameters[commands]"]').fill('echo "broken at once" >&2; sleep 1; seq -f "row %g" 1 6000');
  await page.getByRole('button', { name: /^Run on/ }).click();
  await page.waitForURL(/\/commands\/[0-9a-f-]{36}/);
  await t.hydrated(page);
  await page.locator('[data-stream=Ended]').waitFor({ timeout: 60_000 });
  await t.visit(page, `${page.url().split('?')[0]}?tab=log`);
  await page.locator('[data-log-state]').getByText('Ended').waitFor();
  await page.locator('.log-line').getByText('row 6000', { exact: true }).waitFor();
  t.assert.equal(await page.locator('.log-line').count(), 2000);
  const seen = (text) => page.locator('.log-line').getByText(text, { exact: true }).isVisible();
  t.assert.equal(await seen('row 100'), false);
  await search.fill('row 100');
  await page.locator('[data-log-hits]').getByText('11 lines').waitFor();
  await search.press('Enter');
  await page.locator('.log-here').getByText('row 100', { exact: true }).waitFor();
  await t.until('the line is in view', () => page.locator('.log-here').evaluate((line) => {
    const [here, frame] = [line.getBoundingClientRect(), line.closest('.log').getBoundingClientRect()];
    return here.top >= frame.top && here.bottom <= frame.bottom;
  }));
  t.assert.equal(await seen('row 6000'), false);
  await page.getByRole('button', { name: 'Later lines' }).click();
  await page.locator('.log-line').getByText('row 2900', { exact: true }).waitFor({ state: 'attached' });
  await page.getByRole('button', { name: 'Jump to first error' }).click();
  await page.locator('.log-here.log-error').getByText('broken at once').waitFor();
  await page.getByRole('button', { name: 'Follow', exact: true }).click();
  await page.locator('.log-line').getByText('row 6000', { exact: true }).waitFor();
  await t.until('the end is in view once more', async () => await left() < 30);
  await page.getByRole('button', { name: 'Earlier lines' }).click();
  await page.locator('.log-line').getByText('row 3500', { exact: true }).waitFor({ state: 'attached' });
  await t.axe(page);
}
