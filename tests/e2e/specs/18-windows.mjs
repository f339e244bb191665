// Maintenance windows: found, made with the next runs shown first, changed by two at once, disabled, given targets, tasks and
// runbooks, these changed where they stand, seen in the calendar, without script; asked for where a policy wants that, and decided in another browser; deleted; and every page in four shapes.

import { person } from '../lib/people.mjs';

export const timeout = 420_000;

const WALTER = 'nine brown bears march on';
const WILMA = 'two red robins sing low';
const RUNBOOK = 'Muster-RestartServices';

const POLICIES = `default = "allow"

[[policy]]
name = "Guarded windows"
acts = ["windows.*"]
maintenance_windows = ["guarded-*"]
reason = true
levels = [{ of = ["role:approver"] }]
`;

export default async function windows(t) {
  t.tolerate(/status of (403|404|409|422|428)/);
  const admin = await t.open({ as: 'administrator' });
  const walter = await person(t, admin, 'walter', 'operator', WALTER);
  await made(t, walter);
  await changed(t, walter);
  await parts(t, walter);
  await shapes(t);
  await withoutScript(t);
  await keyboard(t, walter);
  await guarded(t, admin, walter);
  await gone(t, walter);
}

const row = (page, name) => page.locator(`[data-window="${name}"]`);

async function open(t, page, name) {
  await t.visit(page, `/windows?text=${name}`);
  await row(page, name).getByRole('link').first().click();
  await page.getByRole('heading', { level: 1, name }).waitFor();
}

// By the rail; what is wrong is said at its field, and what was typed stays; the next runs come before anything is saved.
async function made(t, page) {
  await t.visit(page, '/');
  await page.getByRole('link', { name: 'Windows', exact: true }).first().click();
  await page.getByRole('heading', { level: 1, name: 'Maintenance windows' }).waitFor();
  await page.getByRole('link', { name: 'New maintenance window' }).first().click();
  await page.getByRole('heading', { level: 1, name: 'New maintenance window' }).waitFor();
  await page.getByLabel('Name', { exact: true }).fill('suite nightly');
  await page.getByLabel('Time zone').fill('Europe/Berlin');
  await page.getByLabel('Open for hours').fill('25');
  await page.getByRole('button', { name: 'Create maintenance window' }).click();
  await page.locator('#name-error').getByText('hyphens and underscores').waitFor();
  await page.locator('#duration_hours-error').getByText('1 to 24 hours').waitFor();
  t.assert.equal(await page.getByLabel('Time zone').inputValue(), 'Europe/Berlin');
  await page.getByLabel('Name', { exact: true }).fill('suite-nightly');
  await page.getByLabel('Open for hours').fill('3');
  await page.getByRole('button', { name: 'Show the next runs' }).click();
  await page.locator('[data-next-runs]').getByText('02:00 Europe/Berlin').waitFor();
  await t.axe(page, 'next runs');
  await t.picture(page, 'next-runs');
  t.assert.ok(page.url().endsWith('/windows/new'), 'nothing is saved yet');
  await page.getByRole('button', { name: 'Create maintenance window' }).click();
  await page.locator('[data-saved]').getByText('is made').waitFor();
  await page.locator('[data-next] li').nth(4).waitFor();

  await t.visit(page, '/windows');
  await row(page, 'suite-nightly').getByText('every Sunday at 02:00').waitFor();
  await row(page, 'suite-nightly').locator('[data-enabled=Enabled]').waitFor();
  await page.getByLabel('Enabled').selectOption('no');
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.waitForURL(/enabled=no/);
  await row(page, 'suite-nightly').waitFor({ state: 'detached' });
  await page.locator('[data-empty=matches]').waitFor();
}

// Two who looked at the same window: the second one is told what is different, and nothing is lost.
async function changed(t, page) {
  await open(t, page, 'suite-nightly');
  await page.getByRole('link', { name: 'Edit' }).click();
  await page.getByRole('heading', { level: 1, name: 'Edit suite-nightly' }).waitFor();
  const other = await page.context().newPage();
  await t.visit(other, new URL(page.url()).pathname);
  await page.getByLabel('Schedule').fill('cron(30 3 ? * MON-FRI *)');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await page.locator('[data-saved]').getByText('saved').waitFor();
  await page.getByText('Monday to Friday at 03:30').waitFor();
  await other.getByLabel('Description (optional)').fill('of the suite');
  await other.getByRole('button', { name: 'Save changes' }).click();
  await other.getByRole('alert').getByText('Its schedule is cron(30 3 ? * MON-FRI *) now').waitFor();
  t.assert.equal(await other.getByLabel('Description (optional)').inputValue(), 'of the suite');
  await other.locator('[data-overtaken]').waitFor();
  await t.axe(other, 'overtaken');
  await t.picture(other, 'overtaken');
  await other.close();

  await page.getByRole('link', { name: 'Disable' }).click();
  await page.getByRole('button', { name: 'Disable it' }).click();
  await page.locator('[data-saved]').getByText('does not open any more').waitFor();
  await page.locator('[data-enabled=Disabled]').waitFor();
  await page.getByRole('link', { name: 'Enable' }).click();
  await page.getByRole('button', { name: 'Enable it' }).click();
  await page.locator('[data-saved]').getByText('by its schedule').waitFor();
}

