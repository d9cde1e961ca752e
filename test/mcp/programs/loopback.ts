import { Server } from "node:net";

// Loaded before a program that listens on every interface: it listens on loopback instead, and says on which port.
type Listen = (port: number, host: string, ...rest: unknown[]) => Server;

// oxlint-disable-next-line typescript/unbound-method
const listen = Server.prototype.listen as unknown as Listen;
Server.prototype.listen = function onLoopback(this: Server, ...args: unknown[]): Server {
  this.once("listening", () => process.stderr.write(`listening on ${JSON.stringify(this.address())}\n`));
  const [port, ...rest] = args;
  return listen.call(this, Number(port), "127.0.0.1", ...rest.filter((each) => typeof each !== "string"));
} as Server["listen"];
