// Every page in every shape: it is there, it hydrates without a word on the console, axe finds nothing,
// and at 390 pixels it does not scroll sideways.

export const timeout = 900_000;

const PAGES = [
  ['/', 'Overview'],
  ['/fleet', 'Fleet'],
  ['/fleet/add', 'Add node'],
  ['/terminals', 'Terminals'],
  ['/terminals/new', 'New terminal'],
  ['/commands', 'Commands'],
  ['/commands/new', 'Run command'],
  ['/approvals', 'Approvals'],
  ['/approvals/role', 'Ask for a role'],
  ['/approvals/policies', 'Policies'],
  ['/approvals/delegations', 'Delegations'],
  ['/approvals/calendar', 'Calendar'],
  ['/schedules', 'Schedules'],
  ['/runbooks', 'Runbooks'],
  ['/executions', 'Executions'],
  ['/windows', 'Maintenance windows'],
  ['/windows/new', 'New maintenance window'],
  ['/deployments', 'Deployments'],
  ['/deployments/new', 'New application'],
  ['/parameters', 'Parameters'],
  ['/parameters/new', 'New parameter'],
  ['/patching', 'Patching'],
  ['/patching/baselines', 'Patch baselines'],
  ['/patching/exceptions', 'Exceptions'],
  ['/patching/baselines/new', 'New patch baseline'],
  ['/audit', 'Audit log'],
  ['/settings/profile', 'Profile'],
  ['/settings/sessions', 'Sessions'],
  ['/settings/tokens', 'API tokens'],
  ['/settings/users', 'Users'],
  ['/settings/roles', 'Roles'],
];

// Where nothing is, or what is asked for cannot be read: these are pages, too.
const NOTHING = [
  ['/nowhere', 'Page not found'],
  ['/fleet/mi-00000000000000000', 'Node not found'],
  ['/commands/00000000-0000-4000-8000-000000000000', 'Command not found'],
  ['/terminals/00000000-0000-4000-8000-000000000000', 'Terminals'],
  ['/terminals/00000000-0000-4000-8000-000000000000/recording', 'Recording'],
  ['/approvals/CR-999999', 'Request not found'],
  ['/approvals?tab=yours&state=fine', 'Approvals'],
  ['/audit?since=hello&actor=admin', 'Audit log'],
  ['/fleet?filter=colour%3Dred', 'Fleet'],
  ['/commands?status=Fine', 'Commands'],
  ['/runbooks/No-Such', 'Runbook not found'],
  ['/runbooks?owner=me', 'Runbooks'],
  ['/executions/00000000-0000-4000-8000-000000000000', 'Execution not found'],
  ['/executions?status=Fine', 'Executions'],
  ['/terminals?period=never', 'Terminals'],
  ['/parameters/view?name=/no/such', 'Parameter not found'],
  ['/parameters/edit?name=/no/such', 'Parameter not found'],
  ['/parameters?path=no/such', 'Parameters'],
  ['/parameters?type=Secret', 'Parameters'],
  ['/patching?state=fine', 'Patching'],
  ['/patching/baselines?system=OS2', 'Patch baselines'],
  ['/patching/exceptions?state=fine', 'Exceptions'],
  ['/patching/baselines/pb-00000000000000000', 'Baseline not found'],
  ['/patching?state=rejected&text=nothing', 'Patching'],
  ['/windows/mw-00000000000000000', 'Maintenance window not found'],
  ['/windows?enabled=perhaps', 'Maintenance windows'],
  ['/deployments/00000000-0000-4000-8000-000000000000', 'Application not found'],
  ['/deployments/00000000-0000-4000-8000-000000000000/deploy', 'Application not found'],
  ['/deployments/00000000-0000-4000-8000-000000000000/runs/00000000-0000-4000-8000-000000000000', 'Deployment not found'],
  ['/deployments?text=no-such', 'Deployments'],
];

export default async function pages(t) {
  t.tolerate(/status of 404/);
  const waiting = await t.open({ as: 'administrator' });
  await t.until('this machine is online', async () => {
    const answer = await waiting.request.get('/export/fleet.json');
    return (await answer.text()).includes('"Online"');
  }, 60_000);
  const widths = [...new Set(t.variants.map((shape) => shape.width))];
  for (const width of widths) {
    const shapes = t.variants.filter((shape) => shape.width === width);
    const page = await t.open({ as: 'administrator', ...shapes[0] });
    for (const [path, heading] of [...PAGES, ...NOTHING]) {
      await t.visit(page, path);
      await page.getByRole('heading', { level: 1 }).filter({ hasText: heading }).waitFor();
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      t.assert.ok(wide <= 0, `${path} at ${width} is ${wide} px too wide`);
      // Colours are the style sheet's alone: for those the page need not come again.
      for (const shape of shapes) {
        await page.emulateMedia({ colorScheme: shape.scheme });
        await t.axe(page, `${path} ${shape.name}`);
        await t.picture(page, `${path.split('?')[0].replaceAll('/', '_')}${path.includes('?') ? '-unreadable' : ''}-${shape.name}`);
      }
    }
  }
}