// Targets by tags, and a task on them; a target that is used stays.
async function parts(t, page) {
  await open(t, page, 'suite-nightly');
  await page.getByRole('link', { name: 'Register target' }).click();
  await page.getByLabel('Tags', { exact: true }).fill('Environment');
  await page.getByRole('button', { name: 'Register target' }).click();
  await page.locator('#target_tags-error').getByText('is no tag').waitFor();
  await page.getByLabel('Tags', { exact: true }).fill('Environment=Staging,Development');
  await page.getByRole('button', { name: 'Register target' }).click();
  await page.locator('[data-target]').getByText('Environment = Staging, Development').waitFor();
  await page.getByRole('link', { name: 'Register task' }).click();
  await page.getByLabel('Document').selectOption('AWS-RunShellScript');
  await page.locator('[data-choose=command]').getByRole('button', { name: 'Go on' }).click();
  await page.getByRole('heading', { name: 'Register AWS-RunShellScript' }).waitFor();
  await page.locator('[name="parameters[commands]"]').fill('uptime');
  await page.getByLabel('On how many at once').fill('none');
  await page.getByRole('button', { name: 'Register task' }).click();
  await page.locator('#max_concurrency-error').getByText('percentage').waitFor();
  await page.getByLabel('On how many at once').fill('50%');
  await t.axe(page, 'register a task');
  await t.picture(page, 'register-task');
  await page.getByRole('button', { name: 'Register task' }).click();
  await page.locator('[data-task]').getByText('AWS-RunShellScript').first().waitFor();
  await page.locator('[data-target]').getByRole('link', { name: /^Deregister/ }).click();
  await page.getByRole('button', { name: 'Deregister target' }).click();
  await page.getByRole('alert').getByText('deregister that first').waitFor();

  // Where it stands: its form is filled with what it is, and so is the target's.
  await open(t, page, 'suite-nightly');
  await page.getByRole('link', { name: 'Change the task AWS-RunShellScript' }).click();
  await page.getByRole('heading', { name: 'Change AWS-RunShellScript' }).waitFor();
  t.assert.equal(await page.locator('[name="parameters[commands]"]').inputValue(), 'uptime');
  await page.getByLabel('On how many at once').fill('2');
  await page.getByLabel('Name (optional)').fill('look');
  await t.axe(page, 'change a task');
  await t.picture(page, 'change-task');
  await page.getByRole('button', { name: 'Save task' }).click();
  await page.locator('[data-saved]').getByText('The task is changed').waitFor();
  await page.locator('[data-task]').getByText('on 2 at once').waitFor();
  await page.getByRole('link', { name: /^Change the target/ }).click();
  await page.getByLabel('Tags', { exact: true }).fill('Environment=Staging');
  await page.getByRole('button', { name: 'Save target' }).click();
  await page.locator('[data-target]').getByText('Environment = Staging', { exact: true }).waitFor();

  // A runbook, with the parameters that it declares.
  await page.getByRole('link', { name: 'Register task' }).click();
  const choose = page.locator('[data-choose=runbook]');
  await choose.getByLabel('Runbook', { exact: true }).fill(RUNBOOK);
  await choose.getByRole('button', { name: 'Go on' }).click();
  await page.getByRole('heading', { name: `Register ${RUNBOOK}` }).waitFor();
  await page.locator('[data-versions]').getByRole('link', { name: 'default' }).waitFor();
  await page.getByLabel('On', { exact: true }).selectOption('*');
  await page.locator('[name="parameters[InstanceIds]"]').fill('{{RESOURCE_ID}}');
  await page.locator('[name="parameters[ServiceNames]"]').fill('nginx');
  await t.axe(page, 'register a runbook');
  await t.picture(page, 'register-runbook');
  await page.getByRole('button', { name: 'Register task' }).click();
  await page.locator('[data-task]').getByText(RUNBOOK).first().waitFor();
  await page.locator('[data-task]').getByText('Runbook, default version').waitFor();

  // The calendar has its openings, with a word, a drawing and the way to it.
  await t.visit(page, '/approvals/calendar');
  const line = page.locator('[data-entry=maintenance]').filter({ hasText: 'suite-nightly' }).first();
  await line.getByText('Maintenance', { exact: true }).waitFor();
  await line.getByText('03:30 Europe/Berlin').waitFor();
  await line.getByRole('link', { name: 'suite-nightly' }).click();
  await page.getByRole('heading', { level: 1, name: 'suite-nightly' }).waitFor();
}

