// The fleet: this machine, filters in the address, a node's own page, tags, saved views.

export default async function fleet(t) {
  const page = await t.open({ as: 'administrator' });
  await t.visit(page, '/fleet');
  const row = page.getByRole('row').filter({ hasText: 'mi-' }).first();
  await row.waitFor();
  await row.getByText('Online').waitFor();

  await t.visit(page, '/fleet?filter=status%3DConnectionLost');
  await page.getByText(/no node matches|nothing matches|No nodes match/i).first().waitFor();
  await t.visit(page, '/fleet?filter=colour%3Dred');
  await page.getByText(/is not a property/).first().waitFor();

  await t.visit(page, '/fleet?filter=tag%3AEnvironment%3DLocal');
  await page.getByRole('row').filter({ hasText: 'mi-' }).getByRole('link').first().click();
  await page.waitForURL(/\/fleet(\/mi-|\?.*node=)/);

  // From ticked nodes to the page that runs a command on them, with and without a filter.
  for (const address of ['/fleet', '/fleet?filter=status%3DOnline']) {
    await t.visit(page, address);
    await page.getByRole('row').filter({ hasText: 'mi-' }).first().getByRole('checkbox').check();
    await page.getByRole('button', { name: /^Run command on/ }).click();
    await page.getByRole('heading', { name: 'Run command' }).waitFor();
    t.assert.match(page.url(), /\/commands\/new\?/);
  }

  // Rows are text that is put in anew where it has changed: what is ticked stays ticked, what has the focus keeps it.
  await t.visit(page, '/fleet');
  const box = row.getByRole('checkbox');
  await box.check();
  await page.locator('tr.selected').first().waitFor();
  await page.reload();
  await t.hydrated(page);
  await page.locator('tr.selected').first().waitFor();
  t.assert.equal(await box.isChecked(), true);
  await row.locator('time').filter({ hasText: /now|ago/ }).waitFor();
  const seen = await row.evaluate((tr) => {
    const link = tr.querySelector('[data-act=open]');
    link.focus();
    window.marked = { link, box: tr.querySelector('input') };
    return tr.querySelector('time').dataset.at;
  });
  await t.until('a later ping', async () => (await row.locator('time').getAttribute('data-at')) !== seen, 90_000);
  const kept = await page.evaluate(() => [document.activeElement === window.marked.link, window.marked.box.isConnected, window.marked.box.checked]);
  t.assert.deepEqual(kept, [true, true, true]);
  await box.uncheck();
  await page.locator('tr.selected').waitFor({ state: 'detached' });
}
