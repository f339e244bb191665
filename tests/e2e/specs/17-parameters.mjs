// Parameters: found folder by folder, made, changed by two at once, compared, brought back, labelled; a secret that is
// hidden until it is asked for; asked for where a policy wants that; deleted; without script; and every page in four shapes.

import { person } from '../lib/people.mjs';

export const timeout = 420_000;

const NORA = 'six green frogs look up';
const PETE = 'four blue whales dive deep';
const APPROVER = 'one red lynx decides alone';
const SECRET = 'correct-horse-battery-staple';

const POLICIES = `default = "allow"

[[policy]]
name = "Guarded parameters"
acts = ["parameters.*"]
parameters = ["/guarded/*"]
reason = true
levels = [{ of = ["role:approver"] }]
`;

export default async function parameters(t) {
  t.tolerate(/status of (403|409|422|428)/);
  const admin = await t.open({ as: 'administrator' });
  const pete = await person(t, admin, 'peter', 'operator', PETE);
  await found(t, pete);
  await changed(t, pete);
  await secret(t, pete);
  await looked(t, admin);
  await shapes(t);
  await withoutScript(t);
  await keyboard(t, pete);
  await guarded(t, admin, pete);
  await gone(t, pete);
}

async function make(page, t, address, name, value, more = async () => {}) {
  await t.visit(page, address);
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Value', { exact: true }).fill(value);
  await more();
  await page.getByRole('button', { name: 'Create parameter' }).click();
}

// By the rail, then folder by folder, then by typing a part of the name.
async function found(t, page) {
  await t.visit(page, '/');
  await page.getByRole('link', { name: 'Parameters' }).first().click();
  await page.getByRole('heading', { level: 1, name: 'Parameters' }).waitFor();
  await page.getByRole('link', { name: 'New parameter' }).first().click();
  await page.getByRole('heading', { level: 1, name: 'New parameter' }).waitFor();
  // What is wrong is said at its field, and what was typed stays.
  await page.getByLabel('Name', { exact: true }).fill('suite/app/port');
  await page.getByLabel('Value', { exact: true }).fill('5432');
  await page.getByRole('button', { name: 'Create parameter' }).click();
  await page.locator('#name-error').getByText('begins with a slash').waitFor();
  t.assert.equal(await page.getByLabel('Value', { exact: true }).inputValue(), '5432');
  await page.getByLabel('Name', { exact: true }).fill('/suite/app/port');
  await page.getByRole('button', { name: 'Create parameter' }).click();
  await page.locator('[data-saved]').waitFor();
  await page.locator('[data-value]').getByText('5432').waitFor();
  await make(page, t, '/parameters/new?path=suite/app&type=StringList', '/suite/app/hosts', 'db-1,db-2');
  await page.locator('[data-value] li').nth(1).getByText('db-2').waitFor();

  await t.visit(page, '/parameters');
  await page.locator('[data-folder="suite"]').getByText('2 parameters').waitFor();
  await page.getByRole('link', { name: 'suite/' }).click();
  await page.getByRole('link', { name: 'app/' }).click();
  await page.waitForURL(/path=suite\/app/);
  await page.locator('[data-parameter="/suite/app/port"]').getByText('port', { exact: true }).waitFor();
  await page.getByLabel('Name contains').fill('host');
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.waitForURL(/text=host/);
  await page.locator('[data-parameter="/suite/app/port"]').waitFor({ state: 'detached' });
  await page.locator('[data-parameter="/suite/app/hosts"]').waitFor();
  await page.getByLabel('Name contains').fill('nothing like this');
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.locator('[data-empty=matches]').waitFor();
}

// Two who looked at the same version: the second one is told, and nothing is lost.
async function changed(t, page) {
  const other = await page.context().newPage();
  const address = '/parameters/edit?name=/suite/app/port';
  await t.visit(page, address);
  await t.visit(other, address);
  await page.getByLabel('Value', { exact: true }).fill('5433');
  await page.getByRole('button', { name: 'Write version' }).click();
  await page.locator('[data-saved]').getByText('version 2').waitFor();
  await other.getByLabel('Value', { exact: true }).fill('9999');
  await other.getByRole('button', { name: 'Write version' }).click();
  await other.getByRole('alert').getByText('has version 2 now').waitFor();
  t.assert.equal(await other.getByLabel('Value', { exact: true }).inputValue(), '9999');
  await other.locator('[data-overtaken]').waitFor();
  await t.axe(other, 'overtaken');
  await t.picture(other, 'overtaken');
  await other.close();

  await page.locator('[data-version="2"]').getByRole('link', { name: 'Compare' }).click();
  await page.locator('[data-compared=changed]').waitFor();
  await page.locator('.diff').getByText('5433').waitFor();
  await page.locator('[data-version="2"]').getByRole('link', { name: 'Label version 2' }).click();
  await page.getByLabel('Labels', { exact: true }).fill('1st');
  await page.getByRole('button', { name: 'Set labels' }).click();
  await page.locator('#labels-error').getByText('“1st” is no label').waitFor();
  await t.axe(page, 'setting labels');
  await t.picture(page, 'labels');
  await page.getByLabel('Labels', { exact: true }).fill('live');
  await page.getByRole('button', { name: 'Set labels' }).click();
  await page.locator('[data-version="2"] [data-label=live]').waitFor();
  await page.locator('[data-labelled]').getByText('Labels set').waitFor();
  await page.locator('[data-version="1"]').getByRole('link', { name: 'Restore' }).click();
  await page.getByRole('button', { name: 'Restore it' }).click();
  await page.locator('[data-saved]').getByText('version 3').waitFor();
  await page.locator('[data-value]').getByText('5432').waitFor();
  await page.getByRole('link', { name: 'Take the label live from version 2' }).click();
  await page.getByRole('button', { name: 'Take it away' }).click();
  await page.locator('[data-label=live]').waitFor({ state: 'detached' });
  await page.getByLabel('Key', { exact: true }).fill('Team');
  await page.locator('#tag-value').fill('web');
  await page.getByRole('button', { name: 'Set tag' }).click();
  await page.locator('.tag-rows').getByText('web').waitFor();
}

