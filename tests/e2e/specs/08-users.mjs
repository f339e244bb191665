// Users: made, given little, refused what they may not, disabled.

export default async function users(t) {
  const page = await t.open({ as: 'administrator' });
  const made = await page.request.post('/api/access/create_user', {
    headers: { origin: t.base, accept: 'application/json' },
    form: { name: 'vera', display_name: 'Vera', password: 'a viewer looks at things', role: 'viewer', scope: '*' },
  });
  t.assert.ok(made.ok(), `${made.status()} ${await made.text()}`);
  await t.visit(page, '/settings/users');
  await page.getByRole('link', { name: 'vera', exact: true }).first().waitFor();

  const vera = await t.open();
  await vera.goto('/sign-in');
  await vera.getByLabel('User name').fill('vera');
  await vera.getByLabel('Password', { exact: true }).fill('a viewer looks at things');
  await vera.getByRole('button', { name: 'Sign in' }).click();
  await vera.getByRole('heading', { name: 'Overview' }).waitFor();
  await t.hydrated(vera);
  // A viewer sees nodes, may run nothing, and reads no audit log.
  t.tolerate(/status of 403/);
  await t.visit(vera, '/fleet');
  await vera.getByRole('row').filter({ hasText: 'mi-' }).first().waitFor();
  // A form that would be refused at its end is not offered; what it takes is.
  for (const [path, permission] of [
    ['/commands/new', 'commands.run'], ['/fleet/add', 'fleet.create_activation'], ['/terminals/new', 'sessions.start'],
  ]) {
    await t.visit(vera, path);
    await vera.getByText(permission, { exact: true }).waitFor();
    await vera.getByText('An administrator of this portal can give it').waitFor();
    t.assert.equal(await vera.locator('main form').count(), 0);
    await t.axe(vera, `${path} as a viewer`);
    await t.picture(vera, path.replaceAll('/', '_'));
  }
  await vera.goto('/audit');
  await vera.getByText(/may not/i).first().waitFor();
  t.assert.equal((await vera.request.get('/export/audit.json')).status(), 403);
}
