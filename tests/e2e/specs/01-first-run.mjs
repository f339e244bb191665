// The very first start: the one-time link makes the first administrator, once, and signs them in.

export default async function firstRun(t) {
  const stranger = await t.open();
  await stranger.goto('/fleet');
  await stranger.getByRole('heading', { name: 'Set up Muster' }).waitFor();
  await stranger.getByText('printed a one-time link').waitFor();

  t.assert.ok(t.portal.setupLink, 'the server printed a one-time link');
  const page = await t.open();
  await t.visit(page, t.portal.setupLink);
  await t.axe(page);
  await t.picture(page, 'setup');
  await page.getByLabel('User name').fill('admin');
  await page.getByLabel('Password', { exact: true }).fill('correct horse battery staple');
  await page.getByLabel('Password again').fill('something else entirely');
  await page.getByRole('button', { name: 'Create administrator' }).click();
  await page.getByRole('alert').getByText('not the same').waitFor();

  await page.getByLabel('User name').fill('admin');
  await page.getByLabel('Password', { exact: true }).fill('correct horse battery staple');
  await page.getByLabel('Password again').fill('correct horse battery staple');
  await page.getByRole('button', { name: 'Create administrator' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await t.remember('administrator', page);

  // The link is worth nothing now, and says so before anybody fills in a form.
  const late = await t.open();
  await t.visit(late, t.portal.setupLink);
  await late.getByText('This link has done its work').waitFor();
  t.assert.equal(await late.getByLabel('User name').count(), 0);
  await t.axe(late, 'a used link');
  await t.visit(late, '/setup?link=expired');
  await late.getByRole('alert').getByText('not valid any more').waitFor();
  await late.getByText('muster user setup-link').waitFor();
  await t.picture(late, 'expired');
}
