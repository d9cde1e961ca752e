import { describe, expect, test } from "vitest";
import { hostAndPort, refusalFor, refusalForUrl } from "./fetch-guard.ts";

describe("an address that may be reached", () => {
  test.each([
    "93.184.216.34",
    "1.1.1.1",
    "172.32.0.1",
    "100.128.0.1",
    "223.255.255.254",
    "2606:4700:4700::1111",
    "2a00:1450:4001:81b::200e",
    "::ffff:93.184.216.34",
    "64:ff9b::5db8:d822",
  ])("%s", (ip) => {
    expect(refusalFor(ip)).toBeUndefined();
  });
});

describe("an address that may not be reached", () => {
  test.each([
    ["127.0.0.1", "loopback"],
    ["127.255.255.254", "loopback"],
    ["2130706433", "loopback"],
    ["0x7f000001", "loopback"],
    ["0177.0.0.1", "loopback"],
    ["127.1", "loopback"],
    ["0.0.0.0", "unspecified"],
    ["0.1.2.3", "unspecified"],
    ["10.0.0.1", "private"],
    ["172.16.0.1", "private"],
    ["172.31.255.255", "private"],
    ["192.168.1.1", "private"],
    ["169.254.1.1", "link-local"],
    ["169.254.169.254", "cloud metadata"],
    ["168.63.129.16", "cloud metadata"],
    ["100.64.0.1", "carrier-grade NAT"],
    ["100.100.100.200", "carrier-grade NAT"],
    ["192.0.0.192", "reserved"],
    ["198.18.0.1", "reserved"],
    ["203.0.113.1", "reserved"],
    ["240.0.0.1", "reserved"],
    ["224.0.0.1", "multicast"],
    ["255.255.255.255", "broadcast"],
    ["::", "unspecified"],
    ["::1", "loopback"],
    ["0:0:0:0:0:0:0:1", "loopback"],
    ["::ffff:127.0.0.1", "loopback"],
    ["::ffff:7f00:1", "loopback"],
    ["::ffff:169.254.169.254", "cloud metadata"],
    ["::127.0.0.1", "loopback"],
    ["::7f00:1", "not public"],
    ["::ffff:0:127.0.0.1", "reserved"],
    ["64:ff9b::7f00:1", "loopback"],
    ["64:ff9b::a9fe:a9fe", "cloud metadata"],
    ["64:ff9b:1::7f00:1", "reserved"],
    ["2002:7f00:1::", "tunnel"],
    ["2002:5db8:d822::", "tunnel"],
    ["2001:0:5ef5:79fd::1", "tunnel"],
    ["fc00::1", "private"],
    ["fd00:ec2::254", "private"],
    ["fe80::1", "link-local"],
    ["fe80::1%eth0", "local network interface"],
    ["fec0::1", "reserved"],
    ["ff02::1", "multicast"],
    ["2001:db8::1", "reserved"],
    ["4000::1", "not public"],
    ["", "not an IP address"],
    ["example.com", "not an IP address"],
    ["127.0.0.1.evil.com", "not an IP address"],
  ])("%s is %s", (ip, why) => {
    expect(refusalFor(ip)).toContain(why);
  });
});

describe("an address to fetch", () => {
  const allowed = new Set(["127.0.0.1:8080", "wiki.lan:80", "[::1]:9000"]);

  test.each([
    "https://example.com/page?q=1",
    "http://example.com:8080/",
    "http://93.184.216.34/",
    "http://[2606:4700:4700::1111]/",
    "http://localhost.example.com/",
    "http://127.0.0.1:8080/x",
    "http://2130706433:8080/",
    "http://WIKI.lan/",
    "http://[::1]:9000/",
  ])("%s passes", (address) => {
    expect(refusalForUrl(new URL(address), allowed)).toBeUndefined();
  });

  test.each([
    ["file:///etc/passwd", "only http and https"],
    ["ftp://example.com/", "only http and https"],
    ["data:text/html,hi", "only http and https"],
    ["gopher://example.com:6379/_FLUSHALL", "only http and https"],
    ["http://user:secret@example.com/", "user name or password"],
    ["http://example.com@127.0.0.1/", "user name or password"],
    ["http://user@127.0.0.1:8080/", "user name or password"],
    ["http://example.com:22/", "port 22"],
    ["http://example.com:1024/", "port 1024"],
    ["http://example.com:6379/", "port 6379"],
    ["http://example.com:2375/containers/json", "port 2375"],
    ["http://127.0.0.1/", "loopback"],
    ["http://127.0.0.1:8081/", "loopback"],
    ["https://127.0.0.1/", "loopback"],
    ["http://2130706433/", "loopback"],
    ["http://017700000001/", "loopback"],
    ["http://0x7f.0.0.1/", "loopback"],
    ["http://127.1/", "loopback"],
    ["http://１２７.０.０.１/", "loopback"],
    ["http://0/", "unspecified"],
    ["http://[::1]/", "loopback"],
    ["http://[::ffff:127.0.0.1]/", "loopback"],
    ["http://[::ffff:a9fe:a9fe]/latest/meta-data/", "cloud metadata"],
    ["http://169.254.169.254/latest/meta-data/", "cloud metadata"],
    ["http://localhost/", "loopback name"],
    ["http://LOCALHOST./", "loopback name"],
    ["http://api.localhost:3000/", "loopback name"],
    ["http://metadata.google.internal/", "private network"],
    ["http://printer.local/", "private network"],
    ["https://wiki.lan:81/", "port 81"],
  ])("%s is refused: %s", (address, why) => {
    expect(refusalForUrl(new URL(address), allowed)).toContain(why);
  });

  test.each([
    ["http://Example.com/x", "example.com:80"],
    ["https://example.com/", "example.com:443"],
    ["http://[::1]:8080/", "[::1]:8080"],
  ])("%s leads to %s", (address, place) => {
    expect(hostAndPort(new URL(address))).toBe(place);
  });
});
