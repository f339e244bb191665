// Runbooks end to end: found, started on a node, its steps watched as they come, a pause ended by hand, an approval given
// by somebody else, and its pages in two shapes.

export const timeout = 300_000;

const step = (name, action, inputs, more = {}) => ({ name, action, inputs, ...more });
const RUNBOOK = {
  schemaVersion: '0.3',
  description: 'Greets a node, waits to be let on, asks for approval.\nFor the browser suite.',
  parameters: {
    InstanceIds: { type: 'StringList', description: 'Whom to greet' },
    Word: { type: 'String', default: 'hello', allowedValues: ['hello', 'goodbye'] },
  },
  mainSteps: [
    step('Greet', 'aws:runCommand', {
      DocumentName: 'AWS-RunShellScript', InstanceIds: '{{ InstanceIds }}', Parameters: { commands: ['echo {{ Word }} from a runbook'] },
    }, { onFailure: 'step:Mend' }),
    step('Hold', 'aws:pause', {}),
    step('Ask', 'aws:approve', { Approvers: ['portal'], Message: 'May it go on?' }),
    step('Choose', 'aws:branch', { Choices: [{ NextStep: 'Rest', Variable: '{{ Word }}', StringEquals: 'hello' }], Default: 'Mend' }),
    step('Rest', 'aws:sleep', { Duration: 'PT2S' }, { isEnd: true }),
    step('Mend', 'aws:sleep', { Duration: 'PT1S' }),
  ],
};

