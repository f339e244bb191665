// API tokens: made with and without script, shown once, used, taken back. And what the connection says of itself.

export default async function tokens(t) {
  const page = await t.open({ as: 'administrator' });
  await t.visit(page, '/settings/tokens');
  await page.getByLabel('What it is for').fill('A nightly job');
  await page.getByLabel('Valid for, in days').fill('7');
  await page.getByRole('button', { name: 'Create token' }).click();
  await page.getByText('The token is shown only now.').waitFor();
  const secret = (await page.locator('[data-secret]').innerText()).trim();
  t.assert.match(secret, /^mst_[0-9a-f]{64}$/);
  await page.getByRole('button', { name: 'Copy the token' }).waitFor();
  await page.getByRole('row').filter({ hasText: 'A nightly job' }).getByText('never').waitFor();
  t.assert.equal(await page.getByLabel('What it is for').inputValue(), '', 'the form is empty again');
  await t.axe(page, 'a token that was made');
  await t.picture(page, 'made');
  const ask = async () => (await fetch(`${t.base}/export/fleet.json`, { headers: { authorization: `Bearer ${secret}` } })).status;
  t.assert.equal(await ask(), 200);
  await t.visit(page, '/settings/tokens');
  t.assert.equal(await page.getByText(secret).count(), 0, 'shown once');
  t.assert.equal(await page.getByRole('row').filter({ hasText: 'A nightly job' }).getByText('never').count(), 0);
  await page.getByRole('button', { name: 'Take back' }).click();
  await page.getByRole('dialog').getByText('Take back “A nightly job”?').waitFor();
  await t.axe(page, 'taking a token back');
  await page.getByRole('dialog').getByRole('button', { name: 'Take back' }).click();
  await page.getByText('You have no token').waitFor();
  t.assert.equal(await ask(), 401);
  const small = await t.open({ as: 'administrator', width: 390, height: 844, scheme: 'dark' });
  await t.visit(small, '/settings/tokens');
  await t.picture(small, 'small');

  // Without script nobody uses what the page preloads for it.
  t.tolerate(/was preloaded using link preload/);
  const plain = await t.open({ as: 'administrator', javaScript: false });
  await plain.goto('/settings/tokens');
  await plain.getByLabel('What it is for').fill('Without script');
  await plain.getByRole('button', { name: 'Create token' }).click();
  await plain.getByText('The token is shown only now.').waitFor();
  t.assert.match((await plain.locator('[data-secret]').innerText()).trim(), /^mst_/);
  t.assert.ok(!plain.url().includes('mst_'), 'the token is not in the address');
  await plain.reload();
  t.assert.equal(await plain.getByText('The token is shown only now.').count(), 0, 'shown once');
  await plain.getByRole('button', { name: 'Take back' }).click();
  await plain.getByRole('dialog').getByRole('button', { name: 'Take back' }).click();
  await plain.getByText('You have no token').waitFor();

  for (const shape of t.variants.filter((one) => one.width > 900)) {
    const wide = await t.open({ as: 'administrator', ...shape });
    await t.visit(wide, '/');
    await wide.locator('details.connection > summary').click();
    const menu = wide.locator('details.connection .menu-body');
    for (const word of ['Account', 'Region', 'Endpoint', 'http://127.0.0.1:', 'Embedded endpoint', 'in this account and region alone']) {
      await menu.getByText(word).first().waitFor();
    }
    await t.axe(wide, `the connection, ${shape.name}`);
    await t.picture(wide, `connection-${shape.name}`);
  }
}