async function shapes(t) {
  for (const shape of t.variants) {
    const page = await t.open({ as: 'walter', ...shape });
    await t.visit(page, '/windows?text=suite-nightly');
    const href = await row(page, 'suite-nightly').getByRole('link').first().getAttribute('href');
    for (const [path, name] of [
      ['/windows', 'list'],
      ['/windows/new', 'new'],
      [href, 'window'],
      [`${href}/edit`, 'edit'],
      [`${href}?do=delete`, 'delete'],
      [`${href}?do=add-target`, 'target'],
      [`${href}?do=add-task`, 'document'],
      ['/approvals/calendar', 'calendar'],
    ]) {
      await t.visit(page, path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await t.axe(page, `${path} ${shape.name}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      t.assert.ok(wide <= 0, `${path} at ${shape.name} is ${wide} px too wide`);
      await t.picture(page, `${name}-${shape.name}`);
    }
    await page.close();
  }
}

// Without script: a refused form keeps what was typed, the next runs come with the form, and it is saved.
async function withoutScript(t) {
  t.tolerate(/was preloaded using link preload/);
  const page = await t.open({ as: 'walter', javaScript: false });
  await page.goto('/windows/new');
  await page.getByLabel('Name', { exact: true }).fill('suite-plain');
  await page.getByLabel('Schedule').fill('every day');
  await page.getByRole('button', { name: 'Create maintenance window' }).click();
  await page.locator('#schedule-error').getByText('cron(').waitFor();
  t.assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'suite-plain');
  await page.getByLabel('Schedule').fill('rate(7 days)');
  await page.getByRole('button', { name: 'Show the next runs' }).click();
  await page.locator('[data-next-runs]').getByText('It would open').waitFor();
  t.assert.equal(await page.getByLabel('Schedule').inputValue(), 'rate(7 days)');
  await page.getByRole('button', { name: 'Create maintenance window' }).click();
  await page.locator('[data-saved]').waitFor();
  await page.getByRole('link', { name: 'Disable' }).click();
  await page.getByRole('button', { name: 'Disable it' }).click();
  await page.locator('[data-enabled=Disabled]').waitFor();
  await page.getByRole('link', { name: 'Delete' }).click();
  await page.getByLabel('Type its name').fill('suite-plain');
  await page.getByRole('button', { name: 'Delete it' }).click();
  await page.getByRole('heading', { level: 1, name: 'Maintenance windows' }).waitFor();
  await page.close();
}

// By keys: to the list, into a row; and the palette finds a window.
async function keyboard(t, page) {
  await t.visit(page, '/');
  await page.keyboard.press('g');
  await page.keyboard.press('w');
  await page.getByRole('heading', { level: 1, name: 'Maintenance windows' }).waitFor();
  await row(page, 'suite-nightly').waitFor();
  await page.keyboard.press('Control+k');
  await page.locator('#palette-input').fill('suite-night');
  await page.getByRole('option').filter({ hasText: 'suite-nightly' }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'suite-nightly' }).waitFor();
}

async function save(t, admin, text) {
  await t.visit(admin, '/approvals/policies');
  await admin.getByLabel('Policies', { exact: true }).fill(text);
  await admin.getByRole('button', { name: 'Save policies' }).click();
  await admin.getByText('The policies are saved.').waitFor();
}

// Where a policy wants a second pair of eyes: asked for in one browser, looked at whole and approved in another.
async function guarded(t, admin, page) {
  await save(t, admin, POLICIES);
  try {
    const wilma = await person(t, admin, 'wilma', 'approver', WILMA);
    await t.visit(page, '/windows/new');
    await page.getByLabel('Name', { exact: true }).fill('guarded-weekly');
    await page.getByRole('button', { name: 'Create maintenance window' }).click();
    await page.locator('[data-ask]').waitFor();
    await t.axe(page, 'ask for a window');
    await t.picture(page, 'ask');
    await page.locator('#ask-why').fill('For the browser suite.');
    await page.getByRole('button', { name: 'Ask for approval' }).click();
    await page.waitForURL(/\/approvals\/CR-\d+$/);
    const id = page.url().match(/CR-\d+/)[0];
    await t.visit(wilma, `/approvals/${id}`);
    await wilma.locator(`[data-shown=${id}]`).waitFor();
    await wilma.locator('.diff').getByText('name: guarded-weekly').waitFor();
    await t.axe(wilma, 'a window to decide on');
    await t.picture(wilma, 'decide');
    await wilma.getByLabel('Your password').fill(WILMA);
    await wilma.getByRole('button', { name: /^Approve/ }).click();
    await wilma.locator('[data-decision=wilma]').waitFor();
    await t.until('it is made', async () => {
      await t.visit(page, '/windows?text=guarded-weekly');
      return (await row(page, 'guarded-weekly').count()) === 1;
    });
    await wilma.close();
  } finally {
    await save(t, admin, 'default = "allow"\n');
  }
}

async function gone(t, page) {
  for (const name of ['guarded-weekly', 'suite-nightly']) {
    await open(t, page, name);
    await page.getByRole('link', { name: 'Delete' }).click();
    await page.getByLabel('Type its name').fill('another');
    await page.getByRole('button', { name: 'Delete it' }).click();
    await page.locator('#confirmation-error').getByText(`Type ${name}`).waitFor();
    await page.getByLabel('Type its name').fill(name);
    await page.getByRole('button', { name: 'Delete it' }).click();
    await page.waitForURL(/\/windows$/);
    await row(page, name).waitFor({ state: 'detached' });
  }
}
