// Patching: nodes that nobody has scanned, and the way to a scan; baselines found, copied, changed by two at once, compared, given
// to a patch group; a patch excepted for a time; asked for where a policy wants that, and decided in another browser; deleted; without script; and every page in
// four shapes.

import { person } from '../lib/people.mjs';

export const timeout = 420_000;

const BERTHA = 'seven old ships sail home';
const BRUNO = 'three tall trees stand still';

const POLICIES = `default = "allow"

[[policy]]
name = "Guarded baselines"
acts = ["baselines.*", "exceptions.grant"]
documents = ["guarded-*"]
reason = true
levels = [{ of = ["role:approver"] }]
`;

export default async function patching(t) {
  t.tolerate(/status of (403|409|422|428)/);
  const admin = await t.open({ as: 'administrator' });
  const bertha = await person(t, admin, 'bertha', 'operator', BERTHA);
  await states(t, bertha);
  const path = await made(t, bertha);
  await conflict(t, bertha, path);
  await holds(t, bertha, path);
  await shapes(t, path);
  await withoutScript(t, path);
  await keyboard(t, bertha);
  await excepted(t, bertha, path);
  await endedEarly(t, bertha, path);
  await guarded(t, admin, bertha);
  await gone(t, bertha, path);
}

// By the rail; what nobody has looked at is a state of its own; the way to a scan is filled with what was ticked.
async function states(t, page) {
  await t.visit(page, '/');
  await page.getByRole('link', { name: 'Patching' }).first().click();
  await page.getByRole('heading', { level: 1, name: 'Patching' }).waitFor();
  await page.locator('tr[data-node]').first().waitFor();
  const totals = await page.locator('.patch-totals .stat').count();
  t.assert.equal(totals, 5, 'five figures');
  await page.getByLabel('State').selectOption('never');
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.waitForURL(/state=never/);
  await page.locator('tr[data-node]').first().getByText('Never scanned').waitFor();
  await page.getByLabel('Tag').fill('Team');
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.locator('#tag-error').getByText('write Key=Value').waitFor();
  await t.visit(page, '/patching?state=rejected');
  await page.locator('[data-empty=matches]').waitFor();
  await t.visit(page, '/patching');
  const row = page.locator('tr[data-node]').first();
  const node = await row.getAttribute('data-node');
  await row.getByRole('checkbox').check();
  await page.getByText('may restart them').waitFor();
  await page.getByRole('button', { name: 'Install now' }).click();
  await page.waitForURL(/\/commands\/new\?.*AWS-RunPatchBaseline/);
  await page.getByText('1 node').first().waitFor();
  const operation = page.locator('[name="parameters[Operation]"]');
  await operation.waitFor();
  t.assert.equal(await operation.inputValue(), 'Install');
  await t.visit(page, `/fleet/${node}`);
  await page.locator('[data-patches]').getByText('Never scanned').waitFor();
  await t.axe(page, 'a node and its patches');
  await t.picture(page, 'node');
}

// A baseline that comes with Systems Manager cannot be changed; a copy of it can. What is wrong is said at its field.
async function made(t, page) {
  await t.visit(page, '/patching');
  await page.getByRole('link', { name: 'Baselines' }).first().click();
  await page.getByRole('heading', { level: 1, name: 'Patch baselines' }).waitFor();
  await page.getByLabel('Operating system').selectOption('DEBIAN');
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.waitForURL(/system=DEBIAN/);
  await page.getByRole('link', { name: 'AWS-DebianDefaultPatchBaseline' }).click();
  await page.locator('[data-given]').waitFor();
  t.assert.equal(await page.getByRole('link', { name: 'Edit' }).count(), 0);
  await page.getByRole('link', { name: 'Copy to a baseline of your own' }).click();
  await page.getByRole('heading', { level: 1, name: 'New patch baseline' }).waitFor();
  await page.getByLabel('Name', { exact: true }).fill('suite web');
  await page.locator('#filters-0').fill('COLOUR=red');
  await page.locator('#days-0').fill('soon');
  await page.getByRole('button', { name: 'Create baseline' }).click();
  await page.locator('#name-error').getByText('3 to 128 letters').waitFor();
  await page.locator('#filters-0-error').getByText('no property of patches').waitFor();
  await page.locator('#days-0-error').getByText('no number of days').waitFor();
  await t.axe(page, 'a refused baseline');
  await page.getByLabel('Name', { exact: true }).fill('suite-web');
  await page.locator('#filters-0').fill('PRODUCT=*\nPRIORITY=Required, Important');
  await page.locator('#days-0').fill('7');
  await page.getByRole('button', { name: 'Create baseline' }).click();
  await page.locator('[data-saved]').waitFor();
  await page.locator('[data-says]').getByText('Approves patches with PRIORITY Required or Important, 7 days after they came out.').waitFor();
  await page.locator('[data-version="1"]').getByText('bertha').waitFor();
  return new URL(page.url()).pathname;
}

