// Calls of the embedded endpoint, signed with the operator's key as AWS's tools sign them (Signature Version 4).

import { createHash, createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const hmac = (key, text) => createHmac('sha256', key).update(text).digest();

/** A function `(operation, input) => answer` for the endpoint at `address` whose keys lie in `dataDir`. */
export async function endpoint(dataDir, address) {
  const { operator } = JSON.parse(await readFile(path.join(dataDir, 'ssm-keys.json'), 'utf8'));
  return async (operation, input) => {
    const body = JSON.stringify(input);
    const stamp = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
    const scope = `${stamp.slice(0, 8)}/eu-west-1/ssm/aws4_request`;
    const headers = {
      'content-type': 'application/x-amz-json-1.1', host: new URL(address).host,
      'x-amz-content-sha256': sha256(body), 'x-amz-date': stamp, 'x-amz-target': `AmazonSSM.${operation}`,
    };
    const names = Object.keys(headers).sort();
    const canonical = ['POST', '/', '', ...names.map((name) => `${name}:${headers[name]}`), '', names.join(';'), sha256(body)].join('\n');
    const toSign = ['AWS4-HMAC-SHA256', stamp, scope, sha256(canonical)].join('\n');
    const key = scope.split('/').reduce(hmac, `AWS4${operator.secret_access_key}`);
    const signature = createHmac('sha256', key).update(toSign).digest('hex');
    const answer = await fetch(address, {
      method: 'POST', body,
      headers: {
        ...headers,
        authorization: `AWS4-HMAC-SHA256 Credential=${operator.access_key_id}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
      },
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${operation}: ${answer.status} ${text}`);
    return JSON.parse(text);
  };
}
