// The audit log: every act of the story so far, filters in the address, the check.

export default async function audit(t) {
  const page = await t.open({ as: 'administrator' });
  await t.visit(page, '/audit');
  await page.getByText('commands.run').first().waitFor();
  await t.visit(page, '/audit?action=session.sign_in&outcome=failure');
  await page.getByText('session.sign_in').first().waitFor();
  t.assert.equal(await page.getByText('commands.run').count(), 0);
  // A date that is none: said at its field, nothing is looked up, and the other conditions stay for the next try.
  await t.visit(page, '/audit?since=hello&actor=admin');
  await page.getByText('“hello” is no time').first().waitFor();
  await page.getByRole('heading', { name: 'Nothing was looked up' }).waitFor();
  t.assert.equal(await page.locator('.act-row:not(.act-head)').count(), 0);
  t.assert.equal(await page.getByLabel('Actor').inputValue(), 'admin');
  await page.getByRole('link', { name: 'Leave it out' }).click();
  await page.getByText('commands.run').first().waitFor();
  t.assert.match(page.url(), /\/audit\?actor=admin$/);
  // The Overview shows what changed something; what only looked is one link away.
  await t.visit(page, '/');
  const recent = page.locator('section').filter({ has: page.getByRole('heading', { name: 'Recent activity' }) });
  await recent.getByText('commands.run').first().waitFor();
  t.assert.equal(await recent.getByText('audit.read').count(), 0);
  await recent.getByRole('link', { name: 'Show reads' }).click();
  await page.getByText('audit.read').first().waitFor();
  t.assert.equal(await page.getByText('commands.run').count(), 0);
  await t.visit(page, '/audit?action=session.sign_in&outcome=failure');
  await page.getByRole('button', { name: /Verify/ }).first().click();
  await page.getByText(/intact/i).first().waitFor();
  await t.axe(page);

  const [code, text] = [0, await (await page.request.get('/export/audit.csv?action=commands.run')).text()];
  t.assert.equal(code, 0);
  t.assert.match(text, /commands\.run,command:[0-9a-f-]{36},success/);
  t.assert.ok(!text.includes('correct horse'), 'no password is in the audit log');
}
