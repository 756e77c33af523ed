// Judges what we send by Pexip's own validators. Reads lines of
// {"validator":"validateRequestToken403","value":{…}} on standard input, prints
// a line for each failure, and exits with 1 where there was one or no line at all.
import { createInterface } from 'node:readline';
import { isDeepStrictEqual } from 'node:util';
import * as conference from '@pexip/infinity-api/dist/conference/validation.js';
import * as participant from '@pexip/infinity-api/dist/participant/validation.js';
import * as token from '@pexip/infinity-api/dist/token/validation.js';

const validators = { ...conference, ...participant, ...token };

function fault(line) {
    const { validator: name, value } = JSON.parse(line);
    const validate = validators[name];
    if (!validate) {
        return `${name}: there is no such validator`;
    }
    // The validators delete what they do not know and then find no fault.
    const judged = structuredClone(value);
    if (!validate(judged)) {
        return `${name}: ${JSON.stringify(validate.errors)} in ${JSON.stringify(value)}`;
    }
    if (!isDeepStrictEqual(judged, value)) {
        return `${name}: knows only ${JSON.stringify(judged)} of ${JSON.stringify(value)}`;
    }
    return undefined;
}

let count = 0;
let faults = 0;
for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() === '') {
        continue;
    }
    count += 1;
    let found;
    try {
        found = fault(line);
    } catch (error) {
        found = `line ${count}: ${error.message}`;
    }
    if (found) {
        faults += 1;
        console.log(found);
    }
}
if (count === 0) {
    console.log('there was nothing to judge');
}
process.exitCode = count === 0 || faults > 0 ? 1 : 0;
