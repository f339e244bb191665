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

  const scripted = await t.open();
  await t.visit(scripted, '/sign-in');
  await scripted.getByLabel('User name').fill('admin');
  await scripted.getByLabel('Password', { exact: true }).fill('correct horse battery staple');
  await scripted.getByRole('button', { name: 'Sign in' }).click();
  await scripted.getByRole('heading', { name: 'Overview' }).waitFor();
  await t.hydrated(scripted);
  await scripted.locator('summary:visible').filter({ hasText: 'admin' }).first().click();
  await scripted.locator('button:visible').filter({ hasText: 'Sign out' }).first().click();
  await scripted.getByRole('heading', { name: 'Sign in' }).waitFor();
}
