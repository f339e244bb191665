// A shell through ssm-session, as its documentation shows it for Node: what comes in here is typed, what is shown goes
// out. StreamUrl and TokenValue of StartSession are in the environment; columns and rows are the arguments.
"use strict";

const { ssm } = require("ssm-session");
const WebSocket = require("ws");

const [cols, rows] = process.argv.slice(2).map(Number);
const connection = new WebSocket(process.env.STREAM_URL);
const seen = new Set();

connection.onopen = () => {
  ssm.init(connection, { token: process.env.TOKEN_VALUE, termOptions: { cols, rows } });
  process.stdin.on("data", (bytes) => ssm.sendText(connection, bytes));
};
connection.onerror = (error) => {
  console.error(error.message);
  process.exit(1);
};
connection.onmessage = (event) => {
  const message = ssm.decode(event.data);
  ssm.sendACK(connection, message);
  if (message.payloadType === 1) {
    // The library leaves it to its users to pass over repetitions.
    if (!seen.has(message.sequenceNumber)) process.stdout.write(message.payload);
    seen.add(message.sequenceNumber);
  } else if (message.payloadType === 17) {
    ssm.sendInitMessage(connection, { cols, rows });
  }
};
connection.onclose = () => process.stdout.end(() => process.exit(0));
