/// Keys that are unknown, missing, or hold the wrong kind of thing.
enum BadKeys {
    static let cases: [BadInput] = [
        BadInput(
            "unknown key, near",
            replacing: "balance: random", by: "ballance: random",
            says: [
                "t.yaml:16:5: error: unknown key 'ballance' in pools.web; known here: kind, service, balance, endpoints, check, ejection, retry, timeouts, keepalive, closeOnDown; did you mean 'balance'?"
            ]),
        BadInput(
            "unknown key, far",
            replacing: "balance: random", by: "colour: red",
            says: [
                "t.yaml:16:5: error: unknown key 'colour' in pools.web; known here: kind, service, balance, endpoints, check, ejection, retry, timeouts, keepalive, closeOnDown"
            ]),
        BadInput(
            "unknown section",
            replacing: "tcp:\n", by: "tpc:\n",
            says: [
                "t.yaml:40:1: error: unknown key 'tpc' at the top level; known here: include, federation, stateDirectory, regions, nodes, services, safety, pools, dns, http, tcp; did you mean 'tcp'?"
            ]),
        BadInput(
            "key in the wrong case",
            replacing: "tier: l4", by: "Tier: l4",
            says: [
                "t.yaml:8:12: error: nodes.l4-east has no 'tier'; one of dns, l7, l4",
                "t.yaml:8:13: error: unknown key 'Tier' in nodes.l4-east; known here: tier, region, address, workers, admin, adminToken, federation, drainTimeout, leaveDelay, log, state; did you mean 'tier'?",
            ]),
        BadInput(
            "unknown key of a check",
            replacing: "{path: /healthz}", by: "{path: /healthz, hostt: a}",
            says: [
                "t.yaml:18:36: error: unknown key 'hostt' in pools.web.check.http; known here: path, host, statuses, contains, port; did you mean 'host'?"
            ]),
        BadInput(
            "unknown step",
            replacing: "{limit: 1}", by: "{limitt: 1}",
            says: [
                "t.yaml:35:81: error: unknown key 'limitt' in dns.zones.shop.test.names.www.steps[2]; known here: healthy, geo, prefix, proximity, nearest, latency, weighted, priority, failover, capacity, shed, take and 3 more; did you mean 'limit'?"
            ]),
        BadInput(
            "merge key",
            replacing: "  east: {address: 10.0.1.1}", by: "  east: {<<: 5, address: 10.0.1.1}",
            says: [
                "t.yaml:3:10: error: unknown key '<<' in regions.east; merge keys are not used; an alias stands for a whole value"
            ]),
        BadInput(
            "key that no map has",
            replacing: "{public: {port: 80}", by: "{public: {port: 80, tls: {}}",
            says: [
                "t.yaml:37:34: error: unknown key 'tls' in http.listeners.public; known here: port, limits, timeouts, keepalive, trustedProxies, rawTargets"
            ]),
        BadInput(
            "missing required key",
            replacing: "kind: http\n    ", by: "",
            says: [
                "t.yaml:14:5: error: pools.web has no 'kind'; one of http, tcp"
            ]),
        BadInput(
            "missing port of a listener",
            replacing: "{public: {port: 80}", by: "{public: {}",
            says: [
                "t.yaml:37:23: error: http.listeners.public has no 'port'; a whole number, 1 to 65535"
            ]),
        BadInput(
            "missing user",
            replacing: "{user: probe}", by: "{}",
            says: [
                "t.yaml:24:25: error: pools.orders.check.postgresql has no 'user'; text"
            ]),
        BadInput(
            "missing sections",
            whole: "dns: {port: 53}\n",
            says: [
                "t.yaml:1:1: error: the topology has no 'regions'; a map, as in {name: value}",
                "t.yaml:1:1: error: the topology has no 'nodes'; a map, as in {name: value}",
            ]),
        BadInput(
            "empty regions",
            whole: "regions: {}\nnodes: {n: {tier: dns, region: r}}\n",
            says: [
                "t.yaml:1:10: error: regions: nothing is defined; at least 1 must be given",
                "t.yaml:2:32: error: nodes.n.region: no region is named 'r'; none is defined",
            ]),
        BadInput(
            "a list where a map belongs",
            replacing: "  listeners: {public: {port: 80}, inner: {port: 81, limits: {headSize: 8KiB}}}",
            by: "  listeners: [80]",
            says: [
                "t.yaml:37:14: error: http.listeners: read a list; a map, as in {name: value}"
            ]),
        BadInput(
            "a scalar where a map belongs",
            replacing: "check: {http: {path: /healthz}}", by: "check: http",
            says: [
                "t.yaml:18:12: error: pools.web.check: read 'http'; a map with the keys http, tcp, postgresql, interval, timeout, rise, fall"
            ]),
        BadInput(
            "a map where a list belongs",
            replacing: "dependsOn: [db]", by: "dependsOn: {db: 1}",
            says: [
                "t.yaml:11:21: error: services.shop.dependsOn: read a map; a list, as in [a, b]"
            ]),
        BadInput(
            "a scalar where a list belongs",
            replacing: "dependsOn: [db]", by: "dependsOn: db",
            says: [
                "t.yaml:11:21: error: services.shop.dependsOn: read 'db'; a list, as in [a, b]"
            ]),
        BadInput(
            "a list where a scalar belongs",
            replacing: "tier: l4", by: "tier: [l4]",
            says: [
                "t.yaml:8:19: error: nodes.l4-east.tier: read a list; one of dns, l7, l4"
            ]),
        BadInput(
            "two kinds of check",
            replacing: "check: {http: {path: /healthz}}", by: "check: {http: {}, tcp: {}}",
            says: [
                "t.yaml:18:23: error: pools.web.check has both 'http' and 'tcp'; exactly one of http, tcp, postgresql"
            ]),
        BadInput(
            "no kind of check",
            replacing: "check: {http: {path: /healthz}}", by: "check: {interval: 1s}",
            says: [
                "t.yaml:18:12: error: pools.web.check says nothing; exactly one of http, tcp, postgresql"
            ]),
        BadInput(
            "two steps in one",
            replacing: "{limit: 1}", by: "{limit: 1, failover: [east]}",
            says: [
                "t.yaml:35:91: error: dns.zones.shop.test.names.www.steps[2] has both 'limit' and 'failover'; exactly one of healthy, geo, prefix, proximity, nearest, latency, weighted, priority, failover, capacity, shed, take and 2 more"
            ]),
        BadInput(
            "unknown word for a step",
            replacing: "[healthy, ", by: "[helthy, ",
            says: [
                "t.yaml:35:19: error: dns.zones.shop.test.names.www.steps[0]: read 'helthy'; one of healthy, proximity, hash, capacity, shed; did you mean 'healthy'?"
            ]),
        BadInput(
            "the whole file is a list",
            whole: "- a\n- b\n",
            says: [
                "t.yaml:1:1: error: read a list; a map with the keys include, federation, stateDirectory, regions, nodes, services, safety, pools, dns, http, tcp"
            ]),
        BadInput(
            "the whole file is text",
            whole: "hello\n",
            says: [
                "t.yaml:1:1: error: read 'hello'; a map with the keys include, federation, stateDirectory, regions, nodes, services, safety, pools, dns, http, tcp"
            ]),
        BadInput(
            "an empty file",
            whole: "",
            says: [
                "t.yaml:1:1: error: read nothing; a map with the keys include, federation, stateDirectory, regions, nodes, services, safety, pools, dns, http, tcp"
            ]),
        BadInput(
            "several errors at once",
            replacing: "  l4-east: {tier: l4, region: east}",
            by: "  l4-east: {tier: l5, region: wset, wrokers: 2, drainTimeout: 5}",
            says: [
                "t.yaml:8:19: error: nodes.l4-east.tier: read 'l5'; one of dns, l7, l4; did you mean 'l7'?",
                "t.yaml:8:31: error: nodes.l4-east.region: no region is named 'wset'; regions: east, west; did you mean 'west'?",
                "t.yaml:8:37: error: unknown key 'wrokers' in nodes.l4-east; known here: tier, region, address, workers, admin, adminToken, federation, drainTimeout, leaveDelay, log, state; did you mean 'workers'?",
                "t.yaml:8:63: error: nodes.l4-east.drainTimeout: read '5'; a duration such as 500ms, 5s, 2m or 1h, from 0s to 1h; did you mean '5s'?",
            ]),
    ]
}
