// A client of the TypeScript SDK, operated from outside: a line of JSON in is one request, a line out is its outcome.
//
//   {"number": 1, "does": "connect", "sdk": "2" | "1", "era": "handshake" | "2026-07-28", "asks": true, ...target}
//   {"number": 2, "does": "call", "name": "stop_machine", "arguments": {...}, "types": "stop"}
//   -> {"number": 2, "gives": {...}} or {"number": 2, "throws": "..."}; progress: {"number": 2, "told": {...}}
//
// Requests run side by side, so that one may be cancelled while it is under way.
import { createInterface } from 'node:readline';

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const running = new Map();
let client, typed;
const questions = [];

// Both generations of the SDK, as far as they differ.
const generations = {
  async 2({ era, asks }) {
    const { Client, StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client');
    const { StdioClientTransport } = await import('@modelcontextprotocol/client/stdio');
    const mode = era === 'handshake' ? 'legacy' : { pin: era };
    const made = new Client(us, { capabilities: can(asks), versionNegotiation: { mode } });
    if (asks) made.setRequestHandler('elicitation/create', answer);
    const call = (params, options) => made.callTool(params, options);
    return { made, call, version: () => made.getNegotiatedProtocolVersion(), StdioClientTransport, StreamableHTTPClientTransport };
  },
  async 1({ asks }) {
    const { Client } = await import('@modelcontextprotocol/sdk/client/index.js');
    const { StdioClientTransport } = await import('@modelcontextprotocol/sdk/client/stdio.js');
    const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/sdk/client/streamableHttp.js');
    const { ElicitRequestSchema } = await import('@modelcontextprotocol/sdk/types.js');
    const made = new Client(us, { capabilities: can(asks) });
    if (asks) made.setRequestHandler(ElicitRequestSchema, answer);
    const call = (params, options) => made.callTool(params, undefined, options);
    const version = () => made.transport.negotiated;
    return {
      made, call, version,
      StdioClientTransport: remembering(StdioClientTransport),
      StreamableHTTPClientTransport: remembering(StreamableHTTPClientTransport),
    };
  },
};
const us = { name: 'typescript', version: '1.0.0' };
const can = (asks) => (asks ? { elicitation: {} } : {});

// SDK 1 tells its version only to the transport.
function remembering(Transport) {
  return class extends Transport {
    setProtocolVersion(version) {
      this.negotiated = version;
      super.setProtocolVersion?.(version);
    }
  };
}

async function answer(request) {
  questions.push(request.params.message);
  return typed === undefined ? { action: 'decline' } : { action: 'accept', content: { typed } };
}

const does = {
  async connect(asked) {
    const { made, call, version, StdioClientTransport, StreamableHTTPClientTransport } = await generations[asked.sdk](asked);
    const { url, headers, command, args, env } = asked;
    await made.connect(
      url
        ? new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } })
        : new StdioClientTransport({ command, args, env, stderr: 'ignore' }),
    );
    client = Object.assign(made, { call });
    return { version: version(), server: made.getServerVersion(), instructions: made.getInstructions() };
  },
  async tools() {
    return client.listTools();
  },
  async call({ number, name, arguments: given, types }) {
    typed = types;
    questions.length = 0;
    const stop = new AbortController();
    running.set(number, stop);
    const onprogress = (told) => say({ number, told });
    const found = await client.call({ name, arguments: given }, { signal: stop.signal, onprogress });
    return { ...found, questions: [...questions] };
  },
  async cancel({ call }) {
    running.get(call).abort('no longer wanted');
    return {};
  },
  async resources({ cursor }) {
    return client.listResources(cursor ? { cursor } : {});
  },
  async templates() {
    return client.listResourceTemplates();
  },
  async read({ uri }) {
    return client.readResource({ uri });
  },
};

createInterface({ input: process.stdin }).on('line', async (line) => {
  const asked = JSON.parse(line);
  try {
    say({ number: asked.number, gives: await does[asked.does](asked) });
  } catch (error) {
    say({ number: asked.number, throws: `${error?.name}: ${error?.message ?? error}` });
  }
}).on('close', async () => {
  await client?.close();
  process.exit(0);
});
