// People in specs: made by the administrator, signed in by the form, and remembered.

/** Makes the account with that role everywhere, and signs it in as the profile `name`. */
export async function person(t, admin, name, role, password) {
  const made = await admin.request.post('/api/access/create_user', {
    headers: { origin: t.base, accept: 'application/json' },
    form: { name, display_name: '', password, role, scope: '*' },
  });
  t.assert.ok(made.ok(), `${made.status()} ${await made.text()}`);
  const page = await t.open();
  await page.goto('/sign-in');
  await page.getByLabel('User name').fill(name);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await t.remember(name, page);
  return page;
}