// Hidden until it is asked for with the password; nowhere in the page's source.
async function secret(t, page) {
  await make(page, t, '/parameters/new?type=SecureString', '/suite/app/password', SECRET);
  await page.locator('[data-hidden]').waitFor();
  const source = async () => (await page.request.get('/parameters/view?name=/suite/app/password')).text();
  t.assert.ok(!(await source()).includes(SECRET), 'the secret is in the page');
  await page.getByLabel('Your password').fill('not this one');
  await page.getByRole('button', { name: 'Reveal' }).click();
  await page.locator('#password-error').getByText('not your password').waitFor();
  await page.getByLabel('Your password').fill(PETE);
  await page.getByRole('button', { name: 'Reveal' }).click();
  await page.locator('[data-secret]').getByText(SECRET).waitFor();
  t.assert.ok(!page.url().includes(SECRET));
  await t.axe(page, 'revealed');
  await t.picture(page, 'revealed');
  await page.getByRole('button', { name: 'Hide' }).click();
  await page.locator('[data-hidden]').waitFor();
  t.assert.ok(!(await page.content()).includes(SECRET), 'it is still in the document');
  t.assert.ok(!(await source()).includes(SECRET), 'the secret is in the page');
}

// Somebody who only looks sees what is there, and no way to more.
async function looked(t, admin) {
  const nora = await person(t, admin, 'nora', 'viewer', NORA);
  await t.visit(nora, '/parameters/view?name=/suite/app/password');
  await nora.getByText('To see it takes the role').waitFor();
  t.assert.equal(await nora.getByRole('button', { name: 'Reveal' }).count(), 0);
  t.assert.equal(await nora.getByRole('link', { name: 'Edit' }).count(), 0);
  await t.visit(nora, '/parameters/new');
  await nora.locator('[data-empty=permitted]').waitFor();
  await t.axe(nora, 'not permitted');
}

