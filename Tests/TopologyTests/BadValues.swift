/// Scalars outside of what is allowed.
enum BadValues {
    static let cases: [BadInput] = [
        BadInput(
            "choice, near",
            replacing: "kind: http", by: "kind: htpp",
            says: [
                "t.yaml:14:11: error: pools.web.kind: read 'htpp'; one of http, tcp; did you mean 'http'?"
            ]),
        BadInput(
            "choice in another case",
            replacing: "balance: random", by: "balance: Random",
            says: [
                "t.yaml:16:14: error: pools.web.balance: read 'Random'; one of roundRobin, leastConnections, sourceHash, random; did you mean 'random'?"
            ]),
        BadInput(
            "duration without a unit",
            replacing: "drainTimeout: 5s", by: "drainTimeout: 5",
            says: [
                "t.yaml:7:92: error: nodes.l7-east.drainTimeout: read '5'; a duration such as 500ms, 5s, 2m or 1h, from 0s to 1h; did you mean '5s'?"
            ]),
        BadInput(
            "duration of words",
            replacing: "drainTimeout: 5s", by: "drainTimeout: five seconds",
            says: [
                "t.yaml:7:92: error: nodes.l7-east.drainTimeout: read 'five seconds'; a duration such as 500ms, 5s, 2m or 1h, from 0s to 1h"
            ]),
        BadInput(
            "duration with a blank",
            replacing: "drainTimeout: 5s", by: "drainTimeout: 5 s",
            says: [
                "t.yaml:7:92: error: nodes.l7-east.drainTimeout: read '5 s'; a duration such as 500ms, 5s, 2m or 1h, from 0s to 1h; did you mean '5s'?"
            ]),
        BadInput(
            "negative duration",
            replacing: "drainTimeout: 5s", by: "drainTimeout: -5s",
            says: [
                "t.yaml:7:92: error: nodes.l7-east.drainTimeout: read '-5s'; a duration such as 500ms, 5s, 2m or 1h, from 0s to 1h"
            ]),
        BadInput(
            "duration out of range",
            replacing: "drainTimeout: 5s", by: "drainTimeout: 2h",
            says: [
                "t.yaml:7:92: error: nodes.l7-east.drainTimeout: read '2h'; a duration such as 500ms, 5s, 2m or 1h, from 0s to 1h"
            ]),
        BadInput(
            "duration that overflows",
            replacing: "drainTimeout: 5s", by: "drainTimeout: 99999999999999999999h",
            says: [
                "t.yaml:7:92: error: nodes.l7-east.drainTimeout: read '99999999999999999999h'; a duration such as 500ms, 5s, 2m or 1h, from 0s to 1h"
            ]),
        BadInput(
            "time to live with a fraction",
            replacing: "ttl: 30s", by: "ttl: 500ms",
            says: [
                "t.yaml:32:16: error: dns.zones.shop.test.names.www.ttl: read '500ms'; a duration in whole seconds such as 30s or 5m, from 0s to 2147483647s"
            ]),
        BadInput(
            "time to live too long",
            replacing: "ttl: 30s", by: "ttl: 2147483648s",
            says: [
                "t.yaml:32:16: error: dns.zones.shop.test.names.www.ttl: read '2147483648s'; a duration in whole seconds such as 30s or 5m, from 0s to 2147483647s"
            ]),
        BadInput(
            "time to live without a unit",
            replacing: "ttl: 30s", by: "ttl: 30",
            says: [
                "t.yaml:32:16: error: dns.zones.shop.test.names.www.ttl: read '30'; a duration in whole seconds such as 30s or 5m, from 0s to 2147483647s; did you mean '30s'?"
            ]),
        BadInput(
            "size without a unit",
            replacing: "headSize: 8KiB", by: "headSize: 8192",
            says: [
                "t.yaml:37:72: error: http.listeners.inner.limits.headSize: read '8192'; a size such as 512B, 16KiB, 10MiB or 1GiB, from 1KiB to 16KiB; did you mean '8192B'?"
            ]),
        BadInput(
            "size in decimal units",
            replacing: "headSize: 8KiB", by: "headSize: 8K",
            says: [
                "t.yaml:37:72: error: http.listeners.inner.limits.headSize: read '8K'; a size such as 512B, 16KiB, 10MiB or 1GiB, from 1KiB to 16KiB; did you mean '8KiB'?"
            ]),
        BadInput(
            "size out of range",
            replacing: "headSize: 8KiB", by: "headSize: 1MiB",
            says: [
                "t.yaml:37:72: error: http.listeners.inner.limits.headSize: read '1MiB'; a size such as 512B, 16KiB, 10MiB or 1GiB, from 1KiB to 16KiB"
            ]),
        BadInput(
            "share without a sign",
            replacing: "threshold: 50%", by: "threshold: 50",
            says: [
                "t.yaml:11:38: error: services.shop.threshold: read '50'; a share, 1% to 100%; did you mean '50%'?"
            ]),
        BadInput(
            "share over all",
            replacing: "threshold: 50%", by: "threshold: 150%",
            says: [
                "t.yaml:11:38: error: services.shop.threshold: read '150%'; a share, 1% to 100%"
            ]),
        BadInput(
            "share of nothing",
            replacing: "threshold: 50%", by: "threshold: 0%",
            says: [
                "t.yaml:11:38: error: services.shop.threshold: read '0%'; a share, 1% to 100%"
            ]),
        BadInput(
            "weight out of range",
            replacing: "\"10.0.2.1:9001\"", by: "{address: \"10.0.2.1:9001\", weight: 65536}",
            says: [
                "t.yaml:17:84: error: pools.web.endpoints.west[0].weight: read '65536'; a whole number, 0 to 65535"
            ]),
        BadInput(
            "negative weight",
            replacing: "\"10.0.2.1:9001\"", by: "{address: \"10.0.2.1:9001\", weight: -1}",
            says: [
                "t.yaml:17:84: error: pools.web.endpoints.west[0].weight: read '-1'; a whole number, 0 to 65535"
            ]),
        BadInput(
            "fractional weight",
            replacing: "\"10.0.2.1:9001\"", by: "{address: \"10.0.2.1:9001\", weight: 1.5}",
            says: [
                "t.yaml:17:84: error: pools.web.endpoints.west[0].weight: read '1.5'; a whole number, 0 to 65535"
            ]),
        BadInput(
            "boolean of YAML 1.1",
            replacing: "closeOnDown: true", by: "closeOnDown: yes",
            says: [
                "t.yaml:22:18: error: pools.orders.closeOnDown: read 'yes'; true or false; did you mean 'true'?"
            ]),
        BadInput(
            "port zero",
            replacing: "{public: {port: 80}", by: "{public: {port: 0}",
            says: [
                "t.yaml:37:30: error: http.listeners.public.port: read '0'; a whole number, 1 to 65535"
            ]),
        BadInput(
            "port out of range",
            replacing: "{public: {port: 80}", by: "{public: {port: 65536}",
            says: [
                "t.yaml:37:30: error: http.listeners.public.port: read '65536'; a whole number, 1 to 65535"
            ]),
        BadInput(
            "more header fields than a head can have",
            replacing: "{public: {port: 80}", by: "{public: {port: 80, limits: {headerCount: 257}}",
            says: [
                "t.yaml:37:56: error: http.listeners.public.limits.headerCount: read '257'; a whole number, 1 to 256"
            ]),
        BadInput(
            "workers",
            replacing: "workers: 2", by: "workers: 0",
            says: [
                "t.yaml:7:75: error: nodes.l7-east.workers: read '0'; auto, or a whole number, 1 to 256"
            ]),
        BadInput(
            "workers, nearly auto",
            replacing: "workers: 2", by: "workers: atuo",
            says: [
                "t.yaml:7:75: error: nodes.l7-east.workers: read 'atuo'; auto, or a whole number, 1 to 256; did you mean 'auto'?"
            ]),
        BadInput(
            "address",
            replacing: "  east: {address: 10.0.1.1}", by: "  east: {address: 10.0.1}",
            says: [
                "t.yaml:3:19: error: regions.east.address: read '10.0.1'; an IPv4 or IPv6 address"
            ]),
        BadInput(
            "address with leading zeros",
            replacing: "  east: {address: 10.0.1.1}", by: "  east: {address: 10.0.01.1}",
            says: [
                "t.yaml:3:19: error: regions.east.address: read '10.0.01.1'; an IPv4 or IPv6 address"
            ]),
        BadInput(
            "host name as an address",
            replacing: "  east: {address: 10.0.1.1}", by: "  east: {address: east.example.test}",
            says: [
                "t.yaml:3:19: error: regions.east.address: read 'east.example.test'; an IPv4 or IPv6 address"
            ]),
        BadInput(
            "endpoint without a port",
            replacing: "[\"10.0.1.1:9001\"]", by: "[\"10.0.1.1\"]",
            says: [
                "t.yaml:17:24: error: pools.web.endpoints.east[0]: read '10.0.1.1'; an address and port such as 127.0.0.1:80 or [::1]:80"
            ]),
        BadInput(
            "endpoint with port zero",
            replacing: "[\"10.0.1.1:9001\"]", by: "[\"10.0.1.1:0\"]",
            says: [
                "t.yaml:17:24: error: pools.web.endpoints.east[0]: read '10.0.1.1:0'; an address and port such as 127.0.0.1:80 or [::1]:80"
            ]),
        BadInput(
            "empty list of endpoints",
            replacing: "[\"10.0.1.1:9001\"]", by: "[]",
            says: [
                "t.yaml:17:23: error: pools.web.endpoints.east: the list is empty; at least 1 must be given"
            ]),
        BadInput(
            "status code",
            replacing: "{path: /healthz}", by: "{path: /healthz, statuses: [200, 99]}",
            says: [
                "t.yaml:18:52: error: pools.web.check.http.statuses[1]: read '99'; a status from 100 to 599, or a range such as 200-399"
            ]),
        BadInput(
            "status range upside down",
            replacing: "{path: /healthz}", by: "{path: /healthz, statuses: 399-200}",
            says: [
                "t.yaml:18:46: error: pools.web.check.http.statuses: read '399-200'; a status from 100 to 599, or a range such as 200-399"
            ]),
        BadInput(
            "status class",
            replacing: "{path: /healthz}", by: "{path: /healthz, statuses: [2xx]}",
            says: [
                "t.yaml:18:47: error: pools.web.check.http.statuses[0]: read '2xx'; a status from 100 to 599, or a range such as 200-399; did you mean '200-299'?"
            ]),
        BadInput(
            "path without a slash",
            replacing: "{path: /healthz}", by: "{path: healthz}",
            says: [
                "t.yaml:18:26: error: pools.web.check.http.path: read 'healthz'; a path that begins with / and has no blanks; did you mean '/healthz'?"
            ]),
        BadInput(
            "path with a blank",
            replacing: "{path: /healthz}", by: "{path: \"/health z\"}",
            says: [
                "t.yaml:18:26: error: pools.web.check.http.path: read '/health z'; a path that begins with / and has no blanks"
            ]),
        BadInput(
            "control character",
            replacing: "{user: probe}", by: "{user: \"pro\\nbe\"}",
            says: [
                "t.yaml:24:32: error: pools.orders.check.postgresql.user: read 'pro�be'; text"
            ]),
        BadInput(
            "continent",
            replacing: "{continent: EU}", by: "{continent: Europe}",
            says: [
                "t.yaml:4:51: error: regions.west.location.continent: read 'Europe'; one of AF, AN, AS, EU, NA, OC, SA"
            ]),
        BadInput(
            "country in lower case",
            replacing: "{continent: EU}", by: "{country: de}",
            says: [
                "t.yaml:4:49: error: regions.west.location.country: read 'de'; a country code of two capital letters (ISO 3166-1); did you mean 'DE'?"
            ]),
        BadInput(
            "latitude out of range",
            replacing: "{continent: EU}", by: "{latitude: 91, longitude: 0}",
            says: [
                "t.yaml:4:50: error: regions.west.location.latitude: read '91'; a number, -90 to 90"
            ]),
        BadInput(
            "latitude alone",
            replacing: "{continent: EU}", by: "{latitude: 50}",
            says: [
                "t.yaml:4:39: error: regions.west.location has only one of 'latitude' and 'longitude'; write both"
            ]),
        BadInput(
            "a number that is none",
            replacing: "{continent: EU}", by: "{latitude: nan, longitude: 0x10}",
            says: [
                "t.yaml:4:50: error: regions.west.location.latitude: read 'nan'; a number, -90 to 90",
                "t.yaml:4:66: error: regions.west.location.longitude: read '0x10'; a number, -180 to 180",
            ]),
        BadInput(
            "prefix with host bits",
            replacing: "continents: {EU: [west]}", by: "prefixes: {10.0.0.1/8: [west]}",
            says: [
                "t.yaml:35:46: error: dns.zones.shop.test.names.www.steps[1].geo.prefixes: read '10.0.0.1/8'; an address prefix such as 10.0.0.0/8 or 2001:db8::/32, without bits behind its length; did you mean '10.0.0.0/8'?"
            ]),
        BadInput(
            "prefix too long",
            replacing: "continents: {EU: [west]}", by: "prefixes: {10.0.0.0/33: [west]}",
            says: [
                "t.yaml:35:46: error: dns.zones.shop.test.names.www.steps[1].geo.prefixes: read '10.0.0.0/33'; an address prefix such as 10.0.0.0/8 or 2001:db8::/32, without bits behind its length; did you mean '10.0.0.0/32'?"
            ]),
        BadInput(
            "prefix twice",
            replacing: "continents: {EU: [west]}",
            by: "prefixes: {\"2001:db8::/32\": [west], \"2001:db8:0::/32\": [east]}",
            says: [
                "t.yaml:35:71: error: dns.zones.shop.test.names.www.steps[1].geo.prefixes: '2001:db8:0::/32' is the same as at t.yaml:35:46; keep one"
            ]),
        BadInput(
            "country of a geo step",
            replacing: "continents: {EU: [west]}", by: "countries: {Germany: [west]}",
            says: [
                "t.yaml:35:47: error: dns.zones.shop.test.names.www.steps[1].geo.countries: read 'Germany'; a country code of two capital letters (ISO 3166-1)"
            ]),
        BadInput(
            "empty geo list",
            replacing: "continents: {EU: [west]}", by: "continents: {EU: []}",
            says: [
                "t.yaml:35:52: error: dns.zones.shop.test.names.www.steps[1].geo.continents.EU: the list is empty; at least 1 must be given"
            ]),
        BadInput(
            "log level",
            replacing: "log: {level: info}", by: "log: {level: warn}",
            says: [
                "t.yaml:7:109: error: nodes.l7-east.log.level: read 'warn'; one of trace, debug, info, notice, warning, error, critical; did you mean 'warning'?"
            ]),
        BadInput(
            "sample of nothing",
            replacing: "log: {level: info}", by: "log: {accessSample: 0}",
            says: [
                "t.yaml:7:116: error: nodes.l7-east.log.accessSample: read '0'; a whole number, 1 to 1000000"
            ]),
        BadInput(
            "name of a node",
            replacing: "  l4-east:", by: "  \"l4 east\":",
            says: [
                "t.yaml:8:3: error: nodes: read 'l4 east'; a name of letters, digits, '.', '_' and '-', at most 63 characters"
            ]),
        BadInput(
            "zone name",
            replacing: "    shop.test:", by: "    shop..test:",
            says: [
                "t.yaml:27:5: error: dns.zones: read 'shop..test'; a DNS name such as example.test"
            ]),
        BadInput(
            "dynamic name",
            replacing: "        www:", by: "        \"w ww\":",
            says: [
                "t.yaml:30:9: error: dns.zones.shop.test.names: read 'w ww'; a DNS name relative to its zone, or @ for the zone itself"
            ]),
        BadInput(
            "limit",
            replacing: "{limit: 1}", by: "{limit: 0}",
            says: [
                "t.yaml:35:88: error: dns.zones.shop.test.names.www.steps[2].limit: read '0'; a whole number, 1 to 64"
            ]),
        BadInput(
            "UDP size",
            replacing: "dns:\n", by: "dns:\n  maximumUDPSize: 65535\n",
            says: [
                "t.yaml:26:19: error: dns.maximumUDPSize: read '65535'; a whole number, 512 to 4096"
            ]),
        BadInput(
            "host of a route",
            replacing: "pool: web}", by: "pool: web, host: \"www.*.test\"}",
            says: [
                "t.yaml:39:37: error: http.routes[0].host: read 'www.*.test'; a host name, *.suffix, or * for any"
            ]),
        BadInput(
            "nothing where a value is needed",
            replacing: "kind: http", by: "kind:",
            says: [
                "t.yaml:14:5: error: pools.web has no 'kind'; one of http, tcp"
            ]),
        BadInput(
            "secret in the file",
            replacing: "secret: {env: KEY}", by: "secret: hunter2",
            says: [
                "t.yaml:1:38: error: federation.keys[0].secret: a secret is written in the file; keep it elsewhere and write {env: NAME} or {file: path}; and change it, it may have been read"
            ]),
        BadInput(
            "secret as the name of a variable",
            replacing: "secret: {env: KEY}", by: "secret: {env: hunter2-secret}",
            says: [
                "t.yaml:1:44: error: federation.keys[0].secret.env: read something else; the name of an environment variable"
            ]),
        BadInput(
            "secret under another key",
            replacing: "secret: {env: KEY}", by: "secret: {value: hunter2}",
            says: [
                "t.yaml:1:39: error: unknown key 'value' in federation.keys[0].secret; known here: env, file"
            ]),
        BadInput(
            "password in the file",
            replacing: "{user: probe}", by: "{user: probe, password: hunter2}",
            says: [
                "t.yaml:24:49: error: pools.orders.check.postgresql.password: a secret is written in the file; keep it elsewhere and write {env: NAME} or {file: path}; and change it, it may have been read"
            ]),
    ]
}
