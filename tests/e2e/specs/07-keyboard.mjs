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
}
