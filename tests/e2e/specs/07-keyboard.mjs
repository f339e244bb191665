// By keyboard alone: the palette, help, and going to pages.

export default async function keyboard(t) {
  const page = await t.open({ as: 'administrator' });
  await t.visit(page, '/');
  await page.keyboard.press('Control+k');
  const box = page.getByRole('combobox').first();
  await box.waitFor();
  await page.keyboard.type('audit');
  await page.getByRole('option').filter({ hasText: 'Audit' }).first().waitFor();
  await t.axe(page);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Audit log' }).waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('f');
  await page.getByRole('heading', { level: 1, name: 'Fleet' }).waitFor();
  await page.keyboard.press('?');
  await page.getByRole('dialog').getByText(/keyboard/i).first().waitFor();
  await t.axe(page);
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });

  // A row is previewed; after Esc it is still the marked one, and opens.
  await page.locator('[data-row]').first().waitFor();
  await page.keyboard.press('j');
  await page.locator('[data-row]:focus').waitFor();
  await page.keyboard.press('e');
  await page.locator('aside.preview').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('aside.preview').waitFor({ state: 'detached' });
  await page.keyboard.press('o');
  await page.waitForURL(/\/fleet\/mi-/);
  await page.goBack();
  await page.locator('[data-row]').first().waitFor();
  await t.hydrated(page);
  // Enter on the row itself does the same; the filter is left by Esc.
  await page.keyboard.press('g');
  await page.keyboard.press('c');
  await page.getByRole('heading', { level: 1, name: 'Commands' }).waitFor();
  await page.locator('main [data-row], main .empty').first().waitFor();
  if (await page.locator('[data-row]').count() > 0) {
    await page.keyboard.press('j');
    await page.keyboard.press('/');
    await page.locator('[data-filter]:focus').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('[data-row]:focus').waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/commands\/[0-9a-f-]{36}/);
    // What is left open is looked at once more: not before it is there.
    await page.getByRole('heading', { level: 1 }).waitFor();
  }
}
