// Signing in, with and without script; failures that say nothing; signing out.

export default async function signIn(t) {
  for (const shape of t.variants) {
    const page = await t.open(shape);
    await t.visit(page, '/sign-in');
    await t.axe(page);
    await t.picture(page, shape.name);
  }

  // Without script nobody uses what the page preloads for it.
  t.tolerate(/was preloaded using link preload/);
  const page = await t.open({ javaScript: false });
  await page.goto('/fleet?filter=status%3DOnline');
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  const said = [];
  for (const name of ['admin', 'nobody']) {
    await page.getByLabel('User name').fill(name);
    await page.getByLabel('Password', { exact: true }).fill('not the password');
    await page.getByRole('button', { name: 'Sign in' }).click();
    said.push(await page.getByRole('alert').innerText());
  }
  t.assert.equal(said[0], said[1], 'a wrong password and an unknown name read the same');

  await page.getByLabel('User name').fill('admin');
  await page.getByLabel('Password', { exact: true }).fill('correct horse battery staple');
  await page.getByRole('button', { name: 'Sign in' }).click();
  // Back where they wanted to go, with the filter.
  await page.getByRole('heading', { name: 'Fleet' }).waitFor();
  t.assert.match(page.url(), /\/fleet\?filter=status/);

  // With script, by the keyboard alone: it begins at the first empty field, and a failed try keeps the name.
  const scripted = await t.open();
  const focused = () => scripted.evaluate(() => document.activeElement?.getAttribute('name'));
  await t.visit(scripted, '/sign-in');
  t.assert.equal(await focused(), 'name');
  await scripted.keyboard.type('admin');
  await scripted.keyboard.press('Tab');
  await scripted.keyboard.type('not the password');
  await scripted.keyboard.press('Enter');
  await scripted.getByRole('alert').waitFor();
  await t.hydrated(scripted);
  t.assert.equal(await scripted.getByLabel('User name').inputValue(), 'admin');
  t.assert.equal(await scripted.getByLabel('Password', { exact: true }).inputValue(), '');
  t.assert.ok(!scripted.url().includes('admin'), 'the name is not in the address');
  t.assert.equal(await focused(), 'password');
  await t.picture(scripted, 'again');
  await scripted.keyboard.type('correct horse battery staple');
  await scripted.keyboard.press('Enter');
  await scripted.getByRole('heading', { name: 'Overview' }).waitFor();
  await t.hydrated(scripted);
  await scripted.locator('summary:visible').filter({ hasText: 'admin' }).first().click();
  await scripted.locator('button:visible').filter({ hasText: 'Sign out' }).first().click();
  await scripted.getByRole('heading', { name: 'Sign in' }).waitFor();
}