// Two who looked at the same: the second one is told what is different, and nothing is lost.
async function conflict(t, page, path) {
  const other = await page.context().newPage();
  await t.visit(page, `${path}/edit`);
  await t.visit(other, `${path}/edit`);
  await page.getByLabel('Rejected (optional)').fill('openssl*');
  await page.getByRole('button', { name: 'Save baseline' }).click();
  await page.locator('[data-saved]').waitFor();
  await page.locator('[data-says]').getByText('openssl*').waitFor();
  await other.getByLabel('Approved (optional)').fill('curl*');
  await other.getByRole('button', { name: 'Save baseline' }).click();
  await other.getByRole('alert').getByText('Rejected: openssl*').waitFor();
  t.assert.equal(await other.getByLabel('Approved (optional)').inputValue(), 'curl*');
  await other.locator('[data-overtaken]').waitFor();
  await t.axe(other, 'overtaken');
  await t.picture(other, 'overtaken');
  await other.close();
  await page.locator('[data-version="2"]').getByRole('link', { name: 'Compare' }).click();
  await page.locator('[data-compared]').getByText('Rejected: openssl*').waitFor();
}

async function holds(t, page, path) {
  await t.visit(page, path);
  await page.getByRole('link', { name: 'Add a patch group' }).click();
  await page.getByLabel('Patch group', { exact: true }).fill('Suite Web');
  await page.getByRole('button', { name: 'Add the group' }).click();
  await page.locator('[data-group="Suite Web"]').waitFor();
  await page.getByRole('link', { name: 'Take the patch group Suite Web from this baseline' }).click();
  await page.getByRole('button', { name: 'Take it away' }).click();
  await page.locator('[data-group="Suite Web"]').waitFor({ state: 'detached' });
}

