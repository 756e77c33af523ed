// Joins and leaves with Pexip's own client functions. The package cannot be
// imported by Node as it is (imports without file extension), so it is bundled first.
// Usage: node client.mjs <base URL of the node> <alias> <host PIN>
// Prints one JSON line: what each function returned, in order.
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';

const [host, conferenceAlias, pin] = process.argv.slice(2);

const bundle = await build({
    stdin: {
        contents: `
            export { requestToken, refreshToken, releaseToken } from '@pexip/infinity-api/dist/token';
            export { conferenceStatus, participants, theme } from '@pexip/infinity-api/dist/conference';
            export { callsWebrtcParticipant } from '@pexip/infinity-api/dist/participant';
            export { withPin, withToken } from '@pexip/infinity-api/dist/utils';
        `,
        resolveDir: fileURLToPath(new URL('.', import.meta.url)),
    },
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    write: false,
});
const api = await import(
    `data:text/javascript;base64,${Buffer.from(bundle.outputFiles[0].contents).toString('base64')}`
);

const params = { conferenceAlias };
const body = {
    display_name: 'Beverley P Spinder',
    chosen_idp: 'none',
    direct_media: true,
    sso_token: 'none',
    node: new URL(host).host,
    supports_direct_chat: false,
};
const answers = [];
async function ask(name, fetcher, more = {}) {
    const { status, data } = await api[name]({ fetcher, host, params, ...more });
    answers.push({ name, status, data });
    return data.result;
}

await ask('requestToken', fetch, { body });
await ask('requestToken', api.withPin(fetch, '0000'), { body });
await ask('requestToken', fetch, { body, params: { conferenceAlias: `no-${conferenceAlias}` } });
const guest = await ask('requestToken', api.withPin(fetch, 'none'), { body });
const chair = await ask('requestToken', api.withPin(fetch, pin), { body });
const withToken = api.withToken(fetch, chair.token);
await ask('theme', withToken);
await ask('conferenceStatus', withToken);
await ask('participants', withToken);
await ask('callsWebrtcParticipant', withToken, {
    params: { conferenceAlias, participantUuid: chair.participant_uuid },
    body: { call_type: 'WEBRTC', sdp: 'v=0' },
});
const refreshed = await ask('refreshToken', withToken);
await ask('releaseToken', api.withToken(fetch, refreshed.token), {
    body: { reason: 'User initiated disconnect' },
});
await ask('refreshToken', withToken);
await ask('releaseToken', api.withToken(fetch, guest.token), { body: {} });
await ask('releaseToken', api.withToken(fetch, guest.token), { body: {} });
console.log(JSON.stringify(answers));