// The two shapes that differ most; the others are looked at by the specs of all pages.
async function shapes(t, profile, path, name) {
  for (const shape of t.variants.filter((one) => ['1440-light', '390-dark'].includes(one.name))) {
    const page = await t.open({ as: profile, ...shape });
    await t.visit(page, path);
    await t.axe(page, `${name} ${shape.name}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    t.assert.ok(wide <= 0, `${path} at ${shape.name} is ${wide} px too wide`);
    await t.picture(page, `${name}-${shape.name}`);
    await page.close();
  }
}

export default async function runbooks(t) {
  const api = await t.portal.api();
  const create = async (name, content) => {
    await api('CreateDocument', { Name: name, DocumentType: 'Automation', Content: JSON.stringify(content) });
  };
  await create('Suite-Greet', RUNBOOK);
  const second = structuredClone(RUNBOOK);
  second.mainSteps[4].inputs.Duration = 'PT3S';
  await api('UpdateDocument', { Name: 'Suite-Greet', DocumentVersion: '$LATEST', Content: JSON.stringify(second) });

  const page = await t.open({ as: 'administrator' });
  const answer = await page.request.get('/export/fleet.json?filter=status%3DOnline');
  const node = JSON.parse((await answer.text()).trim().split('\n')[0]);

  // Found by the rail and by typing a part of its name.
  await t.visit(page, '/');
  await page.getByRole('link', { name: 'Runbooks' }).first().click();
  await page.getByRole('heading', { level: 1, name: 'Runbooks' }).waitFor();
  await page.getByRole('link', { name: 'Suite-Greet' }).waitFor({ timeout: 45_000 });
  await page.getByLabel('Name or description').fill('suite-gr');
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.waitForURL(/text=suite-gr/);
  await page.getByRole('link', { name: 'Suite-Greet' }).click();
  await page.getByRole('heading', { level: 1, name: 'Suite-Greet' }).waitFor();
  await page.locator('[data-graph-step=Mend]').waitFor();
  await shapes(t, 'administrator', '/runbooks', 'catalogue');
  await shapes(t, 'administrator', '/runbooks/Suite-Greet', 'runbook');
  await shapes(t, 'administrator', '/runbooks/Suite-Greet?tab=versions&old=1&new=2', 'diff');
  await shapes(t, 'administrator', '/runbooks/Suite-Greet?tab=versions&old=1&new=2&view=split', 'diff-split');
  await shapes(t, 'administrator', '/runbooks/Suite-Greet?tab=content', 'content');
  await shapes(t, 'administrator', `/runbooks/Suite-Greet/start?nodes=${node.node_id}`, 'start');

  // A start without a reason is refused at its field.
  t.tolerate(/status of 422/);
  await t.visit(page, `/runbooks/Suite-Greet/start?nodes=${node.node_id}`);
  await page.getByRole('button', { name: /^Start on 1 node/ }).click();
  await page.locator('.run-error').getByText('Say what it is for').waitFor();
  await page.getByLabel('What it is for').fill('the browser suite');
  await page.getByRole('button', { name: /^Start on 1 node/ }).click();
  await page.waitForURL(/\/executions\/[0-9a-f-]{36}/);
  await t.hydrated(page);
  const url = page.url().split('?')[0];

  // The steps arrive by themselves.
  await page.locator('[data-step=Greet][data-step-status=Success]').waitFor({ timeout: 60_000 });
  await page.locator('[data-step=Hold][data-step-status=Waiting]').waitFor();
  await page.locator('[data-waiting=resume]').waitFor();
  await page.locator('[data-stream=Live]').waitFor();
  await t.axe(page, 'a pause');
  await t.picture(page, 'pause');
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.locator('[data-step=Ask][data-step-status=Waiting]').waitFor();
  // Whoever started it is told why they do not decide.
  await page.locator('[data-why-not]').getByText('somebody else').waitFor();

  // Another administrator approves, while the first page looks on.
  const password = 'somebody who decides here';
  const created = await page.request.post('/api/access/create_user', {
    form: { name: 'decider', display_name: '', password, role: 'approver', scope: '*' },
    headers: { origin: new URL(page.url()).origin },
  });
  t.assert.ok(created.ok(), `the approver was not made: ${created.status()}`);
  const other = await t.open();
  await other.goto('/sign-in');
  await t.hydrated(other);
  await other.getByLabel('Name').fill('decider');
  await other.getByLabel('Password').fill(password);
  await other.getByRole('button', { name: 'Sign in' }).click();
  await other.waitForURL((address) => !address.pathname.startsWith('/sign-in'));
  await t.remember('decider', other);
  await shapes(t, 'decider', new URL(url).pathname, 'approval');
  await t.visit(other, new URL(url).pathname);
  await other.getByText('May it go on?').waitFor();
  await other.getByRole('button', { name: 'Reject' }).click();
  await other.getByText('Say why you reject it').first().waitFor();
  await other.getByLabel('Comment').fill('it may');
  await other.getByRole('button', { name: 'Approve' }).click();
  await page.locator('[data-step=Rest][data-step-status=Success]').waitFor({ timeout: 30_000 });
  await page.locator('[data-status=Success]').waitFor();
  await page.locator('[data-stream=Ended]').waitFor();
  // Each step stands once, in the order in which they were begun.
  const names = await page.locator('tr[data-step]').evaluateAll((rows) => rows.map((row) => row.dataset.step));
  t.assert.deepEqual(names, ['Greet', 'Hold', 'Ask', 'Choose', 'Rest', 'Mend']);

  await page.getByRole('link', { name: 'Greet', exact: true }).click();
  await page.getByRole('heading', { level: 2, name: 'Greet' }).waitFor();
  await page.locator('[data-value=Output]').getByText('hello from a runbook').waitFor();
  for (const tab of ['steps', 'steps&step=0', 'graph', 'definition', 'audit']) {
    await shapes(t, 'administrator', `${new URL(url).pathname}?tab=${tab}`, `execution-${tab.replace('&', '-')}`);
  }
  await shapes(t, 'administrator', '/executions', 'executions');

  // Stopped by hand.
  await t.visit(page, `/runbooks/Suite-Greet/start?nodes=${node.node_id}`);
  await page.getByLabel('What it is for').fill('to be stopped');
  await page.getByRole('button', { name: /^Start on 1 node/ }).click();
  await page.waitForURL(/\/executions\/[0-9a-f-]{36}/);
  await page.locator('[data-waiting=resume]').waitFor({ timeout: 60_000 });
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await t.axe(page, 'stopping');
  await page.getByRole('dialog').getByRole('button', { name: 'Stop at once' }).click();
  await page.locator('[data-status=Cancelled]').waitFor();

  await withoutScript(t, node.node_id);
}

// The same as plain forms.
async function withoutScript(t, node) {
  const page = await t.open({ as: 'administrator', javaScript: false });
  await page.goto(`/runbooks/Suite-Greet/start?nodes=${node}`);
  await page.getByRole('button', { name: /^Start on 1 node/ }).click();
  await page.getByText('Say what it is for').first().waitFor();
  await page.getByLabel('What it is for').fill('without script');
  await page.getByRole('button', { name: /^Start on 1 node/ }).click();
  await page.waitForURL(/\/executions\/[0-9a-f-]{36}/);
  await t.until('it pauses', async () => {
    await page.reload();
    return (await page.locator('[data-waiting=resume]').count()) === 1;
  }, 60_000);
  await page.getByRole('button', { name: 'Resume' }).click();
  await t.until('it asks', async () => {
    await page.reload();
    return (await page.locator('[data-waiting=decision]').count()) === 1;
  });
  await page.getByText('somebody else').waitFor();
}
