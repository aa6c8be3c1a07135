// imapflow, for Node: node imapflow.mjs FUNCTION OPTIONS; prints the figures as JSON. Exit 3: no such work.
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createRequire } from 'node:module';

const [work, json] = process.argv.slice(2);
const run = JSON.parse(json);
const { ImapFlow } = createRequire(run.modules + '/')('imapflow');

const status = name => Number(readFileSync('/proc/self/status', 'utf8').match(new RegExp(name + ':\\s+(\\d+)'))[1]);
const times = [];
const message = Buffer.from(run.message ?? '', 'base64');

async function connect() {
    const client = new ImapFlow({
        host: run.host, port: run.port, secure: Boolean(run.cafile), doSTARTTLS: false,
        tls: run.cafile ? { ca: readFileSync(run.cafile) } : undefined,
        auth: { user: run.user, pass: run.password }, logger: false, disableCompression: !run.compress, disableAutoIdle: true
    });
    await client.connect();
    await client.mailboxOpen(run.mailbox);
    return client;
}

async function fetchAll(client, items, look) {
    let rows = 0;
    for await (const row of client.fetch(`1:${run.size}`, items)) {
        rows += row.seq > 0 && look(row) ? 1 : 0;
    }
    if (rows !== run.size) throw new Error(`${rows} rows`);
}

// What has been fetched is looked at, whole, as on the other clients' side.
const addresses = list => (list ?? []).every(one => one.name !== null && one.address !== null);

function envelope(e) {
    return [e.date, e.subject, e.messageId, e.inReplyTo].length &&
        [e.from, e.sender, e.replyTo, e.to, e.cc, e.bcc].every(addresses);
}

function part(p) {
    return p.type && [p.part, p.parameters, p.id, p.description, p.encoding, p.size, p.md5, p.lineCount, p.disposition,
        p.dispositionParameters, p.language, p.location].length && (p.childNodes ?? []).every(part);
}

// noop() is this, and keeps to itself whether it was done.
const noops = async client => {
    for (let i = 0; i < run.size; i++) {
        if (!(await client.run('NOOP'))) throw new Error('refused');
    }
};

const structures = client => fetchAll(client, { envelope: true, bodyStructure: true },
    row => envelope(row.envelope) && part(row.bodyStructure));

const works = {
    flags_parsed: client => fetchAll(client, { flags: true }, row => row.flags.size >= 0),
    structures_parsed: structures,
    structures_decoded: structures,
    rows_flags: client => fetchAll(client, { uid: true, flags: true }, row => row.uid && row.flags.size >= 0),
    rows_envelope: client => fetchAll(client, { uid: true, envelope: true }, row => row.uid && envelope(row.envelope)),
    rows_body: client => fetchAll(client, { uid: true, bodyStructure: true }, row => row.uid && part(row.bodyStructure)),
    rows: client => fetchAll(client, { uid: true, flags: true, envelope: true, bodyStructure: true },
        row => row.uid && row.flags.size >= 0 && envelope(row.envelope) && part(row.bodyStructure)),
    status_far: async client => {
        const asked = { messages: true, unseen: true, uidNext: true, uidValidity: true };
        const found = await Promise.all([...Array(run.size).keys()].map(i => client.status(`Lists/Box ${i}`, asked)));
        if (!found.every(status => status.messages)) throw new Error('refused');
    },
    down_window: async client => {
        // In pieces of 64 KiB, its default.
        const { content } = await client.download('1', undefined, { uid: true });
        const place = mkdtempSync(join(tmpdir(), 'bench-'));
        try {
            const file = createWriteStream(join(place, 'message'));
            await pipeline(content, file);
            if (file.bytesWritten !== run.size) throw new Error(`${file.bytesWritten} bytes`);
        } finally {
            rmSync(place, { recursive: true });
        }
    },
    bodies: client => fetchAll(client, { source: true }, row => row.source.length === run.body),
    big: async client => {
        const found = await client.fetchOne('1', { source: true });
        if (found.source.length !== run.size) throw new Error('short');
    },
    noops,
    far: noops,
    appends: async client => {
        for (let i = 0; i < run.size; i++) {
            const start = process.hrtime.bigint();
            if (!(await client.append('Appended', message))) throw new Error('refused');
            times.push(Number(process.hrtime.bigint() - start) / 1e6);
        }
    }
};

if (!works[work]) process.exit(3);
if (run.failed) {
    console.log(JSON.stringify({ error: `not asked again: in the clear ${run.failed}` }));
    process.exit(1);
}
try {
    const client = await connect();
    try {
        writeFileSync('/proc/self/clear_refs', '5');
    } catch {
        // then the peak is that of the whole process
    }
    const kept = status('VmRSS'), cpu = process.cpuUsage(), start = process.hrtime.bigint();
    await works[work](client);
    const wall = Number(process.hrtime.bigint() - start) / 1e6, used = process.cpuUsage(cpu);
    const peak = status('VmHWM'), memory = peak - kept;
    times.sort((a, b) => a - b);
    console.log(JSON.stringify({
        wall, cpu: (used.user + used.system) / 1000, memory, MiB: memory / 1024, peak, threads: status('Threads'),
        'memory per byte': run.size ? (memory * 1024) / run.size : 0,
        ...(times.length ? { p99: times[Math.floor(times.length * 0.99)], slowest: times.at(-1) } : {})
    }));
    await client.logout();
} catch (error) {
    console.log(JSON.stringify({ error: String(error).slice(0, 200) }));
    process.exit(1);
}
