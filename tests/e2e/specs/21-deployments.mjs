// Deployments: an application made, a release written down and deployed to this machine for real, a bad one that goes back by itself,
// a rollback that is asked for and approved in another browser; without script; and the pages in two shapes.

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { person } from '../lib/people.mjs';

export const timeout = 240_000;

const DORIS = 'five white swans glide past';
const DETLEF = 'eight loud drums beat slow';

const POLICIES = `default = "allow"

[[policy]]
name = "Rollbacks of the suite"
acts = ["deployments.roll_back"]
applications = ["suite-*"]
levels = [{ of = ["role:approver"] }]
`;

export default async function deployments(t) {
  t.tolerate(/status of (404|409|422|428)/);
  const folder = mkdtempSync(join(tmpdir(), 'muster-deployments-'));
  try {
    await play(t, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function play(t, folder) {
  const admin = await t.open({ as: 'administrator' });
  const doris = await person(t, admin, 'doris', 'operator', DORIS);
  const version = () => readFileSync(join(folder, 'app', 'version'), 'utf8');
  artefact(folder, '1.0', true);
  artefact(folder, '1.1', true);
  artefact(folder, '2.0', false);
  const path = await made(t, doris, folder);
  await released(t, doris, path, '1.0');
  await deployed(t, doris, path, '1.0', 'succeeded');
  t.assert.equal(version(), '1.0');
  await released(t, doris, path, '1.1');
  await deployed(t, doris, path, '1.1', 'succeeded');
  await released(t, doris, path, '2.0');
  await deployed(t, doris, path, '2.0', 'failed');
  await doris.locator('[data-failure]').getByText('the runbook rolled back').waitFor();
  t.assert.equal(version(), '1.1');
  await shapes(t, path);
  await withoutScript(t);
  await back(t, admin, doris, path);
  t.assert.equal(version(), '1.0');
  await gone(t, doris, path);
}

function artefact(folder, version, isWell) {
  const content = join(folder, `content-${version}`);
  mkdirSync(content);
  writeFileSync(join(content, 'version'), version);
  if (isWell) writeFileSync(join(content, 'well'), 'yes');
  execFileSync('tar', ['-czf', join(folder, `app-${version}.tar.gz`), '-C', content, '.']);
  writeFileSync(join(folder, 'services'), '#!/bin/sh\n');
  chmodSync(join(folder, 'services'), 0o755);
}

// By the rail; what is wrong is said at its field, and what was typed stays.
async function made(t, page, folder) {
  await t.visit(page, '/');
  await page.getByRole('link', { name: 'Deployments', exact: true }).first().click();
  await page.getByRole('heading', { level: 1, name: 'Deployments' }).waitFor();
  await page.locator('[data-empty=exists]').waitFor();
  await page.getByRole('link', { name: 'New application' }).first().click();
  await page.getByRole('heading', { level: 1, name: 'New application' }).waitFor();
  await page.getByLabel('Name', { exact: true }).fill('suite-web');
  await page.getByLabel('What the runbook is given each time').fill('Colour=red\nDbPassword=secret');
  await page.getByRole('button', { name: 'Create application' }).click();
  await page.locator('#parameters-error').getByText('looks like a secret').waitFor();
  const app = join(folder, 'app');
  await page.getByLabel('What the runbook is given each time').fill(
    `ApplicationName=suite-web\nSource=file://${folder}/app-VERSION.tar.gz\nFolder=${app}\nHealthCheckUrl=file://${app}/well\n` +
      `HealthCheckSeconds=1\nServiceCommand=${join(folder, 'services')}`,
  );
  await page.getByRole('button', { name: 'Create application' }).click();
  await page.locator('[data-saved]').getByText('is made').waitFor();
  const path = new URL(page.url()).pathname;
  const staging = page.locator('[data-environment=Staging]');
  await staging.getByText('nothing deployed').waitFor();
  await staging.getByRole('link', { name: 'Edit Staging' }).click();
  await page.getByRole('heading', { name: 'Edit Staging' }).waitFor();
  await page.getByLabel('Nodes (optional)').fill('tag:Environment=Local');
  await page.getByRole('button', { name: 'Save environment' }).click();
  await page.locator('[data-saved]').getByText('is saved').waitFor();
  await staging.getByText('tag:Environment=Local').waitFor();
  return path;
}

async function released(t, page, path, version) {
  await t.visit(page, path);
  await page.getByRole('link', { name: 'New release' }).click();
  await page.getByRole('heading', { level: 1, name: 'New release of suite-web' }).waitFor();
  await page.getByLabel('Version', { exact: true }).fill(version);
  await page.getByLabel('What is in it, and why').fill(`Version ${version} of the browser suite.`);
  await page.getByRole('button', { name: 'Create release' }).click();
  await page.getByRole('heading', { level: 1, name: `suite-web ${version}` }).waitFor();
  if (version === '1.1') {
    await page.locator('[data-differs]').getByText('Version: 1.0 → 1.1').first().waitFor();
    await t.axe(page, 'a release');
    await t.picture(page, 'release');
  }
}

// From the page of the release: what it would do is shown before anything is started.
async function deployed(t, page, path, version, state) {
  await page.getByRole('link', { name: 'Deploy…' }).click();
  await page.getByRole('heading', { level: 1, name: 'Deploy suite-web' }).waitFor();
  await page.getByLabel('Environment').selectOption('Staging');
  await page.getByRole('button', { name: 'Show what it would do' }).click();
  await page.locator('[data-nodes="1"]').waitFor();
  await page.locator('[data-stops]').getByText('StopApplication').waitFor();
  if (version === '1.1') {
    await t.axe(page, 'before a deployment');
    await t.picture(page, 'preview');
  }
  await page.getByRole('button', { name: 'Deploy', exact: true }).click();
  await page.locator('#reason-error').getByText('Say what it is for').waitFor();
  await page.getByLabel('What it is for (required)').fill('For the browser suite.');
  await page.getByRole('button', { name: 'Deploy', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: `Deploy suite-web ${version} to Staging` }).waitFor();
  await page.locator(`[data-state=${state}]`).first().waitFor({ timeout: 60_000 });
}

// Two shapes of what has something in it; the other pages are looked at in all of them by 03-pages.
async function shapes(t, path) {
  for (const shape of t.variants.filter((one) => ['1440-light', '390-dark'].includes(one.name))) {
    const page = await t.open({ as: 'doris', ...shape });
    for (const [address, name] of [
      ['/deployments', 'matrix'],
      [path, 'application'],
      [`${path}?tab=history`, 'history'],
      [`${path}/roll-back?environment=Staging`, 'roll-back'],
    ]) {
      await look(t, page, address, name, shape);
    }
    await page.close();
  }
}

async function look(t, page, path, name, shape) {
  await t.visit(page, path);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await t.axe(page, `${path} ${shape.name}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  t.assert.ok(wide <= 0, `${path} at ${shape.name} is ${wide} px too wide`);
  await t.picture(page, `${name}-${shape.name}`);
}

// Without script: a refused form keeps what was typed; made, filtered and deleted.
async function withoutScript(t) {
  t.tolerate(/was preloaded using link preload/);
  const page = await t.open({ as: 'doris', javaScript: false });
  await page.goto('/deployments/new');
  await page.getByLabel('Name', { exact: true }).fill('suite-plain');
  await page.getByLabel('What the runbook is given each time').fill('Colours=red');
  await page.getByRole('button', { name: 'Create application' }).click();
  await page.locator('#parameters-error').getByText('no parameter Colours').waitFor();
  t.assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'suite-plain');
  await page.getByLabel('What the runbook is given each time').fill('Folder=/tmp/plain');
  await page.getByRole('button', { name: 'Create application' }).click();
  await page.locator('[data-saved]').waitFor();
  await page.getByRole('link', { name: 'Delete' }).click();
  await page.getByLabel('Type its name').fill('suite-plain');
  await page.getByRole('button', { name: 'Delete it' }).click();
  await page.getByRole('heading', { level: 1, name: 'Deployments' }).waitFor();
  await page.close();
}

async function save(t, admin, text) {
  await t.visit(admin, '/approvals/policies');
  await admin.getByLabel('Policies', { exact: true }).fill(text);
  await admin.getByRole('button', { name: 'Save policies' }).click();
  await admin.getByText('The policies are saved.').waitFor();
}

// A rollback that a policy wants approved: no release is chosen before somebody chooses one; decided in another browser.
async function back(t, admin, page, path) {
  await save(t, admin, POLICIES);
  try {
    const detlef = await person(t, admin, 'detlef', 'approver', DETLEF);
    await t.visit(page, path);
    await page.locator('[data-environment=Staging]').getByRole('link', { name: 'Roll back…' }).click();
    await page.getByRole('heading', { level: 1, name: 'Roll back suite-web' }).waitFor();
    await page.locator('[data-earlier="1.0"]').waitFor();
    t.assert.equal(await page.locator('[data-chosen]').count(), 0, 'none is chosen yet');
    t.assert.equal(await page.locator('[data-earlier="2.0"]').count(), 0, 'it never succeeded');
    await page.locator('[data-earlier="1.0"]').getByRole('link', { name: 'Choose 1.0' }).click();
    await page.locator('[data-nodes="1"]').waitFor();
    await page.getByLabel('Why it goes back (required)').fill('The cart is empty.');
    await page.getByRole('button', { name: 'Roll back', exact: true }).click();
    await page.locator('[data-ask]').waitFor();
    await t.axe(page, 'ask for a rollback');
    await t.picture(page, 'ask');
    await page.getByRole('button', { name: 'Ask for approval' }).click();
    await page.waitForURL(/\/approvals\/CR-\d+$/);
    const id = page.url().match(/CR-\d+/)[0];
    await t.visit(detlef, `/approvals/${id}`);
    await detlef.locator(`[data-shown=${id}]`).waitFor();
    await detlef.locator('[data-kind=roll_back]').waitFor();
    await detlef.locator('[data-changes]').getByText('Version: 1.1 → 1.0').waitFor();
    await t.axe(detlef, 'a rollback to decide on');
    await t.picture(detlef, 'decide');
    await t.visit(page, path);
    await page.locator(`[data-waiting=${id}]`).waitFor();
    await detlef.getByLabel('Your password').fill(DETLEF);
    await detlef.getByRole('button', { name: /^Approve/ }).click();
    await detlef.locator('[data-decision=detlef]').waitFor();
    await t.until('it ran', async () => {
      await t.visit(page, `${path}?tab=history&state=succeeded`);
      return (await page.locator('[data-deployment="1.0"] [data-kind=roll_back]').count()) === 1;
    }, 60_000);
    await detlef.close();
  } finally {
    await save(t, admin, 'default = "allow"\n');
  }
}

async function gone(t, page, path) {
  await t.visit(page, `${path}?do=delete`);
  await page.getByLabel('Type its name').fill('suite');
  await page.getByRole('button', { name: 'Delete it' }).click();
  await page.locator('#confirmation-error').getByText('suite-web').waitFor();
  await page.getByLabel('Type its name').fill('suite-web');
  await page.getByRole('button', { name: 'Delete it' }).click();
  await page.waitForURL(/\/deployments$/);
  await t.visit(page, `${path}?tab=history`);
  await page.locator('[data-deleted]').waitFor();
  await page.locator('[data-deployment="1.0"]').first().waitFor();
}
