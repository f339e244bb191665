// Every page in every shape: it is there, it hydrates without a word on the console, axe finds nothing,
// and at 390 pixels it does not scroll sideways.

export const timeout = 300_000;

const PAGES = [
  ['/', 'Overview'],
  ['/fleet', 'Fleet'],
  ['/fleet/add', 'Add node'],
  ['/terminals', 'Terminals'],
  ['/terminals/new', 'New terminal'],
  ['/commands', 'Commands'],
  ['/commands/new', 'Run command'],
  ['/audit', 'Audit log'],
  ['/settings/profile', 'Profile'],
  ['/settings/sessions', 'Sessions'],
  ['/settings/users', 'Users'],
  ['/settings/roles', 'Roles'],
];

export default async function pages(t) {
  const waiting = await t.open({ as: 'administrator' });
  await t.until('this machine is online', async () => {
    const answer = await waiting.request.get('/export/fleet.json');
    return (await answer.text()).includes('"Online"');
  }, 60_000);
  for (const shape of t.variants) {
    const page = await t.open({ as: 'administrator', ...shape });
    for (const [path, heading] of PAGES) {
      await t.visit(page, path);
      await page.getByRole('heading', { level: 1 }).filter({ hasText: heading }).waitFor();
      await t.axe(page, `${path} ${shape.name}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      t.assert.ok(wide <= 0, `${path} at ${shape.name} is ${wide} px too wide`);
      await t.picture(page, `${path.replaceAll('/', '_')}-${shape.name}`);
    }
  }
}
