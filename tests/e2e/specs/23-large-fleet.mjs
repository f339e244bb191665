// A fleet of more than one page: sorting, columns, paging, a selection that survives both, all that match but some, more nodes
// than an address names, saved views, the panel beside the table, and a node's own page in every shape.

export const timeout = 420_000;

const COUNT = 130;
const FILTER = 'filter=tag%3ASim%3Dtrue';

const rows = (page) => page.locator('table.nodes tbody tr');
const names = (page) => page.locator('table.nodes tbody a.strong').allTextContents();
const box = (page, at) => rows(page).nth(at).getByRole('checkbox');
const marked = (t, page, count) => t.until(`${count} rows are marked`, async () => (await page.locator('tr.selected').count()) === count, 5_000);
const bar = (page) => page.locator('.action-bar');
const acted = (page) => page.locator('[data-targets]').getAttribute('data-targets');

async function nextPage(t, page) {
  const before = await names(page);
  await page.getByRole('link', { name: 'Next page' }).click();
  await t.until('another page of nodes', async () => {
    const now = await names(page);
    return now.length > 0 && now[0] !== before[0];
  });
}

export default async function largeFleet(t) {
  await t.portal.simulate(COUNT);
  const page = await t.open({ as: 'administrator' });
  await t.until('all nodes in the portal', async () => {
    const answer = await page.request.get(`/export/fleet.csv?${FILTER}%3Bstatus%3DOnline`);
    return (await answer.text()).trim().split('\n').length === COUNT + 1;
  }, 150_000);

  // Sorted by name, both ways: the last of one order is the first of the other, over all pages.
  await t.visit(page, `/fleet?${FILTER}`);
  await page.getByText(`${COUNT} of `).first().waitFor();
  const first = await names(page);
  await nextPage(t, page);
  const second = await names(page);
  await nextPage(t, page);
  const third = await names(page);
  const all = [...first, ...second, ...third];
  t.assert.equal(new Set(all).size, COUNT, 'each node once');
  t.assert.deepEqual(all, [...all].sort(), 'in order over all pages');
  t.assert.equal(await page.getByRole('link', { name: 'Next page' }).count(), 0);
  await page.getByRole('columnheader', { name: 'Node' }).getByRole('link').click();
  await t.until('the other order', async () => (await names(page))[0] === all.at(-1));
  t.assert.deepEqual(await names(page), [...all].reverse().slice(0, first.length));
  t.assert.equal(await page.locator('th[aria-sort=descending]').count(), 1);

  // Columns: what is chosen stands in the address, and survives a reload and a page.
  await page.getByText('Columns', { exact: true }).click();
  await page.getByRole('checkbox', { name: 'Agent' }).uncheck();
  await page.getByRole('button', { name: 'Apply' }).click();
  await page.getByRole('columnheader', { name: 'Agent' }).waitFor({ state: 'detached' });
  await page.reload();
  await t.hydrated(page);
  t.assert.equal(await page.getByRole('columnheader', { name: 'Agent' }).count(), 0);
  t.assert.ok((await page.getByRole('columnheader', { name: 'Platform' }).count()) === 1);

  // What is ticked on one page stays ticked while one goes through the others, and is what a command runs on.
  await t.visit(page, `/fleet?${FILTER}`);
  await box(page, 0).check();
  await box(page, 2).click({ modifiers: ['Shift'] });
  await bar(page).getByText('3 nodes selected').waitFor();
  await nextPage(t, page);
  await marked(t, page, 0);
  await box(page, 1).check();
  await bar(page).getByText('4 nodes selected').waitFor();
  await page.getByRole('link', { name: 'First page' }).click();
  await t.until('the first page', async () => (await names(page))[0] === all[0]);
  await marked(t, page, 3);
  await page.getByRole('button', { name: 'Run command on 4' }).click();
  await page.getByRole('heading', { name: 'Run command' }).waitFor();
  await page.locator('[data-targets]').waitFor();
  t.assert.equal(await acted(page), '4');
  await page.goBack();
  await page.waitForURL(/\/fleet/);
  await bar(page).getByRole('button', { name: 'Clear selection' }).click();
  await bar(page).getByText('0 nodes selected').waitFor({ state: 'attached' });

  // All that match, but one; another list shows nothing of it as selected.
  await t.visit(page, `/fleet?${FILTER}`);
  await page.getByRole('checkbox', { name: 'Select all nodes on this page' }).check();
  await bar(page).getByRole('button', { name: `Select all ${COUNT} that match the filter` }).click();
  await box(page, 1).uncheck();
  await bar(page).getByText(`${COUNT - 1} nodes selected`).waitFor();
  await t.visit(page, '/fleet?filter=status%3DOnline');
  await bar(page).getByText('everything that matches tag:Sim=true').waitFor();
  await marked(t, page, 0);
  await page.getByRole('button', { name: `Run command on ${COUNT - 1}` }).click();
  await page.locator('[data-targets]').waitFor();
  t.assert.equal(await acted(page), String(COUNT - 1));
  t.assert.match(decodeURIComponent(page.url()), /id!=mi-/);

  // More nodes, one by one, than an address names.
  await t.visit(page, `/fleet?${FILTER}`);
  await bar(page).getByRole('button', { name: 'Clear selection' }).click();
  for (let number = 0; number < 3; number += 1) {
    if (number > 0) await nextPage(t, page);
    await page.getByRole('checkbox', { name: 'Select all nodes on this page' }).check();
  }
  await bar(page).getByText(`${COUNT} nodes selected`).waitFor();
  await page.getByRole('button', { name: `Run command on ${COUNT}` }).click();
  await page.locator('[data-targets]').waitFor();
  t.assert.equal(await acted(page), String(COUNT));
  t.assert.match(decodeURIComponent(page.url()), /nodes=list:[0-9a-f]{32}$/);
  await t.axe(page);
  // Another document, and a reload: the nodes stay.
  await page.getByLabel('Document', { exact: true }).selectOption('AWS-RunPatchBaseline');
  await page.waitForURL(/document=AWS-RunPatchBaseline/);
  await page.reload();
  await t.hydrated(page);
  await page.locator('[data-targets]').waitFor();
  t.assert.equal(await acted(page), String(COUNT));
  await t.visit(page, '/fleet');
  await bar(page).getByRole('button', { name: 'Clear selection' }).click();

  // A saved view brings filter and order back, also as the nodes of a command.
  await t.visit(page, `/fleet?${FILTER}&sort=name&desc=1`);
  const wanted = await names(page);
  await page.locator('details.views > summary').click();
  await page.getByLabel('Name').fill('Simulated');
  await page.getByRole('button', { name: 'Save view' }).click();
  await page.getByText('View saved.').waitFor();
  await t.visit(page, '/fleet');
  await page.locator('details.views > summary').click();
  await page.locator('.view-list').getByRole('link', { name: 'Simulated' }).click();
  await t.until('what was saved', async () => JSON.stringify(await names(page)) === JSON.stringify(wanted));
  await t.visit(page, '/commands/new');
  await page.getByRole('link', { name: 'Simulated' }).click();
  await page.locator('[data-targets]').waitFor();
  t.assert.equal(await acted(page), String(COUNT));
  await t.visit(page, '/fleet');
  await page.locator('details.views > summary').click();
  await page.locator('.view-list').getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete view' }).click();
  await page.getByText('View deleted.').waitFor();

  // The panel beside the table and the node's own page, in every shape.
  for (const shape of t.variants) {
    const other = await t.open({ as: 'administrator', ...shape });
    await t.visit(other, `/fleet?${FILTER}`);
    const row = rows(other).first();
    const name = await row.locator('a.strong').textContent();
    await row.locator('[data-act=preview]').click();
    await other.getByRole('complementary', { name: `Preview of ${name}` }).waitFor();
    await t.axe(other, `the panel ${shape.name}`);
    await t.picture(other, `panel-${shape.name}`);
    await other.keyboard.press('Escape');
    await other.locator('.preview').waitFor({ state: 'detached' });
    await row.locator('a.strong').click();
    await other.getByRole('heading', { level: 1, name }).waitFor();
    await t.axe(other, `a node ${shape.name}`);
    const wide = await other.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    t.assert.ok(wide <= 0, `a node's page at ${shape.width} is ${wide} px too wide`);
    await t.picture(other, `node-${shape.name}`);
    await other.close();
  }
}
