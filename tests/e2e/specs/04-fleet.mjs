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
}
