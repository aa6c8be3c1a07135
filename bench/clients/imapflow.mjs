// imapflow, for Node: node imapflow.mjs FUNCTION OPTIONS; prints the figures as JSON. Exit 3: no such work.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [work, json] = process.argv.slice(2);
const run = JSON.parse(json);
const { ImapFlow } = createRequire(run.modules + '/')('imapflow');

const status = name => Number(readFileSync('/proc/self/status', 'utf8').match(new RegExp(name + ':\\s+(\\d+)'))[1]);
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

async function fetchAll(client, items) {
    let rows = 0;
    for await (const row of client.fetch('1:*', items)) {
        rows += row.seq > 0 ? 1 : 0;
    }
    if (rows !== run.size) throw new Error(`${rows} rows`);
}

const works = {
    flags_parsed: client => fetchAll(client, { flags: true }),
    structures_parsed: client => fetchAll(client, { envelope: true, bodyStructure: true }),
    bodies: client => fetchAll(client, { source: true }),
    big: async client => {
        const found = await client.fetchOne('1', { source: true });
        if (found.source.length !== run.size) throw new Error('short');
    },
    noops: async client => {
        for (let i = 0; i < run.size; i++) await client.noop();
    },
    appends: async client => {
        for (let i = 0; i < run.size; i++) if (!(await client.append('Bench', message))) throw new Error('refused');
    }
};

if (!works[work]) process.exit(3);
try {
    const client = await connect();
    const kept = status('VmRSS'), cpu = process.cpuUsage(), start = process.hrtime.bigint();
    await works[work](client);
    const wall = Number(process.hrtime.bigint() - start) / 1e6, used = process.cpuUsage(cpu);
    const memory = status('VmHWM') - kept;
    console.log(JSON.stringify({
        wall, cpu: (used.user + used.system) / 1000, memory, threads: status('Threads'),
        'memory per octet': run.size ? (memory * 1024) / run.size : 0
    }));
    await client.logout();
} catch (error) {
    console.log(JSON.stringify({ error: String(error).slice(0, 200) }));
    process.exit(1);
}
