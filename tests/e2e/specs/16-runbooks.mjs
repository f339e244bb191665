// Runbooks end to end: found, started on a node, its steps watched as they come, a pause ended by hand, an approval given
// by somebody else, and its pages in two shapes. Then again from what was kept: a template, a step that failed, a schedule.

export const timeout = 600_000;

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
  await template(t, page, node.node_id);
  await retry(t, page, create);
  await schedule(t, page);
}

// The filled form is kept, opened again, and says when its runbook is another one by now.
async function template(t, page, node) {
  await t.visit(page, `/runbooks/Suite-Greet/start?nodes=${node}`);
  await page.getByLabel('Word').selectOption('goodbye');
  await page.getByText('Save as template', { exact: true }).click();
  await page.getByRole('button', { name: 'Save template' }).click();
  await page.getByText('Give the template a name').first().waitFor();
  await page.getByLabel('Name of the template').fill('Suite nightly');
  await page.getByRole('button', { name: 'Save template' }).click();
  await page.waitForURL(/template=/);
  await page.locator('[data-from-template="Suite nightly"]').waitFor();
  t.assert.equal(await page.getByLabel('Word').inputValue(), 'goodbye');
  await page.getByRole('button', { name: /^Start on 1 node/ }).waitFor();
  await shapes(t, 'administrator', page.url().replace(/^https?:\/\/[^/]+/, ''), 'template');
  await shapes(t, 'administrator', '/runbooks', 'catalogue-templates');
  // Found beside the runbook, renamed, opened by its name, deleted after being asked.
  await t.visit(page, '/runbooks/Suite-Greet');
  const row = page.locator('tr[data-template="Suite nightly"]');
  await row.getByRole('button', { name: 'Rename' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill('Suite weekly');
  await t.axe(page, 'renaming a template');
  await page.getByRole('dialog').getByRole('button', { name: 'Rename template' }).click();
  await page.locator('tr[data-template="Suite weekly"]').waitFor();
  await page.getByRole('link', { name: 'Suite weekly' }).click();
  await page.locator('[data-from-template="Suite weekly"]').waitFor();
  await t.visit(page, '/runbooks');
  await page.locator('tr[data-template="Suite weekly"]').getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete template' }).click();
  await page.locator('tr[data-template]').waitFor({ state: 'detached' });
}

// What has failed goes on from the step that did.
async function retry(t, page, create) {
  const api = await t.portal.api();
  await create('Suite-Needs', {
    schemaVersion: '0.3',
    mainSteps: [
      step('First', 'aws:sleep', { Duration: 'PT1S' }),
      step('Needs', 'aws:executeAwsApi', { Service: 'ssm', Api: 'GetParameter', Name: '/walk/needs' }),
      step('Last', 'aws:sleep', { Duration: 'PT1S' }),
    ],
  });
  await t.visit(page, '/runbooks/Suite-Needs/start');
  await page.getByLabel('What it is for').fill('something is missing');
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await page.waitForURL(/\/executions\/[0-9a-f-]{36}/);
  await page.locator('[data-status=Failed]').waitFor({ timeout: 60_000 });
  await page.getByRole('button', { name: 'Retry from this step' }).waitFor();
  await shapes(t, 'administrator', new URL(page.url()).pathname, 'failed');
  await api('PutParameter', { Name: '/walk/needs', Value: 'there', Type: 'String' });
  await page.getByRole('button', { name: 'Retry from this step' }).click();
  await page.getByRole('dialog').getByText('Steps before it stay as they are').waitFor();
  await t.axe(page, 'retrying');
  await t.picture(page, 'retrying');
  await page.getByRole('dialog').getByRole('button', { name: 'Retry', exact: true }).click();
  await page.locator('[data-status=Success]').waitFor({ timeout: 60_000 });
  const stood = await page.locator('tr[data-step]').evaluateAll((rows) => rows.map((row) => [row.dataset.step, row.dataset.stepStatus]));
  t.assert.deepEqual(stood, [['First', 'Success'], ['Needs', 'Failed'], ['Needs', 'Success'], ['Last', 'Success']]);
  t.assert.equal(await page.getByRole('button', { name: 'Retry from this step' }).count(), 0);
  await page.locator('[data-again]').getByText('Done again from here by').waitFor();
}

// Started by itself: the next starts are shown before it is saved; paused, resumed, on the calendar, deleted.
async function schedule(t, page) {
  await t.visit(page, '/runbooks/Suite-Needs/start');
  await page.getByLabel('What it is for').fill('every week');
  await page.getByText('On a schedule instead of now').click();
  await page.getByLabel('Name of the schedule').fill('Suite Sundays');
  await page.getByLabel('When', { exact: true }).fill('cron(0 2 ? * SUN *)');
  await page.getByLabel('Time zone').fill('Europe/Berlin');
  await page.getByRole('button', { name: 'Show the next starts' }).click();
  await page.locator('[data-next-starts]').getByText('Europe/Berlin').waitFor();
  await t.axe(page, 'next starts');
  await t.picture(page, 'next-starts');
  await page.getByRole('button', { name: 'Save this schedule' }).click();
  await page.waitForURL(/\/schedules/);
  const row = page.locator('tr[data-schedule="Suite Sundays"]');
  await row.locator('[data-standing=On]').waitFor();
  await shapes(t, 'administrator', '/schedules', 'schedules');
  await shapes(t, 'administrator', '/approvals/calendar', 'calendar');
  await row.getByRole('button', { name: /^Pause/ }).click();
  await row.locator('[data-standing=Paused]').waitFor();
  await row.getByRole('button', { name: /^Resume/ }).click();
  await row.locator('[data-standing=On]').waitFor();

  // The calendar by keyboard: its entries are links, and the address has the month.
  await t.visit(page, '/approvals/calendar');
  await page.locator('[data-entry=schedule]').first().waitFor();
  const months = page.getByRole('navigation', { name: 'Months' }).getByRole('link');
  await months.last().focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(/month=\d{4}-\d{2}/);
  await page.getByRole('link', { name: 'Coming four weeks' }).waitFor();

  await t.visit(page, '/schedules');
  await row.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete schedule' }).click();
  await page.getByText('Nothing is scheduled').waitFor();

  const plain = await t.open({ as: 'administrator', javaScript: false });
  await plain.goto('/runbooks/Suite-Needs/start?on=schedule');
  await plain.getByLabel('What it is for').fill('without script');
  await plain.getByLabel('Name of the schedule').fill('Suite plain');
  await plain.getByLabel('When', { exact: true }).fill('rate(7 days)');
  await plain.getByRole('button', { name: 'Show the next starts' }).click();
  await plain.locator('[data-next-starts]').waitFor();
  t.assert.equal(await plain.getByLabel('Name of the schedule').inputValue(), 'Suite plain');
  await plain.getByRole('button', { name: 'Save this schedule' }).click();
  await plain.waitForURL(/\/schedules/);
  await plain.locator('tr[data-schedule="Suite plain"]').waitFor();
  await plain.close();
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
  await page.close();
}
