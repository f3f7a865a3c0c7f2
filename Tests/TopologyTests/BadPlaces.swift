/// Sections that contradict each other.
enum BadPlaces {
    static let cases: [BadInput] = [
        BadInput(
            "node without an address",
            replacing: "  east: {address: 10.0.1.1}", by: "  east: {}",
            says: [
                "t.yaml:7:12: error: nodes.l7-east has no 'address'; an IPv4 or IPv6 address here, or one for all nodes of regions.east",
                "t.yaml:8:12: error: nodes.l4-east has no 'address'; an IPv4 or IPv6 address here, or one for all nodes of regions.east",
            ]),
        BadInput(
            "explanations by a node that has none",
            replacing: "l4-east: {tier: l4,", by: "l4-east: {log: {explain: why.log}, tier: l4,",
            says: [
                "t.yaml:8:28: error: nodes.l4-east.log.explain: a node of tier l4 has no dynamic names to explain; write it for DNS nodes"
            ]),
        BadInput(
            "admin elsewhere without a token",
            replacing: "admin: \"127.0.0.1:9080\"", by: "admin: \"10.0.0.1:9080\"",
            says: [
                "t.yaml:6:62: error: nodes.dns-1.admin: 10.0.0.1:9080 is not a loopback address and there is no 'adminToken'; write adminToken: {env: NAME}, or listen on 127.0.0.1"
            ]),
        BadInput(
            "admin on every address without a token",
            replacing: "admin: \"127.0.0.1:9080\"", by: "admin: \"0.0.0.0:9080\"",
            says: [
                "t.yaml:6:62: error: nodes.dns-1.admin: 0.0.0.0:9080 is not a loopback address and there is no 'adminToken'; write adminToken: {env: NAME}, or listen on 127.0.0.1"
            ]),
        BadInput(
            "admin and federation on one port",
            replacing: "admin: \"127.0.0.1:9080\"", by: "admin: \"10.0.0.1:9081\", adminToken: {env: T}",
            says: [
                "t.yaml:6:113: error: nodes.dns-1.federation: 10.0.0.1:9081 is taken by nodes.dns-1.admin (t.yaml:6:62); another port or address"
            ]),
        BadInput(
            "federation on a wildcard",
            replacing: "federation: \"10.0.1.1:9081\"", by: "federation: \"0.0.0.0:9081\"",
            says: [
                "t.yaml:7:49: error: nodes.l7-east.federation: peers cannot reach 0.0.0.0; the address at which other nodes fetch its reports"
            ]),
        BadInput(
            "federation on the port of a listener",
            replacing: "federation: \"10.0.1.1:9081\"", by: "federation: \"10.0.1.1:80\"",
            says: [
                "t.yaml:7:49: error: nodes.l7-east.federation: 10.0.1.1:80 is taken by http.listeners.public of nodes.l7-east (t.yaml:37:30); another port or address"
            ]),
        BadInput(
            "two listeners on one port",
            replacing: "{public: {port: 80}", by: "{public: {port: 80}, other: {port: 80}",
            says: [
                "t.yaml:37:49: error: http.listeners.other of nodes.l7-east: 10.0.1.1:80 is taken by http.listeners.public of nodes.l7-east (t.yaml:37:30); another port or address"
            ]),
        BadInput(
            "listeners of two nodes at one address",
            replacing: "  l4-east: {", by: "  l7-b: {tier: l7, region: east}\n  l4-east: {",
            says: [
                "t.yaml:8:9: error: http.listeners.public of nodes.l7-b: 10.0.1.1:80 is taken by http.listeners.public of nodes.l7-east (t.yaml:7:12); another port or address",
                "t.yaml:8:9: error: http.listeners.inner of nodes.l7-b: 10.0.1.1:81 is taken by http.listeners.inner of nodes.l7-east (t.yaml:7:12); another port or address",
            ]),
        BadInput(
            "two DNS nodes at one address",
            replacing: "  l4-east: {", by: "  dns-2: {tier: dns, region: east, address: 10.0.0.1}\n  l4-east: {",
            says: [
                "t.yaml:8:45: error: dns.port of nodes.dns-2: 10.0.0.1:53 is taken by dns.port of nodes.dns-1 (t.yaml:6:45); another port or address"
            ]),
        BadInput(
            "L4 on the port of L7",
            replacing: "{orders: {port: 5432,", by: "{orders: {port: 80,",
            says: [
                "t.yaml:8:12: error: tcp.listeners.orders of nodes.l4-east: 10.0.1.1:80 is taken by http.listeners.public of nodes.l7-east (t.yaml:7:12); another port or address"
            ]),
        BadInput(
            "federation without keys",
            replacing: "federation: {keys: [{id: k1, secret: {env: KEY}}]}", by: "federation: {}",
            says: [
                "t.yaml:7:49: error: nodes.l7-east.federation: reports cannot be signed without a key; write federation: {keys: [{id: k1, secret: {env: MERIDIAN_FEDERATION_KEY}}]}"
            ]),
        BadInput(
            "two keys with one id",
            replacing: "{id: k1, secret: {env: KEY}}", by: "{id: k1, secret: {env: KEY}}, {id: k1, secret: {file: k}}",
            says: [
                "t.yaml:1:56: error: federation.keys: 'k1' is used twice; each key has its own id"
            ]),
        BadInput(
            "stale before the next report",
            replacing: "federation: {keys", by: "federation: {interval: 5s, staleAfter: 5s, keys",
            says: [
                "t.yaml:1:40: error: federation.staleAfter: 5s is not longer than the interval of 5s; every report would be stale before the next one comes"
            ]),
        BadInput(
            "timeout longer than the interval",
            replacing: "check: {http: {path: /healthz}}", by: "check: {http: {}, interval: 200ms}",
            says: [
                "t.yaml:18:12: error: pools.web.check.timeout: 500ms is longer than the interval of 200ms; at most the interval"
            ]),
        BadInput(
            "check of a name without a port",
            replacing: "{http: {port: 80}}", by: "{http: {}}",
            says: [
                "t.yaml:33:25: error: dns.zones.shop.test.names.www.check.http has no 'port'; the port that users connect to"
            ]),
        BadInput(
            "check of a pool with a port",
            replacing: "{user: probe}", by: "{user: probe, port: 5}",
            says: [
                "t.yaml:24:45: error: pools.orders.check.postgresql.port: servers of a pool are checked at their own port; leave it out; it is for the checks of names"
            ]),
        BadInput(
            "roots that nothing is verified with",
            replacing: "{user: probe}", by: "{user: probe, sslmode: require, sslrootcert: shop.test.zone}",
            says: [
                "t.yaml:24:70: error: pools.orders.check.postgresql.sslrootcert: sslmode: require verifies no certificate; sslmode: verify-ca or verify-full, or leave it out"
            ]),
        BadInput(
            "a name that nothing is verified with",
            replacing: "{user: probe}", by: "{user: probe, sslmode: verify-ca, host: db.test}",
            says: [
                "t.yaml:24:65: error: pools.orders.check.postgresql.host: sslmode: verify-ca verifies no name; sslmode: verify-full, or leave it out"
            ]),
        BadInput(
            "nothing to fall back from",
            replacing: "role: primary", by: "role: primary, fallback: primary",
            says: [
                "t.yaml:41:75: error: tcp.listeners.orders.fallback: a listener for the primary has nothing to fall back from; role: replica, or leave it out"
            ]),
        BadInput(
            "database check of an http pool",
            replacing: "check: {http: {path: /healthz}}", by: "check: {postgresql: {user: x}}",
            says: [
                "t.yaml:18:25: error: pools.web.check: an http pool has a postgresql check; http or tcp, or kind: tcp"
            ]),
        BadInput(
            "unknown failure",
            replacing: "balance: random", by: "ejection: {on: [connect, http_503]}",
            says: [
                "t.yaml:16:30: error: pools.web.ejection.on[1]: read 'http_503'; one of connect, reset, timeout, gateway, 5xx"
            ]),
        BadInput(
            "failure listed twice",
            replacing: "balance: random", by: "retry: {on: [reset, reset]}",
            says: ["t.yaml:16:25: error: pools.web.retry.on: 'reset' is listed twice; once is enough"]),
        BadInput(
            "failures that a tcp pool does not see",
            replacing: "closeOnDown: true", by: "ejection: {on: [connect, gateway]}",
            says: [
                "t.yaml:22:30: error: pools.orders.ejection.on: a tcp pool does not see 'gateway'; connect is what it sees; leave the others out"
            ]),
        BadInput(
            "retries of a tcp pool",
            replacing: "closeOnDown: true", by: "retry: {attempts: 2}",
            says: [
                "t.yaml:22:12: error: pools.orders.retry: a tcp pool has no requests; leave it out; a connection that fails is tried on three servers"
            ]),
        BadInput(
            "longest ejection under the first",
            replacing: "balance: random", by: "ejection: {base: 10s, maximum: 5s}",
            says: [
                "t.yaml:16:36: error: pools.web.ejection.maximum: 5s is shorter than the base of 10s; at least the base"
            ]),
        BadInput(
            "server twice",
            replacing: "[\"10.0.1.1:9001\"]", by: "[\"10.0.1.1:9001\", \"10.0.1.1:9001\"]",
            says: [
                "t.yaml:17:41: error: pools.web.endpoints.east: 10.0.1.1:9001 is in the pool already (t.yaml:17:24); give it a weight instead"
            ]),
        BadInput(
            "server in two regions",
            replacing: "[\"10.0.2.1:9001\"]", by: "[\"10.0.1.1:9001\"]",
            says: [
                "t.yaml:17:49: error: pools.web.endpoints.west: 10.0.1.1:9001 is in the pool already (t.yaml:17:24); give it a weight instead"
            ]),
        BadInput(
            "server without an address",
            replacing: "[\"10.0.2.1:9001\"]", by: "[\"0.0.0.0:9001\"]",
            says: [
                "t.yaml:17:49: error: pools.web.endpoints.west: 0.0.0.0:9001 is no server's address; the address at which it listens"
            ]),
        BadInput(
            "IPv6 in A",
            replacing: "A: 192.0.2.2", by: "A: \"2001:db8::1\"",
            says: [
                "t.yaml:34:53: error: dns.zones.shop.test.names.www.answers.west.A: read '2001:db8::1'; an IPv4 address"
            ]),
        BadInput(
            "IPv4 in AAAA",
            replacing: "A: 192.0.2.2", by: "AAAA: [192.0.2.2]",
            says: [
                "t.yaml:34:57: error: dns.zones.shop.test.names.www.answers.west.AAAA: read '192.0.2.2'; an IPv6 address"
            ]),
        BadInput(
            "no records",
            replacing: "west: {A: 192.0.2.2}", by: "west: {}",
            says: [
                "t.yaml:34:49: error: dns.zones.shop.test.names.www.answers.west has no records; one or more of A, AAAA, CNAME, HTTPS, SVCB, TXT, MX, SRV, CAA"
            ]),
        BadInput(
            "CNAME beside A",
            replacing: "A: 192.0.2.2", by: "A: 192.0.2.2, CNAME: x.test.",
            says: [
                "t.yaml:34:71: error: dns.zones.shop.test.names.www.answers.west: CNAME stands beside A; a canonical name allows no other records (RFC 1034 section 3.6.2)"
            ]),
        BadInput(
            "fence around nothing",
            replacing: "{limit: 1}", by: "{limit: 1, fence: open}",
            says: [
                "t.yaml:35:98: error: dns.zones.shop.test.names.www.steps[2]: 'fence' stands beside a step without lists; beside geo or prefix"
            ]),
        BadInput(
            "CNAME that a check cannot look at",
            replacing: "        www:\n",
            by:
                "        far: {check: {tcp: {port: 443}}, answers: {east: {A: 192.0.2.9}, west: {CNAME: x.test.}}}\n        www:\n",
            says: [
                "t.yaml:30:88: error: dns.zones.shop.test.names.far.answers.west: dns.zones.shop.test.names.far.check cannot look at what a CNAME leads to; answer with A and AAAA, or leave the check to the name that it leads to"
            ]),
        BadInput(
            "CNAME in a name that a checked name answers with",
            replacing: "        www:\n",
            by:
                "        alias: {answers: {west: {CNAME: x.test.}}}\n        far: {check: {tcp: {port: 443}}, answers: {west: {name: alias}}}\n        www:\n",
            says: [
                "t.yaml:30:41: error: dns.zones.shop.test.names.alias.answers.west: dns.zones.shop.test.names.far.check cannot look at what a CNAME leads to; answer with A and AAAA, or leave the check to the name that it leads to"
            ]),
        BadInput(
            "nothing that a check could look at",
            replacing: "        www:\n",
            by: "        far: {check: {tcp: {port: 443}}, answers: {west: {TXT: hello}}}\n        www:\n",
            says: [
                "t.yaml:30:52: error: dns.zones.shop.test.names.far.answers.west has no address that dns.zones.shop.test.names.far.check could look at; give it A or AAAA, or let a service decide"
            ]),
        BadInput(
            "CNAME at the apex",
            replacing: "        www:\n", by: "        \"@\": {answers: {east: {CNAME: x.test.}}}\n        www:\n",
            says: [
                "t.yaml:30:39: error: dns.zones.shop.test.names.@.answers.east: CNAME at the zone itself; the zone has SOA and NS records; answer with addresses"
            ]),
        BadInput(
            "name outside its zone",
            replacing: "        www:", by: "        www.other.test.:",
            says: [
                "t.yaml:30:9: error: dns.zones.shop.test.names.www.other.test. is not in the zone shop.test.; a DNS name relative to its zone, or @ for the zone itself"
            ]),
        BadInput(
            "name twice",
            replacing: "        www:\n",
            by: "        www.shop.test.: {answers: {east: {A: 192.0.2.1}}}\n        www:\n",
            says: [
                "t.yaml:31:9: error: dns.zones.shop.test.names.www: www.shop.test. is defined at t.yaml:30:9 already; keep one"
            ]),
        BadInput(
            "zone twice",
            replacing: "    shop.test:\n", by: "    Shop.Test.: {file: x}\n    shop.test:\n",
            says: [
                "t.yaml:28:5: error: dns.zones: 'shop.test' is the same as at t.yaml:27:5; keep one"
            ]),
        BadInput(
            "route name twice",
            replacing: "    - {name: shop, pool: web}",
            by: "    - {name: shop, pool: web}\n    - {name: shop, host: a.test, pool: web}",
            says: [
                "t.yaml:40:14: error: http.routes[1].name: 'shop' is used at t.yaml:39:14 already; each route has its own name"
            ]),
        BadInput(
            "route that matches the same",
            replacing: "    - {name: shop, pool: web}",
            by: "    - {name: shop, pool: web}\n    - {name: two, host: \"*\", path: {prefix: /}, pool: web}",
            says: [
                "t.yaml:40:7: error: http.routes[1] matches the same requests as 'shop' (t.yaml:39:7); another host or path"
            ]),
        BadInput(
            "path both exact and prefix",
            replacing: "pool: web}", by: "pool: web, path: {exact: /a, prefix: /b}}",
            says: [
                "t.yaml:39:49: error: http.routes[0].path has both 'exact' and 'prefix'; exactly one of exact, prefix"
            ]),
        BadInput(
            "route path with a wildcard",
            replacing: "pool: web}", by: "pool: web, path: {prefix: \"/v1/*\"}}",
            says: [
                "t.yaml:39:46: error: http.routes[0].path.prefix: '/v1/*' matches nothing: '*' stands for nothing but itself in a path; prefix: /v1 matches /v1 and all paths below it"
            ]),
        BadInput(
            "route path that is a wildcard",
            replacing: "pool: web}", by: "pool: web, path: {prefix: \"/*\"}}",
            says: [
                "t.yaml:39:46: error: http.routes[0].path.prefix: '/*' matches nothing: '*' stands for nothing but itself in a path; prefix: / matches every path"
            ]),
        BadInput(
            "route path with a wildcard within",
            replacing: "pool: web}", by: "pool: web, path: {exact: \"/v1/*/x\"}}",
            says: [
                "t.yaml:39:45: error: http.routes[0].path.exact: '/v1/*/x' matches nothing: '*' stands for nothing but itself in a path; prefix: /v1 matches /v1 and all paths below it"
            ]),
        BadInput(
            "route path with a query",
            replacing: "pool: web}", by: "pool: web, path: {exact: \"/a?b=c\"}}",
            says: [
                "t.yaml:39:45: error: http.routes[0].path.exact: '/a?b=c' matches nothing: a query is no part of a path; exact: /a, with any query"
            ]),
        BadInput(
            "route path that is not normal",
            replacing: "pool: web}", by: "pool: web, path: {prefix: \"/a/./b/../%61%2f\"}}",
            says: [
                "t.yaml:39:46: error: http.routes[0].path.prefix: '/a/./b/../%61%2f' matches nothing: requests arrive as '/a/a%2F'; prefix: /a/a%2F"
            ]),
        BadInput(
            "route path with a template",
            replacing: "pool: web}", by: "pool: web, path: {exact: \"/users/{id}\"}}",
            says: [
                "t.yaml:39:45: error: http.routes[0].path.exact: '/users/{id}' matches nothing: requests arrive as '/users/%7Bid%7D'; exact: /users/%7Bid%7D"
            ]),
        BadInput(
            "route path that climbs",
            replacing: "pool: web}", by: "pool: web, path: {prefix: \"/a/../../b\"}}",
            says: [
                "t.yaml:39:46: error: http.routes[0].path.prefix: '/a/../../b' matches nothing: requests for '/a/../../b' are refused with 400; a path without '\\', %00, escapes that are broken, and '..' that climbs above the root"
            ]),
        BadInput(
            "route path with a broken escape",
            replacing: "pool: web}", by: "pool: web, path: {exact: \"/%zz\"}}",
            says: [
                "t.yaml:39:45: error: http.routes[0].path.exact: '/%zz' matches nothing: requests for '/%zz' are refused with 400; a path without '\\', %00, escapes that are broken, and '..' that climbs above the root"
            ]),
        BadInput(
            "upgrade to HTTP/2",
            replacing: "pool: web}", by: "pool: web, upgrades: [h2c]}",
            says: [
                "t.yaml:39:42: error: http.routes[0].upgrades[0]: read 'h2c'; a protocol such as websocket or SPDY/3.1; not h2c, HTTP or TLS, whose requests no route would see"
            ]),
        BadInput(
            "upgrade to HTTP",
            replacing: "pool: web}", by: "pool: web, upgrades: [HTTP/2.0]}",
            says: [
                "t.yaml:39:42: error: http.routes[0].upgrades[0]: read 'HTTP/2.0'; a protocol such as websocket or SPDY/3.1; not h2c, HTTP or TLS, whose requests no route would see"
            ]),
        BadInput(
            "upgrade to TLS",
            replacing: "pool: web}", by: "pool: web, upgrades: [TLS/1.2]}",
            says: [
                "t.yaml:39:42: error: http.routes[0].upgrades[0]: read 'TLS/1.2'; a protocol such as websocket or SPDY/3.1; not h2c, HTTP or TLS, whose requests no route would see"
            ]),
        BadInput(
            "upgrade to a list",
            replacing: "pool: web}", by: "pool: web, upgrades: [a/b/c]}",
            says: [
                "t.yaml:39:42: error: http.routes[0].upgrades[0]: read 'a/b/c'; a protocol such as websocket or SPDY/3.1; not h2c, HTTP or TLS, whose requests no route would see"
            ]),
    ]
}