async function shapes(t) {
  for (const shape of t.variants) {
    const page = await t.open({ as: 'peter', ...shape });
    for (const [path, name] of [
      ['/parameters', 'list'],
      ['/parameters?path=suite/app', 'folder'],
      ['/parameters/view?name=/suite/app/port', 'text'],
      ['/parameters/view?name=/suite/app/hosts', 'items'],
      ['/parameters/view?name=/suite/app/password', 'secret'],
      ['/parameters/view?name=/suite/app/port&old=1&new=2', 'compare'],
      ['/parameters/view?name=/suite/app/port&do=delete', 'delete'],
      ['/parameters/view?name=/suite/app/port&do=restore&version=1', 'restore'],
      ['/parameters/view?name=/suite/app/port&do=label&version=1', 'label'],
      ['/parameters/view?name=/suite/app/port&do=unlabel&version=1&label=live', 'unlabel'],
      ['/parameters/edit?name=/suite/app/password', 'edit'],
      ['/parameters/new?type=SecureString', 'new'],
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

// Without script: a refused form keeps what was typed but for secrets, and a secret is shown once.
async function withoutScript(t) {
  t.tolerate(/was preloaded using link preload/);
  const page = await t.open({ as: 'peter', javaScript: false });
  await page.goto('/parameters/edit?name=/suite/app/port');
  await page.getByLabel('Value', { exact: true }).fill('x'.repeat(4097));
  await page.getByRole('button', { name: 'Write version' }).click();
  await page.locator('#value-error').getByText('there may be 4096').waitFor();
  await page.getByLabel('Value', { exact: true }).fill('6000');
  await page.getByRole('button', { name: 'Write version' }).click();
  await page.locator('[data-saved]').getByText('version 4').waitFor();
  await page.goto('/parameters/view?name=/suite/app/password');
  await page.getByLabel('Your password').fill(PETE);
  await page.getByRole('button', { name: 'Reveal' }).click();
  await page.locator('[data-secret]').getByText(SECRET).waitFor();
  t.assert.ok(!page.url().includes(SECRET));
  await page.reload();
  await page.locator('[data-hidden]').waitFor();
  t.assert.ok(!(await page.content()).includes(SECRET), 'shown twice');
  await page.close();
}

// The rows are reached and opened by keys, and the palette finds a parameter.
async function keyboard(t, page) {
  await t.visit(page, '/parameters?path=suite/app');
  await page.keyboard.press('j');
  await page.locator('[data-parameter="/suite/app/hosts"]:focus').waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: '/suite/app/hosts' }).waitFor();
  await page.keyboard.press('Control+k');
  await page.locator('#palette-input').fill('app/port');
  await page.getByRole('option').filter({ hasText: '/suite/app/port' }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: '/suite/app/port' }).waitFor();
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
  await page.getByLabel('Your password').fill(APPROVER);
  await page.getByRole('button', { name: /^Approve/ }).click();
  await page.locator('[data-decision=fox]').waitFor();
}

// Where a policy wants a second pair of eyes: asked for, approved, written; looked at once.
async function guarded(t, admin, page) {
  await save(t, admin, POLICIES);
  try {
    const decider = await person(t, admin, 'fox', 'approver', APPROVER);
    await make(page, t, '/parameters/new?type=SecureString', '/guarded/key', SECRET);
    const made = await asked(page);
    await t.visit(decider, `/approvals/${made}`);
    await decider.locator('[data-value-words]').getByText('A new secret value').waitFor();
    t.assert.ok(!(await decider.content()).includes(SECRET), 'the approver sees the secret');
    await t.axe(decider, 'a secret to decide on');
    await t.picture(decider, 'decide-secret');
    await approve(t, decider, made);
    await t.until('it is written', async () => {
      const answer = await page.request.get('/export/parameters.json?path=guarded');
      return (await answer.text()).includes('/guarded/key');
    });
    await t.visit(page, '/parameters/view?name=/guarded/key');
    await page.getByLabel('Your password').fill(PETE);
    await page.getByRole('button', { name: 'Reveal' }).click();
    await page.locator('[data-ask]').waitFor();
    await t.axe(page, 'ask to reveal');
    await t.picture(page, 'ask-reveal');
    const seen = await asked(page);
    await approve(t, decider, seen);
    await t.visit(page, `/approvals/${seen}`);
    await page.getByRole('link', { name: 'Look at the secret' }).click();
    await page.getByText(`${seen} was approved`).waitFor();
    await page.getByLabel('Your password').fill(PETE);
    await page.getByRole('button', { name: 'Reveal' }).click();
    await page.locator('[data-secret]').getByText(SECRET).waitFor();
    // Once.
    await page.getByLabel('Your password').fill(PETE);
    await page.getByRole('button', { name: 'Reveal' }).click();
    await page.getByRole('alert').filter({ hasText: /\S/ }).first().waitFor();
    await labelled(t, page, decider);
    await decider.close();
  } finally {
    await save(t, admin, 'default = "allow"\n');
  }
}

// A label of a protected parameter is asked for, and whoever decides sees what it would do.
async function labelled(t, page, decider) {
  await t.visit(page, '/parameters/view?name=/guarded/key&do=label&version=1');
  await page.getByLabel('Labels', { exact: true }).fill('live');
  await page.getByRole('button', { name: 'Set labels' }).click();
  await page.locator('[data-ask]').waitFor();
  await t.axe(page, 'asking for a label');
  const id = await asked(page);
  await t.visit(decider, `/approvals/${id}`);
  await decider.getByText('Set the label live on version 1 of /guarded/key').first().waitFor();
  await decider.locator('[data-labels]').getByText('is new, at version 1').waitFor();
  t.assert.ok(!(await decider.content()).includes(SECRET), 'the approver sees the secret');
  await t.axe(decider, 'a label to decide on');
  await t.picture(decider, 'decide-label');
  await approve(t, decider, id);
  await t.until('it is labelled', async () => {
    const found = await page.request.get('/export/parameters.json?path=guarded&label=live');
    return (await found.text()).includes('/guarded/key');
  });
  await t.visit(page, '/parameters/view?name=/guarded/key');
  await page.locator('[data-version="1"] [data-label=live]').waitFor();
}

async function gone(t, page) {
  await t.visit(page, '/parameters/view?name=/suite/app/hosts');
  await page.getByRole('link', { name: 'Delete' }).click();
  await page.getByLabel('Type its name').fill('hosts');
  await page.getByRole('button', { name: 'Delete it' }).click();
  await page.locator('#confirmation-error').getByText('Type /suite/app/hosts').waitFor();
  await page.getByLabel('Type its name').fill('/suite/app/hosts');
  await page.getByRole('button', { name: 'Delete it' }).click();
  await page.waitForURL(/\/parameters\?path=suite\/app/);
  await page.locator('[data-parameter="/suite/app/port"]').waitFor();
  await page.locator('[data-parameter="/suite/app/hosts"]').waitFor({ state: 'detached' });
}
