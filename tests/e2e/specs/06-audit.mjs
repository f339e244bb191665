// The audit log: every act of the story so far, filters in the address, the check.

export default async function audit(t) {
  const page = await t.open({ as: 'administrator' });
  await t.visit(page, '/audit');
  await page.getByText('commands.run').first().waitFor();
  await t.visit(page, '/audit?action=session.sign_in&outcome=failure');
  await page.getByText('session.sign_in').first().waitFor();
  t.assert.equal(await page.getByText('commands.run').count(), 0);
  await page.getByRole('button', { name: /Verify/ }).first().click();
  await page.getByText(/intact/i).first().waitFor();
  await t.axe(page);

  const [code, text] = [0, await (await page.request.get('/export/audit.csv?action=commands.run')).text()];
  t.assert.equal(code, 0);
  t.assert.match(text, /commands\.run,command:[0-9a-f-]{36},success/);
  t.assert.ok(!text.includes('correct horse'), 'no password is in the audit log');
}
