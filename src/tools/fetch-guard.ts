import ipaddr from "ipaddr.js";

/**
 * Says why nothing may connect to this IP address, or `undefined` when it is a public one. Understands every notation
 * and every way to wrap an IPv4 address in an IPv6 one.
 */
export function refusalFor(ip: string): string | undefined {
  if (!ipaddr.isValid(ip)) return "not an IP address";
  const address = ipaddr.parse(ip);
  return address instanceof ipaddr.IPv4 ? refusalForV4(address) : refusalForV6(address);
}

/**
 * Says why this address may not be fetched before any name is looked up, or `undefined`. `allowed` holds exact
 * `host:port` pairs that skip the rules about names, ports and addresses; what a name resolves to is checked later.
 */
export function refusalForUrl(url: URL, allowed: ReadonlySet<string>): string | undefined {
  if (url.protocol !== "http:" && url.protocol !== "https:") return "only http and https addresses are fetched";
  if (url.username !== "" || url.password !== "") return "the address contains a user name or password";
  if (allowed.has(hostAndPort(url))) return undefined;
  return refusalForPort(portOf(url)) ?? refusalForHost(bareHost(url));
}

/** The `host:port` an address leads to, lower case, with the scheme's port when none is written. */
export function hostAndPort(url: URL): string {
  return `${url.hostname}:${portOf(url)}`;
}

// Azure's host agent answers on a public address.
const HOST_AGENT = "168.63.129.16";

function refusalForV4(address: ipaddr.IPv4): string | undefined {
  const text = address.toString();
  if (text === "169.254.169.254" || text === HOST_AGENT) return "a cloud metadata address";
  const range = address.range();
  return range === "unicast" ? undefined : describeRange(range);
}

const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR("2000::/3");
const NAT64 = ipaddr.IPv6.parseCIDR("64:ff9b::/96");

function refusalForV6(address: ipaddr.IPv6): string | undefined {
  if (address.zoneId !== undefined) return "an address of a local network interface";
  // Networks without IPv4 reach all of it through this prefix, so the address inside is what counts.
  if (address.isIPv4MappedAddress() || address.match(NAT64)) return refusalForV4(embeddedV4(address));
  const range = address.range();
  if (range !== "unicast") return describeRange(range);
  // Outside this block nothing is assigned; ::127.0.0.1 and its like hide there.
  return address.match(GLOBAL_UNICAST) ? undefined : "an address that is not public";
}

function embeddedV4(address: ipaddr.IPv6): ipaddr.IPv4 {
  return new ipaddr.IPv4(address.toByteArray().slice(-4));
}

const RANGE_WORDS = new Map<string, string>([
  ["unspecified", "an unspecified address"],
  ["broadcast", "a broadcast address"],
  ["multicast", "a multicast address"],
  ["linkLocal", "a link-local address"],
  ["loopback", "a loopback address"],
  ["carrierGradeNat", "a carrier-grade NAT address"],
  ["private", "a private address"],
  ["uniqueLocal", "a private address"],
  ["6to4", "a tunnel address"],
  ["teredo", "a tunnel address"],
]);

function describeRange(range: string): string {
  return RANGE_WORDS.get(range) ?? "a reserved address";
}

function portOf(url: URL): number {
  if (url.port !== "") return Number(url.port);
  return url.protocol === "https:" ? 443 : 80;
}

// Services that speak no HTTP, or speak it to administrators: databases, queues, container and cluster control.
const SERVICE_PORTS = new Set([
  1433, 1521, 1883, 2049, 2181, 2375, 2376, 2379, 2380, 3306, 3389, 4369, 5432, 5672, 5900, 5984, 6379, 6443, 8500,
  9042, 9092, 9200, 9300, 10250, 11211, 15672, 26379, 27017,
]);

function refusalForPort(port: number): string | undefined {
  if (port === 80 || port === 443) return undefined;
  return port > 1024 && !SERVICE_PORTS.has(port) ? undefined : `port ${port} is not one that web pages use`;
}

function refusalForHost(host: string): string | undefined {
  if (ipaddr.isValid(host)) return refusalFor(host);
  const name = host.endsWith(".") ? host.slice(0, -1) : host;
  if (name === "localhost" || name.endsWith(".localhost")) return "a loopback name";
  return name.endsWith(".local") || name.endsWith(".internal") ? "a name of a private network" : undefined;
}

function bareHost(url: URL): string {
  return url.hostname.startsWith("[") ? url.hostname.slice(1, -1) : url.hostname;
}
