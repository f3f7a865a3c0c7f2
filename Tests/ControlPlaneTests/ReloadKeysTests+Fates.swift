/// What is written down of each key.
extension ReloadKeysTests {
    enum Fate {
        /// With the first text turned into the second, what nodes go by changes.
        case applied(String, String)
        /// Then the reload is refused at some node, in these words.
        case refused(String, String, String)
    }

    /// The keys of a kind of map, by the map's title.
    static let fates: [String: [String: Fate]] = [
        "The file": [
            "include": .applied("include: [a.yaml]", "include: [b.yaml]"),
            "federation": .applied("interval: 1s", "interval: 2s"),
            "stateDirectory": .refused(
                "stateDirectory: var", "stateDirectory: lib", "nodes.l7.state is '$/var/l7.state' and cannot become"),
            "regions": .applied("  west: {loc", "  north: {address: 10.0.3.1}\n  west: {loc"),
            "nodes": .applied("nodes:\n", "nodes:\n  l7-west: {tier: l7, region: west}\n"),
            "services": .applied("services:\n", "services:\n  more: {}\n"),
            "safety": .applied("safety:\n", "safety:\n  - {name: two, atLeast: 1}\n"),
            "pools": .applied("pools:\n", "pools:\n  more: {kind: tcp, endpoints: {west: [\"10.0.2.9:7001\"]}}\n"),
            "dns": .applied("maximumUDPSize: 1400", "maximumUDPSize: 1401"),
            "http": .applied("exact: /one", "exact: /two"),
            "tcp": .applied("port: 6432", "port: 6433"),
        ],
        "A secret": [
            "env": .applied("{env: TOKEN}", "{env: TOKEN_TWO}"),
            "file": .applied("{file: key-two}", "{file: key-three}"),
        ],
        "federation": [
            "keys": .applied("{id: k1, secret: {env: KEY}}, ", ""),
            "interval": .applied("interval: 1s", "interval: 2s"),
            "staleAfter": .applied("staleAfter: 5s", "staleAfter: 6s"),
            "clockSkew": .applied("clockSkew: 30s", "clockSkew: 31s"),
            "failStaticShare": .applied("failStaticShare: 60%", "failStaticShare: 61%"),
            "damping": .applied("rise: 3s", "rise: 4s"),
        ],
        "federation.keys[]": [
            "id": .applied("id: k1", "id: k3"),
            "secret": .applied("{env: KEY}", "{env: KEY_TWO}"),
        ],
        "federation.damping": [
            "rise": .applied("rise: 3s", "rise: 4s"),
            "fall": .applied("fall: 4s", "fall: 5s"),
            "holdDown": .applied("failures: 5, window", "failures: 6, window"),
        ],
        "federation.damping.holdDown": [
            "failures": .applied("failures: 5, window", "failures: 6, window"),
            "window": .applied("window: 6m", "window: 7m"),
            "base": .applied("base: 31s", "base: 32s"),
            "maximum": .applied("maximum: 11m", "maximum: 12m"),
        ],
        "regions.NAME": [
            "location": .applied("location: {continent: EU", "location: {continent: AS"),
            "address": .refused(
                "address: 10.0.1.1", "address: 10.0.1.2", "nodes.l7.address is '10.0.1.1' and cannot become '10.0.1.2'"),
            "capacity": .applied("capacity: 1001", "capacity: 1002"),
        ],
        "regions.NAME.location": [
            "continent": .applied("continent: NA", "continent: SA"),
            "country": .applied("country: US", "country: CA"),
            "latitude": .applied("latitude: 40", "latitude: 41"),
            "longitude": .applied("longitude: -75", "longitude: -74"),
        ],
        "safety[]": [
            "name": .applied("name: one, atLeast", "name: uno, atLeast"),
            "atLeast": .applied("atLeast: 1", "atLeast: 2"),
            "gate": .applied("gate: closed", "gate: open"),
            "of": .applied("of: [east, west]", "of: [east]"),
            "services": .applied("services: [db]", "services: [shop]"),
            "names": .applied("names: [www.shop.test]", "names: [pre.shop.test]"),
        ],
        "nodes.NAME": [
            "tier": .refused("l4: {tier: l4", "l4: {tier: dns", "l4 is a node of tier dns"),
            "region": .refused(
                "l7: {tier: l7, region: east", "l7: {tier: l7, region: west",
                "nodes.l7.region is 'east' and cannot become 'west' while the node runs"),
            "address": .refused("address: 10.0.1.3", "address: 10.0.1.4", "nodes.dns.address is '10.0.1.3'"),
            "workers": .refused("workers: 2", "workers: 3", "nodes.dns.workers is '2' and cannot become '3'"),
            "admin": .refused("127.0.0.1:9080", "127.0.0.1:9079", "nodes.dns.admin is '127.0.0.1:9080'"),
            "adminToken": .applied("{env: TOKEN}", "{env: TOKEN_TWO}"),
            "federation": .refused("10.0.1.3:9090", "10.0.1.3:9089", "nodes.dns.federation is '10.0.1.3:9090'"),
            "drainTimeout": .applied("drainTimeout: 5s", "drainTimeout: 6s"),
            "leaveDelay": .applied("leaveDelay: 2s", "leaveDelay: 3s"),
            "log": .applied("level: info", "level: debug"),
            "state": .refused("state: /s/dns", "state: /s/d", "nodes.dns.state is '/s/dns'"),
        ],
        "nodes.NAME.log": [
            "format": .refused("format: json", "format: text", "nodes.dns.log.format is 'json'"),
            "level": .applied("level: info", "level: debug"),
            "access": .refused("access: /l/a", "access: /l/b", "nodes.dns.log.access is '/l/a'"),
            "accessSample": .refused("accessSample: 2", "accessSample: 3", "nodes.dns.log.accessSample is '2'"),
            "explain": .refused("explain: /l/e", "explain: /l/f", "nodes.dns.log.explain is '/l/e'"),
            "explainSample": .refused("explainSample: 9", "explainSample: 8", "nodes.dns.log.explainSample is '9'"),
        ],
        "services.NAME": [
            "dependsOn": .applied("dependsOn: [db]", "dependsOn: []"),
            "threshold": .applied("threshold: 40%", "threshold: 41%"),
            "requires": .applied("requires: primary", "requires: replica"),
        ],
        "pools.NAME": [
            "kind": .applied("lone: {kind: tcp", "lone: {kind: http"),
            "service": .applied("kind: http, service: shop", "kind: http, service: extra"),
            "balance": .applied("balance: random", "balance: roundRobin"),
            "endpoints": .applied("10.0.2.1:9001", "10.0.2.2:9001"),
            "check": .applied("path: /healthz", "path: /health"),
            "ejection": .applied(
                "    ejection: {failures: 4, on: [connect, gateway], base: 11s, maximum: 6m, maximumShare: 51%}\n", ""),
            "retry": .applied("attempts: 4", "attempts: 5"),
            "timeouts": .applied("connect: 2s", "connect: 3s"),
            "keepalive": .applied("connections: 65", "connections: 66"),
            "closeOnDown": .applied("closeOnDown: false", "closeOnDown: true"),
        ],
        "pools.NAME.keepalive": [
            "connections": .applied("connections: 65", "connections: 66"),
            "idle": .applied("idle: 20s", "idle: 21s"),
            "interval": .applied("interval: 7s", "interval: 8s"),
            "count": .applied("count: 3", "count: 4"),
        ],
        "A listener's keepalive": [
            "idle": .applied("idle: 22s", "idle: 23s"),
            "interval": .applied("interval: 9s", "interval: 10s"),
            "count": .applied("count: 5", "count: 6"),
        ],
        "pools.NAME.endpoints.REGION[]": [
            "address": .applied("10.0.1.9:9001", "10.0.1.8:9001"),
            "weight": .applied("weight: 7", "weight: 8"),
        ],
        "pools.NAME.ejection": [
            "failures": .applied("failures: 4", "failures: 5"),
            "on": .applied("on: [connect, gateway]", "on: [connect, 5xx]"),
            "base": .applied("base: 11s", "base: 12s"),
            "maximum": .applied("maximum: 6m", "maximum: 7m"),
            "maximumShare": .applied("maximumShare: 51%", "maximumShare: 52%"),
        ],
        "pools.NAME.retry": [
            "on": .applied("on: connect,", "on: reset,"),
            "attempts": .applied("attempts: 4", "attempts: 5"),
        ],
        "pools.NAME.timeouts": [
            "connect": .applied("connect: 2s", "connect: 3s"),
            "response": .applied("response: 31s", "response: 32s"),
            "idle": .applied("idle: 61s", "idle: 62s"),
        ],
        "A check": [
            "http": .applied("path: /healthz", "path: /health"),
            "tcp": .applied("{tcp: {port: 443}", "{tcp: {port: 444}"),
            "postgresql": .applied("user: probe, ", "user: prober, "),
            "interval": .applied("interval: 1100ms", "interval: 1200ms"),
            "timeout": .applied("timeout: 600ms", "timeout: 601ms"),
            "rise": .applied("rise: 4,", "rise: 5,"),
            "fall": .applied("fall: 3}", "fall: 4}"),
        ],
        "An http check": [
            "path": .applied("path: /healthz", "path: /health"),
            "host": .applied("host: a.test", "host: b.test"),
            "statuses": .applied("statuses: 200-299", "statuses: 200-298"),
            "contains": .applied("contains: fine", "contains: well"),
            "port": .applied("port: 8081", "port: 8082"),
        ],
        "A tcp check": [
            "port": .applied("{tcp: {port: 443}", "{tcp: {port: 444}")
        ],
        "A postgresql check": [
            "user": .applied("user: probe, ", "user: prober, "),
            "database": .applied("database: shop", "database: shopping"),
            "password": .applied("{env: PASSWORD}", "{env: PASSWORD_TWO}"),
            "maximumLag": .applied("maximumLag: 8s", "maximumLag: 9s"),
            "md5": .applied("md5: true", "md5: false"),
            "sslmode": .applied(
                "sslmode: verify-full, sslrootcert: /s/roots.pem, host: db.test",
                "sslmode: verify-ca, sslrootcert: /s/roots.pem"),
            "sslrootcert": .applied("/s/roots.pem", "/s/more.pem"),
            "host": .applied("host: db.test", "host: orders.test"),
            "port": .applied(
                "{postgresql: {user: probe-name, port: 5433}", "{postgresql: {user: probe-name, port: 5434}"),
        ],
        "dns": [
            "port": .refused("dns:\n  port: 5353", "dns:\n  port: 5354", "dns.port is '5353' and cannot become '5354'"),
            "maximumUDPSize": .applied("maximumUDPSize: 1400", "maximumUDPSize: 1401"),
            "locations": .applied("csv: places.csv", "csv: other.csv"),
            "prefixSets": .applied("office: [10.9.0.0/16]", "office: [10.8.0.0/16]"),
            "groups": .applied("A: 192.0.2.30", "A: 192.0.2.31"),
            "zones": .applied("    shop.test:\n", "    more.test: {file: more.zone}\n    shop.test:\n"),
            "zoneFolder": .applied("zoneFolder: zones", "zoneFolder: others"),
            "amplification": .applied("amplification: 17", "amplification: 18"),
            "identity": .applied("version: one", "version: two"),
            "cookies": .applied("required: true", "required: false"),
            "rateLimit": .applied("slip: 3", "slip: 4"),
            "tcp": .applied("perSource: 201", "perSource: 202"),
            "proxy": .applied("from: [10.7.0.0/16]", "from: [10.6.0.0/16]"),
        ],
        "dns.identity": [
            "name": .applied("name: ns-one", "name: ns-two"),
            "nsid": .applied("nsid: false", "nsid: true"),
            "chaos": .applied("chaos: true", "chaos: false"),
            "version": .applied("version: one", "version: two"),
        ],
        "dns.cookies": [
            "secrets": .applied("{env: COOKIE}", "{env: COOKIE_TWO}"),
            "required": .applied("required: true", "required: false"),
        ],
        "dns.rateLimit": [
            "responsesPerSecond": .applied("responsesPerSecond: 201", "responsesPerSecond: 202"),
            "negativesPerSecond": .applied("negativesPerSecond: 101", "negativesPerSecond: 102"),
            "errorsPerSecond": .applied("errorsPerSecond: 51", "errorsPerSecond: 52"),
            "slip": .applied("slip: 3", "slip: 4"),
            "window": .applied("window: 14s", "window: 13s"),
            "ipv4Length": .applied("ipv4Length: 25", "ipv4Length: 26"),
            "ipv6Length": .applied("ipv6Length: 57", "ipv6Length: 58"),
            "tableSize": .applied("tableSize: 65537", "tableSize: 65538"),
            "exempt": .applied("exempt: [10.5.0.0/16]", "exempt: [10.4.0.0/16]"),
        ],
        "dns.tcp": [
            "connections": .applied("connections: 19999", "connections: 19998"),
            "perSource": .applied("perSource: 201", "perSource: 202"),
            "idle": .applied("idle: 11s, message", "idle: 12s, message"),
            "message": .applied("message: 6s", "message: 7s"),
        ],
        "dns.proxy": [
            "port": .refused(
                "proxy: {port: 5355", "proxy: {port: 5356", "dns.proxy.port is '5355' and cannot become '5356'"),
            "from": .applied("from: [10.7.0.0/16]", "from: [10.6.0.0/16]"),
        ],
        "dns.locations": [
            "csv": .applied("csv: places.csv", "csv: other.csv"),
            "mmdb": .applied("csv: places.csv", "mmdb: places.mmdb"),
            "asn": .applied("asn: networks.mmdb", "asn: others.mmdb"),
        ],
        "dns.zones.ZONE": [
            "file": .applied("file: shop.test.zone", "file: shop.zone"),
            "names": .applied("ttl: 31s", "ttl: 32s"),
        ],
        "dns.zones.ZONE.names.NAME": [
            "service": .applied("www:\n          service: shop", "www:\n          service: extra"),
            "ttl": .applied("ttl: 31s", "ttl: 32s"),
            "ttlDegraded": .applied("ttlDegraded: 6s", "ttlDegraded: 7s"),
            "ramp": .applied("ramp: 5s", "ramp: 6s"),
            "check": .applied("port: 8081", "port: 8082"),
            "answers": .applied("A: 192.0.2.1,", "A: 192.0.2.9,"),
            "steps": .applied("- take: 1", "- take: 2"),
            "policy": .applied("policy: {multivalue: 3}", "policy: {multivalue: 4}"),
        ],
        "dns.groups.NAME": [
            "service": .applied("blue: {service: db", "blue: {service: extra"),
            "answers": .applied("A: 192.0.2.30", "A: 192.0.2.31"),
            "steps": .applied(
                "steps: [healthy, {failover: [west, east]}]", "steps: [healthy, {failover: [east, west]}]"),
            "policy": .applied("green: {policy: failover", "green: {policy: simple"),
        ],
        "dns.zones.ZONE.names.NAME.answers.REGION": [
            "region": .applied("two: {region: west", "two: {region: east"),
            "service": .applied("service: db, A: 192.0.2.12", "service: extra, A: 192.0.2.12"),
            "group": .applied("first: {group: blue}", "first: {group: red}"),
            "name": .applied("{name: pre}", "{name: tcp}"),
            "A": .applied("A: 192.0.2.1,", "A: 192.0.2.9,"),
            "AAAA": .applied("2001:db8::1", "2001:db8::9"),
            "CNAME": .applied("CNAME: one.elsewhere.test.", "CNAME: two.elsewhere.test."),
            "HTTPS": .applied("HTTPS: 1 . alpn=h2", "HTTPS: 2 . alpn=h2"),
            "SVCB": .applied("SVCB: 1 . alpn=dot", "SVCB: 2 . alpn=dot"),
            "TXT": .applied("TXT: one", "TXT: two"),
            "MX": .applied("MX: 10 mail", "MX: 11 mail"),
            "SRV": .applied("SRV: 1 2 5432 db", "SRV: 1 3 5432 db"),
            "CAA": .applied("0 issue", "0 issuewild"),
        ],
        "dns.zones.ZONE.names.NAME.steps[]": [
            "healthy": .applied("quorum: 30%", "quorum: 31%"),
            "geo": .applied("FR: [west]", "FR: [east]"),
            "prefix": .applied("office: [east]", "office: [west]"),
            "proximity": .applied("bias: {east: 10}", "bias: {east: 11}"),
            "nearest": .applied("count: 2", "count: 1"),
            "latency": .applied("tolerance: 21ms", "tolerance: 22ms"),
            "weighted": .applied("weighted: {east: 3}", "weighted: {east: 4}"),
            "priority": .applied("order: [east, west]", "order: [west, east]"),
            "failover": .applied(
                "steps: [healthy, {failover: [west, east]}]", "steps: [healthy, {failover: [east, west]}]"),
            "capacity": .applied("limit: 81%", "limit: 82%"),
            "shed": .applied("low: 71%", "low: 72%"),
            "take": .applied("- take: 1", "- take: 2"),
            "sample": .applied("sample: 2", "sample: 1"),
            "limit": .applied("- limit: 2", "- limit: 1"),
            "fence": .applied("fence: open", "fence: closed"),
        ],
        "A healthy step": [
            "servers": .applied("servers: 20%", "servers: 21%"),
            "quorum": .applied("quorum: 30%", "quorum: 31%"),
        ],
        "A geo step": [
            "prefixes": .applied("prefixes: {10.1.0.0/16: [east]}", "prefixes: {10.2.0.0/16: [east]}"),
            "networks": .applied("AS64500", "AS64501"),
            "cities": .applied("FR/Paris", "FR/Lyon"),
            "subdivisions": .applied("US-CA", "US-NY"),
            "countries": .applied("FR: [west]", "FR: [east]"),
            "continents": .applied("AF: [east]", "AF: [west]"),
            "default": .applied("default: [east]", "default: [west]"),
        ],
        "A proximity step": [
            "bias": .applied("bias: {east: 10}", "bias: {east: 11}")
        ],
        "A nearest step": [
            "count": .applied("count: 2", "count: 1"),
            "bias": .applied("bias: {west: 12}", "bias: {west: 13}"),
        ],
        "A latency step": [
            "file": .applied("file: l.csv", "file: m.csv"),
            "measured": .applied("measured: true", "measured: false"),
            "tolerance": .applied("tolerance: 21ms", "tolerance: 22ms"),
            "explore": .applied("explore: 2%", "explore: 3%"),
        ],
        "A priority step": [
            "order": .applied("order: [east, west]", "order: [west, east]"),
            "trickle": .applied("trickle: 4%", "trickle: 5%"),
        ],
        "A capacity step": [
            "limit": .applied("limit: 81%", "limit: 82%")
        ],
        "A shed step": [
            "low": .applied("low: 71%", "low: 72%"),
            "high": .applied("high: 96%", "high: 97%"),
        ],
        "dns.zones.ZONE.names.NAME.policy": [
            "multivalue": .applied("policy: {multivalue: 3}", "policy: {multivalue: 4}"),
            "weighted": .applied("policy: {multivalue: 3}", "policy: {weighted: {east: 3}}"),
            "latency": .applied("policy: {multivalue: 3}", "policy: {latency: {file: l.csv}}"),
            "failover": .applied("policy: {multivalue: 3}", "policy: {failover: [west, east]}"),
            "geolocation": .applied("policy: {multivalue: 3}", "policy: {geolocation: {countries: {FR: west}}}"),
            "geoproximity": .applied("policy: {multivalue: 3}", "policy: {geoproximity: {bias: {west: 3}}}"),
            "ip-based": .applied("policy: {multivalue: 3}", "policy: {ip-based: {10.0.0.0/8: east}}"),
        ],
        "http": [
            "listeners": .applied("port: 8080", "port: 8079"),
            "routes": .applied("prefix: /shop", "prefix: /shops"),
        ],
        "http.listeners.NAME": [
            "port": .applied("port: 8080", "port: 8079"),
            "trustedProxies": .applied("trustedProxies: [10.3.0.0/16]", "trustedProxies: [10.2.0.0/16]"),
            "rawTargets": .applied("rawTargets: refuse", "rawTargets: encode"),
            "limits": .applied("headSize: 9KiB", "headSize: 10KiB"),
            "timeouts": .applied("head: 11s", "head: 12s"),
            "keepalive": .applied("idle: 22s", "idle: 23s"),
        ],
        "http.listeners.NAME.limits": [
            "headSize": .applied("headSize: 9KiB", "headSize: 10KiB"),
            "headerCount": .applied("headerCount: 101", "headerCount: 102"),
            "bodySize": .applied("bodySize: 2MiB", "bodySize: 3MiB"),
            "connections": .applied("connections: 999", "connections: 998"),
        ],
        "http.listeners.NAME.timeouts": [
            "head": .applied("head: 11s", "head: 12s"),
            "body": .applied("body: 12s", "body: 13s"),
            "keepalive": .applied("keepalive: 13s", "keepalive: 14s"),
        ],
        "http.routes[]": [
            "name": .applied("name: shop,", "name: store,"),
            "host": .applied("host: www.shop.test", "host: shop.test"),
            "path": .applied("prefix: /shop", "prefix: /shops"),
            "upgrades": .applied("upgrades: [chat]", "upgrades: [talk]"),
            "pool": .applied("prefix: /shop}, pool: web", "prefix: /shop}, pool: spare"),
        ],
        "http.routes[].path": [
            "exact": .applied("exact: /one", "exact: /two"),
            "prefix": .applied("prefix: /shop", "prefix: /shops"),
        ],
        "tcp": [
            "listeners": .applied("port: 6432", "port: 6433")
        ],
        "tcp.listeners.NAME": [
            "port": .applied("port: 6432", "port: 6433"),
            "pool": .applied("pool: orders", "pool: others"),
            "fallback": .applied(", fallback: primary", ""),
            "role": .applied("role: replica, fallback: primary", "role: any"),
            "connections": .applied("connections: 888", "connections: 887"),
            "keepalive": .applied("keepalive: {count: 9}", "keepalive: {count: 10}"),
        ],
    ]
}
