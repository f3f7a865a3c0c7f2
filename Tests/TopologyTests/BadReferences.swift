/// Names of things that are not there, or not of that kind.
enum BadReferences {
    static let cases: [BadInput] = [
        BadInput(
            "region, near",
            replacing: "tier: l4, region: east", by: "tier: l4, region: esat",
            says: [
                "t.yaml:8:31: error: nodes.l4-east.region: no region is named 'esat'; regions: east, west; did you mean 'east'?"
            ]),
        BadInput(
            "service, far",
            replacing: "service: shop\n    ", by: "service: inventory\n    ",
            says: [
                "t.yaml:15:14: error: pools.web.service: no service is named 'inventory'; services: db, shop"
            ]),
        BadInput(
            "pool of a route",
            replacing: "pool: web}", by: "pool: wbe}",
            says: [
                "t.yaml:39:26: error: http.routes[0].pool: no pool is named 'wbe'; pools: web, orders; did you mean 'web'?"
            ]),
        BadInput(
            "pool of a listener",
            replacing: "pool: orders,", by: "pool: order,",
            says: [
                "t.yaml:41:42: error: tcp.listeners.orders.pool: no pool is named 'order'; pools: web, orders; did you mean 'orders'?"
            ]),
        BadInput(
            "region of endpoints",
            replacing: "{east: [\"10.0.1.1:6432\"]}", by: "{easst: [\"10.0.1.1:6432\"]}",
            says: [
                "t.yaml:23:17: error: pools.orders.endpoints: no region is named 'easst'; regions: east, west; did you mean 'east'?"
            ]),
        BadInput(
            "region of an answer",
            replacing: "west: {A: 192.0.2.2}", by: "north: {A: 192.0.2.2}",
            says: [
                "t.yaml:34:43: error: dns.zones.shop.test.names.www.answers: no region is named 'north'; regions: east, west",
                "t.yaml:35:53: error: dns.zones.shop.test.names.www.steps[1].geo.continents.EU: 'west' has no answers here; with answers: east",
            ]),
        BadInput(
            "dependency",
            replacing: "dependsOn: [db]", by: "dependsOn: [bd]",
            says: [
                "t.yaml:11:22: error: services.shop.dependsOn[0]: no service is named 'bd'; services: db, shop; did you mean 'db'?"
            ]),
        BadInput(
            "dependency twice",
            replacing: "dependsOn: [db]", by: "dependsOn: [db, db]",
            says: [
                "t.yaml:11:26: error: services.shop.dependsOn: 'db' is listed twice; once is enough"
            ]),
        BadInput(
            "dependency on itself",
            replacing: "dependsOn: [db]", by: "dependsOn: [shop]",
            says: [
                "t.yaml:11:22: error: services.shop.dependsOn goes round: shop -> shop; a service cannot depend on itself"
            ]),
        BadInput(
            "ring of dependencies",
            replacing: "db: {requires: primary}", by: "db: {requires: primary, dependsOn: [shop]}",
            says: [
                "t.yaml:11:22: error: services.shop.dependsOn goes round: db -> shop -> db; a service cannot depend on itself"
            ]),
        BadInput(
            "long ring",
            replacing: "db: {requires: primary}",
            by: "db: {requires: primary, dependsOn: [a]}\n  a: {dependsOn: [b]}\n  b: {dependsOn: [db]}",
            says: [
                "t.yaml:12:19: error: services.b.dependsOn goes round: db -> a -> b -> db; a service cannot depend on itself"
            ]),
        BadInput(
            "step names a region without answers",
            replacing: "EU: [west]", by: "EU: [south]",
            says: [
                "t.yaml:35:53: error: dns.zones.shop.test.names.www.steps[1].geo.continents.EU: 'south' has no answers here; with answers: east, west"
            ]),
        BadInput(
            "geo names a region that does not answer",
            replacing: "west: {A: 192.0.2.2}}", by: "west2: {A: 192.0.2.2}}",
            says: [
                "t.yaml:34:43: error: dns.zones.shop.test.names.www.answers: no region is named 'west2'; regions: east, west; did you mean 'west'?",
                "t.yaml:35:53: error: dns.zones.shop.test.names.www.steps[1].geo.continents.EU: 'west' has no answers here; with answers: east",
            ]),
        BadInput(
            "failover",
            replacing: "{limit: 1}", by: "{failover: [east, east]}",
            says: [
                "t.yaml:35:98: error: dns.zones.shop.test.names.www.steps[2].failover: 'east' is listed twice; once is enough"
            ]),
        BadInput(
            "weighted",
            replacing: "{limit: 1}", by: "{weighted: {east: 1, south: 2}}",
            says: [
                "t.yaml:35:101: error: dns.zones.shop.test.names.www.steps[2].weighted: 'south' has no answers here; with answers: east, west"
            ]),
        BadInput(
            "weight of a step",
            replacing: "{limit: 1}", by: "{weighted: {east: 70000}}",
            says: [
                "t.yaml:35:98: error: dns.zones.shop.test.names.www.steps[2].weighted.east: read '70000'; a whole number, 0 to 65535"
            ]),
        BadInput(
            "http pool for a listener",
            replacing: "pool: orders, role: primary", by: "pool: web",
            says: [
                "t.yaml:41:42: error: tcp.listeners.orders.pool: 'web' is a pool of kind http; tcp pools: orders"
            ]),
        BadInput(
            "tcp pool for a route",
            replacing: "pool: web}", by: "pool: orders}",
            says: [
                "t.yaml:39:26: error: http.routes[0].pool: 'orders' is a pool of kind tcp; http pools: web"
            ]),
        BadInput(
            "role without a check",
            replacing: "check: {postgresql: {user: probe}}", by: "check: {tcp: {}}",
            says: [
                "t.yaml:10:18: error: services.db.requires: no pool of this service learns which server is primary; a pool with service: db and check: {postgresql: {user: ...}}",
                "t.yaml:41:56: error: tcp.listeners.orders.role: nothing tells which server of 'orders' is primary; give pools.orders a check: {postgresql: {user: ...}}, or write role: any",
            ]),
        BadInput(
            "role with any pool",
            replacing: "service: db\n    ", by: "",
            says: [
                "t.yaml:10:18: error: services.db.requires: no pool of this service learns which server is primary; a pool with service: db and check: {postgresql: {user: ...}}"
            ]),
    ]
}