async function shapes(t, path) {
  for (const shape of t.variants) {
    const page = await t.open({ as: 'bertha', ...shape });
    for (const [address, name] of [
      ['/patching', 'states'],
      ['/patching?state=never', 'never'],
      ['/patching/baselines', 'baselines'],
      [path, 'baseline'],
      [`${path}?old=1&new=2`, 'compare'],
      [`${path}?do=delete`, 'delete'],
      [`${path}?do=default`, 'default'],
      [`${path}?do=group`, 'group'],
      [`${path}?do=except`, 'except'],
      ['/patching/exceptions', 'exceptions'],
      [`${path}/edit`, 'edit'],
      ['/patching/baselines/new', 'new'],
    ]) {
      await t.visit(page, address);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await t.axe(page, `${address} ${shape.name}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      t.assert.ok(wide <= 0, `${address} at ${shape.name} is ${wide} px too wide`);
      await t.picture(page, `${name}-${shape.name}`);
    }
    await page.close();
  }
}

// Without script: a refused form keeps what was typed, and one that is right is taken.
async function withoutScript(t, path) {
  t.tolerate(/was preloaded using link preload/);
  const page = await t.open({ as: 'bertha', javaScript: false });
  await page.goto(`${path}/edit`);
  await page.locator('#days-0').fill('400');
  await page.getByLabel('Description (optional)').fill('For the suite.');
  await page.getByRole('button', { name: 'Save baseline' }).click();
  await page.locator('#days-0-error').getByText('0 to 360').waitFor();
  t.assert.equal(await page.locator('#days-0').inputValue(), '400');
  t.assert.equal(await page.getByLabel('Description (optional)').inputValue(), 'For the suite.');
  await page.locator('#days-0').fill('14');
  await page.getByRole('button', { name: 'Save baseline' }).click();
  await page.locator('[data-saved]').waitFor();
  await page.locator('[data-says]').getByText('14 days after they came out').waitFor();
  await page.goto('/patching?state=never');
  await page.locator('tr[data-node]').first().getByRole('checkbox').check();
  await page.getByRole('button', { name: 'Scan now' }).click();
  await page.waitForURL(/\/commands\/new\?/);
  t.assert.equal(await page.locator('[name="parameters[Operation]"]').inputValue(), 'Scan');
  await page.close();
}

// The rows are reached and opened by keys, and the palette knows the page.
async function keyboard(t, page) {
  await t.visit(page, '/patching/baselines?text=suite-web');
  await page.keyboard.press('j');
  await page.locator('[data-baseline="suite-web"]:focus').waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'suite-web' }).waitFor();
  await page.keyboard.press('Control+k');
  await page.locator('#palette-input').fill('never scanned');
  await page.getByRole('option').filter({ hasText: 'Nodes that were never scanned' }).waitFor();
  await page.keyboard.press('Enter');
  await page.waitForURL(/state=never/);
  await page.keyboard.press('Control+k');
  await page.locator('#palette-input').fill('suite-web');
  await page.getByRole('option').filter({ hasText: 'suite-web' }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'suite-web' }).waitFor();
}

async function except(t, page, path, patch) {
  await t.visit(page, path);
  await page.getByRole('link', { name: 'Except a patch' }).click();
  await page.getByLabel('Patch', { exact: true }).fill(patch);
  await page.getByLabel('Until (day, UTC)').fill(new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10));
  await page.getByLabel('Why nodes cannot have it').fill('The vendor freezes it until spring.');
  await page.getByLabel('What protects them instead').fill('A proxy ends TLS before these nodes.');
  await page.getByRole('button', { name: 'Except the patch' }).click();
}

// A patch that nodes need not have for a time: it says why, what instead, and until when; then the baseline rejects it.
async function excepted(t, page, path) {
  await t.visit(page, `${path}?do=except`);
  await page.getByLabel('Patch', { exact: true }).fill('vim*');
  await page.getByLabel('Until (day, UTC)').fill('soon');
  await page.getByLabel('Why nodes cannot have it').fill('no');
  await page.getByLabel('What protects them instead').fill('nothing');
  await page.getByRole('button', { name: 'Except the patch' }).click();
  await page.locator('#expires-error').getByText('Write a day').waitFor();
  await page.locator('#because-error').getByText('10 to 1,000 characters').waitFor();
  await t.axe(page, 'a refused exception');
  await except(t, page, path, 'vim*');
  await page.locator('[data-granted]').waitFor();
  await page.locator('[data-exception="vim*"]').getByText('Holds').waitFor();
  await t.axe(page, 'the register');
  await t.picture(page, 'register');
  await t.visit(page, path);
  await page.locator('[data-says]').getByText('vim*').waitFor();
}

// Before its day: with a reason, and the register says who did it and why. Without script it is the same form.
async function endedEarly(t, page, path) {
  const plain = await t.open({ as: 'bertha', javaScript: false });
  await plain.goto('/patching/exceptions?state=holding');
  await plain.getByRole('link', { name: 'End the exception of vim* on suite-web' }).click();
  await plain.getByLabel('Why it ends now').fill('no');
  await plain.getByRole('button', { name: 'End the exception' }).click();
  await plain.locator('#end-because-error').getByText('10 to 1,000 characters').waitFor();
  await plain.close();
  await t.visit(page, '/patching/exceptions?state=holding');
  await page.getByRole('link', { name: 'End the exception of vim* on suite-web' }).click();
  await page.locator('[data-end="vim*"]').getByText('does not reject vim*').waitFor();
  await t.axe(page, 'end an exception');
  await t.picture(page, 'end-exception');
  await page.getByLabel('Why it ends now').fill('The vendor released it.');
  await page.getByRole('button', { name: 'End the exception' }).click();
  await page.locator('[data-ended]').waitFor();
  await page.locator('[data-exception="vim*"] [data-over]').getByText('by bertha: The vendor released it.').waitFor();
  await t.picture(page, 'ended');
  await t.visit(page, path);
  t.assert.equal(await page.locator('[data-says]').getByText('vim*').count(), 0);
}

async function save(t, admin, text) {
  await t.visit(admin, '/approvals/policies');
  await admin.getByLabel('Policies', { exact: true }).fill(text);
  await admin.getByRole('button', { name: 'Save policies' }).click();
  await admin.getByText('The policies are saved.').waitFor();
}

async function asked(page) {
  await page.locator('[data-ask]').waitFor();
  await page.locator('#ask-why').fill('For the browser suite.');
  await page.getByRole('button', { name: 'Ask for approval' }).click();
  await page.waitForURL(/\/approvals\/CR-\d+$/);
  return page.url().match(/CR-\d+/)[0];
}

async function approve(t, page, id) {
  await t.visit(page, `/approvals/${id}`);
  await page.locator(`[data-shown=${id}]`).waitFor();
  await page.getByLabel('Your password').fill(BRUNO);
  await page.getByRole('button', { name: /^Approve/ }).click();
  await page.locator('[data-decision=bruno]').waitFor();
}

// Where a policy wants a second pair of eyes: asked for in one browser, looked at line by line and approved in the other, done.
async function guarded(t, admin, page) {
  await save(t, admin, POLICIES);
  try {
    const bruno = await person(t, admin, 'bruno', 'approver', BRUNO);
    await t.visit(page, '/patching/baselines/new');
    await page.getByLabel('Name', { exact: true }).fill('guarded-web');
    await page.getByRole('button', { name: 'Create baseline' }).click();
    await page.locator('[data-ask]').waitFor();
    await t.axe(page, 'ask for a baseline');
    const id = await asked(page);
    await t.visit(bruno, `/approvals/${id}`);
    await bruno.getByText('Make the patch baseline guarded-web').first().waitFor();
    await bruno.locator('[data-afterwards]').getByText('holds for no node').waitFor();
    await bruno.getByText('Rule 1: Approves all patches, 7 days').first().waitFor();
    await t.axe(bruno, 'a baseline to decide on');
    await t.picture(bruno, 'decide');
    await approve(t, bruno, id);
    await t.until('it is made', async () => {
      const answer = await page.request.get('/patching/baselines?text=guarded-web');
      return (await answer.text()).includes('data-baseline="guarded-web"');
    });
    await t.visit(page, '/patching/baselines?text=guarded-web');
    await page.getByRole('link', { name: 'guarded-web' }).click();
    await page.locator('[data-version="1"]').getByRole('link', { name: id }).waitFor();
    await except(t, page, new URL(page.url()).pathname, 'nano*');
    const exception = await asked(page);
    await t.visit(bruno, `/approvals/${exception}`);
    await bruno.locator('[data-because]').getByText('until spring').waitFor();
    await t.axe(bruno, 'an exception to decide on');
    await t.picture(bruno, 'decide-exception');
    await approve(t, bruno, exception);
    await t.until('it holds', async () => {
      const answer = await page.request.get('/patching/exceptions?state=holding');
      return (await answer.text()).includes('data-exception="nano*"');
    });
    await t.visit(page, '/patching/baselines?text=guarded-web');
    await page.getByRole('link', { name: 'guarded-web' }).click();
    await page.locator('[data-says]').getByText('nano*').waitFor();
    await page.getByRole('link', { name: 'Delete' }).click();
    await page.getByLabel('Type its name').fill('guarded-web');
    await page.getByRole('button', { name: 'Delete it' }).click();
    const away = await asked(page);
    await approve(t, bruno, away);
    await t.until('it is gone', async () => {
      const answer = await page.request.get('/patching/baselines?text=guarded-web');
      return !(await answer.text()).includes('data-baseline="guarded-web"');
    });
    await bruno.close();
  } finally {
    await save(t, admin, 'default = "allow"\n');
  }
}

async function gone(t, page, path) {
  await t.visit(page, path);
  await page.getByRole('link', { name: 'Delete' }).click();
  await page.getByLabel('Type its name').fill('suite');
  await page.getByRole('button', { name: 'Delete it' }).click();
  await page.locator('#confirmation-error').getByText('Type suite-web').waitFor();
  await page.getByLabel('Type its name').fill('suite-web');
  await page.getByRole('button', { name: 'Delete it' }).click();
  await page.waitForURL(/\/patching\/baselines$/);
  await page.locator('[data-baseline]').first().waitFor();
  await page.locator('[data-baseline="suite-web"]').waitFor({ state: 'detached' });
}
